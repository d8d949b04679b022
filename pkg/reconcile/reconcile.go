// Package reconcile looks, every few minutes, for what stopped moving, and
// brings it to an end: drops that became no job, jobs without a plan, tasks
// that nobody does, outputs without their last step, ends that were not told,
// and messages in the dead-letter queue.
//
// It guarantees that every drop ends, finished or as an Error with a reason,
// though any event, message or function may get lost, and reconcile itself be
// off for however long. All of it may run twice at once, die anywhere, or run
// beside the functions it steps in for.
//
// A round is bounded in time and in what it looks at. Dead letters, active jobs
// and drops have each a share of it, so that none keeps the others from being
// looked at; where one stops, the next round goes on. The work that they ask for
// comes behind, and may go on beside the next round. What fails is noted, tried
// again later each time, and holds up nothing.
package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/task"
)

// Ingester takes jobs as far as their first tasks.
type Ingester interface {
	Drop(ctx context.Context, d ledger.Drop, at time.Time, final bool) error
	Resume(ctx context.Context, rec *ledger.Record) error
	// Refuse makes a job in Error of a drop that can't be read.
	Refuse(ctx context.Context, d ledger.Drop, at time.Time, cause error) error
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
	// Settle says whether nothing is left to tell for now.
	Settle(ctx context.Context, rec *ledger.Record) (settled bool, err error)
}

// Queue takes messages for tasks.
type Queue interface {
	Send(ctx context.Context, messages ...task.Message) error
	// Backlog is about how many messages wait for a worker, or for their time.
	Backlog(ctx context.Context) (int, error)
}

// DeadLetters gives the messages that no worker could handle, with the time when
// they were sent. handle is called for each of at most limit; those for which it
// returns nil are removed, the others come again in a later round.
type DeadLetters interface {
	Drain(ctx context.Context, limit int, handle func(body string, sent time.Time) error) error
}

// Dropped is a version of an object in the ingest bucket.
type Dropped struct {
	ledger.Drop
	At       time.Time // when it was stored; where that was done in parts, when it began
	InParts  bool
	Replaced bool // by a newer version
}

// Drops gives a page of the ingest bucket's listing. next is where it goes on;
// the zero Marker is its beginning, and as next its end.
type Drops func(ctx context.Context, after ledger.Marker) (page []Dropped, next ledger.Marker, err error)

// Timing says how long things may take before reconcile steps in.
type Timing struct {
	Lost    time.Duration // a drop without a job; four times that, a job without a plan
	Keyless time.Duration // a file that only a job document could open
	Waiting time.Duration // a job for its input, and whatever can't be read or planned
	Stalled time.Duration // a job without a new receipt
}

// Usual are the times of a deployment.
var Usual = Timing{Lost: 5 * time.Minute, Keyless: 30 * time.Minute, Waiting: 24 * time.Hour, Stalled: 30 * time.Minute}

// Limits bound a round.
type Limits struct {
	Time        time.Duration // of all that is looked at
	Work        time.Duration // of drops taken up and jobs planned, after that
	Spare       time.Duration // before the context's deadline, to note how far it came
	DeadLetters int           // taken
	Jobs        int           // looked at
	Pages       int           // of drops listed
	Drops       int           // looked at, of those that are listed
	Pending     int           // drops noted at a time
	Tasks       int           // drops taken up and jobs planned
}

// UsualLimits are those of a deployment: at most some 100,000 requests a round,
// within nine tenths of the time that template.yaml gives the function.
var UsualLimits = Limits{
	Time: 200 * time.Second, Work: 560 * time.Second, Spare: 15 * time.Second,
	DeadLetters: 1000, Jobs: 20_000, Pages: 3000, Drops: 20_000, Pending: 1000, Tasks: 200,
}

// Reconciler brings things to an end.
type Reconciler struct {
	Ledger      *ledger.Ledger
	Ingester    Ingester
	Worker      Worker
	Herald      Herald
	Queue       Queue
	DeadLetters DeadLetters
	Drops       Drops
	Timing      Timing
	Limits      Limits
	Log         *slog.Logger
	Now         func() time.Time
}

// Run does one round and says what came of it. One thing that can't be mended is
// logged and counted, and does not keep the others from being looked at; an error
// says that the round itself could not do its work. The default pipeline is there
// after the first, so that it can be changed before anything is dropped.
func (r *Reconciler) Run(ctx context.Context) (Summary, error) {
	state, err := r.Ledger.Round(ctx)
	if err != nil {
		return Summary{}, err
	}
	b := &round{Reconciler: r, state: state, until: r.until(ctx, r.Limits.Time)}
	err = errors.Join(
		r.Ingester.EnsureDefault(ctx),
		b.queue(ctx),
		b.share(ctx, 0.15, b.deadLetters),
		b.share(ctx, 0.4, b.jobs),
		b.share(ctx, 0.5, b.sweep),
	)
	b.choose()
	if saved := r.Ledger.SetRound(ctx, state); errors.Is(saved, object.ErrChanged) {
		r.Log.WarnContext(ctx, "another round runs at the same time: what this one has found is left to it")
		b.work = nil
	} else {
		err = errors.Join(err, saved)
	}
	if len(b.work) > 0 {
		b.until = r.until(ctx, r.Limits.Work)
		err = errors.Join(err, b.share(ctx, 1, b.doWork))
		if saved := r.Ledger.SetRound(ctx, state); !errors.Is(saved, object.ErrChanged) {
			err = errors.Join(err, saved)
		}
	}
	b.sum.Pending = len(state.Pending)
	b.sum.measure(ctx, err == nil)
	r.Log.LogAttrs(ctx, slog.LevelInfo, "round", b.sum.attributes()...)
	return b.sum, err
}

// until is when what may take so long must be over.
func (r *Reconciler) until(ctx context.Context, most time.Duration) time.Time {
	until := time.Now().Add(most)
	if deadline, ok := ctx.Deadline(); ok {
		if deadline = deadline.Add(-r.Limits.Spare); deadline.Before(until) {
			return deadline
		}
	}
	return until
}
