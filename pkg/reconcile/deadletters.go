package reconcile

import (
	"context"
	"errors"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/logs"
	"sealreel/pkg/object"
	"sealreel/pkg/task"
)

// deadLetters ends the tasks whose messages were given up by the queue: their
// workers died each time, or ran out of time.
func (b *round) deadLetters(ctx context.Context) error {
	taken := 0
	err := b.DeadLetters.Drain(ctx, b.Limits.DeadLetters, func(body string, sent time.Time) error {
		taken++
		err := b.deadLetter(ctx, body, sent)
		b.count(func(s *Summary) {
			if err != nil {
				s.DeadLettersLeft++
			} else {
				s.DeadLetters++
			}
		})
		return err
	})
	late := ctx.Err() != nil
	if taken >= b.Limits.DeadLetters || late {
		b.unfinished("dead-letters")
	}
	if late { // which is no failure
		err = nil
	}
	return err
}

// deadLetter ends the task of a message. It is an error that keeps the message.
func (b *round) deadLetter(ctx context.Context, body string, sent time.Time) error {
	m, err := task.ParseMessage(body)
	if errors.Is(err, task.ErrNewer) {
		b.failed(ctx, "a dead letter", err)
		return err
	}
	if err != nil { // the body may be anything, so it is not logged
		b.Log.ErrorContext(ctx, "a dead letter that is no task is thrown away", "bytes", len(body), "sent", sent)
		return nil //nolint:nilerr // nobody could do anything about it
	}
	ctx = logs.With(logs.With(ctx, logs.Job, m.Job), logs.Task, m.Task)
	over, err := b.over(ctx, m, sent)
	if err == nil && !over {
		b.Log.WarnContext(ctx, "a task ended in the dead letters")
		err = b.Worker.GiveUp(ctx, m, job.Fail(job.CodeInternal,
			"the task %s was tried as often as the queue allows and its worker died or ran out of time each time; see the transcode function's log, then drop the job again", m.Task))
	}
	b.failed(ctx, "a dead letter", err)
	return err
}

// over says whether nothing is to be done about a dead letter: its job is not
// there, has ended, or was set going again after it was sent.
func (b *round) over(ctx context.Context, m task.Message, sent time.Time) (bool, error) {
	rec, err := b.Ledger.Job(ctx, m.Job)
	switch {
	case errors.Is(err, object.ErrNotExist):
		b.Log.WarnContext(ctx, "a dead letter is of a job that does not exist")
		return true, nil
	case err != nil:
		return false, err
	case job.Terminal(rec.Job.Status):
		return true, nil
	}
	seen, err := b.Ledger.Watched(ctx, m.Job)
	if err != nil {
		return false, err
	}
	return !sent.IsZero() && sent.Before(seen.Redriven), nil
}
