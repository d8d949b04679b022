// Package redrive sets jobs going again by hand.
//
// It guarantees that a job which has not ended does each of its tasks once all
// the same, whatever of it is under way; and that a job which has ended stays as
// it is: what is done again is a new job, and only where nothing of the old one
// is in the way.
package redrive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/reconcile"
)

// What was done about a job.
const (
	Restarted = "restarted" // its missing tasks were queued, its missing outputs asked for
	Noted     = "noted"     // reconcile takes it on in its next round
	Nothing   = "nothing"   // nothing is missing
)

// Outcome is what Redrive did.
type Outcome struct {
	Job     string   `json:"job"`
	Status  string   `json:"status"`
	Did     string   `json:"did"`
	Tasks   []string `json:"tasks"`             // that were queued
	Outputs []string `json:"outputs"`           // ids of those whose assembly was asked for
	Waiting bool     `json:"waiting,omitempty"` // for an input that is not there
}

// EndedError says that a job has ended and can't be set going again.
type EndedError struct{ Job, Status string }

func (e *EndedError) Error() string {
	if e.Status == job.Complete {
		return fmt.Sprintf("job %s is Complete: nothing of it is left to do", e.Job)
	}
	return fmt.Sprintf("job %s has ended in %s and stays as it is: `sealreel redrive --again %s` drops its document again, as a new job", e.Job, e.Status, e.Job)
}

// Redrive sets a job going that has not ended: everything of it that has no
// receipt. What of it is in the dead letters means nothing any more. A job that has
// ended is an *EndedError.
func Redrive(ctx context.Context, s *site.Site, id string) (*Outcome, error) {
	rec, err := s.Ledger.Job(ctx, id)
	if err != nil {
		return nil, err
	}
	o := &Outcome{Job: id, Status: rec.Job.Status, Tasks: []string{}, Outputs: []string{}, Waiting: rec.Waiting}
	if job.Terminal(rec.Job.Status) {
		return nil, &EndedError{id, rec.Job.Status}
	}
	p, err := s.Ledger.Plan(ctx, id)
	unplanned := errors.Is(err, object.ErrNotExist)
	if err != nil && !unplanned {
		return nil, err
	}
	// First the note, for a dead letter that reconcile finds behind it would end
	// what is set going here.
	if err := note(ctx, s, id); err != nil {
		return nil, err
	}
	if unplanned {
		o.Did = Noted
		return o, nil
	}
	return o, o.restart(ctx, s, p)
}

func (o *Outcome) restart(ctx context.Context, s *site.Site, p *plan.Plan) error {
	asked, err := (&reconcile.Restarter{Ledger: s.Ledger, Queue: s.Queue}).Restart(ctx, p)
	o.Tasks, o.Outputs = append(o.Tasks, asked.Tasks...), append(o.Outputs, asked.Outputs...)
	o.Did = Restarted
	if len(o.Tasks)+len(o.Outputs) == 0 {
		o.Did = Nothing
	}
	return err
}

// note tells reconcile that the job was set going, and gives it its time anew.
func note(ctx context.Context, s *site.Site, id string) error {
	const tries = 5 // reconcile may note something in the same moment, rarely twice
	var err error
	for range tries {
		var seen ledger.Watch
		if seen, err = s.Ledger.Watched(ctx, id); err != nil {
			return err
		}
		seen.Redriven = time.Now()
		if !seen.Since.IsZero() {
			seen.Since, seen.Restarts = seen.Redriven, 0
		}
		if err = s.Ledger.SetWatch(ctx, id, seen); !errors.Is(err, object.ErrChanged) {
			return err
		}
	}
	return err
}
