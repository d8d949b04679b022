package ledger

import (
	"context"
	"errors"
	"time"

	"sealreel/pkg/object"
)

// Watch is what reconcile last saw of a job that has not ended, and what was
// done about it.
type Watch struct {
	Receipts int       `json:"receipts"`         // of its tasks, and outputs that ended
	Since    time.Time `json:"since"`            // since when it is waited for the next one
	Restarts int       `json:"restarts"`         // since the last receipt
	Moved    time.Time `json:"moved,omitzero"`   // when the last receipt was first seen
	Queued   bool      `json:"queued,omitempty"` // it has tasks without a receipt, which may be waiting in the queue
	Told     string    `json:"told,omitempty"`   // the status that all topics are known to have heard of
	Tries    int       `json:"tries,omitempty"`  // attempts to plan the job that failed
	Tried    time.Time `json:"tried,omitzero"`   // the last of them
	// Redriven is when somebody set the job going by hand: tasks that came to the
	// dead letters before are asked for again and mean nothing.
	Redriven time.Time `json:"redriven,omitzero"`

	etag string
}

func watchKey(job string) string { return "watch/" + job + ".json" }

// Watched reads what reconcile last saw of a job, the zero Watch when nothing.
func (l *Ledger) Watched(ctx context.Context, job string) (Watch, error) {
	w, etag, err := read[Watch](ctx, l, watchKey(job))
	if errors.Is(err, object.ErrNotExist) {
		return Watch{}, nil
	}
	if err != nil {
		return Watch{}, err
	}
	w.etag = etag
	return *w, nil
}

// SetWatch notes what is seen of a job, in place of what Watched read. When
// somebody else has noted something meanwhile it is an object.ErrChanged.
func (l *Ledger) SetWatch(ctx context.Context, job string, w Watch) error {
	return l.put(ctx, watchKey(job), w, w.etag)
}
