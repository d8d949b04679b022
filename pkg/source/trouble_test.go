package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
)

// breaking gives bodies that break off: the k-th request for a block yields k*3
// bytes and then an error.
func breaking(b []byte, blockSize int64, broken error) Fetch {
	var mu sync.Mutex
	asked := map[int64]int{}
	return func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		mu.Lock()
		defer mu.Unlock()
		asked[off/blockSize]++
		some := min(int64(3*asked[off/blockSize]), n)
		body := io.Reader(bytes.NewReader(b[off : off+some]))
		if some < n {
			body = io.MultiReader(body, iotest.ErrReader(broken))
		}
		return io.NopCloser(body), nil
	}
}

func TestBrokenBodiesAreTakenUpAgain(t *testing.T) {
	const block = 18 // 3 + 6 + 9: two breaks a block
	want := content(5 * block)
	for _, broken := range []error{errors.New("connection reset"), io.ErrUnexpectedEOF, io.EOF} {
		synctest.Test(t, func(t *testing.T) {
			r := New(t.Context(), breaking(want, block, broken), int64(len(want)), Options{BlockSize: block, ReadAhead: -1})
			defer r.Close()
			start := time.Now()
			got, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%v: read %d bytes, %v", broken, len(got), err)
			}
			if took, paused := time.Since(start), 5*(firstPause+2*firstPause); took != paused {
				t.Errorf("%v: paused for %v, want %v", broken, took, paused)
			}
			if s := r.Stats(); s.Requests != 15 || s.Bytes != int64(len(want)) {
				t.Errorf("%v: stats: %+v", broken, s)
			}
		})
	}
}

// A block that stays broken fails its reads for good, and no others.
func TestLostBlock(t *testing.T) {
	const block = 8
	want := content(3 * block)
	reset := errors.New("connection reset")
	for _, c := range []struct {
		err      error
		requests int64
	}{
		{reset, 1 + maxRetries},
		{fmt.Errorf("reading: %w", object.ErrChanged), 1},
		{fmt.Errorf("reading: %w", object.ErrNotExist), 1},
		{fmt.Errorf("reading: %w", object.ErrNeedsKey), 1},
		{fmt.Errorf("reading: %w", job.InputMissing("b", "k")), 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked atomic.Int64
			fetch := func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
				if off/block == 1 {
					asked.Add(1)
					return nil, c.err
				}
				return memory(want)(ctx, off, n)
			}
			r := New(t.Context(), fetch, int64(len(want)), Options{BlockSize: block, ReadAhead: -1, Blocks: 2})
			defer r.Close()
			for range 3 {
				p := make([]byte, len(want))
				if n, err := r.ReadAt(p, 0); n != block || !errors.Is(err, c.err) {
					t.Errorf("%v: ReadAt = %d, %v", c.err, n, err)
				}
				// The blocks around it are there, and put it out of memory.
				for _, off := range []int64{2 * block, 0} {
					if _, err := r.ReadAt(p[:block], off); err != nil || !bytes.Equal(p[:block], want[off:off+block]) {
						t.Errorf("%v: the block at %d: %v", c.err, off, err)
					}
				}
			}
			if asked.Load() != c.requests {
				t.Errorf("%v: %d requests for the lost block, want %d", c.err, asked.Load(), c.requests)
			}
		})
	}
}

// silent is a body that gives nothing until it is closed.
type silent struct{ done chan struct{} }

func (s silent) Read([]byte) (int, error) {
	<-s.done
	return 0, errors.New("closed")
}

func (s silent) Close() error {
	select {
	case <-s.done:
	default:
		close(s.done)
	}
	return nil
}

func TestSilentBodyIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := content(8)
		var asked atomic.Int64
		fetch := func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
			if asked.Add(1) == 1 {
				return silent{make(chan struct{})}, nil
			}
			return memory(want)(ctx, off, n)
		}
		r := New(t.Context(), fetch, 8, Options{Stall: 5 * time.Second})
		defer r.Close()
		start := time.Now()
		p := make([]byte, 8)
		if _, err := r.ReadAt(p, 0); err != nil || !bytes.Equal(p, want) {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 5*time.Second+firstPause {
			t.Errorf("took %v", took)
		}
	})
}

// A slow body is not a silent one.
func TestSlowBodyIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := content(8)
		fetch := func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
			body := iotest.OneByteReader(bytes.NewReader(want))
			return io.NopCloser(readerFunc(func(p []byte) (int, error) {
				time.Sleep(4 * time.Second)
				if ctx.Err() != nil {
					return 0, ctx.Err()
				}
				return body.Read(p)
			})), nil
		}
		r := New(t.Context(), fetch, 8, Options{Stall: 5 * time.Second})
		defer r.Close()
		p := make([]byte, 8)
		if _, err := r.ReadAt(p, 0); err != nil || !bytes.Equal(p, want) || r.Stats().Requests != 1 {
			t.Errorf("%v after %d requests", err, r.Stats().Requests)
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Close and the end of the context end reads that are under way, those waiting
// for a buffer included, and leave nothing running: synctest fails on a
// goroutine that does not end.
func TestEndOfReader(t *testing.T) {
	gone := errors.New("the job was canceled")
	for name, end := range map[string]func(*Reader, context.CancelCauseFunc){
		"close":   func(r *Reader, _ context.CancelCauseFunc) { r.Close() },
		"context": func(_ *Reader, cancel context.CancelCauseFunc) { cancel(gone) },
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			fetch := func(context.Context, int64, int64) (io.ReadCloser, error) { return silent{make(chan struct{})}, nil }
			r := New(ctx, fetch, 1000, Options{BlockSize: 10, Blocks: 3})
			var wg sync.WaitGroup
			for g := range int64(8) {
				wg.Go(func() {
					_, err := r.ReadAt(make([]byte, 1), 100*g)
					if !errors.Is(err, ErrClosed) && !errors.Is(err, gone) {
						t.Errorf("%s: %v", name, err)
					}
				})
			}
			synctest.Wait()
			end(r, cancel)
			if name == "close" {
				for index, b := range r.held {
					select {
					case <-b.ready:
					default:
						t.Errorf("block %d is on its way after Close", index)
					}
				}
			}
			wg.Wait()
			r.Close()
			r.Close()
			if _, err := r.ReadAt(make([]byte, 1), 0); err == nil {
				t.Errorf("%s: a read after the end succeeded", name)
			}
		})
	}
}
