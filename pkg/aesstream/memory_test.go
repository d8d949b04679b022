package aesstream

import (
	"bytes"
	"io"
	"runtime"
	"testing"
)

// cycle gives the same bytes for ever.
type cycle struct{ b []byte }

func (c cycle) Read(p []byte) (int, error) { return copy(p, c.b), nil }

// A chunk allocates nothing, in either direction, in any mode.
func TestChunksAllocateNothing(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4)) // lanes also on one core
	for _, f := range formats {
		p := f.params(16)
		w, err := NewWriter(io.Discard, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{chunkSize, chunkSize / 4} {
			b := random(3*n, 3) // a chunk of CBC and three of the others
			if got := testing.AllocsPerRun(40, func() { w.Write(b) }); got >= 1 {
				t.Errorf("%s: writing %d bytes allocates %v times", f, n, got)
			}
			r := newReader(t, cycle{random(64<<10, 4)}, p)
			if got := testing.AllocsPerRun(40, func() { io.ReadFull(r, b) }); got >= 1 {
				t.Errorf("%s: reading %d bytes allocates %v times", f, n, got)
			}
		}
	}
}

// A stream needs less than 1 MiB, however long the file.
func TestMemoryIsConstant(t *testing.T) {
	const limit = 1 << 20
	for _, f := range formats {
		p := f.params(16)
		file := oneShot(t, p, make([]byte, 32<<20))
		piece := make([]byte, 32<<10)
		uses := map[string]func(){
			"Writer": func() {
				w, _ := NewWriter(io.Discard, p)
				for range 1024 {
					w.Write(piece)
				}
				w.Close()
			},
			"Reader": func() {
				r, _ := NewReader(bytes.NewReader(file), p)
				io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, piece)
			},
			"VerifyGCM": func() { VerifyGCM(t.Context(), bytes.NewReader(file), int64(len(file)), p) },
			"ReaderAt in one read": func() {
				r, _ := NewReaderAt(bytes.NewReader(file), int64(len(file)), p)
				r.ReadAt(file[:r.Size()], 0) // which needs no place of its own
			},
		}
		for _, name := range []string{"Writer", "Reader", "VerifyGCM", "ReaderAt in one read"} {
			if got := allocated(uses[name]); got > limit {
				t.Errorf("%s: %s of 32 MiB allocates %d bytes", f, name, got)
			}
		}
	}
}

// allocated is how many bytes use allocates, freed or not.
func allocated(use func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	use()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// At its end a stream forgets plaintext and what derives from its key.
func TestStreamsAreWiped(t *testing.T) {
	for _, f := range formats {
		p, plain := f.params(16), bytes.Repeat([]byte("secret"), cbcChunk/4) // more than a chunk
		w, err := NewWriter(io.Discard, p)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(plain)
		held := w.buf[:cap(w.buf)]
		if err := w.Close(); err != nil || bytes.ContainsFunc(held, func(r rune) bool { return r != 0 }) {
			t.Errorf("%s: a Writer keeps what was written, %v", f, err)
		}
		r := newReader(t, bytes.NewReader(oneShot(t, p, plain)), p)
		held = r.src.buf
		if _, err := io.ReadAll(r); err != nil || bytes.Contains(held, []byte("secret")) {
			t.Errorf("%s: a Reader keeps what was read, %v", f, err)
		}
		if s, ok := w.s.(*gcmSealer); ok && (s.ghash != nil || s.invH2 != element{}) {
			t.Error("a Writer keeps the key of GHASH")
		}
		if o, ok := r.o.(*gcmOpener); ok && (*o.hash != ghash{} || *o.keys != keystream{}) {
			t.Error("a Reader keeps the key of GHASH")
		}
	}
}
