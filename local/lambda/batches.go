package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"sealreel/local/internal/atomicfile"
)

// batches remembers on disk which messages a mapping has in work, so that
// they needn't wait for their visibility timeout, which may be hours, when
// the host ends in the middle. Lambda itself never ends.
type batches struct{ dir string }

func openBatches(root, mapping string) (*batches, error) {
	b := &batches{dir: filepath.Join(root, "batches", mapping)}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return nil, fmt.Errorf("lambda: make the folder of batches: %w", err)
	}
	return b, nil
}

// begin remembers a batch under its request id.
func (b *batches) begin(id string, batch []Message) error {
	receipts := make([]string, len(batch))
	for i, m := range batch {
		receipts[i] = m.ReceiptHandle
	}
	err := atomicfile.Write(filepath.Join(b.dir, id+".json"), 0o600, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(receipts)
	})
	if err != nil {
		return fmt.Errorf("lambda: remember a batch: %w", err)
	}
	return nil
}

// end forgets a batch whose outcome is settled.
func (b *batches) end(id string) error {
	if err := os.Remove(filepath.Join(b.dir, id+".json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("lambda: forget a batch: %w", err)
	}
	return nil
}

// release makes the messages of all remembered batches visible again. A
// message that is gone or was received anew meanwhile is left alone: its
// queue refuses the old receipt.
func (b *batches) release(ctx context.Context, q Queue) error {
	names, err := filepath.Glob(filepath.Join(b.dir, "*.json"))
	if err != nil {
		return fmt.Errorf("lambda: list batches: %w", err)
	}
	for _, name := range names {
		doc, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("lambda: read a batch: %w", err)
		}
		var receipts []string
		if err := json.Unmarshal(doc, &receipts); err != nil {
			return fmt.Errorf("lambda: %s is no batch; remove it to go on: %w", name, err)
		}
		for _, receipt := range receipts {
			_ = q.Release(ctx, receipt) // refused when there is nothing to release
		}
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("lambda: forget a batch: %w", err)
		}
	}
	return nil
}
