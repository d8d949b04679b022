// Package source makes a remote object, which can be read by ranges only, into
// an io.ReaderAt that is fit for a demuxer: many small reads, mostly forward,
// in a few places at once.
//
// It guarantees that
//   - memory is flat: at most Options.Blocks blocks are held, those on their way
//     included, however large the object is and however many goroutines read;
//   - a block is on its way once at a time, whoever waits for it;
//   - a body that breaks off is taken up again at the byte where it broke;
//   - a block that could not be had fails the reads that touch it, and them
//     alone;
//   - after Close nothing of it is running any more.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Fetch opens n bytes of the object at the offset off. It may be called again
// for the same bytes, and from several goroutines. It returns when ctx ends; the
// body may end early, and a Read of it returns when it is closed.
type Fetch func(ctx context.Context, off, n int64) (io.ReadCloser, error)

// Options change how a Reader works. The zero value is good.
type Options struct {
	// BlockSize is how many bytes a request asks for; 0 means 4 MiB.
	BlockSize int
	// Blocks is how many blocks are held at most; 0 means 6, the least is 2.
	Blocks int
	// ReadAhead is how many blocks are fetched ahead of a place that is read
	// forward; 0 means 2, a negative number none.
	ReadAhead int
	// Stall is how long a request may stay silent before it counts as broken; 0
	// means 30 seconds.
	Stall time.Duration
}

func (o Options) withDefaults() Options {
	if o.BlockSize <= 0 {
		o.BlockSize = 4 << 20
	}
	if o.Blocks == 0 {
		o.Blocks = 6
	}
	o.Blocks = max(o.Blocks, 2)
	if o.ReadAhead == 0 {
		o.ReadAhead = 2
	}
	if o.Stall == 0 {
		o.Stall = 30 * time.Second
	}
	return o
}

// Stats counts what a Reader asked for: requests, repeated ones included, and
// bytes that came.
type Stats struct{ Requests, Bytes int64 }

// Reader reads an object. It is safe for concurrent use.
type Reader struct {
	fetch Fetch
	size  int64
	opts  Options

	ctx    context.Context // ends with Close
	cancel context.CancelCauseFunc
	loads  sync.WaitGroup

	mu    sync.Mutex
	freed *sync.Cond // a block can be evicted
	held  map[int64]*block
	made  int             // buffers that exist
	clock int64           // counts uses, to find the block unused for longest
	lost  map[int64]error // blocks that could not be had

	requests, bytes atomic.Int64
}

// ErrClosed is the error of a read after Close.
var ErrClosed = errors.New("the source is closed")

// New returns a reader of an object of that many bytes. Nothing is fetched yet.
// The end of ctx ends all reads.
func New(ctx context.Context, fetch Fetch, size int64, opts Options) *Reader {
	r := &Reader{fetch: fetch, size: size, opts: opts.withDefaults(), held: map[int64]*block{}, lost: map[int64]error{}}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	r.freed = sync.NewCond(&r.mu)
	return r
}

// Size is the object's length in bytes.
func (r *Reader) Size() int64 { return r.size }

// Stats tells what was asked for so far.
func (r *Reader) Stats() Stats { return Stats{r.requests.Load(), r.bytes.Load()} }

// Close ends all reads and waits until nothing is under way. Closing again does
// nothing.
func (r *Reader) Close() error {
	r.mu.Lock() // no load starts after the cancel
	r.cancel(ErrClosed)
	r.mu.Unlock()
	r.loads.Wait()
	return nil
}

// ReadAt reads as io.ReaderAt demands: less than len(p) only with an error,
// io.EOF at the object's end.
func (r *Reader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("reading at the negative offset %d", off)
	}
	for n < len(p) {
		at := off + int64(n)
		if at >= r.size {
			return n, io.EOF
		}
		index := at / int64(r.opts.BlockSize)
		b, err := r.acquire(index)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], b.data[at-index*int64(r.opts.BlockSize):])
		r.release(b)
	}
	return n, nil
}
