package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sealreel/local/stack"
	"sealreel/pkg/job"
	"sealreel/pkg/usage"
)

// counted is how often the functions asked for an operation on one kind of
// object.
type counted struct{ caller, service, operation, what string }

// count runs do, and counts the requests of functions meanwhile. It returns the
// log of them too.
func count(t *testing.T, do func()) (map[counted]int, []stack.Request) {
	t.Helper()
	atRest(t)
	site.once.Store(true)
	defer site.once.Store(false)
	site.mu.Lock()
	first := len(site.calls)
	site.mu.Unlock()
	do()
	quiet(t)
	site.mu.Lock()
	defer site.mu.Unlock()
	counts := map[counted]int{}
	calls := slices.Clone(site.calls[first:])
	for _, r := range calls {
		if r.Caller != "user" && r.Operation != "ReceiveMessage" {
			counts[counted{r.Caller, r.Service, r.Operation, kindOf(r)}]++
		}
	}
	return counts, calls
}

// kindOf is what a request is about: the bucket, and of state the folder.
func kindOf(r stack.Request) string {
	bucket, key, _ := strings.Cut(r.Resource, "/")
	kind := strings.TrimSuffix(strings.TrimPrefix(bucket, "sealreel-"), "-"+stack.Account+"-"+stack.Region)
	if folder, _, ok := strings.Cut(key, "/"); ok && kind == "state" {
		kind += "/" + folder
	}
	if r.Service == "kms" {
		kind = "key"
	}
	return kind
}

// TestRequestsOfAMinute counts what the job of a 60-second clip costs. The
// bounds grow with the number of tasks and of stored files, and with nothing
// else.
func TestRequestsOfAMinute(t *testing.T) {
	name, key := unique(t), wrapped(t)
	file := longer(t, 60)
	req := sealedFile(name+".mp4", name+"/", key)
	req.Outputs = append(req.Outputs, job.Output{Key: "hls", PresetID: systemPreset + "200030", SegmentDuration: "10", Encryption: &job.Encryption{Mode: job.ModeSSEC}})
	var id string
	var by map[string][]usage.Record
	counts, calls := count(t, func() {
		id = submit(t, req)
		eventually(t, time.Minute, "a job that waits for its file", func() bool { // so that both events are known to be the job's
			rec, err := site.ledger.Job(t.Context(), id)
			return err == nil && rec.Waiting
		})
		upload(t, name+".mp4", file, key)
		completed(t, id)
		by = usageOf(t, id)
	})
	checkUsage(t, by, calls)
	checkBytes(t, name, by, file)
	tasks := 1
	for _, g := range planOf(t, id).Groups {
		tasks += len(g.Chunks)
	}
	stored := len(keys(t, name+"/"))
	t.Logf("%d tasks, %d stored files\n%s", tasks, stored, table(counts))

	total := map[string]int{}
	for c, n := range counts {
		total[c.service] += n
	}
	t.Logf("S3 %d, SQS %d, KMS %d requests", total["s3"], total["sqs"], total["kms"])
	for service, most := range map[string]int{"s3": 60 + 20*tasks + 3*stored, "sqs": 4 + 4*tasks, "kms": 8 + 4*tasks} {
		if total[service] > most || total[service] == 0 {
			t.Errorf("%d requests of %s, want at most %d", total[service], service, most)
		}
	}
}

func table(counts map[counted]int) string {
	rows := slices.SortedFunc(maps.Keys(counts), func(a, b counted) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.caller, b.caller), cmp.Compare(a.operation, b.operation), cmp.Compare(a.what, b.what))
	})
	var text strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&text, "%-4s %-18s %-24s %-16s %4d\n", r.service, r.caller, r.operation, r.what, counts[r])
	}
	return text.String()
}

// maxMemory is what the Go side of a worker may use, in bytes (the contract's
// section 7).
const maxMemory = 64 << 20

// TestMemoryIsFlat transcodes a small and a large input into six renditions at
// once, and holds the peaks of the worker's own resident memory against each
// other and against the limit (invariant 9).
func TestMemoryIsFlat(t *testing.T) {
	var peaks []int64
	for _, seconds := range []int{3, 16} {
		name, key := unique(t), wrapped(t)
		file := clip(t, "in.mkv", "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=640x360:r=25:d=%d", seconds), "-f", "lavfi", "-i", fmt.Sprintf("sine=f=440:r=48000:d=%d", seconds),
			"-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-shortest")
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		req := job.Request{Inputs: []job.Input{{Key: name, Encryption: key}}, OutputKeyPrefix: name + "/"}
		for _, preset := range []string{"200010", "200020", "200030", "200040", "200050"} {
			req.Outputs = append(req.Outputs, job.Output{Key: preset, PresetID: systemPreset + preset, SegmentDuration: "10", Encryption: &job.Encryption{Mode: job.ModeSSEC}})
		}
		req.Outputs = append(req.Outputs, job.Output{Key: "file", PresetID: systemPreset + "000010", Encryption: &job.Encryption{Mode: job.ModeSSEC}})
		upload(t, name, file, key)
		quiet(t)
		peak := watchMemory(t, func() { completed(t, submit(t, req)) })
		t.Logf("input of %d MiB: the worker's peak is %d MiB", info.Size()>>20, peak>>20)
		peaks = append(peaks, peak)
		if peak > maxMemory {
			t.Errorf("the worker used %d MiB for an input of %d MiB, want at most %d", peak>>20, info.Size()>>20, maxMemory>>20)
		}
	}
	if peaks[1] > peaks[0]+16<<20 {
		t.Errorf("memory grows with the input: %d MiB, then %d MiB", peaks[0]>>20, peaks[1]>>20)
	}
}

// watchMemory returns the most resident memory of any transcode bootstrap while
// do runs, without what it starts.
func watchMemory(t *testing.T, do func()) int64 {
	t.Helper()
	for _, pid := range workers() { // start the peak anew
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
			t.Fatal(err)
		}
	}
	quit, result := make(chan struct{}), make(chan int64)
	go func() {
		var peak int64
		for {
			for _, pid := range workers() {
				peak = max(peak, highWater(pid))
			}
			select {
			case <-quit:
				result <- peak
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	do()
	close(quit)
	return <-result
}

func workers() []int { return processes("sealreel-TranscodeFunction", "sealreel-transcode") }

var highWaterPattern = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// highWater is the peak of a process's resident memory in bytes.
func highWater(pid int) int64 {
	status, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	m := highWaterPattern.FindSubmatch(status)
	if m == nil {
		return 0
	}
	kib, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kib << 10
}
