package ledger

import (
	"context"

	"golang.org/x/sync/errgroup"

	"sealreel/pkg/usage"
)

// together is how many records of usage are read at once.
const together = 16

func usagePrefix(job string) string { return "usage/" + job + "/" }

// NoteUsage stores what an invocation used that worked for a job, unless it is
// noted already.
func (l *Ledger) NoteUsage(ctx context.Context, job string, r usage.Record) error {
	_, err := l.create(ctx, usagePrefix(job)+r.Name()+".json", r)
	return err
}

// Usage is what the invocations used that worked for a job, in the order of
// their functions and then of their beginnings. An invocation that is under way,
// or that was killed, has no record.
func (l *Ledger) Usage(ctx context.Context, job string) ([]usage.Record, error) {
	var names []string
	for name, err := range l.names(ctx, usagePrefix(job)) {
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	records := make([]usage.Record, len(names))
	readers, ctx := errgroup.WithContext(ctx)
	readers.SetLimit(together)
	for i, name := range names {
		readers.Go(func() error {
			r, _, err := read[usage.Record](ctx, l, usagePrefix(job)+name+".json")
			if err != nil {
				return err
			}
			records[i] = *r
			return nil
		})
	}
	return records, readers.Wait()
}
