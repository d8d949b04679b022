// Package reconcile looks, every few minutes, for what stopped moving, and
// brings it to an end: drops that became no job, jobs without a plan, tasks
// that nobody does, outputs without their last step, and messages in the
// dead-letter queue.
//
// It guarantees that every drop ends, finished or as an Error with a reason,
// though any event, message or function may get lost. All of it may run twice
// or beside the functions it steps in for.
package reconcile

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// Ingester takes jobs as far as their first tasks.
type Ingester interface {
	Drop(ctx context.Context, d ledger.Drop, at time.Time, final bool) error
	Resume(ctx context.Context, rec *ledger.Record) error
	// EnsureDefault stores the stack's default pipeline unless it is there.
	EnsureDefault(ctx context.Context) error
}

// Worker ends tasks that nobody could do.
type Worker interface {
	GiveUp(ctx context.Context, m task.Message, failure *job.Failure) error
}

// Herald tells whoever listens what jobs have come to, and retires those that
// have ended when all is told; see package notify.
type Herald interface {
	Settle(ctx context.Context, rec *ledger.Record) error
}

// Queue takes messages for tasks.
type Queue interface {
	Send(ctx context.Context, messages ...task.Message) error
}

// DeadLetters gives the messages that no worker could handle. handle is called
// for each of at most limit; those for which it returns nil are removed.
type DeadLetters interface {
	Drain(ctx context.Context, limit int, handle func(body string) error) error
}

// Dropped is an object of the ingest bucket.
type Dropped struct {
	ledger.Drop
	At time.Time
}

// Timing says how long things may take before reconcile steps in.
type Timing struct {
	Lost    time.Duration // a drop without a job, a job without a plan
	Keyless time.Duration // a file that only a job document could open
	Waiting time.Duration // a job for its input
	Stalled time.Duration // a job without a new receipt
	Recent  time.Duration // drops older than this are not looked at any more
}

// Usual are the times of a deployment.
var Usual = Timing{Lost: 5 * time.Minute, Keyless: 30 * time.Minute, Waiting: 24 * time.Hour, Stalled: 30 * time.Minute, Recent: 48 * time.Hour}

// restarts is how often a stalled job is set going again before it fails. Each
// time it is given twice as long, for it may be waiting in the queue behind many
// others: with the usual times it fails after some fifteen hours of silence. (A
// task whose workers die comes to the dead letters long before.)
const restarts = 4

// Reconciler brings things to an end.
type Reconciler struct {
	Ledger      *ledger.Ledger
	Ingester    Ingester
	Worker      Worker
	Herald      Herald
	Queue       Queue
	DeadLetters DeadLetters
	Drops       func(ctx context.Context) iter.Seq2[Dropped, error]
	Timing      Timing
	Log         *slog.Logger
	Now         func() time.Time
}

// Run does one round. One thing that can't be mended does not keep the others
// from being looked at. The default pipeline is there after the first, so that it
// can be changed before anything is dropped.
func (r *Reconciler) Run(ctx context.Context) error {
	return errors.Join(r.Ingester.EnsureDefault(ctx), r.deadLetters(ctx), r.jobs(ctx), r.drops(ctx))
}

// deadLetters ends the tasks whose messages were given up by the queue: their
// workers died each time, or ran out of time.
func (r *Reconciler) deadLetters(ctx context.Context) error {
	const limit = 1000
	return r.DeadLetters.Drain(ctx, limit, func(body string) error {
		m, err := task.ParseMessage(body)
		if err != nil {
			r.Log.Error("a dead letter that is no task is thrown away", "body", body, "err", err)
			return nil
		}
		r.Log.Warn("a task ended in the dead letters", "job", m.Job, "task", m.Task)
		return r.Worker.GiveUp(ctx, m, job.Fail(job.CodeInternal,
			"the task %s was tried as often as the queue allows and its worker died or ran out of time each time; see the transcode function's log, then drop the job again", m.Task))
	})
}

// jobs looks at every job that has not ended.
func (r *Reconciler) jobs(ctx context.Context) error {
	var errs []error
	for id, err := range r.Ledger.Active(ctx) {
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		if err := r.job(ctx, id); err != nil {
			r.Log.Error("a job could not be looked at", "job", id, "err", err)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (r *Reconciler) job(ctx context.Context, id string) error {
	rec, err := r.Ledger.Job(ctx, id)
	switch {
	case errors.Is(err, object.ErrNotExist):
		return nil // marked before it was created; its drop will be looked at
	case err != nil:
		return err
	}
	told := r.Herald.Settle(ctx, rec)
	if job.Terminal(rec.Job.Status) {
		return told
	}
	return errors.Join(told, r.advance(ctx, rec))
}

// advance looks whether a job moves.
func (r *Reconciler) advance(ctx context.Context, rec *ledger.Record) error {
	id := rec.Job.ID
	age := r.Now().Sub(time.UnixMilli(rec.Job.Timing.SubmitTimeMillis))
	p, err := r.Ledger.Plan(ctx, id)
	switch {
	case err == nil:
		return r.planned(ctx, p)
	case !errors.Is(err, object.ErrNotExist):
		return err
	case rec.Waiting && age > r.Timing.Waiting:
		missing, err := r.missing(ctx, rec)
		if err != nil {
			return err
		}
		return r.end(ctx, id, job.InputMissing(rec.Drop.Bucket, missing))
	case age > r.Timing.Lost:
		return r.resume(ctx, rec, age)
	}
	return nil
}

// missing is the first of the job's inputs that it still waits for.
func (r *Reconciler) missing(ctx context.Context, rec *ledger.Record) (string, error) {
	for _, in := range rec.Job.Inputs {
		waiting, err := r.Ledger.Awaiting(ctx, rec.Drop.Bucket, in.Key)
		if err != nil {
			return "", err
		}
		if slices.Contains(waiting, rec.Job.ID) {
			return in.Key, nil
		}
	}
	return rec.Job.Inputs[0].Key, nil
}

// resume takes a job without a plan on, and ends it when that has failed for as
// long as a job may wait.
func (r *Reconciler) resume(ctx context.Context, rec *ledger.Record, age time.Duration) error {
	err := r.Ingester.Resume(ctx, rec)
	if err == nil || age < r.Timing.Waiting {
		return err
	}
	r.Log.Error("the job cannot be planned", "job", rec.Job.ID, "err", err)
	return r.end(ctx, rec.Job.ID, job.Fail(job.CodeInternal,
		"the job could not be planned for %v; see the log of the reconcile function, mend the cause and drop it again", r.Timing.Waiting))
}

// end fails a job and tells of it.
func (r *Reconciler) end(ctx context.Context, id string, f *job.Failure) error {
	rec, err := r.Ledger.UpdateJob(ctx, id, func(rec *ledger.Record) error {
		rec.Job = job.FailJob(rec.Job, f, r.Now())
		return nil
	})
	if err != nil {
		return err
	}
	return r.Herald.Settle(ctx, rec)
}

// planned sets a job going again that has got no receipt for too long.
func (r *Reconciler) planned(ctx context.Context, p *plan.Plan) error {
	done, err := r.Ledger.Receipts(ctx, p.Job)
	if err != nil {
		return err
	}
	results, err := r.Ledger.Results(ctx, p.Job)
	if err != nil {
		return err
	}
	seen, err := r.Ledger.Watched(ctx, p.Job)
	if err != nil {
		return err
	}
	now := r.Now()
	if count := len(done) + len(results); seen.Since.IsZero() || count != seen.Receipts {
		return r.Ledger.SetWatch(ctx, p.Job, ledger.Watch{Receipts: count, Since: now})
	}
	if now.Sub(seen.Since) < r.Timing.Stalled<<seen.Restarts {
		return nil
	}
	r.Log.Warn("a job has stalled", "job", p.Job, "since", seen.Since, "restarts", seen.Restarts)
	if seen.Restarts >= restarts {
		return r.end(ctx, p.Job, job.Fail(job.CodeInternal,
			"the job stopped moving and was set going again %d times in vain; see the functions' logs, then drop it again", restarts))
	}
	if err := r.restart(ctx, p, done, results); err != nil {
		return err
	}
	seen.Since, seen.Restarts = now, seen.Restarts+1
	return r.Ledger.SetWatch(ctx, p.Job, seen)
}

// restart asks again for everything that has no receipt, and for the assembly
// of outputs that have no result though their tasks are done.
func (r *Reconciler) restart(ctx context.Context, p *plan.Plan, done, results map[string]bool) error {
	messages := p.FirstTasks(done)
	for g, group := range p.Groups {
		complete := true
		for c := range group.Chunks {
			if done[task.Chunk(g, c)] {
				continue
			}
			complete = false
			if done[task.Piece(g, c)] {
				messages = append(messages, task.Message{Version: task.Version, Job: p.Job, Task: task.Chunk(g, c)})
			}
		}
		for _, place := range group.Outputs {
			if o := p.Outputs[place]; complete && !results[o.ID] {
				if err := r.Ledger.AskAgain(ctx, p.Job, o.ID); err != nil {
					return err
				}
			}
		}
	}
	// What failed before it was encoded has no tasks, and when every output has
	// a result only the job's own end is missing.
	for _, o := range p.Outputs {
		if o.Failure != nil && !results[o.ID] || len(results) == len(p.Outputs) {
			if err := r.Ledger.AskAgain(ctx, p.Job, o.ID); err != nil {
				return err
			}
		}
	}
	return r.Queue.Send(ctx, messages...)
}

// drops looks for objects whose event was lost.
func (r *Reconciler) drops(ctx context.Context) error {
	var errs []error
	now := r.Now()
	for d, err := range r.Drops(ctx) {
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		age := now.Sub(d.At)
		if age < r.Timing.Lost || age > r.Timing.Recent {
			continue
		}
		if err := r.drop(ctx, d, age); err != nil {
			r.Log.Error("a drop could not be looked at", "key", d.Key, "err", err)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (r *Reconciler) drop(ctx context.Context, d Dropped, age time.Duration) error {
	claim, err := r.Ledger.Claimed(ctx, d.Drop)
	if err == nil {
		_, err = r.Ledger.Job(ctx, claim.Job)
	}
	if err == nil {
		return nil // the job is looked after
	}
	if !errors.Is(err, object.ErrNotExist) {
		return err
	}
	return r.Ingester.Drop(ctx, d.Drop, d.At, age > r.Timing.Keyless)
}
