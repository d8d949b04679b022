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
	"sealreel/pkg/logs"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/source"
	"sealreel/pkg/task"
	"sealreel/pkg/usage"
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
	// Warnings are what whoever reads the job should know of what was stored.
	Warnings() []string
	Close()
}

// Queue takes messages for further tasks.
type Queue interface {
	Send(ctx context.Context, messages ...task.Message) error
}

// Herald tells whoever listens what a job has come to; see package notify.
type Herald interface {
	Announce(ctx context.Context, rec *ledger.Record)
}

// Worker does tasks.
type Worker struct {
	Ledger    *ledger.Ledger
	Queue     Queue
	Herald    Herald
	Open      func(ctx context.Context, k plan.Keys) (Vault, error)
	FFmpeg    string
	MaxPixels int // largest picture that is decoded, wherever in the file it is
	Settings  encode.Settings
	Log       *slog.Logger
}

// Do does the task that a message asks for. No error means that there is
// nothing left to do: the receipt is there, or the job has ended, also while it
// was worked on. After an error the message should be delivered again, unless
// this was the last attempt: then what failed is written into the receipt.
func (w *Worker) Do(ctx context.Context, m task.Message, last bool) error {
	ctx = about(ctx, m)
	rec, err := w.Ledger.Job(ctx, m.Job)
	if errors.Is(err, object.ErrNotExist) {
		w.Log.WarnContext(ctx, "message for a job that does not exist")
		return nil
	}
	if err != nil {
		return err
	}
	usage.From(ctx).For(m.Job, m.Task)
	if job.Terminal(rec.Job.Status) {
		w.Log.InfoContext(ctx, "the job has ended", "status", rec.Job.Status)
		return nil
	}
	p, err := w.Ledger.Plan(ctx, m.Job)
	if err != nil {
		return err
	}
	if rec, err = w.begin(ctx, rec, p, m.Task); err != nil || job.Terminal(rec.Job.Status) {
		return err
	}
	ctx, stop := w.whileItLasts(ctx, m.Job)
	defer stop()
	start := time.Now()
	run := &attempt{Worker: w, plan: p, last: last}
	if m.Task == task.Audio {
		err = run.audio(ctx)
	} else {
		err = run.chunk(ctx, m.Task)
	}
	if errors.Is(context.Cause(ctx), errJobEnded) {
		w.Log.InfoContext(ctx, "the job ended while it was worked on")
		return nil
	}
	w.Log.InfoContext(ctx, "task", "milliseconds", time.Since(start).Milliseconds(), "done", err == nil) // the caller logs why not
	return err
}

// about is a context whose log lines name the task.
func about(ctx context.Context, m task.Message) context.Context {
	return logs.With(logs.With(ctx, logs.Job, m.Job), logs.Task, m.Task)
}

// GiveUp ends a task that no worker could do, such as one whose message came to
// the dead letters: its outputs fail, and the job ends with the failure.
func (w *Worker) GiveUp(ctx context.Context, m task.Message, failure *job.Failure) error {
	ctx = about(ctx, m)
	p, err := w.Ledger.Plan(ctx, m.Job)
	if errors.Is(err, object.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	run := &attempt{Worker: w, plan: p}
	if m.Task != task.Audio {
		return run.giveUpChunk(ctx, m.Task, failure)
	}
	done, err := w.Ledger.Receipts(ctx, m.Job)
	if err != nil {
		return err
	}
	return newPieces(run, done).fail(ctx, failure)
}

// begin shows the outputs that a task works for as begun, once, and returns the
// record then: the job may have been canceled before.
func (w *Worker) begin(ctx context.Context, rec *ledger.Record, p *plan.Plan, name string) (*ledger.Record, error) {
	var waiting []string
	for _, o := range p.Outputs {
		if servedBy(name, o) && statusOf(rec.Job, o.ID) == job.Submitted {
			waiting = append(waiting, o.ID)
		}
	}
	if len(waiting) == 0 {
		return rec, nil
	}
	began := rec.Job.Timing.StartTimeMillis != 0 // as it was read: of a write whose answer was lost, the next reading tells nothing
	rec, err := w.Ledger.UpdateJob(ctx, rec.Job.ID, func(r *ledger.Record) error {
		for _, id := range waiting {
			j, err := job.StartOutput(r.Job, id, time.Now())
			if err != nil {
				return err
			}
			r.Job = j
		}
		return nil
	})
	if err == nil && !began && rec.Job.Status == job.Progressing {
		w.Herald.Announce(ctx, rec)
	}
	return rec, err
}

// servedBy says whether a task works for an output that can be made.
func servedBy(name string, o plan.Output) bool {
	if o.Failure != nil {
		return false
	}
	group, _, chunk := task.ParseChunk(name)
	return chunk && o.Group == group || name == task.Audio && o.Sound >= 0
}

func statusOf(j job.Job, outputID string) string {
	for _, o := range j.Outputs {
		if o.ID == outputID {
			return o.Status
		}
	}
	return ""
}

// attempt is one try at one task.
type attempt struct {
	*Worker
	plan *plan.Plan
	last bool
}

// permanent says whether trying again is of no use: the failure is one that the
// job shows, or this was the last attempt. What a newer version wrote is for a
// newer worker to try.
func (a *attempt) permanent(err error) bool {
	var f *job.Failure
	return errors.As(err, &f) || a.last && !errors.Is(err, task.ErrNewer)
}

// passOn does what the receipt of a chunk asks for: the message of the chunk that
// waited for it, and the assembly of outputs. All of it may be done again.
func (a *attempt) passOn(ctx context.Context, group, number int, r *task.Receipt) error {
	done, err := a.Ledger.Receipts(ctx, a.plan.Job)
	if err != nil {
		return err
	}
	if next, ok := a.plan.Next(group, number); ok && !done[task.Chunk(group, next)] {
		if len(a.plan.SoundsOf(group)) == 0 || done[task.Piece(group, next)] {
			if err := a.Queue.Send(ctx, task.Message{Version: task.Version, Job: a.plan.Job, Task: task.Chunk(group, next)}); err != nil {
				return err
			}
		}
	}
	return a.announce(ctx, group, r, done)
}

// announce asks for the assembly of each output of a group that is all there,
// or that failed.
func (a *attempt) announce(ctx context.Context, group int, r *task.Receipt, done map[string]bool) error {
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
