// Package ledger keeps the records of jobs: small JSON objects in one bucket,
// created once (If-None-Match) or advanced by comparing what was read
// (If-Match). There is no other store, and nothing here is ever locked: two
// functions that race both end with the same records.
//
// It guarantees that a record which exists is never overwritten by one made
// from older knowledge, that asking twice for the same creation is no error, and
// that a record which a newer version wrote is left as it is (task.ErrNewer).
//
// What is created once and never changed may gain members without a new version:
// an older reader does not miss them. Where missing or losing one would be wrong,
// as in the record of a job, which every function reads and writes again, the
// version goes up with it.
package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
	"sealreel/pkg/usage"
)

// Objects is the storage that a ledger is kept in. Errors wrap those of
// package object.
type Objects interface {
	// Get returns an object's content and its entity tag.
	Get(ctx context.Context, bucket, key string) (body []byte, etag string, err error)
	// Create stores a new object; ErrExists when there is one already.
	Create(ctx context.Context, bucket, key string, body []byte) error
	// Replace stores a new version of the object that has the entity tag;
	// ErrChanged when it has another by now.
	Replace(ctx context.Context, bucket, key string, body []byte, etag string) error
	// Keys yields the keys with the prefix in order.
	Keys(ctx context.Context, bucket, prefix string) iter.Seq2[string, error]
	// KeysAfter yields those that come after a key, which need not be there.
	KeysAfter(ctx context.Context, bucket, prefix, after string) iter.Seq2[string, error]
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, bucket, key string) error
}

// Ledger is the ledger in one bucket.
type Ledger struct {
	objects Objects
	bucket  string
}

// New returns the ledger kept in the bucket.
func New(objects Objects, bucket string) *Ledger {
	return &Ledger{objects: objects, bucket: bucket}
}

// maxAttempts bounds how often a change is made anew because somebody else was
// faster: each time another writer got on.
const maxAttempts = 20

func read[T any](ctx context.Context, l *Ledger, key string) (*T, string, error) {
	return readBy(ctx, l, key, decode[T])
}

// readBy reads a record as parse does.
func readBy[T any](ctx context.Context, l *Ledger, key string, parse func([]byte) (*T, error)) (*T, string, error) {
	body, etag, err := l.objects.Get(ctx, l.bucket, key)
	if err != nil {
		return nil, "", fmt.Errorf("reading %s: %w", key, err)
	}
	v, err := parse(body)
	if err != nil {
		return nil, "", fmt.Errorf("reading %s: %w", key, err)
	}
	return v, etag, nil
}

// decode reads a record. One that a newer version wrote is a task.ErrNewer,
// whatever it looks like.
func decode[T any](body []byte) (*T, error) {
	v := new(T)
	if err := task.CheckVersion(body, newest(v)); err != nil {
		return nil, err
	}
	return v, json.Unmarshal(body, v)
}

// newest is the version up to which a kind of record is read. Kinds that had no
// reason to change carry none, which is 0.
func newest(record any) int {
	switch record.(type) {
	case *Record, *Notice, *Result, *Round, *Seen:
		return Version
	case *plan.Plan:
		return plan.Version
	case *task.Receipt, *task.Sound:
		return task.Version
	case *usage.Record:
		return usage.Version
	}
	return 0
}

// create stores a record and says whether it is this call that did.
func (l *Ledger) create(ctx context.Context, key string, v any) (bool, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return false, fmt.Errorf("writing %s: %w", key, err)
	}
	err = l.objects.Create(ctx, l.bucket, key, body)
	switch {
	case errors.Is(err, object.ErrExists):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("writing %s: %w", key, err)
	}
	return true, nil
}

// put stores a record in place of the one with the entity tag, or where that is
// "" of none; object.ErrChanged when it is another by now.
func (l *Ledger) put(ctx context.Context, key string, v any, etag string) error {
	if etag == "" {
		created, err := l.create(ctx, key, v)
		if err == nil && !created {
			err = fmt.Errorf("writing %s: %w", key, object.ErrChanged)
		}
		return err
	}
	body, err := json.Marshal(v)
	if err == nil {
		err = l.objects.Replace(ctx, l.bucket, key, body, etag)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", key, err)
	}
	return nil
}

// createOrRead stores a record, or reads the one that was there first.
func createOrRead[T any](ctx context.Context, l *Ledger, key string, v *T) (*T, bool, error) {
	created, err := l.create(ctx, key, v)
	if err != nil || created {
		return v, created, err
	}
	first, _, err := read[T](ctx, l, key)
	return first, false, err
}

// update applies change to a record until it is stored. change may return
// errUnchanged to leave the record as it is.
func update[T any](ctx context.Context, l *Ledger, key string, change func(*T) error) (*T, error) {
	return updateBy(ctx, l, key, decode[T], change)
}

// updateBy updates a record that is read as parse does.
func updateBy[T any](ctx context.Context, l *Ledger, key string, parse func([]byte) (*T, error), change func(*T) error) (*T, error) {
	for range maxAttempts {
		v, etag, err := readBy(ctx, l, key, parse)
		if err != nil {
			return nil, err
		}
		if err := change(v); err != nil {
			if errors.Is(err, errUnchanged) {
				return v, nil
			}
			return nil, err
		}
		body, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", key, err)
		}
		err = l.objects.Replace(ctx, l.bucket, key, body, etag)
		if err == nil {
			return v, nil
		}
		if !errors.Is(err, object.ErrChanged) {
			return nil, fmt.Errorf("writing %s: %w", key, err)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("writing %s: %w in each of %d attempts", key, object.ErrChanged, maxAttempts)
}

var errUnchanged = errors.New("unchanged")

// names yields the names, without prefix and .json, of the records under a
// prefix.
func (l *Ledger) names(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return namesOf(prefix, l.objects.Keys(ctx, l.bucket, prefix))
}

func namesOf(prefix string, keys iter.Seq2[string, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for key, err := range keys {
			if err != nil {
				yield("", fmt.Errorf("listing %s: %w", prefix, err))
				return
			}
			if !yield(strings.TrimSuffix(strings.TrimPrefix(key, prefix), ".json"), nil) {
				return
			}
		}
	}
}

func (l *Ledger) nameSet(ctx context.Context, prefix string) (map[string]bool, error) {
	set := map[string]bool{}
	for name, err := range l.names(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		set[name] = true
	}
	return set, nil
}
