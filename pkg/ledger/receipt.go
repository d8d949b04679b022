package ledger

import (
	"context"
	"fmt"

	"sealreel/pkg/task"
)

func receiptKey(job, name string) string { return "receipts/" + job + "/" + name + ".json" }

// Receipt reads the receipt of a chunk's task; an object.ErrNotExist when the
// task is not done.
func (l *Ledger) Receipt(ctx context.Context, job, name string) (*task.Receipt, error) {
	r, _, err := read[task.Receipt](ctx, l, receiptKey(job, name))
	if err == nil && r.Version > task.Version {
		return nil, fmt.Errorf("receipt %s of job %s: %w", name, job, ErrNewer)
	}
	return r, err
}

// CreateReceipt stores the receipt of a chunk's task unless there is one.
func (l *Ledger) CreateReceipt(ctx context.Context, job, name string, r *task.Receipt) error {
	r.Version = task.Version
	_, err := l.create(ctx, receiptKey(job, name), r)
	return err
}

// Sound reads the receipt for the sound of a chunk.
func (l *Ledger) Sound(ctx context.Context, job, name string) (*task.Sound, error) {
	s, _, err := read[task.Sound](ctx, l, receiptKey(job, name))
	if err == nil && s.Version > task.Version {
		return nil, fmt.Errorf("receipt %s of job %s: %w", name, job, ErrNewer)
	}
	return s, err
}

// CreateSound stores the receipt for the sound of a chunk unless there is one.
func (l *Ledger) CreateSound(ctx context.Context, job, name string, s *task.Sound) error {
	s.Version = task.Version
	_, err := l.create(ctx, receiptKey(job, name), s)
	return err
}

// Receipts are the names of the tasks of a job that have a receipt.
func (l *Ledger) Receipts(ctx context.Context, job string) (map[string]bool, error) {
	return l.nameSet(ctx, "receipts/"+job+"/")
}
