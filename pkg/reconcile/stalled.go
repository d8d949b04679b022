package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

const (
	// restarts is how often a stalled job is set going again before it fails. Each
	// time it is given twice as long: with the usual times it fails after some
	// fifteen hours in which no message waited in the queue. (A task whose workers
	// die comes to the dead letters long before.)
	restarts = 4
	// silent is how long a job waits for a receipt while messages wait in the queue,
	// of which its own may be some: longer than template.yaml has messages kept.
	// After twice that it fails.
	silent = 15 * 24 * time.Hour
)

// planned sets a job going again that has got no receipt for too long. The time
// in which messages wait in the queue does not count, unless all of the job's
// tasks are done: what it waits for then was never in the queue.
func (b *round) planned(ctx context.Context, rec *ledger.Record, seen *ledger.Watch, done map[string]bool) error {
	now, id := b.Now(), rec.Job.ID
	count := len(done)
	for _, o := range rec.Job.Outputs {
		if job.Terminal(o.Status) {
			count++
		}
	}
	if seen.Since.IsZero() || count != seen.Receipts {
		seen.Receipts, seen.Since, seen.Moved, seen.Restarts, seen.Queued = count, now, now, 0, false
		return nil
	}
	stalled, hopeless := b.stalled(now, seen)
	if !stalled && (seen.Queued || now.Sub(seen.Since) < b.patience(seen)) {
		return nil
	}
	p, err := b.Ledger.Plan(ctx, id)
	if err != nil {
		return err // a newer version's job is not ours to end either
	}
	if !stalled {
		if seen.Queued = missing(p, done); seen.Queued {
			return nil
		}
		hopeless = seen.Restarts >= restarts
	}
	b.Log.WarnContext(ctx, "a job has stalled", "since", seen.Since, "restarts", seen.Restarts, "idleSince", b.state.IdleSince)
	if hopeless {
		return b.end(ctx, id, job.Fail(job.CodeInternal,
			"the job stopped moving and was set going again %d times in vain; see the functions' logs, then drop it again", seen.Restarts))
	}
	return b.restart(ctx, p, seen, done)
}

// stalled says whether a job needs to be set going again, and whether that has
// been done in vain often enough.
func (b *round) stalled(now time.Time, seen *ledger.Watch) (stalled, hopeless bool) {
	since, idle := seen.Since, b.state.IdleSince
	if idle.IsZero() {
		hopeless = !seen.Moved.IsZero() && now.Sub(seen.Moved) >= 2*silent
		return hopeless || now.Sub(since) >= silent, hopeless
	}
	if idle.After(since) {
		since = idle
	}
	return now.Sub(since) >= b.patience(seen), seen.Restarts >= restarts
}

// patience is how long a job may go without a receipt: longer after each restart.
func (b *round) patience(seen *ledger.Watch) time.Duration {
	return b.Timing.Stalled << min(seen.Restarts, restarts)
}

// missing says whether any task of a plan has no receipt.
func missing(p *plan.Plan, done map[string]bool) bool {
	for g, group := range p.Groups {
		if len(group.Outputs) > 0 && slices.ContainsFunc(p.Tasks(g), func(name string) bool { return !done[name] }) {
			return true
		}
	}
	return false
}

// queue looks whether messages wait for a worker.
func (b *round) queue(ctx context.Context) error {
	waiting, err := b.Queue.Backlog(ctx)
	switch {
	case err != nil || waiting > 0: // what is not known may be so
		b.state.IdleSince = time.Time{}
	case b.state.IdleSince.IsZero():
		b.state.IdleSince = b.Now()
	}
	return err
}

// restart sets a job going again. It is noted first, so that of two rounds at
// once one does it.
func (b *round) restart(ctx context.Context, p *plan.Plan, seen *ledger.Watch, done map[string]bool) error {
	results, err := b.Ledger.Results(ctx, p.Job)
	if err != nil {
		return err
	}
	noted := *seen
	noted.Since, noted.Restarts = b.Now(), seen.Restarts+1
	if err := b.Ledger.SetWatch(ctx, p.Job, noted); err != nil {
		if errors.Is(err, object.ErrChanged) {
			return nil
		}
		return err
	}
	b.count(func(s *Summary) { s.Restarted++ })
	_, err = (&Restarter{b.Ledger, b.Queue}).restart(ctx, p, done, results)
	return err
}

// Sender takes messages for tasks.
type Sender interface {
	Send(ctx context.Context, messages ...task.Message) error
}

// Restarter sets jobs going again.
type Restarter struct {
	Ledger *ledger.Ledger
	Queue  Sender
}

// Asked is what a restart has asked for.
type Asked struct {
	Tasks   []string // names of tasks
	Outputs []string // ids of outputs to be assembled
}

// Restart asks again for everything of a job that has no receipt, and for the
// assembly of outputs that have no result though their tasks are done. Whatever
// of it is under way already is done once all the same.
func (r *Restarter) Restart(ctx context.Context, p *plan.Plan) (Asked, error) {
	done, err := r.Ledger.Receipts(ctx, p.Job)
	if err != nil {
		return Asked{}, err
	}
	results, err := r.Ledger.Results(ctx, p.Job)
	if err != nil {
		return Asked{}, err
	}
	return r.restart(ctx, p, done, results)
}

func (r *Restarter) restart(ctx context.Context, p *plan.Plan, done, results map[string]bool) (Asked, error) {
	var asked Asked
	// Whoever planned the job may have died before it showed the keys.
	if _, err := r.Ledger.ShowPlan(ctx, p); err != nil {
		return asked, err
	}
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
				asked.Outputs = append(asked.Outputs, o.ID)
			}
		}
	}
	// What failed before it was encoded has no tasks, and when every output has
	// a result only the job's own end is missing.
	for _, o := range p.Outputs {
		if o.Failure != nil && !results[o.ID] || len(results) == len(p.Outputs) {
			asked.Outputs = append(asked.Outputs, o.ID)
		}
	}
	for _, output := range asked.Outputs {
		if err := r.Ledger.AskAgain(ctx, p.Job, output); err != nil {
			return asked, err
		}
	}
	for _, m := range messages {
		asked.Tasks = append(asked.Tasks, m.Task)
	}
	return asked, r.Queue.Send(ctx, messages...)
}
