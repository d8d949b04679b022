package reconcile

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

const (
	// restarts is how often a stalled job is set going again before it fails. Each
	// time it is given twice as long: with the usual times it fails after some
	// fifteen hours of silence. (A task whose workers die comes to the dead letters
	// long before.)
	restarts = 4
	// queued is how much longer a job is given while messages wait in the queue,
	// of which its own may be some: a restart would add to them. Nor does it fail
	// then, before silent.
	queued = 8
	// silent is how long a job may be without a receipt whatever the queue holds:
	// longer than messages are kept.
	silent = 7 * 24 * time.Hour
	// doublings bounds the time between restarts.
	doublings = 6
)

// planned sets a job going again that has got no receipt for too long.
func (b *round) planned(ctx context.Context, rec *ledger.Record, seen *ledger.Watch, done map[string]bool) error {
	now, id := b.Now(), rec.Job.ID
	count := len(done)
	for _, o := range rec.Job.Outputs {
		if job.Terminal(o.Status) {
			count++
		}
	}
	if seen.Since.IsZero() || count != seen.Receipts {
		seen.Receipts, seen.Since, seen.Moved, seen.Restarts = count, now, now, 0
		return nil
	}
	patience := b.Timing.Stalled << min(seen.Restarts, doublings)
	if now.Sub(seen.Since) < patience {
		return nil
	}
	backlog, err := b.waiting(ctx)
	if err != nil {
		return err
	}
	if backlog > 0 && now.Sub(seen.Since) < patience*queued {
		return nil
	}
	p, err := b.Ledger.Plan(ctx, id)
	if err != nil {
		return err // a newer version's job is not ours to end either
	}
	b.Log.WarnContext(ctx, "a job has stalled", "since", seen.Since, "restarts", seen.Restarts, "backlog", backlog)
	if now.Sub(seen.Moved) > silent && !seen.Moved.IsZero() || seen.Restarts >= restarts && backlog == 0 {
		return b.end(ctx, id, job.Fail(job.CodeInternal,
			"the job stopped moving and was set going again %d times in vain; see the functions' logs, then drop it again", seen.Restarts))
	}
	return b.restart(ctx, p, seen, done)
}

// waiting is how many messages wait in the queue; it is asked once a round.
func (b *round) waiting(ctx context.Context) (int, error) {
	b.mu.Lock()
	known := b.backlog
	b.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	n, err := b.Queue.Backlog(ctx)
	if err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backlog = &n
	return n, nil
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
