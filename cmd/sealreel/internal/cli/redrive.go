package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"sealreel/cmd/sealreel/internal/drop"
	"sealreel/cmd/sealreel/internal/redrive"
	"sealreel/cmd/sealreel/internal/site"
)

var redriveCommand = command{
	name: "redrive", args: "JOB [--again] [--json]",
	summary: "set a job going again that has stopped",
	text: `
Queues at once every task of the job that is not done, and asks for every output
whose tasks are. What of it is under way is done once all the same, and what of it is
in the dead-letter queue is of no effect any more. A job that is not planned yet is
taken up by the next round of the reconcile function, within five minutes. Says what
it did.

A job that has ended stays as it is, as it did in Elastic Transcoder.

  --again  for a job that ended in Error or Canceled: drop its document once more,
           and print the id of the new job. For a media file that was dropped
           without a document, that is the one which its pipeline makes of it now.
           Refused where an output of the old job is in the way (error 3002).
  --json   say it as a JSON object: job, status, did (restarted, noted or nothing),
           tasks, outputs, waiting (for its input); with --again job and newJob`,
	run: redriveJob,
}

func redriveJob(ctx context.Context, t *terminal, args []string) error {
	f := newFlags()
	again, asJSON := f.Bool("again", false, ""), f.Bool("json", false, "")
	positional, err := f.parse(args, "JOB")
	if err != nil {
		return err
	}
	id := positional[0]
	if *again {
		return dropAgain(ctx, t, id, *asJSON)
	}
	s, err := site.Connect(ctx, t.getenv, site.QueueURL)
	if err != nil {
		return err
	}
	done, err := redrive.Redrive(ctx, s, id)
	if err != nil {
		return explainJob(err, id)
	}
	if *asJSON {
		return encode(t.stdout, done)
	}
	_, err = io.WriteString(t.stdout, told(done))
	return err
}

func dropAgain(ctx context.Context, t *terminal, id string, asJSON bool) error {
	s, err := site.Connect(ctx, t.getenv, site.IngestBucket)
	if err != nil {
		return err
	}
	made, err := redrive.Again(ctx, s, &drop.Dropper{Site: s, Line: t.line(), Wait: claimTime}, id)
	if err != nil {
		return explainJob(err, id)
	}
	if asJSON {
		return encode(t.stdout, map[string]string{"job": id, "newJob": made})
	}
	_, err = fmt.Fprintln(t.stdout, made)
	return err
}

// told is what was done, in words.
func told(o *redrive.Outcome) string {
	switch o.Did {
	case redrive.Noted:
		if o.Waiting {
			return fmt.Sprintf("job %s waits for its input: upload it. The next round of reconcile, within five minutes, looks for it once more\n", o.Job)
		}
		return fmt.Sprintf("job %s has no plan yet: the next round of reconcile takes it up, within five minutes\n", o.Job)
	case redrive.Nothing:
		return fmt.Sprintf("job %s lacks nothing: all its tasks and outputs are done\n", o.Job)
	}
	var b strings.Builder
	if len(o.Tasks) > 0 {
		fmt.Fprintf(&b, "queued of job %s: %s\n", o.Job, strings.Join(o.Tasks, ", "))
	}
	if len(o.Outputs) > 0 {
		fmt.Fprintf(&b, "asked for the assembly of output %s of job %s\n", strings.Join(o.Outputs, ", "), o.Job)
	}
	return b.String()
}

// encode prints a value as a line of JSON.
func encode(w io.Writer, v any) error {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		return errors.Join(errors.New("writing the answer"), err)
	}
	return nil
}
