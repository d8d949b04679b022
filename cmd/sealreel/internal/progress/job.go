// Package progress shows how far something is: a job, by what its functions
// have recorded, or a transfer, by its bytes.
package progress

import (
	"context"
	"errors"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// Ledger is what is read of a job. Errors wrap those of package object.
type Ledger interface {
	Job(ctx context.Context, id string) (*ledger.Record, error)
	Plan(ctx context.Context, id string) (*plan.Plan, error)
	Receipts(ctx context.Context, job string) (map[string]bool, error)
	Results(ctx context.Context, job string) (map[string]bool, error)
}

// State is a job at one moment. Steps are its chunks, its pieces of sound and
// its outputs; Total is 0 as long as the job is not planned.
type State struct {
	Record      *ledger.Record
	Done, Total int
}

// Ended says whether the job has ended.
func (s State) Ended() bool { return job.Terminal(s.Record.Job.Status) }

// Fraction is Done of Total, 0 when nothing is planned.
func (s State) Fraction() float64 {
	if s.Total == 0 {
		return 0
	}
	return float64(s.Done) / float64(s.Total)
}

// Job is one job that is looked at again and again.
type Job struct {
	ledger Ledger
	id     string
	plan   *plan.Plan // once there is one; it never changes
}

// Of is the job with the id, which need not exist.
func Of(l Ledger, id string) *Job { return &Job{ledger: l, id: id} }

// Look returns the job's state now. A job that does not exist is an
// object.ErrNotExist.
func (j *Job) Look(ctx context.Context) (State, error) {
	rec, err := j.ledger.Job(ctx, j.id)
	if err != nil {
		return State{}, err
	}
	s := State{Record: rec}
	if j.plan == nil {
		j.plan, err = j.ledger.Plan(ctx, j.id)
		if errors.Is(err, object.ErrNotExist) {
			j.plan = nil
			return s, nil
		}
		if err != nil {
			return State{}, err
		}
	}
	if rec.Job.Status == job.Complete { // what expires is not missed
		s.Done, s.Total = count(j.plan, nil, nil)
		s.Done = s.Total
		return s, nil
	}
	receipts, err := j.ledger.Receipts(ctx, j.id)
	if err != nil {
		return State{}, err
	}
	results, err := j.ledger.Results(ctx, j.id)
	if err != nil {
		return State{}, err
	}
	s.Done, s.Total = count(j.plan, receipts, results)
	return s, nil
}

// count counts the steps of a plan and those that are done.
func count(p *plan.Plan, receipts, results map[string]bool) (done, total int) {
	step := func(is bool) {
		total++
		if is {
			done++
		}
	}
	for g := range p.Groups {
		if len(p.Groups[g].Outputs) == 0 {
			continue
		}
		sound := len(p.SoundsOf(g)) > 0
		for c := range p.Groups[g].Chunks {
			step(receipts[task.Chunk(g, c)])
			if sound {
				step(receipts[task.Piece(g, c)])
			}
		}
	}
	for _, o := range p.Outputs {
		step(results[o.ID])
	}
	return done, total
}

// Pauses between two looks: short after a change, longer while nothing happens.
const (
	shortPause = 250 * time.Millisecond
	longPause  = 2 * time.Second
)

// Follow looks at the job until it has ended. Each state that differs from the
// one before is given to changed, the first and the last included.
func (j *Job) Follow(ctx context.Context, changed func(State) error) (State, error) {
	last, pause := "", shortPause
	for {
		s, err := j.Look(ctx)
		if err != nil {
			return s, err
		}
		pause = min(pause*5/4, longPause)
		if now := mark(s); now != last {
			if err := changed(s); err != nil {
				return s, err
			}
			last, pause = now, shortPause
		}
		if s.Ended() {
			return s, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return s, context.Cause(ctx)
		}
	}
}
