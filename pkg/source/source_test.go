package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"sealreel/pkg/object"
)

// content is reproducible noise.
func content(n int) []byte {
	b := make([]byte, n)
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// memory fetches from a slice.
func memory(b []byte) Fetch {
	return func(_ context.Context, off, n int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b[off : off+n])), nil
	}
}

func open(t *testing.T, fetch Fetch, size int64, opts Options) *Reader {
	t.Helper()
	r := New(t.Context(), fetch, size, opts)
	t.Cleanup(func() { r.Close() })
	return r
}

// Lengths around the block size, each read in steps around it, from each of the
// readers that package io makes of an io.ReaderAt.
func TestLengthsAndSteps(t *testing.T) {
	const block = 64
	for _, size := range []int{0, 1, block - 1, block, block + 1, 2 * block, 7*block - 1, 7 * block, 9*block + 5} {
		want := content(size)
		r := open(t, memory(want), int64(size), Options{BlockSize: block})
		if r.Size() != int64(size) {
			t.Errorf("size %d: Size() = %d", size, r.Size())
		}
		if err := iotest.TestReader(io.NewSectionReader(r, 0, int64(size)), want); err != nil {
			t.Errorf("size %d: %v", size, err)
		}
		for _, step := range []int{1, block - 1, block, block + 1, 3 * block, 100 * block} {
			for off := 0; off <= size; off++ {
				p := make([]byte, step)
				n, err := r.ReadAt(p, int64(off))
				whole := min(step, size-off)
				if n != whole || !bytes.Equal(p[:n], want[off:off+whole]) || (err == io.EOF) != (whole < step) {
					t.Fatalf("size %d: ReadAt(%d bytes, %d) = %d, %v", size, step, off, n, err)
				}
			}
		}
	}
}

func TestReadAtOutside(t *testing.T) {
	r := open(t, memory(content(10)), 10, Options{BlockSize: 4})
	for _, off := range []int64{10, 11, 1 << 40} {
		if n, err := r.ReadAt(make([]byte, 1), off); n != 0 || err != io.EOF {
			t.Errorf("ReadAt(%d) = %d, %v", off, n, err)
		}
	}
	if _, err := r.ReadAt(make([]byte, 1), -1); err == nil || err == io.EOF {
		t.Errorf("ReadAt(-1): %v", err)
	}
	if n, err := r.ReadAt(nil, 3); n != 0 || err != nil {
		t.Errorf("ReadAt of nothing = %d, %v", n, err)
	}
}

// Many goroutines read at random; no more blocks than allowed are ever there,
// and none is fetched twice at once.
func TestConcurrentReads(t *testing.T) {
	const block, blocks = 32, 3
	const size = 50*block + 7
	want := content(size)
	var mu sync.Mutex
	flying := map[int64]int{}
	fetch := func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		mu.Lock()
		flying[off]++
		if flying[off] > 1 {
			t.Errorf("two requests at %d at once", off)
		}
		if len(flying) > blocks {
			t.Errorf("%d requests at once", len(flying))
		}
		mu.Unlock()
		runtime.Gosched()
		body, err := memory(want)(ctx, off, n)
		return closer{body, func() {
			mu.Lock()
			delete(flying, off)
			mu.Unlock()
		}}, err
	}
	r := open(t, fetch, size, Options{BlockSize: block, Blocks: blocks})
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(2, uint64(g)))
			for range 300 {
				off, n := rng.IntN(size), 1+rng.IntN(3*block)
				p := make([]byte, n)
				got, _ := r.ReadAt(p, int64(off))
				if whole := min(n, size-off); got != whole || !bytes.Equal(p[:got], want[off:off+whole]) {
					t.Errorf("ReadAt(%d, %d) differs", n, off)
					return
				}
			}
		})
	}
	wg.Wait()
	if r.made > blocks {
		t.Errorf("%d buffers, at most %d", r.made, blocks)
	}
}

// closer calls a function when a body is closed first.
type closer struct {
	io.ReadCloser
	closed func()
}

func (c closer) Close() error {
	c.closed()
	return c.ReadCloser.Close()
}

// A forward read fetches each block once, the next ones ahead of their use; a
// jump fetches what it needs alone.
func TestReadAhead(t *testing.T) {
	const block = 16
	want := content(20 * block)
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var offsets []int64
		fetch := func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
			mu.Lock()
			offsets = append(offsets, off/block)
			mu.Unlock()
			return memory(want)(ctx, off, n)
		}
		check := func(when string, want ...int64) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			seen := map[int64]bool{}
			for _, o := range offsets {
				seen[o] = true
			}
			same := len(offsets) == len(want)
			for _, o := range want {
				same = same && seen[o]
			}
			if !same {
				t.Errorf("%s: blocks %v were fetched, want %v", when, offsets, want)
			}
			offsets = nil
		}
		r := New(t.Context(), fetch, int64(len(want)), Options{BlockSize: block})
		defer r.Close()
		one := make([]byte, 1)
		read := func(index int64) {
			t.Helper()
			if _, err := r.ReadAt(one, index*block); err != nil {
				t.Fatal(err)
			}
		}
		read(0)
		check("the first block", 0)
		read(10)
		check("a jump", 10)
		read(11)
		check("forward", 11, 12, 13)
		read(11)
		check("the same place")
		read(12)
		check("forward again", 14)
		read(19)
		check("the last block", 19)
	})
}

// Places that are read forward at the same time cost no block a second request,
// as long as there is room for what is ahead of each.
func TestEachBlockOnce(t *testing.T) {
	const block, length = 16, 20 * 16
	want := content(4 * length)
	for _, c := range []struct {
		places int
		opts   Options
	}{{1, Options{}}, {1, Options{Blocks: 2}}, {1, Options{Blocks: 3, ReadAhead: 5}}, {1, Options{ReadAhead: -1, Blocks: 2}}, {2, Options{}}, {3, Options{Blocks: 9}}} {
		synctest.Test(t, func(t *testing.T) {
			c.opts.BlockSize = block
			r := New(t.Context(), memory(want), int64(len(want)), c.opts)
			defer r.Close()
			for off := range int64(length) {
				for place := range int64(c.places) {
					at := off + place*length
					var p [1]byte
					if _, err := r.ReadAt(p[:], at); err != nil || p[0] != want[at] {
						t.Fatalf("at %d: %v", at, err)
					}
					synctest.Wait() // what is fetched ahead arrives
				}
			}
			ahead := max(0, r.opts.ReadAhead) // of each place's end, which nobody reads on from
			if s, most := r.Stats(), int64(c.places*(length/block+ahead)); s.Requests > most {
				t.Errorf("%d places, %+v: %d requests, at most %d", c.places, c.opts, s.Requests, most)
			}
		})
	}
}

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
			wg.Wait()
			r.Close()
			r.Close()
			if _, err := r.ReadAt(make([]byte, 1), 0); err == nil {
				t.Errorf("%s: a read after the end succeeded", name)
			}
		})
	}
}

// pattern is an endless object without memory of its own.
type pattern struct{ off, left int64 }

func (p *pattern) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(b)), p.left)
	for i := range min(n, 8) { // the first bytes tell the place, the rest costs no time
		b[i] = byte(p.off >> (8 * i))
	}
	p.off += n
	p.left -= n
	return int(n), nil
}

func (p *pattern) Close() error { return nil }

// Reading every block of 10 GiB takes no more memory than reading a few.
func TestMemoryIsFlat(t *testing.T) {
	const size = 10 << 30
	fetch := func(_ context.Context, off, n int64) (io.ReadCloser, error) { return &pattern{off, n}, nil }
	r := open(t, fetch, size, Options{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	block := int64(r.opts.BlockSize)
	for off := int64(0); off < size; off += block {
		var p [8]byte
		if _, err := r.ReadAt(p[:], off); err != nil {
			t.Fatal(err)
		}
		for i := range p {
			if p[i] != byte(off>>(8*i)) {
				t.Fatalf("at %d: %x", off, p)
			}
		}
	}
	runtime.ReadMemStats(&after)
	grown := int64(after.TotalAlloc - before.TotalAlloc) // garbage included
	t.Logf("%d MiB were allocated for %d requests", grown>>20, r.Stats().Requests)
	if limit := 6*block + 8<<20; grown > limit {
		t.Errorf("%d bytes were allocated, at most %d", grown, limit)
	}
	if s := r.Stats(); s.Requests != size/block || s.Bytes != size {
		t.Errorf("stats: %+v", s)
	}
}
