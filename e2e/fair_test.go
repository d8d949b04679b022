package e2e

import (
	"fmt"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/task"
)

// TestALongJobStarvesNoShortOne has a job of many chunks in the queue, all of
// them, before a short one is dropped: as the messages have their job as group,
// the short one ends while most of the long one's chunks still wait.
func TestALongJobStarvesNoShortOne(t *testing.T) {
	quiet(t)
	small := func(seconds int) string {
		return clip(t, fmt.Sprintf("in-%d.mp4", seconds), "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=64x48:r=25:d=%d", seconds), "-f", "lavfi", "-i", fmt.Sprintf("sine=f=440:r=48000:d=%d", seconds),
			"-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", "-shortest")
	}
	drop := func(name string, seconds int) string {
		key := wrapped(t)
		upload(t, name+".mp4", small(seconds), key)
		return submit(t, job.Request{Inputs: []job.Input{{Key: name + ".mp4", Encryption: key}}, OutputKeyPrefix: name + "/",
			Outputs: []job.Output{{Key: "hls", PresetID: systemPreset + "200050", SegmentDuration: "4", Encryption: &job.Encryption{Mode: job.ModeSSEC}}}})
	}
	name := unique(t)
	long := drop(name+"-long", 120)
	chunks := 0
	eventually(t, time.Minute, "the sound of the long job", func() bool {
		if p, err := site.ledger.Plan(t.Context(), long); err == nil {
			chunks = len(p.Groups[0].Chunks)
		}
		return chunks > 0 && receiptsOf(t, long, task.Piece) == chunks
	})
	before := chunks - receiptsOf(t, long, task.Chunk)
	completed(t, drop(name+"-short", 5))
	left := chunks - receiptsOf(t, long, task.Chunk)
	t.Logf("the long job has %d chunks; %d waited when the short one was dropped, %d when it was complete", chunks, before, left)
	if left <= 2 { // one for each worker
		t.Errorf("%d chunks of the long job waited when the short one was dropped, and only %d when it was complete: it stood behind them", before, left)
	}
	completed(t, long)
}

// receiptsOf counts the receipts of a job's first group of one kind.
func receiptsOf(t *testing.T, id string, name func(group, chunk int) string) int {
	t.Helper()
	done, err := site.ledger.Receipts(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for place := range len(done) {
		if done[name(0, place)] {
			n++
		}
	}
	return n
}
