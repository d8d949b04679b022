package cli

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// stalls VARIABLE makes a job of two chunks of which one is done, and nobody works
// on it, and sets the variable to its id.
func (s *service) stalls(ts *testscript.TestScript, _ bool, args []string) {
	ctx, now := context.Background(), time.Now()
	id := job.NewID(now, "in-bucket", "stalled.job.json", "")
	rec := &ledger.Record{Job: job.New(id, &job.Request{PipelineID: pipelineID, Inputs: []job.Input{{Key: "stalled.mp4"}},
		Outputs: []job.Output{{Key: "stalled/web.mp4", PresetID: "1351620000001-000010"}}}, now)}
	_, _, err := s.ledger.CreateJob(ctx, rec)
	ts.Check(err)
	_, err = s.ledger.CreatePlan(ctx, &plan.Plan{Job: id, Programmes: [][]plan.Take{{}},
		Groups:  []plan.Group{{Picture: true, Chunks: []plan.Chunk{{End: 10}, {First: 10, End: 20}}, Outputs: []int{0}}},
		Outputs: []plan.Output{{Job: id, ID: "1", Bucket: "out-bucket", Key: "stalled/web.mp4", Container: "mp4", Sound: -1}}})
	ts.Check(err)
	_, err = s.ledger.CreateReceipt(ctx, id, task.Chunk(0, 0), &task.Receipt{})
	ts.Check(err)
	ts.Check(s.ledger.SetWatch(ctx, id, ledger.Watch{Receipts: 1, Since: now.Add(-time.Hour), Restarts: 3}))
	ts.Setenv(args[0], id)
}

// queued JOB TASK... checks which tasks are on the queue, and takes them off; and that
// reconcile is told of it and begins to wait anew.
func (s *service) queued(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	here, err := site.Connect(ctx, os.Getenv)
	ts.Check(err)
	var got []string
	ts.Check(here.Queue.Drain(ctx, 100, func(body string, _ time.Time) error {
		m, err := task.ParseMessage(body)
		if m.Job == args[0] {
			got = append(got, m.Task)
		}
		return err
	}))
	if slices.Sort(got); !slices.Equal(got, args[1:]) {
		ts.Fatalf("queued are %q", got)
	}
	seen, err := s.ledger.Watched(ctx, args[0])
	ts.Check(err)
	if time.Since(seen.Redriven) > time.Minute || seen.Since != seen.Redriven || seen.Restarts != 0 {
		ts.Fatalf("reconcile is told %+v", seen)
	}
}
