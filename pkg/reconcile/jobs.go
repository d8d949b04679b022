package reconcile

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/logs"
	"sealreel/pkg/object"
)

// manyJobs is how many active jobs are looked at in each round at the price of
// a few thousand requests; more are looked at less often.
const manyJobs = 1000

// jobs looks at every job that has not ended, from where the last round stopped.
func (b *round) jobs(ctx context.Context) error {
	pass := &b.state.Jobs
	now := b.Now()
	if pass.After == "" {
		if pass.Looked > manyJobs && now.Sub(pass.Began) < b.Timing.Stalled/3 {
			return nil
		}
		*pass = ledger.Pass{Began: now}
	}
	c := newCrowd(looks)
	defer c.wait()
	looked := 0
	for id, err := range b.Ledger.ActiveAfter(ctx, pass.After) {
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err != nil || looked >= b.Limits.Jobs || !c.do(ctx, func() { b.job(ctx, id) }) {
			b.unfinished("jobs")
			return nil
		}
		looked++
		pass.After, pass.Looked = id, pass.Looked+1
	}
	pass.After = ""
	return nil
}

// job looks at one job. One so young that the functions are still busy with it
// costs nothing: its id says when it was made.
func (b *round) job(ctx context.Context, id string) {
	if made, err := submitted(id); err == nil && b.Now().Sub(made) <= b.Timing.Lost {
		return
	}
	ctx = logs.With(ctx, logs.Job, id)
	b.count(func(s *Summary) { s.Jobs++ })
	b.failed(ctx, "a job could not be looked at", b.look(ctx, id))
}

// submitted is when the job with the id was made.
func submitted(id string) (time.Time, error) {
	const digits = 13
	millis, err := strconv.ParseInt(id[:min(digits, len(id))], 10, 64)
	return time.UnixMilli(millis), err
}

func (b *round) look(ctx context.Context, id string) error {
	rec, err := b.Ledger.Job(ctx, id)
	if errors.Is(err, object.ErrNotExist) {
		return b.unmade(ctx, id)
	}
	if err != nil {
		return err
	}
	if job.Terminal(rec.Job.Status) {
		return b.retire(ctx, rec)
	}
	seen, err := b.Ledger.Watched(ctx, id)
	if err != nil {
		return err
	}
	was := seen
	var told error
	if seen.Told != rec.Job.Status {
		var settled bool
		if settled, told = b.Herald.Settle(ctx, rec); settled && told == nil {
			seen.Told = rec.Job.Status
		}
	}
	err = b.advance(ctx, rec, &seen)
	if err == nil && seen != was {
		err = b.note(ctx, id, seen)
	}
	return errors.Join(told, err)
}

// note stores what was seen of a job. Another round that was faster is right, too.
func (b *round) note(ctx context.Context, id string, w ledger.Watch) error {
	if err := b.Ledger.SetWatch(ctx, id, w); !errors.Is(err, object.ErrChanged) {
		return err
	}
	return nil
}

// retire tells of the end of a job.
func (b *round) retire(ctx context.Context, rec *ledger.Record) error {
	settled, err := b.Herald.Settle(ctx, rec)
	if settled && err == nil {
		b.count(func(s *Summary) { s.Retired++ })
	}
	return err
}

// unmade deals with the mark of a job that has no record: whoever made it died
// before the record, and the drop is looked after. When it is still so after twice
// the time in which the drop must end, nothing will come of it.
func (b *round) unmade(ctx context.Context, id string) error {
	made, err := submitted(id)
	if err == nil && b.Now().Sub(made) < 2*b.Timing.Waiting {
		return nil
	}
	if err := b.Ledger.Retire(ctx, id); err != nil {
		return err
	}
	_, err = b.Ledger.Job(ctx, id) // it may have been made in this very moment
	switch {
	case errors.Is(err, object.ErrNotExist):
		b.Log.WarnContext(ctx, "the mark of a job that was never made is taken away")
		return nil
	case err != nil:
		return err
	}
	return b.Ledger.Activate(ctx, id)
}

// advance looks whether a job moves.
func (b *round) advance(ctx context.Context, rec *ledger.Record, seen *ledger.Watch) error {
	done, err := b.Ledger.Receipts(ctx, rec.Job.ID)
	if err != nil {
		return err
	}
	if len(done) > 0 || !seen.Since.IsZero() {
		return b.planned(ctx, rec, seen, done)
	}
	_, err = b.Ledger.Plan(ctx, rec.Job.ID)
	switch {
	case err == nil:
		return b.planned(ctx, rec, seen, done)
	case !errors.Is(err, object.ErrNotExist):
		return err
	}
	return b.unplanned(ctx, rec, seen)
}

// unplanned ends a job that has waited too long for its input, or has it planned
// anew: the input may have come, or the pipeline not be paused any more. What
// failed before is tried again later each time.
func (b *round) unplanned(ctx context.Context, rec *ledger.Record, seen *ledger.Watch) error {
	age := b.Now().Sub(time.UnixMilli(rec.Job.Timing.SubmitTimeMillis))
	if rec.Waiting && age > b.Timing.Waiting {
		missing, err := b.missing(ctx, rec)
		if err != nil {
			return err
		}
		return b.end(ctx, rec.Job.ID, job.InputMissing(rec.Drop.Bucket, missing))
	}
	const busy = 4                           // times Lost: longer than ingest may take over it
	asked := seen.Redriven.After(seen.Tried) // by hand, and not tried since
	if !asked && (age <= busy*b.Timing.Lost || b.Now().Sub(seen.Tried) < b.backoff(seen.Tries)) {
		return nil
	}
	b.assign(chore{rec: rec})
	return nil
}

// backoff is how long to wait after so many failures.
func (b *round) backoff(failures int) time.Duration {
	const most = 4 // doublings
	if failures == 0 {
		return 0
	}
	return b.Timing.Lost << min(failures-1, most)
}

// missing is the first of the job's inputs that it still waits for.
func (b *round) missing(ctx context.Context, rec *ledger.Record) (string, error) {
	for _, in := range rec.Job.Inputs {
		waiting, err := b.Ledger.Awaiting(ctx, rec.Drop.Bucket, in.Key)
		if err != nil {
			return "", err
		}
		if slices.Contains(waiting, rec.Job.ID) {
			return in.Key, nil
		}
	}
	return rec.Job.Inputs[0].Key, nil
}

// end fails a job and tells of it.
func (b *round) end(ctx context.Context, id string, f *job.Failure) error {
	ended := false
	rec, err := b.Ledger.UpdateJob(ctx, id, func(rec *ledger.Record) error {
		ended = !job.Terminal(rec.Job.Status)
		rec.Job = job.FailJob(rec.Job, f, b.Now())
		return nil
	})
	if err != nil {
		return err
	}
	if ended {
		b.count(func(s *Summary) { s.Ended++ })
	}
	return b.retire(ctx, rec)
}
