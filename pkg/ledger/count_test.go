package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/metric"
	"sealreel/pkg/task"
	"sealreel/pkg/trace"
	"sealreel/pkg/trace/tracetest"
)

// counted is what the recorder counted, by metric.
func counted(t *testing.T, r *metric.Recorder) map[string]any {
	t.Helper()
	var line bytes.Buffer
	if err := r.Write(&line, time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	members := map[string]any{}
	if line.Len() > 0 {
		if err := json.Unmarshal(line.Bytes(), &members); err != nil {
			t.Fatal(err)
		}
	}
	return members
}

// However many writers see a job end, one counts it.
func TestAnEndIsCountedOnce(t *testing.T) {
	l, _ := open()
	r := metric.NewRecorder("media", "assemble")
	ctx := metric.NewContext(t.Context(), r)
	for range 2 {
		if _, _, err := l.CreateJob(ctx, record()); err != nil {
			t.Fatal(err)
		}
	}
	if got := counted(t, r); got["JobsSubmitted"] != 1.0 || got["JobsEnded"] != nil {
		t.Errorf("submitted: %v", got)
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := l.UpdateJob(ctx, id, func(rec *Record) error {
				rec.Job = job.FailJob(rec.Job, job.Fail(job.CodeInternal, "of a test"), time.Now())
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := counted(t, r); got["JobsEnded"] != 1.0 || got["Outcome"] != job.Error || got["JobErrors"] != 1.0 {
		t.Errorf("ended: %v", got)
	}
}

func TestAJobThatIsRefusedEndsAtOnce(t *testing.T) {
	l, _ := open()
	r := metric.NewRecorder("media", "ingest")
	rec := record()
	rec.Job = job.FailJob(rec.Job, job.Fail(job.CodeValidation, "of a test"), time.Now())
	if _, _, err := l.CreateJob(metric.NewContext(t.Context(), r), rec); err != nil {
		t.Fatal(err)
	}
	if got := counted(t, r); got["JobsSubmitted"] != 1.0 || got["JobsEnded"] != 1.0 || got["JobErrors"] != 1.0 {
		t.Errorf("counted %v", got)
	}
}

func TestReceiptsAreCountedOnce(t *testing.T) {
	l, _ := open()
	r := metric.NewRecorder("media", "transcode")
	ctx := metric.NewContext(t.Context(), r)
	for range 3 {
		if _, err := l.CreateReceipt(ctx, id, task.Chunk(0, 0), &task.Receipt{}); err != nil {
			t.Fatal(err)
		}
		if err := l.CreateSound(ctx, id, task.Piece(0, 0), &task.Sound{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := counted(t, r); got["Receipts"] != 2.0 {
		t.Errorf("counted %v", got)
	}
}

// The span of a whole job is recorded with its end, once, and a receipt's with
// its writing, within the work on the job.
func TestEndsAndReceiptsAreTraced(t *testing.T) {
	l, _ := open()
	tracer := &tracetest.Tracer{}
	ctx, end := trace.Work(trace.With(t.Context(), tracer), id, "assemble")
	if _, _, err := l.CreateJob(ctx, record()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.CreateReceipt(ctx, id, task.Chunk(0, 0), &task.Receipt{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := l.UpdateJob(ctx, id, func(rec *Record) error {
			rec.Job = job.FailJob(rec.Job, job.Fail(job.CodeInternal, "of a test"), time.Now())
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	end(nil)
	var got []string
	for _, s := range tracer.Spans() {
		if s.Parent != trace.Of(id) {
			t.Errorf("%s is in another trace", s.Name)
		}
		got = append(got, fmt.Sprint(s.Name, "<", s.Within, " ", s.Failed))
	}
	if want := []string{"receipt<assemble false", "job< true", "assemble< false"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
