package reconcile

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/logs"
	"sealreel/pkg/task"
)

// chore is work that a round has found: a job to be planned, or a drop to be
// taken up.
type chore struct {
	rec     *ledger.Record
	pending *ledger.Pending
}

// assign notes a job that is to be planned.
func (b *round) assign(c chore) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.work = append(b.work, c)
}

// notePending notes a drop without a job, once. One that was stored at once is
// old enough to be taken up, one in parts may just have come.
func (b *round) notePending(d Dropped) {
	if slices.ContainsFunc(b.state.Pending, func(p ledger.Pending) bool { return p.Drop == d.Drop }) {
		return
	}
	if len(b.state.Pending) >= b.Limits.Pending {
		b.state.Sweep.Leaky = true
		return
	}
	p := ledger.Pending{Drop: d.Drop, At: d.At, Since: d.At, Next: b.Now(), Replaced: d.Replaced}
	if d.InParts {
		p.Since, p.Next = b.Now(), b.Now().Add(b.Timing.Lost)
	}
	b.state.Pending = append(b.state.Pending, p)
}

// choose picks the work of this round, in no order, so that what always kills its
// function does not always come first. Each drop counts as tried before it is, for
// the same reason.
func (b *round) choose() {
	behind := b.behind()
	for i := range b.state.Pending {
		p := &b.state.Pending[i]
		if !p.Over && !p.Next.After(b.Now()) && (!behind || !b.fresh(p)) {
			p.Tries++
			p.Next = b.Now().Add(b.backoff(p.Tries))
			b.work = append(b.work, chore{pending: p})
		}
	}
	rand.Shuffle(len(b.work), func(i, j int) { b.work[i], b.work[j] = b.work[j], b.work[i] })
	slices.SortStableFunc(b.work, func(x, y chore) int { return x.tries() - y.tries() })
	if len(b.work) > b.Limits.Tasks {
		b.unfinished("work")
		for _, c := range b.work[b.Limits.Tasks:] {
			c.postpone()
		}
		b.work = b.work[:b.Limits.Tasks]
	}
}

// backlog is how many drops without a job are no losses any more but what ingest
// has not got to.
const backlog = 100

// behind says whether ingest is behind with what is dropped.
func (b *round) behind() bool {
	count := 0
	for i := range b.state.Pending {
		if b.fresh(&b.state.Pending[i]) {
			count++
		}
	}
	return count > backlog
}

// fresh says whether ingest may still get to a drop by itself.
func (b *round) fresh(p *ledger.Pending) bool {
	const late = 12 // times Lost
	return p.Tries == 0 && b.Now().Sub(p.Since) < late*b.Timing.Lost
}

// tries is how often the work has failed: what never did comes first.
func (c chore) tries() int {
	if c.pending == nil {
		return 1
	}
	return c.pending.Tries
}

// postpone leaves a drop to the next round as if it had not been chosen.
func (c chore) postpone() {
	if p := c.pending; p != nil {
		p.Tries--
		p.Next = time.Time{}
	}
}

// doWork does the work, and forgets the drops that came to their end.
func (b *round) doWork(ctx context.Context) error {
	c := newCrowd(chores)
	claimed := map[*ledger.Pending]bool{}
	for i, w := range b.work {
		ok := c.do(ctx, func() {
			if w.rec != nil {
				b.failed(ctx, "a job could not be planned", b.resume(ctx, w.rec), "job", w.rec.Job.ID)
				return
			}
			became, err := b.takeUp(ctx, w.pending)
			b.failed(ctx, "a drop could not be taken up", err, "key", w.pending.Drop.Key, "version", w.pending.Drop.VersionID)
			b.count(func(*Summary) { claimed[w.pending] = became })
		})
		if !ok {
			b.unfinished("work")
			for _, left := range b.work[i:] {
				left.postpone()
			}
			break
		}
	}
	c.wait()
	var left []ledger.Pending
	for i := range b.state.Pending {
		if !claimed[&b.state.Pending[i]] {
			left = append(left, b.state.Pending[i])
		}
	}
	b.state.Pending = left
	return nil
}

// takeUp does what ingest would have done with a drop. claimed says that it has
// become a job.
func (b *round) takeUp(ctx context.Context, p *ledger.Pending) (claimed bool, err error) {
	claimed, err = b.settled(ctx, p.Drop)
	if claimed || err != nil {
		return claimed, err
	}
	age := b.Now().Sub(p.Since)
	final := age > b.Timing.Keyless
	// A file that was replaced before anything could open it ends with that.
	if err = b.Ingester.Drop(ctx, p.Drop, p.Since, final && !p.Replaced); err != nil {
		if age < b.Timing.Waiting || ctx.Err() != nil {
			return false, err
		}
		b.Log.ErrorContext(ctx, "a drop can't be read", "key", p.Drop.Key, "version", p.Drop.VersionID, "err", err)
		if err = b.Ingester.Refuse(ctx, p.Drop, p.Since, err); err == nil {
			b.count(func(s *Summary) { s.Refused++ })
		}
		return err == nil, err
	}
	claimed, err = b.settled(ctx, p.Drop)
	if claimed {
		b.Log.WarnContext(ctx, "a drop of which no event came was taken up", "key", p.Drop.Key, "version", p.Drop.VersionID)
		b.count(func(s *Summary) { s.LostDrops++ })
	}
	p.Tries, p.Next, p.Over = 0, p.Since.Add(b.Timing.Keyless+time.Second), final && err == nil
	return claimed, err
}

// attempts is how often at least planning a job must have failed before it ends,
// however long ago it was dropped.
const attempts = 4

// soon is how long planning a job may take before it is noted as a try.
const soon = 30 * time.Second

// resume takes a job without a plan on, notes when that fails, and ends it when it
// has failed for as long as a job may wait.
func (b *round) resume(ctx context.Context, rec *ledger.Record) error {
	ctx = logs.With(ctx, logs.Job, rec.Job.ID)
	begun := time.AfterFunc(soon, func() { _, _ = b.noteTry(context.WithoutCancel(ctx), rec.Job.ID) })
	err := b.Ingester.Resume(ctx, rec)
	noted := !begun.Stop()
	if err == nil {
		b.count(func(s *Summary) { s.Resumed++ })
		return nil
	}
	if errors.Is(err, task.ErrNewer) {
		return err
	}
	after := context.WithoutCancel(ctx) // the time may be what was too short
	var tries int
	if noted {
		seen, failed := b.Ledger.Watched(after, rec.Job.ID)
		tries, err = seen.Tries, errors.Join(err, failed)
	} else {
		var failed error
		tries, failed = b.noteTry(after, rec.Job.ID)
		err = errors.Join(err, failed)
	}
	age := b.Now().Sub(time.UnixMilli(rec.Job.Timing.SubmitTimeMillis))
	if tries <= attempts || age < b.Timing.Waiting {
		return err
	}
	b.Log.ErrorContext(ctx, "the job cannot be planned", "err", err)
	return b.end(after, rec.Job.ID, job.Fail(job.CodeInternal,
		"the job could not be planned for %v; see the log of the reconcile function, mend the cause and drop it again", b.Timing.Waiting))
}

// noteTry notes that a job was tried in vain, or is for so long that the next
// round shall not begin it as well, and returns how often.
func (b *round) noteTry(ctx context.Context, id string) (int, error) {
	seen, err := b.Ledger.Watched(ctx, id)
	if err != nil {
		return 0, err
	}
	seen.Tries, seen.Tried = seen.Tries+1, b.Now()
	return seen.Tries, b.note(ctx, id, seen)
}
