// Package registry makes, shows, changes and deletes pipelines and presets, as
// the operations of Elastic Transcoder's API did: from its documents, into its
// answers, with its refusals.
//
// It guarantees that nothing is stored that this version can't serve in full or
// that breaks a rule, that of two changes at a time none is lost, and that no
// pipeline is taken away from jobs that have not ended.
package registry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
)

// Buckets tells where buckets are.
type Buckets interface {
	// Region is the region that a bucket is in; an object.ErrNoBucket when there
	// is no such bucket.
	Region(ctx context.Context, bucket string) (string, error)
}

// Registry is that of one stack.
type Registry struct {
	Ledger    *ledger.Ledger
	Buckets   Buckets
	Region    string // of the functions
	DefaultID string // of the stack's default pipeline
	Now       func() time.Time
}

// Codes of refusals, as the API names its exceptions.
const (
	CodeNotFound     = "ResourceNotFoundException"
	CodeInUse        = "ResourceInUseException"
	CodeAccessDenied = "AccessDeniedException"
)

// A Refusal is an operation that is not done, and why. Documents that break rules
// are refused by errors of package document instead.
type Refusal struct {
	Code    string
	Message string
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

func refuse(code, format string, args ...any) error {
	return &Refusal{code, fmt.Sprintf(format, args...)}
}

// missing makes the service's refusal of the storage's news that there is no
// record.
func missing(err error, what, id, advice string) error {
	if errors.Is(err, object.ErrNotExist) {
		return refuse(CodeNotFound, "The specified %[1]s was not found: %[1]sId=%[2]s; %[3]s", what, id, advice)
	}
	return err
}

// each reads what the ids name, in their order or the opposite one. What can't be
// read is left out and told by the error; what was removed meanwhile is not there.
func each[T any](ids iter.Seq2[string, error], descending bool, read func(id string) (T, error)) ([]T, error) {
	var all []T
	var errs []error
	for id, err := range ids {
		if err != nil {
			return nil, err
		}
		v, err := read(id)
		switch {
		case errors.Is(err, object.ErrNotExist):
		case err != nil:
			errs = append(errs, err)
		default:
			all = append(all, v)
		}
	}
	if descending {
		slices.Reverse(all)
	}
	return all, errors.Join(errs...)
}
