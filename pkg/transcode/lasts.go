package transcode

import (
	"context"
	"errors"
	"time"

	"sealreel/pkg/job"
)

// errJobEnded is why a task is stopped whose job has ended.
var errJobEnded = errors.New("the job has ended")

// lookEvery is how often a running task looks whether its job still goes on.
const lookEvery = 15 * time.Second

// whileItLasts returns a context that ends, with errJobEnded, when the job does:
// because it was ended from outside, or all its outputs failed elsewhere. What is
// left of a task is then work for nobody.
func (w *Worker) whileItLasts(ctx context.Context, id string) (_ context.Context, stop func()) {
	ctx, end := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			rec, err := w.Ledger.Job(ctx, id)
			if err == nil && job.Terminal(rec.Job.Status) {
				end(errJobEnded)
			}
		}
	}()
	return ctx, func() { end(context.Canceled); <-done }
}
