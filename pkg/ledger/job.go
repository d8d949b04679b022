package ledger

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/metric"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/trace"
)

// Version is the version of records that this code writes. It reads no newer
// one.
const Version = 1

// Drop is the object version that a job came from.
type Drop struct {
	Bucket    string `json:"bucket"`
	Key       string `json:"key"`
	VersionID string `json:"versionId"`
}

// Hash names the drop.
func (d Drop) Hash() string { return job.DropHash(d.Bucket, d.Key, d.VersionID) }

// Record is all that is kept of a job. Reason tells an operator more than the
// job shows; it holds no key bytes. Warnings are told to whoever reads the job.
type Record struct {
	Version  int      `json:"version"`
	Job      job.Job  `json:"job"`
	Drop     Drop     `json:"drop"`
	Waiting  bool     `json:"waiting,omitempty"` // for an input that is not there yet
	Warnings []string `json:"warnings,omitempty"`
}

const activePrefix = "active/"

func jobKey(id string) string    { return "jobs/" + id + ".json" }
func activeKey(id string) string { return activePrefix + id + ".json" }
func planKey(id string) string   { return "plans/" + id + ".json" }

// Job reads a job's record. An id that names no job is an object.ErrNotExist.
func (l *Ledger) Job(ctx context.Context, id string) (*Record, error) {
	if !job.ValidID(id) {
		return nil, fmt.Errorf("%q is no job id (13 digits, a hyphen, 6 letters or digits): %w", id, object.ErrNotExist)
	}
	r, _, err := read[Record](ctx, l, jobKey(id))
	return r, err
}

// CreateJob stores a new job's record, or reads the one that is there. Before,
// it marks the job as active, so that none is lost sight of.
func (l *Ledger) CreateJob(ctx context.Context, r *Record) (*Record, bool, error) {
	r.Version = Version
	if err := l.Activate(ctx, r.Job.ID); err != nil {
		return nil, false, err
	}
	first, created, err := createOrRead(ctx, l, jobKey(r.Job.ID), r)
	if created {
		metric.Add(ctx, metric.JobsSubmitted, 1)
		tellEnd(ctx, "", r.Job)
	}
	return first, created, err
}

// tellEnd counts and traces the end of a job that was written with another status
// before. A job that is canceled by the command is told of when it is retired.
func tellEnd(ctx context.Context, before string, j job.Job) {
	if job.Terminal(before) || !job.Terminal(j.Status) {
		return
	}
	failed := j.Status == job.Error
	metric.AddBy(ctx, metric.JobsEnded, j.Status, 1)
	metric.Add(ctx, metric.JobErrors, map[bool]float64{true: 1}[failed])
	trace.Whole(ctx, j.ID, j.Status, time.UnixMilli(j.Timing.SubmitTimeMillis), time.UnixMilli(j.Timing.FinishTimeMillis), failed)
}

// UpdateJob advances a job by change, which may be called more than once. What
// change leaves as it was is not written. A job that has ended stays active until
// it is retired, when all is done that its end asks for.
func (l *Ledger) UpdateJob(ctx context.Context, id string, change func(*Record) error) (*Record, error) {
	var before Record // of the last attempt, which is the one that was stored
	now, err := update(ctx, l, jobKey(id), func(r *Record) error {
		before = *r
		if err := change(r); err != nil {
			return err
		}
		if reflect.DeepEqual(before, *r) {
			return errUnchanged
		}
		return nil
	})
	if err == nil {
		tellEnd(ctx, before.Job.Status, now.Job)
	}
	return now, err
}

// Warn tells whoever reads a job of something, each text once.
func (l *Ledger) Warn(ctx context.Context, id string, texts ...string) error {
	if len(texts) == 0 {
		return nil
	}
	_, err := l.UpdateJob(ctx, id, func(r *Record) error {
		for _, text := range texts {
			if !slices.Contains(r.Warnings, text) {
				r.Warnings = append(slices.Clip(r.Warnings), text)
			}
		}
		return nil
	})
	return err
}

// Active are the ids of the jobs that have not ended, and of some that have.
func (l *Ledger) Active(ctx context.Context) iter.Seq2[string, error] {
	return l.names(ctx, activePrefix)
}

// ActiveAfter are those of Active whose ids come after one, which need not be
// there; "" comes before all.
func (l *Ledger) ActiveAfter(ctx context.Context, id string) iter.Seq2[string, error] {
	if id == "" {
		return l.Active(ctx)
	}
	return namesOf(activePrefix, l.objects.KeysAfter(ctx, l.bucket, activePrefix, activeKey(id)))
}

// Activate marks a job as active again.
func (l *Ledger) Activate(ctx context.Context, id string) error {
	_, err := l.create(ctx, activeKey(id), struct{}{})
	return err
}

// Retire removes the mark of an active job.
func (l *Ledger) Retire(ctx context.Context, id string) error {
	if err := l.objects.Delete(ctx, l.bucket, activeKey(id)); err != nil {
		return fmt.Errorf("retiring job %s: %w", id, err)
	}
	return nil
}

// Jobs yields the ids of all jobs in the order of their submission.
func (l *Ledger) Jobs(ctx context.Context) iter.Seq2[string, error] { return l.names(ctx, "jobs/") }

// Plan reads a job's plan.
func (l *Ledger) Plan(ctx context.Context, id string) (*plan.Plan, error) {
	p, _, err := read[plan.Plan](ctx, l, planKey(id))
	return p, err
}

// CreatePlan stores a job's plan, or reads the one that was stored first.
func (l *Ledger) CreatePlan(ctx context.Context, p *plan.Plan) (*plan.Plan, error) {
	p.Version = plan.Version
	first, _, err := createOrRead(ctx, l, planKey(p.Job), p)
	return first, err
}
