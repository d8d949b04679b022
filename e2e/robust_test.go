package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/s3store"
	"sealreel/pkg/sqsqueue"
	"sealreel/pkg/task"
)

// quiet waits until the queue is empty and no task is under way.
func quiet(t *testing.T) {
	t.Helper()
	client := sqs.NewFromConfig(site.aws)
	url := site.Exports()["SEALREEL_QUEUE_URL"]
	eventually(t, 3*time.Minute, "an empty queue", func() bool {
		out, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url,
			AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Attributes["ApproximateNumberOfMessages"] == "0" && out.Attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
	})
}

// longer is a clip of several chunks.
func longer(t *testing.T, seconds int) string {
	t.Helper()
	return clip(t, "in.mp4", "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=320x180:r=25:d=%d", seconds), "-f", "lavfi", "-i", fmt.Sprintf("sine=f=440:r=48000:d=%d", seconds),
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", "-shortest")
}

// everyKind are outputs of both kinds, with a playlist.
func everyKind(name string, key *job.Encryption) job.Request {
	sealed := &job.Encryption{Mode: job.ModeSSEC}
	return job.Request{
		Inputs:          []job.Input{{Key: name + ".mp4", Encryption: key}},
		OutputKeyPrefix: name + "/",
		Outputs: []job.Output{
			{Key: "hls", PresetID: systemPreset + "200050", SegmentDuration: "4", Encryption: sealed},
			{Key: "web.mp4", PresetID: systemPreset + "000040", Encryption: sealed},
		},
		Playlists: []job.Playlist{{Name: "master", Format: "HLSv3", OutputKeys: []string{"hls"}}},
	}
}

// TestEveryMessageTwice sends each message of a job again while and after it is
// worked on, so that workers race for the same task, and has each output
// assembled again (invariant 6).
func TestEveryMessageTwice(t *testing.T) {
	name, key := unique(t), wrapped(t)
	upload(t, name+".mp4", longer(t, 14), key)
	id := submit(t, everyKind(name, key))
	queue := sqsqueue.New(site.aws, site.Exports()["SEALREEL_QUEUE_URL"])
	send := func(name string) {
		if err := queue.Send(t.Context(), task.Message{Version: task.Version, Job: id, Task: name}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, time.Minute, "a plan", func() bool {
		_, err := site.ledger.Plan(t.Context(), id)
		return err == nil
	})
	send(task.Audio)
	p := planOf(t, id)
	var chunks []string
	for g := range p.Groups {
		chunks = append(chunks, p.Tasks(g)...)
	}
	sent := map[string]bool{}
	for len(sent) < len(chunks) {
		done, err := site.ledger.Receipts(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range chunks {
			if !sent[name] && done["piece"+strings.TrimPrefix(name, "chunk")] {
				sent[name] = true
				send(name)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	rec := completed(t, id)
	quiet(t)
	eventually(t, time.Minute, "the job's end to be told", func() bool { // its last step
		_, err := site.store.Head(t.Context(), s3store.Object{Bucket: site.state, Key: "active/" + id + ".json"}, nil)
		return errors.Is(err, object.ErrNotExist)
	})
	before, state := snapshot(t, name+"/"), records(t, id)
	for _, name := range append(chunks, task.Audio) {
		send(name)
	}
	for _, o := range p.Outputs {
		ready := ledger.Drop{Bucket: site.state, Key: "ready/" + id + "/" + o.ID + ".json"}
		invoke(t, "AssembleFunction", dropEvent(ready, time.Now()))
		invoke(t, "AssembleFunction", dropEvent(ready, time.Now()))
	}
	quiet(t)
	if after := snapshot(t, name+"/"); !slices.Equal(before, after) {
		t.Errorf("objects %q, then %q", before, after)
	}
	if after := records(t, id); !slices.Equal(state, after) {
		t.Errorf("records %q, then %q", state, after)
	}
	for i, segment := range keys(t, name+"/hls0") {
		if want := fmt.Sprintf("%s/hls%05d.ts", name, i); segment != want {
			t.Errorf("segment %s, want %s", segment, want)
		}
		if b := fetch(t, rec, 0, segment); len(b)%188 != 0 || b[0] != 0x47 {
			t.Errorf("%s is no transport stream", segment)
		}
	}
	if got := frames(t, save(t, "web.mp4", fetch(t, rec, 1, name+"/web.mp4"))); len(got) < 14*29 {
		t.Errorf("%d frames", len(got))
	}
}

// records are the records of a job with their entity tags, but for what is noted
// of each invocation that worked for it.
func records(t *testing.T, id string) []string {
	t.Helper()
	var all []string
	for e, err := range site.store.List(t.Context(), site.state, "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(e.Key, id) && !strings.HasPrefix(e.Key, "usage/") {
			all = append(all, e.Key+" "+e.ETag)
		}
	}
	return all
}

// TestKilledWorkerIsReplaced kills the transcode function with SIGKILL in the
// middle of a chunk. Another takes its message over, long before the queue's
// own visibility timeout of an hour and a half, and the job completes.
func TestKilledWorkerIsReplaced(t *testing.T) {
	name, key := unique(t), wrapped(t)
	upload(t, name+".mp4", longer(t, 9), key)
	quiet(t)
	id := submit(t, everyKind(name, key))
	var victim int
	eventually(t, time.Minute, "a worker in the middle of a chunk", func() bool {
		done, err := site.ledger.Receipts(t.Context(), id)
		if err != nil || !done[task.Piece(0, 0)] {
			return false
		}
		for _, p := range processes("sealreel-TranscodeFunction", "sealreel-transcode") {
			if len(children(p)) > 0 {
				victim = p
			}
		}
		return victim != 0
	})
	helpers := children(victim)
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	eventually(t, 10*time.Second, "the end of what the worker started", func() bool {
		return !slices.ContainsFunc(helpers, func(pid int) bool { return syscall.Kill(pid, 0) == nil })
	})
	t.Parallel() // the wait for the message costs nothing
	rec := completed(t, id)
	took := time.UnixMilli(rec.Job.Timing.FinishTimeMillis).Sub(killed)
	t.Logf("completed %v after the kill", took)
	if took > 2*time.Minute {
		t.Errorf("the job took %v to recover", took)
	}
	if got := frames(t, save(t, "web.mp4", fetch(t, rec, 1, name+"/web.mp4"))); len(got) < 9*29 {
		t.Errorf("%d frames", len(got))
	}
}

// processes are the running bootstraps of a function, by its name in their
// environment. They are descendants of this process.
func processes(names ...string) []int {
	var all []int
	for _, pid := range children(os.Getpid()) {
		environment, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
		if err != nil {
			continue
		}
		for _, name := range names {
			if bytes.Contains(environment, []byte("AWS_LAMBDA_FUNCTION_NAME="+name+"\x00")) {
				all = append(all, pid)
			}
		}
	}
	return all
}

// children are the direct children of a process, of all its threads.
func children(pid int) []int {
	var all []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		b, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

// TestTwoJobsAtOnce runs two jobs over one input, and two that want the same
// name: of those one gets it and the other fails with 3002.
func TestTwoJobsAtOnce(t *testing.T) {
	t.Parallel()
	name, key := unique(t), wrapped(t)
	upload(t, name+".mp4", brief(t), key)
	request := func(prefix string) job.Request { return sealedFile(name+".mp4", prefix, key) }
	prefixes := []string{name + "/a/", name + "/b/", name + "/same/", name + "/same/"}
	ids := make([]string, len(prefixes))
	for i, prefix := range prefixes {
		ids[i] = submit(t, request(prefix))
	}
	for i := range 2 {
		rec := completed(t, ids[i])
		if b := fetch(t, rec, 0, prefixes[i]+"web.mp4"); !bytes.Contains(b[:64], []byte("ftyp")) {
			t.Errorf("job %d made no MP4", i)
		}
	}
	var statuses []string
	for _, id := range ids[2:] {
		rec := ended(t, id)
		statuses = append(statuses, rec.Job.Status)
		switch {
		case rec.Job.Status == job.Complete:
			fetch(t, rec, 0, name+"/same/web.mp4")
		case !strings.HasPrefix(rec.Job.Outputs[0].StatusDetail, "3002 "):
			t.Errorf("%+v", rec.Job.Outputs[0])
		}
	}
	slices.Sort(statuses)
	if !slices.Equal(statuses, []string{job.Complete, job.Error}) {
		t.Errorf("two jobs for one name end %q", statuses)
	}
}
