package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
)

// A block is asked for once and then, after a pause that doubles, maxRetries
// times more.
const (
	maxRetries = 3
	firstPause = 250 * time.Millisecond
)

// errStalled is why a silent request was given up.
var errStalled = errors.New("the object's storage went silent")

// load fills data with the bytes at off. Each attempt goes on where the one
// before it broke off.
func (r *Reader) load(ctx context.Context, data []byte, off int64) error {
	have := 0
	for try := 0; ; try++ {
		n, err := r.attempt(ctx, data[have:], off+int64(have))
		have += n
		if have == len(data) {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if lasting(err) {
			return err
		}
		if try == maxRetries {
			return fmt.Errorf("reading %d bytes at %d failed %d times: %w", len(data), off, try+1, err)
		}
		select {
		case <-time.After(firstPause << try):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// attempt reads what one request gives. The count is right with an error too.
func (r *Reader) attempt(ctx context.Context, data []byte, off int64) (n int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(r.opts.Stall, func() { cancel(errStalled) })
	defer silence.Stop()

	r.requests.Add(1)
	body, err := r.fetch(ctx, off, int64(len(data)))
	if err != nil {
		return 0, cause(ctx, err)
	}
	defer body.Close()
	// A body need not watch the context while it is blocked in Read.
	defer context.AfterFunc(ctx, func() { body.Close() })()
	for n < len(data) && err == nil {
		var more int
		more, err = body.Read(data[n:])
		if more > 0 {
			silence.Reset(r.opts.Stall)
		}
		n += more
	}
	r.bytes.Add(int64(n))
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, cause(ctx, err)
}

// cause is why the context ended, when it did, else err.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// lasting says whether asking again would bring the same answer: it ends the
// job, or the storage knows about the object what no retry changes.
func lasting(err error) bool {
	var ended *job.Failure
	if errors.As(err, &ended) {
		return true
	}
	for _, known := range []error{object.ErrNotExist, object.ErrChanged, object.ErrNeedsKey, object.ErrAccess, object.ErrNoBucket} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
