package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"sealreel/e2e/scale/cost"
	"sealreel/e2e/user"
	"sealreel/local/lambda"
	"sealreel/local/stack"
	"sealreel/pkg/job"
)

// lengths are those of the inputs from which the part of a step that grows with
// the title is told from the part that does not.
var lengths = [2]int{60, 180}

// kind is a kind of job whose steps are measured.
type kind struct {
	name, input, outputs string
	mode                 string // of the input
	made                 []job.Output
}

func kinds() []kind {
	return []kind{
		{"ladder", "1280x720, sse-c", "HLS 2M, 1M and 400k, sse-c", job.ModeSSEC, rungs()},
		{"film", "1280x720, aes-gcm", "one MP4 of 720p, sse-c", job.ModeGCM,
			[]job.Output{single("000010", "mp4")}},
	}
}

// steps measures what each step of each kind of job costs and writes it to a
// file. One task is worked on at a time, so that the first of a job is its sound
// and all others are its chunks.
func steps(ctx context.Context, s settings, media, file string) error {
	t := &tally{}
	site, err := stack.Up(ctx, stack.Config{
		Root: s.root, Dir: filepath.Join(s.dir, "steps"), Workers: 1,
		Environment: map[string]string{"SEALREEL_X264_PRESET": s.preset, "SEALREEL_CHUNK_SECONDS": fmt.Sprint(s.chunk)},
		Lambda:      lambda.Config{OnReport: t.report},
		OnRequest:   t.request,
	})
	if err != nil {
		return err
	}
	defer site.Close()
	u, err := user.Of(ctx, site.Exports())
	if err != nil {
		return err
	}
	defer u.Close()
	all := cost.Costs{Date: time.Now().UTC().Format(time.DateOnly), Machine: processor(), CPUs: runtime.NumCPU(), X264: s.preset, ChunkSeconds: s.chunk, Seconds: lengths}
	measured := make([][2]sums, len(kinds()))
	for n, seconds := range lengths {
		source := filepath.Join(s.dir, fmt.Sprintf("source-%d.mp4", seconds))
		if _, err := makeSource(ctx, media, source, "1280:720", seconds); err != nil {
			return err
		}
		for i, k := range kinds() {
			t.reset()
			prefix := fmt.Sprintf("%s-%d", k.name, seconds)
			if _, _, _, err := submit(ctx, u, prefix, source, k.mode, k.made); err != nil {
				return err
			}
			time.Sleep(2 * time.Second) // the last acts come after the job's end
			measured[i][n] = t.take()
			fmt.Fprintf(os.Stderr, "%s: %d chunks\n", prefix, measured[i][n].count["chunk"])
		}
	}
	for i, k := range kinds() {
		all.Titles = append(all.Titles, title(k, measured[i]))
	}
	document, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(document, '\n'), 0o644)
}

func title(k kind, m [2]sums) cost.Title {
	step := func(name string, divided float64) cost.Step {
		return cost.Line(m[0].mean(name, divided), m[1].mean(name, divided), lengths)
	}
	outputs := float64(len(k.made))
	t := cost.Title{Name: k.name, Input: k.input, Outputs: k.outputs, Count: len(k.made),
		Ingest: step("ingest", 1), Audio: step("audio", 1), Assemble: step("assemble", outputs)}
	t.Chunk.Fixed = m[1].mean("chunk", float64(m[1].count["chunk"]))
	return t
}

// sums are what the steps of one job cost, by the names of steps.
type sums struct {
	count map[string]int
	work  map[string]cost.Work
}

// tally adds them up.
type tally struct {
	mu sync.Mutex
	sums
}

func (t *tally) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sums = sums{map[string]int{}, map[string]cost.Work{}}
}

// take gives what was added up; it is the caller's.
func (t *tally) take() sums {
	defer t.reset()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sums
}

// step names what a function is doing now.
func (t *tally) step(function string) string {
	switch {
	case function == "IngestFunction":
		return "ingest"
	case function == "AssembleFunction":
		return "assemble"
	case function == "TranscodeFunction" && t.count["audio"] == 0:
		return "audio"
	case function == "TranscodeFunction":
		return "chunk"
	}
	return ""
}

func (t *tally) report(r lambda.Report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := t.step(r.Function)
	if name == "" || t.work == nil {
		return
	}
	w := t.work[name]
	w.CPU += r.CPU.Seconds()
	t.work[name] = w
	t.count[name]++
}

func (t *tally) request(r stack.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := t.step(r.Caller)
	if name == "" || t.work == nil || r.Status == 0 {
		return
	}
	w := t.work[name]
	if w.Requests == nil {
		w.Requests = map[string]float64{}
	}
	w.Requests[requestKind(r)]++
	t.work[name] = w
}

// requestKind is the service, for S3 with what its quotas tell apart and the
// bucket.
func requestKind(r stack.Request) string {
	if r.Service != "s3" {
		return r.Service
	}
	class := "put"
	switch {
	case strings.HasPrefix(r.Operation, "List"):
		class = "list"
	case strings.HasPrefix(r.Operation, "Get"), strings.HasPrefix(r.Operation, "Head"):
		class = "get"
	}
	bucket, _, _ := strings.Cut(r.Resource, "/")
	bucket = strings.TrimSuffix(strings.TrimPrefix(bucket, "sealreel-"), "-"+stack.Account+"-"+stack.Region)
	return "s3 " + class + " " + bucket
}

// mean divides what was added up under a name.
func (t sums) mean(name string, by float64) cost.Work {
	w := t.work[name]
	m := cost.Work{CPU: w.CPU / by, Requests: map[string]float64{}}
	for kind, n := range w.Requests {
		m.Requests[kind] = n / by
	}
	return m
}

// processor names this machine's processor.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "model name"); ok {
			return strings.TrimLeft(name, "\t: ")
		}
	}
	return cmp.Or(os.Getenv("PROCESSOR"), runtime.GOARCH)
}
