package drop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
)

// Pauses between two looks at the ledger.
const (
	firstPause = 50 * time.Millisecond
	mostPause  = time.Second
)

// errNotYet says that the service has not come that far.
var errNotYet = errors.New("not yet")

// await waits for the job that the dropped document becomes, until it waits for
// its file, has found one, or has ended.
func (d *Dropper) await(ctx context.Context, drop ledger.Drop) (*ledger.Record, error) {
	limited, cancel := context.WithTimeout(ctx, d.Wait)
	defer cancel()
	id, pause := "", firstPause
	for {
		rec, err := d.look(limited, drop, &id)
		if err == nil || ctx.Err() == nil && limited.Err() == nil && !errors.Is(err, errNotYet) {
			return rec, err
		}
		select {
		case <-time.After(pause):
			pause = min(pause*3/2, mostPause)
		case <-limited.Done():
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, d.late(drop, id)
		}
	}
}

func (d *Dropper) look(ctx context.Context, drop ledger.Drop, id *string) (*ledger.Record, error) {
	if *id == "" {
		claim, err := d.Site.Ledger.Claimed(ctx, drop)
		if err != nil {
			return nil, notYet(err)
		}
		*id = claim.Job
	}
	rec, err := d.Site.Ledger.Job(ctx, *id)
	if err != nil {
		return nil, notYet(err)
	}
	if rec.Waiting || job.Terminal(rec.Job.Status) {
		return rec, nil
	}
	if _, err := d.Site.Ledger.Plan(ctx, *id); err != nil {
		return nil, notYet(err)
	}
	return rec, nil
}

// notYet takes a record that is not there for one that will come.
func notYet(err error) error {
	if errors.Is(err, object.ErrNotExist) {
		return fmt.Errorf("%w: %w", errNotYet, err)
	}
	return err
}

func (d *Dropper) late(drop ledger.Drop, id string) error {
	const ask = "is it running, and does the ingest bucket notify it (`sealreel up`, or the deployed stack)? Its log tells more; the file was not uploaded"
	if id == "" {
		return fmt.Errorf("the ingest function made no job of s3://%s/%s in %v: %s", drop.Bucket, drop.Key, d.Wait, ask)
	}
	return fmt.Errorf("the ingest function made job %s of s3://%s/%s, but in %v it did not get ready for its file: %s", id, drop.Bucket, drop.Key, d.Wait, ask)
}

// cancelTime is how long canceling a job may take.
const cancelTime = 5 * time.Second

// abandon cancels a job whose file will not come, also when ctx has ended.
func (d *Dropper) abandon(ctx context.Context, id string, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
	defer cancel()
	_, err := d.Site.Ledger.UpdateJob(ctx, id, func(r *ledger.Record) error {
		j, err := job.Cancel(r.Job, time.Now())
		r.Job, r.Waiting = j, false
		return err
	})
	if err != nil {
		return fmt.Errorf("%w\njob %s still waits for its file; it ends by itself when none comes", cause, id)
	}
	return fmt.Errorf("%w\njob %s was canceled", cause, id)
}
