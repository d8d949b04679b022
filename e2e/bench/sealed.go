package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"sealreel/local/lambda"
	"sealreel/local/stack"
	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
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
	for name, value := range site.Exports() {
		if strings.HasPrefix(name, "AWS_") {
			os.Setenv(name, value)
		}
	}
	_, wall, start, err := submit(ctx, s, site.Exports(), "bench", rungs())
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

// submit drops a job of that name and its file and waits for its end.
func submit(ctx context.Context, s settings, x map[string]string, name string, outputs []job.Output) (id string, wall time.Duration, start time.Time, err error) {
	input, document := name+".mp4", name+".job.json"
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return "", 0, start, err
	}
	store := s3store.New(cfg, s3store.Options{})
	book := ledger.New(store, x["SEALREEL_STATE_BUCKET"])
	ring := seal.NewKeyring(kmskeys.New(cfg), x["SEALREEL_KMS_KEY_ARN"], map[string]string{"service": "elastictranscoder.amazonaws.com"})
	defer ring.Close()
	key, err := ring.Generate(ctx, job.ModeSSEC)
	if err != nil {
		return "", 0, start, err
	}
	material, err := ring.Unwrap(ctx, key)
	if err != nil {
		return "", 0, start, err
	}
	req := job.Request{PipelineID: x["SEALREEL_PIPELINE_ID"], Inputs: []job.Input{{Key: input, Encryption: &key}}, Outputs: outputs, OutputKeyPrefix: name + "/"}
	doc, err := json.Marshal(req)
	if err != nil {
		return "", 0, start, err
	}
	f, err := os.Open(s.source)
	if err != nil {
		return "", 0, start, err
	}
	defer f.Close()
	if _, err := store.Upload(ctx, s3store.UploadTarget{Bucket: x["SEALREEL_INGEST_BUCKET"], Key: input, Material: material}, f); err != nil {
		return "", 0, start, err
	}
	start = time.Now()
	stored, err := store.Upload(ctx, s3store.UploadTarget{Bucket: x["SEALREEL_INGEST_BUCKET"], Key: document}, bytes.NewReader(doc))
	if err != nil {
		return "", 0, start, err
	}
	drop := ledger.Drop{Bucket: x["SEALREEL_INGEST_BUCKET"], Key: document, VersionID: stored.VersionID}
	for ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
		claim, err := book.Claimed(ctx, drop)
		if errors.Is(err, object.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", 0, start, err
		}
		rec, err := book.Job(ctx, claim.Job)
		switch {
		case errors.Is(err, object.ErrNotExist):
		case err != nil:
			return "", 0, start, err
		case rec.Job.Status == job.Complete:
			return rec.Job.ID, time.Since(start), start, nil
		case job.Terminal(rec.Job.Status):
			return "", 0, start, fmt.Errorf("job %s ended as %s: %s", rec.Job.ID, rec.Job.Status, rec.Job.Outputs[0].StatusDetail)
		}
	}
	return "", 0, start, ctx.Err()
}
