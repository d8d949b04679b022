package ingest

import (
	"context"
	"errors"
	"strings"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
)

// Refuse makes a job in Error of a drop that could not be taken for so long that
// nobody waits any more, so that it ends like any other; cause is why. A drop that
// is a job already is left alone.
func (i *Ingester) Refuse(ctx context.Context, d ledger.Drop, at time.Time, cause error) error {
	rec, err := i.claimed(ctx, d)
	if err != nil || rec != nil {
		return err
	}
	req := &job.Request{}
	if !strings.HasSuffix(d.Key, DocumentSuffix) {
		if p, err := i.dropPipeline(ctx, d); err == nil && p != nil {
			req.PipelineID = p.ID
		}
	}
	_, err = i.create(ctx, d, at, req, refusal(d, cause))
	return err
}

// refusal is how a drop that can't be taken fails.
func refusal(d ledger.Drop, cause error) *job.Failure {
	var failure *job.Failure
	switch {
	case errors.As(cause, &failure):
		return failure
	case errors.Is(cause, object.ErrAccess):
		return job.NoReadPermission(cause, d.Bucket, d.Key)
	}
	return job.FailCause(cause, job.CodeInternal,
		"the dropped object could not be read for too long: key=%s; see the log of the reconcile function, mend the cause and drop it again", d.Key)
}
