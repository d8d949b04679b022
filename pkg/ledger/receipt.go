package ledger

import (
	"context"
	"log/slog"

	"sealreel/pkg/metric"
	"sealreel/pkg/task"
	"sealreel/pkg/trace"
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
	ctx, end := trace.Start(ctx, "receipt", slog.String("sealreel.receipt", name))
	first, created, err := createOrRead(ctx, l, receiptKey(job, name), r)
	end(err)
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
	ctx, end := trace.Start(ctx, "receipt", slog.String("sealreel.receipt", name))
	created, err := l.create(ctx, receiptKey(job, name), s)
	end(err)
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
