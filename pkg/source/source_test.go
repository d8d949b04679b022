package source

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
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

// The block unused for longest makes room.
func TestEviction(t *testing.T) {
	want := content(100)
	r := open(t, memory(want), 100, Options{BlockSize: 10, Blocks: 2, ReadAhead: -1})
	for _, step := range []struct{ block, requests int64 }{{0, 1}, {5, 2}, {0, 2}, {7, 3}, {0, 3}, {5, 4}, {0, 4}} {
		if _, err := r.ReadAt(make([]byte, 10), 10*step.block); err != nil || r.Stats().Requests != step.requests {
			t.Errorf("block %d: %d requests, want %d, %v", step.block, r.Stats().Requests, step.requests, err)
		}
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
