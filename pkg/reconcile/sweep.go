package reconcile

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/task"
)

const (
	// horizon is how old an object may be by what storage says and yet be new: one
	// that is stored in parts counts from when that began, and template.yaml has
	// uploads aborted that are not finished after seven days.
	horizon = 8 * 24 * time.Hour
	// smallSweep is how many pages are listed each round without thinking of the
	// cost. A sweep of more is begun anew only after perPage for each, at most
	// longestPause.
	smallSweep   = 10
	perPage      = 30 * time.Second
	longestPause = time.Hour
)

// sweep looks through the ingest bucket for drops that became no job, from where
// the last round stopped, and notes them: choose and doWork take them up.
//
// What was there when the last complete sweep began was looked at then, and what
// came to a job since is remembered, so that nothing is asked about twice. A
// sweep that could not note all it found is none: the next finds it again.
func (b *round) sweep(ctx context.Context) error {
	s := &b.state.Sweep
	if s.After == (ledger.Marker{}) {
		if !s.Began.IsZero() && b.Now().Sub(s.Began) < pause(s.Pages) {
			return nil
		}
		*s = ledger.Sweep{Done: s.Done, Began: b.Now()}
	}
	remembered, err := b.Ledger.Seen(ctx)
	if err != nil {
		return err
	}
	seen := openMemory(remembered, s.Done)
	b.state.Pending = slices.DeleteFunc(b.state.Pending, func(p ledger.Pending) bool {
		if p.Over {
			seen.add(Dropped{Drop: p.Drop, At: p.At})
		}
		return p.Over
	})
	err = b.pages(ctx, seen)
	if stored := seen.store(); err == nil && stored != nil {
		// Another round that was faster has remembered much the same.
		if err = b.Ledger.SetSeen(context.WithoutCancel(ctx), stored); errors.Is(err, object.ErrChanged) {
			err = nil
		}
	}
	return err
}

// pause is how long after the beginning of a sweep of so many pages the next one
// begins.
func pause(pages int) time.Duration {
	if pages <= smallSweep {
		return 0
	}
	return min(time.Duration(pages)*perPage, longestPause)
}

// pages goes through the listing for as long as there is time.
func (b *round) pages(ctx context.Context, seen *memory) error {
	s := &b.state.Sweep
	looked := 0
	for pages := 0; pages < b.Limits.Pages && looked < b.Limits.Drops && ctx.Err() == nil; pages++ {
		page, next, err := b.Drops(ctx, s.After)
		if err != nil {
			if ctx.Err() != nil {
				continue
			}
			again := s.Failed
			if s.Failed = true; again {
				*s = ledger.Sweep{Done: s.Done} // the place may be there no more
			}
			return err
		}
		s.Failed = false
		b.count(func(sum *Summary) { sum.Listed += len(page) })
		found := b.candidates(page, seen)
		looked += len(found)
		if !b.check(ctx, found, seen) {
			continue // the time is over: the page is looked at again
		}
		s.After, s.Pages = next, s.Pages+1
		if next == (ledger.Marker{}) {
			if !s.Leaky {
				s.Done = s.Began
			}
			return nil
		}
	}
	b.unfinished("drops")
	return nil
}

// candidates are those of a page that nothing is known about yet. Those that are
// so young that ingest may be at work on them are left to the next sweep.
func (b *round) candidates(page []Dropped, seen *memory) []Dropped {
	var found []Dropped
	for _, d := range page {
		young := !d.InParts && b.Now().Sub(d.At) < b.Timing.Lost
		if old := d.At.Before(b.state.Sweep.Done.Add(-horizon)); !old && !young && !seen.has(d) {
			found = append(found, d)
		}
	}
	return found
}

// check remembers those that became a job, and notes the others. It is false when
// there was no time for all.
func (b *round) check(ctx context.Context, found []Dropped, seen *memory) bool {
	c := newCrowd(looks)
	var mu sync.Mutex
	var open []Dropped
	for _, d := range found {
		ok := c.do(ctx, func() {
			settled, err := b.settled(ctx, d.Drop)
			b.failed(ctx, "a drop could not be looked at", err, "key", d.Key, "version", d.VersionID)
			mu.Lock()
			defer mu.Unlock()
			if settled {
				seen.add(d)
			} else {
				open = append(open, d)
			}
		})
		if !ok {
			break
		}
	}
	c.wait()
	if ctx.Err() != nil {
		return false
	}
	for _, d := range open {
		b.notePending(d)
	}
	return true
}

// settled says whether a drop has become a job, which then is looked after.
func (b *round) settled(ctx context.Context, d ledger.Drop) (bool, error) {
	claim, err := b.Ledger.Claimed(ctx, d)
	if err == nil {
		_, err = b.Ledger.Job(ctx, claim.Job)
	}
	switch {
	case err == nil, errors.Is(err, task.ErrNewer):
		return true, nil
	case errors.Is(err, object.ErrNotExist):
		return false, nil
	}
	return false, err
}
