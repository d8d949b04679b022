package transcode

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sealreel/pkg/task"
	"sealreel/pkg/trace"
	"sealreel/pkg/usage"
)

const (
	// hidden is how long a message stays hidden from other workers without a
	// sign of life from its own: soon after a worker dies another takes over,
	// long before the queue's own time-out.
	hidden = 45 * time.Second
	// attempts is how often a task is tried before its failure is final. It is
	// the queue's maxReceiveCount, so that the job shows why and not only the
	// dead-letter queue.
	attempts = 5
	// postponed is after how long a message that only a newer version of this
	// function understands comes again. Until then the update may be through.
	postponed = 5 * time.Minute
	// outage is how many requests of one attempt must have failed for the sake of
	// the service for the attempt to have failed for it too. It is as many as the
	// least patient client makes of one.
	outage = 3
	// spare is the time before the function's deadline that is left to report.
	spare = 5 * time.Second
)

// Inbox is the queue as it is towards the receiver of its messages.
type Inbox interface {
	// Hide keeps a received message from other workers.
	Hide(ctx context.Context, receiptHandle string, d time.Duration) error
	// Postpone queues a message anew, to be delivered after d.
	Postpone(ctx context.Context, body, group string, d time.Duration) error
}

// Handle takes a batch of the chunk queue. What failed is reported message by
// message and comes again after a moment.
func (w *Worker) Handle(queue Inbox) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return func(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		var response events.SQSEventResponse
		for _, m := range event.Records {
			ctx := ctx
			if asked, err := task.ParseMessage(m.Body); err == nil { // else it fails below
				ctx = about(ctx, asked)
			}
			if err := w.message(ctx, queue, m); err != nil {
				usage.From(ctx).Fail()
				w.Log.ErrorContext(ctx, "task failed", "message", m.MessageId, "body", m.Body, "err", err)
				response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		}
		return response, nil
	}
}

// message does the task of a message. What a newer version wrote, the message or
// a record of its job, is left to a newer worker: the message is queued anew, since
// each delivery brings it nearer to the dead letters, and reconcile would end its
// job.
func (w *Worker) message(ctx context.Context, queue Inbox, m events.SQSMessage) error {
	err := w.try(ctx, queue, m)
	if !errors.Is(err, task.ErrNewer) {
		return err
	}
	w.Log.WarnContext(ctx, "a task waits for an update of this function", "body", m.Body, "for", postponed.String(), "err", err)
	return queue.Postpone(ctx, m.Body, m.Attributes["MessageGroupId"], postponed)
}

func (w *Worker) try(ctx context.Context, queue Inbox, m events.SQSMessage) error {
	asked, err := task.ParseMessage(m.Body)
	if err != nil {
		return err // the queue moves it to the dead letters in the end
	}
	count, _ := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	countDelivery(ctx, m, count)
	usage.From(ctx).Attempt(count)
	work := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		work, cancel = context.WithDeadline(ctx, deadline.Add(-spare))
		defer cancel()
	}
	stop := w.keepHidden(work, queue, m.ReceiptHandle)
	work, end := trace.Work(work, asked.Job, "transcode", slog.String("sealreel.task", asked.Task), slog.Int("sealreel.attempt", count))
	err = w.Do(work, asked, count >= attempts)
	end(err)
	stop()
	if err != nil && !errors.Is(err, task.ErrNewer) {
		w.giveBack(ctx, queue, m.ReceiptHandle, count)
	}
	return err
}

// keepHidden hides the message for a short time, again and again while the task
// is worked on.
func (w *Worker) keepHidden(ctx context.Context, queue Inbox, handle string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(hidden / 3)
		defer tick.Stop()
		for {
			if err := queue.Hide(ctx, handle, hidden); err != nil && ctx.Err() == nil {
				w.Log.WarnContext(ctx, "the message may be delivered to another worker", "err", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}

// afterOutage is after how long a message comes again whose task failed because
// AWS did not answer as it should: together they outlast all but the longest
// outages, which the few seconds between attempts at bad media would not.
var afterOutage = [attempts - 1]time.Duration{15 * time.Second, time.Minute, 3 * time.Minute, 8 * time.Minute}

// again is how long after its nth attempt a task that failed is tried again.
func again(n int, used usage.Counts) time.Duration {
	before := max(n-1, 0)
	if used.Unanswered() >= outage {
		return afterOutage[min(before, len(afterOutage)-1)]
	}
	return time.Second << min(before, 6)
}

// giveBack makes the message come again sooner than it would by itself, later
// each time.
func (w *Worker) giveBack(ctx context.Context, queue Inbox, handle string, count int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), spare/2)
	defer cancel()
	if err := queue.Hide(ctx, handle, again(count, usage.From(ctx).Counts())); err != nil {
		w.Log.WarnContext(ctx, "the message comes back later than it might", "err", err)
	}
}
