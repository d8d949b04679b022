// Package transcode does the tasks of a plan: it encodes an input's sound once,
// and each chunk of its picture, and stores what comes out sealed.
//
// It guarantees that doing a task twice, or two workers doing it at once, ends
// in the same objects and one receipt: everything that is stored is created and
// never overwritten, and a receipt, the last act of a task, names what counts.
package transcode

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"sealreel/pkg/encode"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/source"
	"sealreel/pkg/task"
)

// Vault holds one job's media under the job's keys. Close forgets the keys.
type Vault interface {
	// Input opens one of the plan's inputs, of which so many are open at once.
	Input(ctx context.Context, in plan.Input, together int) (source.Media, error)
	// Store seals a file of an output and creates the object. When it is there
	// already and ours, that is no error; when it is not ours, the error is a
	// *job.Failure of job.CodeOutputExists.
	Store(ctx context.Context, o plan.Output, key, contentType string, r io.Reader) (task.Sealed, error)
	// StoreWork seals and creates an object of the work bucket; size is that of
	// the object.
	StoreWork(ctx context.Context, key string, r io.Reader) (size int64, err error)
	// Work opens an object of the work bucket that has the size.
	Work(ctx context.Context, key string, size int64) (io.ReadCloser, error)
	Close()
}

// Queue takes messages for further tasks.
type Queue interface {
	Send(ctx context.Context, messages ...task.Message) error
}

// Worker does tasks.
type Worker struct {
	Ledger    *ledger.Ledger
	Queue     Queue
	Open      func(ctx context.Context, k plan.Keys) (Vault, error)
	FFmpeg    string
	MaxPixels int // largest picture that is decoded, wherever in the file it is
	Settings  encode.Settings
	Log       *slog.Logger
}

// Do does the task that a message asks for. No error means that there is
// nothing left to do: the receipt is there, or the job has ended. After an error
// the message should be delivered again, unless this was the last attempt: then
// what failed is written into the receipt.
func (w *Worker) Do(ctx context.Context, m task.Message, last bool) error {
	log := w.Log.With("job", m.Job, "task", m.Task)
	rec, err := w.Ledger.Job(ctx, m.Job)
	if errors.Is(err, object.ErrNotExist) {
		log.Warn("message for a job that does not exist")
		return nil
	}
	if err != nil {
		return err
	}
	if job.Terminal(rec.Job.Status) {
		log.Info("the job has ended", "status", rec.Job.Status)
		return nil
	}
	p, err := w.Ledger.Plan(ctx, m.Job)
	if err != nil {
		return err
	}
	if err := w.begin(ctx, rec, p); err != nil {
		return err
	}
	start := time.Now()
	run := &attempt{Worker: w, plan: p, log: log, last: last}
	if m.Task == task.Audio {
		err = run.audio(ctx)
	} else {
		err = run.chunk(ctx, m.Task)
	}
	log.Info("task", "milliseconds", time.Since(start).Milliseconds(), "done", err == nil) // the caller logs why not
	return err
}

// GiveUp ends a task that no worker could do, such as one whose message came to
// the dead letters: its outputs fail, and the job ends with the failure.
func (w *Worker) GiveUp(ctx context.Context, m task.Message, failure *job.Failure) error {
	p, err := w.Ledger.Plan(ctx, m.Job)
	if errors.Is(err, object.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	run := &attempt{Worker: w, plan: p, log: w.Log.With("job", m.Job, "task", m.Task)}
	if m.Task != task.Audio {
		return run.giveUpChunk(ctx, m.Task, failure)
	}
	done, err := w.Ledger.Receipts(ctx, m.Job)
	if err != nil {
		return err
	}
	return newPieces(run, done).fail(ctx, failure)
}

// begin shows the job's outputs as begun, once.
func (w *Worker) begin(ctx context.Context, rec *ledger.Record, p *plan.Plan) error {
	if rec.Job.Status != job.Submitted {
		return nil
	}
	_, err := w.Ledger.UpdateJob(ctx, rec.Job.ID, func(r *ledger.Record) error {
		for _, o := range p.Outputs {
			j, err := job.StartOutput(r.Job, o.ID, time.Now())
			if err != nil {
				return err
			}
			r.Job = j
		}
		return nil
	})
	return err
}

// attempt is one try at one task.
type attempt struct {
	*Worker
	plan *plan.Plan
	log  *slog.Logger
	last bool
}

// permanent says whether trying again is of no use: the failure is one that the
// job shows, or this was the last attempt.
func (a *attempt) permanent(err error) bool {
	var f *job.Failure
	return errors.As(err, &f) || a.last
}

// announce asks for the assembly of each output of a group that is all there,
// or that failed.
func (a *attempt) announce(ctx context.Context, group int, r *task.Receipt) error {
	done, err := a.Ledger.Receipts(ctx, a.plan.Job)
	if err != nil {
		return err
	}
	complete := true
	for _, name := range a.plan.Tasks(group) {
		complete = complete && done[name]
	}
	for place, made := range r.Outputs {
		if complete || made.Failure != nil {
			if err := a.Ledger.MarkReady(ctx, a.plan.Job, a.plan.Outputs[place].ID); err != nil {
				return err
			}
		}
	}
	return nil
}
