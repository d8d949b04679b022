package aesstream

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

type rawKey []byte

func (k rawKey) Bytes() []byte { return k }

// random returns n bytes that are the same in every run.
func random(n int, seed byte) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// format is a mode with one of the sizes of its IV.
type format struct {
	mode Mode
	iv   int
}

var formats = []format{{CBC, 16}, {CTR, 16}, {GCM, 16}, {GCM, 12}}

func (f format) String() string { return fmt.Sprintf("%s-iv%d", f.mode, f.iv) }

// params returns the format's Params for a key of that many bytes.
func (f format) params(key int) Params {
	return Params{Mode: f.mode, Key: rawKey(random(key, 1)), IV: random(f.iv, 2)}
}

// oneShot encrypts with nothing but the standard library.
func oneShot(t testing.TB, p Params, plain []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(p.Key.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	switch p.Mode {
	case CBC:
		pad := 16 - len(plain)%16
		out := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
		cipher.NewCBCEncrypter(block, p.IV).CryptBlocks(out, out)
		return out
	case CTR:
		out := make([]byte, len(plain))
		cipher.NewCTR(block, p.IV).XORKeyStream(out, plain)
		return out
	}
	return oneShotGCM(t, block, len(p.IV)).Seal(nil, p.IV, plain, nil)
}

func oneShotGCM(t testing.TB, block cipher.Block, iv int) cipher.AEAD {
	t.Helper()
	aead, err := cipher.NewGCMWithNonceSize(block, iv)
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

// sealed encrypts with a Writer, step bytes a Write.
func sealed(t testing.TB, p Params, plain []byte, step int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, p)
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(plain)
	for rest := plain; len(rest) > 0; {
		n, err := w.Write(rest[:min(step, len(rest))])
		if err != nil || n != min(step, len(rest)) {
			t.Fatalf("Write returned %d, %v", n, err)
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(plain, before) {
		t.Fatal("Write changed what it was given")
	}
	return out.Bytes()
}

func newReader(t testing.TB, r io.Reader, p Params) *Reader {
	t.Helper()
	reader, err := NewReader(r, p)
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

// readAll reads with buffers of step bytes.
func readAll(r io.Reader, step int) ([]byte, error) {
	var all []byte
	buf := make([]byte, step)
	for {
		n, err := r.Read(buf)
		all = append(all, buf[:n]...)
		switch {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return all, err
		}
	}
}

// lengths lie around everything that has a size.
var lengths = []int{0, 1, 15, 16, 17, 31, 32, 33, 1000, 64<<10 + 3,
	chunkSize - 17, chunkSize - 16, chunkSize - 15, chunkSize - 1, chunkSize, chunkSize + 1, chunkSize + 15, chunkSize + 16, chunkSize + 17,
	2*chunkSize - 16, 2*chunkSize - 1, 2 * chunkSize, 2*chunkSize + 1, 2*chunkSize + 500, cbcChunk - 1, cbcChunk, cbcChunk + 15, cbcChunk + 16, cbcChunk + 17, 7*chunkSize + 12345}

var steps = []int{7, 512, 4099, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 5, 8 * chunkSize}

// Whatever the sizes of writes and reads, the file is the standard library's and
// comes back.
func TestStreamsAreTheStandardLibrarys(t *testing.T) {
	for _, f := range formats {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			for _, key := range []int{16, 24, 32} {
				p := f.params(key)
				for _, n := range lengths {
					plain := random(n, 3)
					want := oneShot(t, p, plain)
					for _, step := range steps {
						if key != 16 && step != 4099 || step < 100 && n > chunkSize+17 {
							continue
						}
						if got := sealed(t, p, plain, step); !bytes.Equal(got, want) {
							t.Fatalf("key %d: %d bytes written %d at a time differ from one-shot", key, n, step)
						}
						got, err := readAll(newReader(t, bytes.NewReader(want), p), step)
						if err != nil || !bytes.Equal(got, plain) {
							t.Fatalf("key %d: %d bytes read %d at a time: %d bytes, %v", key, n, step, len(got), err)
						}
					}
				}
			}
		})
	}
}

// Steps of a single byte, on both sides.
func TestStreamsByteByByte(t *testing.T) {
	for _, f := range formats {
		for _, n := range []int{0, 1, 15, 16, 17, 48, 1000} {
			p, plain := f.params(32), random(n, 3)
			want := oneShot(t, p, plain)
			if got := sealed(t, p, plain, 1); !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes written singly differ from one-shot", f, n)
			}
			got, err := readAll(newReader(t, iotest.OneByteReader(bytes.NewReader(want)), p), 1)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s: %d bytes read singly: %d bytes, %v", f, n, len(got), err)
			}
		}
	}
}

func TestReaderIsAReader(t *testing.T) {
	sources := map[string]func(io.Reader) io.Reader{
		"plain":    func(r io.Reader) io.Reader { return r },
		"half":     iotest.HalfReader,
		"data+err": iotest.DataErrReader,
		"stutter":  func(r io.Reader) io.Reader { return &stutter{r: iotest.HalfReader(r)} },
	}
	for _, f := range formats {
		for _, n := range []int{0, 1, 16, 5000, chunkSize - 16, chunkSize, chunkSize + 16, 2*chunkSize + 7} {
			p, plain := f.params(16), random(n, 3)
			for name, source := range sources {
				r := newReader(t, source(bytes.NewReader(oneShot(t, p, plain))), p)
				if err := iotest.TestReader(r, plain); err != nil {
					t.Errorf("%s, %d bytes, source %s: %v", f, n, name, err)
				}
			}
		}
	}
}

// A failing source is reported as such, at once and for ever; above all when its
// error is the one that io.ReadFull makes of an early end.
func TestReaderPassesErrorsOn(t *testing.T) {
	for _, f := range formats {
		p := f.params(16)
		file := oneShot(t, p, random(chunkSize+100, 3))
		for _, cause := range []error{errors.New("the line is dead"), io.ErrUnexpectedEOF} {
			for _, after := range []int{0, 1, 16, 100, chunkSize, chunkSize + 16, len(file)} {
				r := newReader(t, io.MultiReader(bytes.NewReader(file[:after]), iotest.ErrReader(cause)), p)
				for range 3 {
					if _, err := readAll(r, 1000); !errors.Is(err, cause) || errors.Is(err, ErrDecrypt) {
						t.Errorf("%s: error of the source after %d bytes became %v", f, after, err)
					}
				}
			}
		}
		idle := newReader(t, io.MultiReader(bytes.NewReader(file[:5]), idleReader{}), p)
		if _, err := io.ReadAll(idle); !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("%s: a source that gives nothing: %v", f, err)
		}
	}
}

// stutter gives nothing 60 times before it gives something.
type stutter struct {
	r io.Reader
	n int
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.n++; s.n%60 != 0 {
		return 0, nil
	}
	return s.r.Read(p)
}

type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }

// limitedWriter takes n bytes and then fails, or takes part without an error.
type limitedWriter struct {
	n   int
	err error
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > w.n {
		return w.n, w.err
	}
	w.n -= len(p)
	return len(p), nil
}

func TestWriterPassesErrorsOn(t *testing.T) {
	cause := errors.New("the disk is full")
	for _, f := range formats {
		for _, room := range []int{0, 100, chunkSize, chunkSize + 50} {
			for given, want := range map[error]error{cause: cause, nil: io.ErrShortWrite} {
				w, err := NewWriter(&limitedWriter{room, given}, f.params(16))
				if err != nil {
					t.Fatal(err)
				}
				n, err := w.Write(random(2*chunkSize, 3))
				if !errors.Is(err, want) || n != room/chunkSize*chunkSize {
					t.Errorf("%s, room for %d: Write returned %d, %v", f, room, n, err)
				}
				if n, err := w.Write([]byte("more")); n != 0 || !errors.Is(err, want) {
					t.Errorf("%s: Write after an error returned %d, %v", f, n, err)
				}
				if err := w.Close(); !errors.Is(err, want) {
					t.Errorf("%s: Close after an error returned %v", f, err)
				}
			}
		}
		short, err := NewWriter(&limitedWriter{3, cause}, f.params(16))
		if err != nil {
			t.Fatal(err)
		}
		short.Write([]byte("hello"))
		if err := short.Close(); !errors.Is(err, cause) {
			t.Errorf("%s: Close returned %v where its own write failed", f, err)
		}
	}
}

func TestWriterIsClosedOnce(t *testing.T) {
	for _, f := range formats {
		var out bytes.Buffer
		w, err := NewWriter(&out, f.params(16))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		n := out.Len()
		if _, err := w.Write([]byte{1}); err != errClosed {
			t.Errorf("%s: Write after Close returned %v", f, err)
		}
		if err := w.Close(); err != errClosed || out.Len() != n {
			t.Errorf("%s: Close after Close returned %v and wrote %d bytes", f, err, out.Len()-n)
		}
	}
}
