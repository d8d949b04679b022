package cli

import (
	"context"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
)

// waits VARIABLE makes a job that waits for a file which never comes, and sets
// the variable to its id.
func (s *service) waits(ts *testscript.TestScript, _ bool, args []string) {
	id := job.NewID(time.Now(), "in-bucket", "never.job.json", "")
	rec := &ledger.Record{Waiting: true, Job: job.New(id, &job.Request{
		PipelineID: pipelineID, Inputs: []job.Input{{Key: "never.mp4"}},
		Outputs: []job.Output{{Key: "web.mp4", PresetID: "1351620000001-000010"}}}, time.Now())}
	_, _, err := s.ledger.CreateJob(context.Background(), rec)
	ts.Check(err)
	ts.Setenv(args[0], id)
}
