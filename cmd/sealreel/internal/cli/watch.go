package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"sealreel/cmd/sealreel/internal/progress"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/job"
	"sealreel/pkg/object"
)

var watchCommand = command{
	name: "watch", args: "JOB [--json]",
	summary: "show a job's progress until it ends",
	text: `
Shows how far the job is until it ends: a bar on a terminal, else a line for each
change. Exits with 0 when the job is Complete, and with 1 when it ends in Error or
Canceled, with all that it says about why.

  --json   a JSON object a line for each change: job, status, waiting (for its
           input), progress from 0 to 1, done and total steps, outputs,
           playlists, warnings`,
	run: watch,
}

func watch(ctx context.Context, t *terminal, args []string) error {
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
	last, err := follow(ctx, t, s.Ledger, positional[0], *asJSON)
	if err != nil {
		return explainJob(err, positional[0])
	}
	return verdict(t, last)
}

// follow shows the job's states on standard output until the last.
func follow(ctx context.Context, t *terminal, l progress.Ledger, id string, asJSON bool) (progress.State, error) {
	j := progress.Of(l, id)
	if asJSON {
		encoder := json.NewEncoder(t.stdout)
		return j.Follow(ctx, func(s progress.State) error { return encoder.Encode(stateOf(s)) })
	}
	line := progress.NewLine(t.stdout, t.getenv)
	defer line.End()
	return j.Follow(ctx, progress.Shower(line))
}

// verdict tells how a job ended, which is an error unless it is complete.
func verdict(t *terminal, s progress.State) error {
	details := progress.Details(s.Record)
	if len(details) > 0 {
		t.note("%s", strings.Join(details, "\n"))
	}
	if s.Record.Job.Status == job.Complete {
		return nil
	}
	t.note("job %s ended in %s", s.Record.Job.ID, s.Record.Job.Status)
	return errReported
}

// explainJob says what to do about a job that can't be read.
func explainJob(err error, id string) error {
	if errors.Is(err, object.ErrNotExist) {
		return fmt.Errorf("there is no job %s: take the id that `sealreel put` printed, and the variables of the stack that it was put to", id)
	}
	return err
}

// state is a state as watch --json shows it.
type state struct {
	Job       string     `json:"job"`
	Status    string     `json:"status"`
	Waiting   bool       `json:"waiting"`
	Progress  float64    `json:"progress"`
	Done      int        `json:"done"`
	Total     int        `json:"total"`
	Outputs   []output   `json:"outputs"`
	Playlists []playlist `json:"playlists"`
	Warnings  []string   `json:"warnings,omitempty"`
}

type output struct {
	ID             string `json:"id"`
	Key            string `json:"key"` // with the job's OutputKeyPrefix
	Status         string `json:"status"`
	StatusDetail   string `json:"statusDetail,omitempty"`
	DurationMillis int64  `json:"durationMillis,omitempty"`
}

type playlist struct {
	Name         string `json:"name"`
	Status       string `json:"status"`
	StatusDetail string `json:"statusDetail,omitempty"`
}

// thousandth rounds what nobody reads further.
func thousandth(fraction float64) float64 { return math.Round(fraction*1000) / 1000 }

func stateOf(s progress.State) state {
	j := s.Record.Job
	shown := state{
		Job: j.ID, Status: j.Status, Waiting: s.Record.Waiting, Progress: thousandth(s.Fraction()), Done: s.Done, Total: s.Total,
		Outputs: []output{}, Playlists: []playlist{}, Warnings: s.Record.Warnings,
	}
	for _, o := range j.Outputs {
		shown.Outputs = append(shown.Outputs, output{o.ID, j.OutputKeyPrefix + o.Key, o.Status, o.StatusDetail, o.DurationMillis})
	}
	for _, p := range j.Playlists {
		shown.Playlists = append(shown.Playlists, playlist{p.Name, p.Status, p.StatusDetail})
	}
	return shown
}
