package transcode

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

func (d *desk) change(t *testing.T, change func(job.Job) (job.Job, error)) {
	t.Helper()
	if _, err := d.Ledger.UpdateJob(t.Context(), id, func(r *ledger.Record) (err error) {
		r.Job, err = change(r.Job)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) statuses(t *testing.T) []string {
	t.Helper()
	rec, err := d.Ledger.Job(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{rec.Job.Status}
	for _, o := range rec.Job.Outputs {
		all = append(all, o.Status)
	}
	return all
}

// TestOutputsBeginWithTheirTasks: an output stays Submitted until something is
// done for it, and the job's beginning is told once.
func TestOutputsBeginWithTheirTasks(t *testing.T) {
	d := newDesk()
	d.submit(t)
	d.Open = func(context.Context, plan.Keys) (Vault, error) { return closing{}, nil }
	for c := range 2 { // nothing is left to do but to say so
		for g := range 2 {
			if _, err := d.Ledger.CreateReceipt(t.Context(), id, task.Chunk(g, c), &task.Receipt{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Ledger.CreateSound(t.Context(), id, task.Piece(0, c), &task.Sound{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		task string
		want []string
	}{
		{task.Audio, []string{job.Progressing, job.Progressing, job.Submitted}},
		{task.Chunk(0, 0), []string{job.Progressing, job.Progressing, job.Submitted}},
		{task.Chunk(1, 1), []string{job.Progressing, job.Progressing, job.Progressing}},
		{task.Chunk(1, 0), []string{job.Progressing, job.Progressing, job.Progressing}},
	} {
		if d.handle(t, message(ask(c.task).Body(), "1")) {
			t.Errorf("%s comes again", c.task)
		}
		if got := d.statuses(t); !slices.Equal(got, c.want) {
			t.Errorf("after %s: %q, want %q", c.task, got, c.want)
		}
	}
	if !slices.Equal(d.told, []string{job.Progressing}) {
		t.Errorf("told of %q", d.told)
	}
}

// TestCanceledBetweenTwoLooks: the job is canceled after the worker has read it
// and before it shows its outputs as begun.
func TestCanceledBetweenTwoLooks(t *testing.T) {
	d := newDesk()
	d.submit(t)
	d.state.Before = func(call, key string) error {
		if call == "Get" && key == "plans/"+id+".json" {
			d.state.Before = nil
			d.change(t, func(j job.Job) (job.Job, error) { return job.Cancel(j, time.Now()) })
		}
		return nil
	}
	if d.handle(t, message(ask(task.Chunk(1, 0)).Body(), "1")) {
		t.Error("the message of a canceled job comes again")
	}
	if got := d.statuses(t); !slices.Equal(got, []string{job.Canceled, job.Canceled, job.Canceled}) {
		t.Errorf("%q", got)
	}
}

// TestTaskEndsWithItsJob: what is under way when the job ends stops soon, writes
// nothing and does not come again.
func TestTaskEndsWithItsJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.submit(t)
		d.Open = func(ctx context.Context, _ plan.Keys) (Vault, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		go func() {
			time.Sleep(time.Hour)
			d.change(t, func(j job.Job) (job.Job, error) { return job.FailJob(j, job.BadMedia(nil), time.Now()), nil })
		}()
		begun := time.Now()
		if d.handle(t, message(ask(task.Chunk(1, 0)).Body(), "1")) {
			t.Error("the message comes again")
		}
		if took := time.Since(begun); took < time.Hour || took > time.Hour+lookEvery {
			t.Errorf("it took %v", took)
		}
		if done, err := d.Ledger.Receipts(t.Context(), id); err != nil || len(done) > 0 {
			t.Errorf("receipts %v, %v", done, err)
		}
	})
}
