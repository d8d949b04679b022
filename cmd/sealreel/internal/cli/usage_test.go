package cli

import (
	"context"
	"time"

	"sealreel/pkg/plan"
	"sealreel/pkg/task"
	"sealreel/pkg/usage"
)

// used notes what the functions would have used for a plan. The chunk was tried
// three times, of which one was killed.
func (s *service) used(ctx context.Context, p *plan.Plan) error {
	at := time.UnixMilli(1_700_000_000_000).UTC()
	records := []usage.Record{
		{Function: usage.Ingest, Milliseconds: 1000, CPUMilliseconds: 400, MemoryMiB: 1024, Counts: usage.Counts{S3Writes: 12, S3Reads: 20, S3In: 4000, KMS: 3, SQS: 1}},
		{Function: usage.Transcode, Task: task.Chunk(0, 0), Attempt: 1, Failed: true, Milliseconds: 2000, CPUMilliseconds: 3000, MemoryMiB: 2048},
		{Function: usage.Transcode, Task: task.Chunk(0, 0), Attempt: 3, Milliseconds: 8000, CPUMilliseconds: 9000, MemoryMiB: 2048,
			Counts: usage.Counts{S3Writes: 9, S3Reads: 30, S3In: 6_000_000, S3Out: 2_500_000, KMS: 2, SQS: 2, SNS: 1, Retries: map[usage.Cause]int64{usage.Server: 1}}},
	}
	for _, o := range p.Outputs {
		records = append(records, usage.Record{Function: usage.Assemble, Task: o.ID, Milliseconds: 500, MemoryMiB: 1024, Counts: usage.Counts{S3Writes: 4, S3Reads: 6}})
	}
	for i, r := range records {
		r.Version, r.Architecture, r.Start = usage.Version, "amd64", at.Add(time.Duration(i)*time.Millisecond)
		if err := s.ledger.NoteUsage(ctx, p.Job, r); err != nil {
			return err
		}
	}
	return nil
}
