package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sealreel/e2e/user"
	"sealreel/local/lambda"
	"sealreel/local/stack"
	"sealreel/pkg/job"
)

const systemPreset = "1351620000001-"

// meter gathers what the functions cost.
type meter struct {
	mu     sync.Mutex
	cpu    time.Duration
	memory int64
	first  time.Time // when the first segment was stored
}

func (m *meter) report(r lambda.Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cpu += r.CPU
	m.memory = max(m.memory, r.Memory)
}

func (m *meter) request(r stack.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.first.IsZero() && r.Operation == "PutObject" && strings.HasSuffix(r.Resource, ".ts") && r.Status == 200 {
		m.first = time.Now()
	}
}

// sealed runs the whole job: from the moment the sealed file is there until the
// job is Complete. CPU is that of the functions and their ffmpegs.
func sealed(ctx context.Context, s settings, workers int) (row, error) {
	m := &meter{}
	dir := filepath.Join(s.dir, fmt.Sprintf("stack-%d", workers))
	site, err := stack.Up(ctx, stack.Config{
		Root: s.root, Dir: dir, Workers: workers,
		Environment: map[string]string{"SEALREEL_X264_PRESET": s.preset, "SEALREEL_CHUNK_SECONDS": fmt.Sprint(s.chunk)},
		Lambda:      lambda.Config{OnReport: m.report},
		OnRequest:   m.request,
	})
	if err != nil {
		return row{}, err
	}
	defer site.Close()
	u, err := user.Of(ctx, site.Exports())
	if err != nil {
		return row{}, err
	}
	defer u.Close()
	_, wall, start, err := submit(ctx, u, "bench", s.source, job.ModeSSEC, rungs())
	if err != nil {
		return row{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return row{name: fmt.Sprintf("sealed, %d workers", workers), wall: wall, cpu: m.cpu, memory: m.memory, firstSegment: m.first.Sub(start)}, nil
}

// rungs are the outputs of the ladder.
func rungs() []job.Output {
	var all []job.Output
	for _, r := range ladder {
		all = append(all, segmented(r.preset))
	}
	return all
}

// segmented is an output of a system preset in sealed segments.
func segmented(preset string) job.Output {
	return job.Output{Key: preset, PresetID: systemPreset + preset, SegmentDuration: "10", Encryption: &job.Encryption{Mode: job.ModeSSEC}}
}

// submit drops a file in a mode and the job that makes the outputs of it, both
// under a name, and waits for the job's end.
func submit(ctx context.Context, u *user.User, name, file, mode string, outputs []job.Output) (id string, wall time.Duration, start time.Time, err error) {
	f, err := os.Open(file)
	if err != nil {
		return "", 0, start, err
	}
	defer f.Close()
	key, err := u.Upload(ctx, name+".mp4", mode, f)
	if err != nil {
		return "", 0, start, err
	}
	start = time.Now()
	drop, err := u.Drop(ctx, name+".job.json", job.Request{PipelineID: u.Pipeline, Inputs: []job.Input{{Key: name + ".mp4", Encryption: key}}, OutputKeyPrefix: name + "/", Outputs: outputs})
	if err != nil {
		return "", 0, start, err
	}
	rec, err := u.Await(ctx, drop)
	switch {
	case err != nil:
		return "", 0, start, err
	case rec.Job.Status != job.Complete:
		return "", 0, start, fmt.Errorf("job %s ended as %s: %s", rec.Job.ID, rec.Job.Status, rec.Job.Outputs[0].StatusDetail)
	}
	return rec.Job.ID, time.Since(start), start, nil
}
