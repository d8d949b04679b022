package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
)

var cancelCommand = command{
	name: "cancel", args: "JOB [--json]",
	summary: "cancel a job that has not begun",
	text: `
Cancels the job, as Elastic Transcoder's CancelJob did: only while it is Submitted,
which is as long as it waits for its file, in the queue or for a paused pipeline.
Nothing of it is made then. A job that is canceled already is no error.

  --json  print the job and its status as a JSON object`,
	run: cancel,
}

func cancel(ctx context.Context, t *terminal, args []string) error {
	f := newFlags()
	asJSON := f.Bool("json", false, "")
	positional, err := f.parse(args, "JOB")
	if err != nil {
		return err
	}
	s, err := site.Connect(ctx, t.getenv)
	if err != nil {
		return err
	}
	id := positional[0]
	var status string
	_, err = s.Ledger.UpdateJob(ctx, id, func(r *ledger.Record) error {
		status = r.Job.Status
		j, err := job.Cancel(r.Job, time.Now())
		r.Job, r.Waiting = j, r.Waiting && err != nil
		return err
	})
	if errors.Is(err, job.ErrNotCancelable) {
		return fmt.Errorf("job %s is %s: %w", id, status, job.ErrNotCancelable)
	}
	if err != nil || !*asJSON {
		return explainJob(err, id)
	}
	return encode(t.stdout, map[string]string{"job": id, "status": job.Canceled})
}
