package aesstream

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/iotest"
)

func newReaderAt(t testing.TB, ra io.ReaderAt, size int, p Params) *ReaderAt {
	t.Helper()
	r, err := NewReaderAt(ra, int64(size), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every range of short files, and ranges around all borders of long ones.
func TestReaderAtReadsEveryRange(t *testing.T) {
	for _, f := range formats {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			for _, n := range lengths {
				p, plain := f.params(16), random(n, 3)
				file := oneShot(t, p, plain)
				r := newReaderAt(t, bytes.NewReader(file), len(file), p)
				if r.Size() != int64(n) {
					t.Fatalf("a file of %d bytes has Size %d", n, r.Size())
				}
				for _, off := range edges(n) {
					for _, length := range append([]int{7, 40, chunkSize + 33}, edges(n-off)...) {
						checkRange(t, r, plain, off, length)
					}
				}
			}
		})
	}
}

// edges are all numbers from 0 to n, or those around borders if n is large.
func edges(n int) []int {
	var all []int
	for i := 0; i <= n && n <= 40; i++ {
		all = append(all, i)
	}
	if n > 40 {
		for _, near := range []int{0, 16, chunkSize, n} {
			for i := max(0, near-1); i <= min(n, near+1); i++ {
				all = append(all, i)
			}
		}
	}
	return all
}

func checkRange(t *testing.T, r *ReaderAt, plain []byte, off, length int) {
	t.Helper()
	buf := bytes.Repeat([]byte{0xEE}, length)
	n, err := r.ReadAt(buf, int64(off))
	want := plain[off:min(len(plain), off+length)]
	if n != len(want) || !bytes.Equal(buf[:n], want) {
		t.Errorf("%d bytes at %d of %d: %d bytes, wrong ones or too few", length, off, len(plain), n)
	}
	if (err == io.EOF) != (n < length) || err != nil && err != io.EOF {
		t.Errorf("%d bytes at %d of %d: %d bytes with %v", length, off, len(plain), n, err)
	}
}

func TestReaderAtIsAReaderAt(t *testing.T) {
	for _, f := range formats {
		for _, n := range []int{0, 1, 16, 5000} {
			p, plain := f.params(24), random(n, 3)
			file := oneShot(t, p, plain)
			r := newReaderAt(t, bytes.NewReader(file), len(file), p)
			if err := iotest.TestReader(io.NewSectionReader(r, 0, r.Size()), plain); err != nil {
				t.Errorf("%s, %d bytes: %v", f, n, err)
			}
			if _, err := r.ReadAt(make([]byte, 1), -1); err == nil || err == io.EOF {
				t.Errorf("%s: a negative offset returned %v", f, err)
			}
			if n, err := r.ReadAt(make([]byte, 1), r.Size()+100); n != 0 || err != io.EOF {
				t.Errorf("%s: an offset behind the end returned %d, %v", f, n, err)
			}
		}
	}
}

// recorder notes what is fetched.
type recorder struct {
	io.ReaderAt
	fetched [][2]int64 // from, to
}

func (r *recorder) ReadAt(p []byte, off int64) (int, error) {
	r.fetched = append(r.fetched, [2]int64{off, off + int64(len(p))})
	return r.ReaderAt.ReadAt(p, off)
}

// A read fetches its bytes once, in one go if they fit a chunk and else in two,
// and no others.
func TestReaderAtFetchesWhatItNeeds(t *testing.T) {
	const n = 3*chunkSize + 100
	for _, f := range formats {
		p := f.params(16)
		file := oneShot(t, p, random(n, 3))
		rec := &recorder{ReaderAt: bytes.NewReader(file)}
		r := newReaderAt(t, rec, len(file), p)
		if opened := len(rec.fetched); opened != map[Mode]int{CBC: 1}[f.mode] {
			t.Errorf("%s: opening fetched %d times", f, opened)
		}
		for _, span := range [][2]int64{{0, 1}, {0, 16}, {1, 17}, {16, 32}, {100, 101}, {95, 96}, {1000, 100000}, {n - 1, n}, {5, n}, {16, 16 + 2*chunkSize}} {
			rec.fetched = nil
			if _, err := r.ReadAt(make([]byte, span[1]-span[0]), span[0]); err != nil {
				t.Fatal(err)
			}
			from, to, most := span[0], span[1], 1
			if f.mode == CBC {
				from, to = max(0, from/16*16-16), (to+15)/16*16
			}
			if f.mode == CBC && to-span[0]/16*16 > chunkSize {
				most = 2
			}
			next := from
			for _, got := range rec.fetched {
				if got[0] != next {
					t.Errorf("%s: for %d fetched %d", f, span, rec.fetched)
				}
				next = got[1]
			}
			if next != to || len(rec.fetched) > most {
				t.Errorf("%s: for %d fetched %d", f, span, rec.fetched)
			}
		}
	}
}

// brokenAt fails from an offset on, or ends there.
type brokenAt struct {
	file []byte
	at   int
	err  error
}

func (b brokenAt) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, b.file[min(int(off), b.at):b.at])
	if n < len(p) {
		return n, b.err
	}
	return n, nil
}

func TestReaderAtPassesErrorsOn(t *testing.T) {
	cause := errors.New("the line is dead")
	for _, f := range formats {
		p, plain := f.params(16), random(2*chunkSize, 3)
		file := oneShot(t, p, plain)
		for given, want := range map[error]error{cause: cause, io.ErrUnexpectedEOF: io.ErrUnexpectedEOF, io.EOF: ErrDecrypt, nil: ErrDecrypt} {
			broken := &brokenAt{file, len(file), given}
			r := newReaderAt(t, broken, len(file), p)
			broken.at = chunkSize + 16
			buf := make([]byte, 2*chunkSize)
			n, err := r.ReadAt(buf, 0)
			if !errors.Is(err, want) || n == len(buf) || !bytes.Equal(buf[:n], plain[:n]) {
				t.Errorf("%s: source error %v: %d bytes, %v", f, given, n, err)
			}
			if n, err := r.ReadAt(buf[:100], 50); n != 100 || err != nil || !bytes.Equal(buf[:100], plain[50:150]) {
				t.Errorf("%s: after an error elsewhere: %d bytes, %v", f, n, err)
			}
			broken.at = len(file) - 20
			if _, err := NewReaderAt(broken, int64(len(file)), p); f.mode == CBC && !errors.Is(err, want) {
				t.Errorf("%s: opening a file whose end can't be read (%v): %v", f, given, err)
			}
		}
	}
}

// eager says io.EOF along with the last bytes, as it may.
type eager struct{ *bytes.Reader }

func (e eager) ReadAt(p []byte, off int64) (int, error) {
	n, err := e.Reader.ReadAt(p, off)
	if off+int64(n) == e.Size() {
		err = io.EOF
	}
	return n, err
}

func TestReaderAtOfAnEagerSource(t *testing.T) {
	for _, f := range formats {
		p, plain := f.params(16), random(2*chunkSize+5, 3)
		file := oneShot(t, p, plain)
		r := newReaderAt(t, eager{bytes.NewReader(file)}, len(file), p)
		checkRange(t, r, plain, 0, len(plain))
		checkRange(t, r, plain, 2*chunkSize, 5)
	}
}

func TestReaderAtIsSafeForConcurrentUse(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for _, f := range formats {
		p, plain := f.params(32), random(2*chunkSize+77, 3)
		file := oneShot(t, p, plain)
		r := newReaderAt(t, bytes.NewReader(file), len(file), p)
		var wait sync.WaitGroup
		for seed := range uint64(6) {
			wait.Go(func() {
				random := rand.New(rand.NewPCG(seed, 0))
				for range 20 {
					off := random.IntN(len(plain))
					checkRange(t, r, plain, off, random.IntN(chunkSize))
				}
			})
		}
		wait.Wait()
	}
}
