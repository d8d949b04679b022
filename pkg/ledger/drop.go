package ledger

import (
	"context"

	"sealreel/pkg/job"
)

// Claim says which job a dropped object version became.
type Claim struct {
	Job  string `json:"job"`
	Drop Drop   `json:"drop"`
}

// ClaimDrop claims a drop for the job with the id, or reads the job that
// claimed it first, so that each drop becomes one job however often and by
// whomever it is reported.
func (l *Ledger) ClaimDrop(ctx context.Context, d Drop, id string) (Claim, error) {
	c, _, err := createOrRead(ctx, l, "drops/"+d.Hash()+".json", &Claim{Job: id, Drop: d})
	if err != nil {
		return Claim{}, err
	}
	return *c, nil
}

// Claimed reads the claim on a drop; an object.ErrNotExist when there is none.
func (l *Ledger) Claimed(ctx context.Context, d Drop) (Claim, error) {
	c, _, err := read[Claim](ctx, l, "drops/"+d.Hash()+".json")
	if err != nil {
		return Claim{}, err
	}
	return *c, nil
}

func waitingPrefix(bucket, key string) string {
	return "waiting/" + job.DropHash(bucket, key, "") + "/"
}

// Await records that a job waits for an object to be dropped.
func (l *Ledger) Await(ctx context.Context, bucket, key, id string) error {
	_, err := l.create(ctx, waitingPrefix(bucket, key)+id+".json", Drop{Bucket: bucket, Key: key})
	return err
}

// Awaiting are the ids of the jobs that wait for an object.
func (l *Ledger) Awaiting(ctx context.Context, bucket, key string) ([]string, error) {
	var ids []string
	for id, err := range l.names(ctx, waitingPrefix(bucket, key)) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// Arrived forgets that a job waits for an object.
func (l *Ledger) Arrived(ctx context.Context, bucket, key, id string) error {
	return l.objects.Delete(ctx, l.bucket, waitingPrefix(bucket, key)+id+".json")
}
