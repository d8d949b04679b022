package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"sealreel/pkg/ledger"
	"sealreel/pkg/metric"
	"sealreel/pkg/task"
)

// Summary is what a round found and did.
type Summary struct {
	DeadLetters     int // whose tasks were given up, or had nothing left to do
	DeadLettersLeft int // of a newer version, or whose task could not be given up
	Jobs            int // active jobs looked at
	Retired         int // jobs that had ended, once all was told of them
	Resumed         int // jobs without a plan that were taken on
	Restarted       int // stalled jobs set going again
	Ended           int // jobs ended in Error
	Listed          int // versions of dropped objects
	LostDrops       int // drops that became a job by this round
	Refused         int // drops that could not be read, ended as a job in Error
	Pending         int // drops without a job that later rounds will look at
	Failed          int // of all that was looked at; each is logged
	// Unfinished are the classes that were not looked through: "dead-letters",
	// "jobs", "drops", "work". The next rounds go on with them.
	Unfinished []string
}

func (s *Summary) attributes() []slog.Attr {
	all := []slog.Attr{slog.String("unfinished", strings.Join(s.Unfinished, " "))}
	for _, c := range []struct {
		name  string
		count int
	}{
		{"deadLetters", s.DeadLetters}, {"deadLettersLeft", s.DeadLettersLeft}, {"jobs", s.Jobs}, {"retired", s.Retired},
		{"resumed", s.Resumed}, {"restarted", s.Restarted}, {"ended", s.Ended}, {"listed", s.Listed},
		{"lostDrops", s.LostDrops}, {"refused", s.Refused}, {"pending", s.Pending}, {"failed", s.Failed},
	} {
		all = append(all, slog.Int(c.name, c.count))
	}
	return all
}

// measure counts what is of use in a graph; see package metric. done says that
// the round came to its end.
func (s *Summary) measure(ctx context.Context, done bool) {
	if done {
		metric.Add(ctx, metric.ReconcileRounds, 1)
	}
	metric.Add(ctx, metric.ReconcileEnded, float64(s.Ended+s.Refused))
	metric.Add(ctx, metric.ReconcileRestarted, float64(s.Restarted))
	metric.Add(ctx, metric.ReconcileLostDrops, float64(s.LostDrops))
	metric.Add(ctx, metric.DeadLettersHandled, float64(s.DeadLetters))
}

// round is one round.
type round struct {
	*Reconciler
	state *ledger.Round
	until time.Time
	work  []chore

	mu  sync.Mutex
	sum Summary
}

// looks is how many quick looks are taken at once, and chores how much work is
// done at once: it may start a probe each.
const (
	looks  = 16
	chores = 2
)

// share does a part of the round within a share of the time that is left.
func (b *round) share(ctx context.Context, part float64, do func(context.Context) error) error {
	left := time.Until(b.until)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(float64(left)*part))
	defer cancel()
	return do(ctx)
}

// count changes the summary.
func (b *round) count(change func(*Summary)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.sum)
}

// unfinished notes that a class was not looked through.
func (b *round) unfinished(class string) {
	b.count(func(s *Summary) { s.Unfinished = append(s.Unfinished, class) })
}

// failed logs and counts what could not be done for one thing. What a newer
// version wrote is left to a newer function, and what the time was too short for
// to the next round.
func (b *round) failed(ctx context.Context, what string, err error, args ...any) {
	switch {
	case err == nil:
	case ctx.Err() != nil:
		b.Log.WarnContext(ctx, what+" in the time of this round", append(args, "err", err)...)
	case errors.Is(err, task.ErrNewer):
		b.Log.WarnContext(ctx, what+": it is left to a newer version", append(args, "err", err)...)
	default:
		b.Log.ErrorContext(ctx, what, append(args, "err", err)...)
		b.count(func(s *Summary) { s.Failed++ })
	}
}

// crowd runs functions, so many at once.
type crowd struct {
	slots chan struct{}
	wg    sync.WaitGroup
}

func newCrowd(size int) *crowd { return &crowd{slots: make(chan struct{}, size)} }

// do starts a function as soon as there is room. It is false, and nothing is
// started, when the context ends before.
func (c *crowd) do(ctx context.Context, f func()) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case c.slots <- struct{}{}:
	}
	c.wg.Go(func() {
		defer func() { <-c.slots }()
		f()
	})
	return true
}

func (c *crowd) wait() { c.wg.Wait() }
