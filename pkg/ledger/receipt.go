package ledger

import (
	"context"
	"errors"
	"time"

	"sealreel/pkg/metric"
	"sealreel/pkg/object"
	"sealreel/pkg/task"
)

func receiptKey(job, name string) string { return "receipts/" + job + "/" + name + ".json" }

// Receipt reads the receipt of a chunk's task; an object.ErrNotExist when the
// task is not done.
func (l *Ledger) Receipt(ctx context.Context, job, name string) (*task.Receipt, error) {
	r, _, err := read[task.Receipt](ctx, l, receiptKey(job, name))
	return r, err
}

// CreateReceipt stores the receipt of a chunk's task, or reads the one that was
// there first.
func (l *Ledger) CreateReceipt(ctx context.Context, job, name string, r *task.Receipt) (*task.Receipt, error) {
	r.Version = task.Version
	first, created, err := createOrRead(ctx, l, receiptKey(job, name), r)
	countReceipt(ctx, created)
	return first, err
}

// Sound reads the receipt for the sound of a chunk.
func (l *Ledger) Sound(ctx context.Context, job, name string) (*task.Sound, error) {
	s, _, err := read[task.Sound](ctx, l, receiptKey(job, name))
	return s, err
}

// CreateSound stores the receipt for the sound of a chunk unless there is one.
func (l *Ledger) CreateSound(ctx context.Context, job, name string, s *task.Sound) error {
	s.Version = task.Version
	created, err := l.create(ctx, receiptKey(job, name), s)
	countReceipt(ctx, created)
	return err
}

func countReceipt(ctx context.Context, created bool) {
	if created {
		metric.Add(ctx, metric.Receipts, 1)
	}
}

// Receipts are the names of the tasks of a job that have a receipt.
func (l *Ledger) Receipts(ctx context.Context, job string) (map[string]bool, error) {
	return l.nameSet(ctx, "receipts/"+job+"/")
}

// Watch is what reconcile last saw of a job: how many tasks had a receipt, since
// when, and how often it set the job going again from there.
type Watch struct {
	Receipts int       `json:"receipts"`
	Since    time.Time `json:"since"`
	Restarts int       `json:"restarts"`
}

func watchKey(job string) string { return "watch/" + job + ".json" }

// Watched reads what reconcile last saw of a job, the zero Watch when nothing.
func (l *Ledger) Watched(ctx context.Context, job string) (Watch, error) {
	w, _, err := read[Watch](ctx, l, watchKey(job))
	if errors.Is(err, object.ErrNotExist) {
		return Watch{}, nil
	}
	if err != nil {
		return Watch{}, err
	}
	return *w, nil
}

// SetWatch notes what reconcile sees of a job. It is reconcile's alone: the last
// one to write wins.
func (l *Ledger) SetWatch(ctx context.Context, job string, w Watch) error {
	if err := l.objects.Delete(ctx, l.bucket, watchKey(job)); err != nil {
		return err
	}
	_, err := l.create(ctx, watchKey(job), w)
	return err
}
