package work

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"

	"sealreel/pkg/seal"
)

const name = "work-bucket/1382644766696-2di5iz/audio/00000"

// lengths are around the borders of packages; the leading byte moves them by one.
var lengths = []int{0, 1, 1000, payloadSize - 2, payloadSize - 1, payloadSize, payloadSize + 1, 2*payloadSize - 1, 2 * payloadSize, 2*payloadSize + 500}

func newKey(t testing.TB, fill byte) seal.Key {
	t.Helper()
	key, err := seal.NewKey(bytes.Repeat([]byte{fill}, keySize))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func content(n int) []byte {
	b := make([]byte, n)
	rng := rand.New(rand.NewPCG(7, uint64(n)))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// sealed seals b in writes of step bytes.
func sealed(t testing.TB, b []byte, step int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, newKey(t, 1), name)
	if err != nil {
		t.Fatal(err)
	}
	for len(b) > 0 {
		n, err := w.Write(b[:min(step, len(b))])
		if err != nil {
			t.Fatal(err)
		}
		b = b[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if _, err := w.Write([]byte{1}); err == nil {
		t.Error("a write after Close succeeded")
	}
	return out.Bytes()
}

// unseal opens a file both ways; the ways must agree.
func unseal(t testing.TB, file []byte, key seal.Key, name string) ([]byte, error) {
	t.Helper()
	stream := func() ([]byte, error) {
		r, err := NewReader(bytes.NewReader(file), key, name)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
	parts := func() ([]byte, error) {
		r, err := NewReaderAt(bytes.NewReader(file), int64(len(file)), key, name)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	}
	a, errA := stream()
	b, errB := parts()
	if (errA == nil) != (errB == nil) || errA == nil && !bytes.Equal(a, b) {
		t.Fatalf("NewReader: %d bytes, %v; NewReaderAt: %d bytes, %v", len(a), errA, len(b), errB)
	}
	return a, errA
}

func TestRoundTrip(t *testing.T) {
	steps := []int{512, 1000, payloadSize - 1, payloadSize, payloadSize + 1, 3 * payloadSize}
	for _, length := range lengths {
		want := content(length)
		for _, step := range steps {
			file := sealed(t, want, step)
			if int64(len(file)) != SealedSize(int64(length)) {
				t.Errorf("length %d: sealed to %d bytes, SealedSize says %d", length, len(file), SealedSize(int64(length)))
			}
			got, err := unseal(t, file, newKey(t, 1), name)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("length %d, step %d: got %d bytes, %v", length, step, len(got), err)
			}
			r, err := NewReader(bytes.NewReader(file), newKey(t, 1), name)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if _, err := io.CopyBuffer(struct{ io.Writer }{&out}, r, make([]byte, step)); err != nil || !bytes.Equal(out.Bytes(), want) {
				t.Fatalf("length %d, read by %d: %d bytes, %v", length, step, out.Len(), err)
			}
		}
	}
}

func TestReadersKeepTheirContracts(t *testing.T) {
	for _, length := range []int{0, 1, 1000, payloadSize + 1} {
		want := content(length)
		file := sealed(t, want, 4096)
		for _, chop := range []func(io.Reader) io.Reader{iotest.HalfReader, iotest.DataErrReader, iotest.OneByteReader} {
			r, err := NewReader(chop(bytes.NewReader(file)), newKey(t, 1), name)
			if err != nil {
				t.Fatal(err)
			}
			if err := iotest.TestReader(r, want); err != nil {
				t.Errorf("NewReader, length %d: %v", length, err)
			}
		}
		r, err := NewReaderAt(bytes.NewReader(file), int64(len(file)), newKey(t, 1), name)
		if err != nil {
			t.Fatal(err)
		}
		if r.Size() != int64(length) {
			t.Errorf("Size() = %d, want %d", r.Size(), length)
		}
		// Each of the many one-byte reads opens a whole package: short files only.
		if length > 1000 {
			continue
		}
		if err := iotest.TestReader(io.NewSectionReader(r, 0, r.Size()), want); err != nil {
			t.Errorf("NewReaderAt, length %d: %v", length, err)
		}
	}
}

func TestReadAt(t *testing.T) {
	const length = 3*payloadSize + 77
	want := content(length)
	file := sealed(t, want, 1<<20)
	r, err := NewReaderAt(bytes.NewReader(file), int64(len(file)), newKey(t, 1), name)
	if err != nil {
		t.Fatal(err)
	}
	offsets := []int{0, 1, 99, payloadSize - 2, payloadSize - 1, payloadSize, payloadSize + 1, 2*payloadSize - 1, 3 * payloadSize, length - 1, length, length + 1}
	var wg sync.WaitGroup
	for _, off := range offsets {
		for _, n := range []int{0, 1, 1000, payloadSize, 2*payloadSize + 3, length, length + 5} {
			wg.Go(func() {
				p := make([]byte, n)
				got, err := r.ReadAt(p, int64(off))
				whole := max(0, min(n, length-off))
				if got != whole || whole > 0 && !bytes.Equal(p[:got], want[off:off+whole]) || (err == io.EOF) != (whole < n) || err != nil && err != io.EOF {
					t.Errorf("ReadAt(%d bytes, %d) = %d, %v", n, off, got, err)
				}
			})
		}
	}
	wg.Wait()
	if _, err := r.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("a negative offset was read")
	}
}

func TestSizes(t *testing.T) {
	last := int64(-1)
	for n := int64(0); n < 3*payloadSize+10; n++ {
		sealed := SealedSize(n)
		if sealed <= last {
			t.Fatalf("SealedSize(%d) = %d is not above %d", n, sealed, last)
		}
		for gap := last + 1; gap < sealed; gap++ {
			if plain, err := PlainSize(gap); !errors.Is(err, ErrTampered) {
				t.Fatalf("PlainSize(%d) = %d, %v, but no file is that long", gap, plain, err)
			}
		}
		if plain, err := PlainSize(sealed); plain != n || err != nil {
			t.Fatalf("PlainSize(%d) = %d, %v, want %d", sealed, plain, err, n)
		}
		last = sealed
	}
}

// Each change of a file is found, by both readers.
func TestTampering(t *testing.T) {
	short := sealed(t, content(200), 200)
	long := sealed(t, content(2*payloadSize+500), 1<<20)
	flip := func(file []byte, i int) []byte {
		c := bytes.Clone(file)
		c[i] ^= 0x10
		return c
	}
	cases := map[string][]byte{"nothing": nil, "a byte more": append(bytes.Clone(long), 0), "a package more": append(bytes.Clone(long), long[headerSize:headerSize+packageSize]...)}
	for i := range short {
		cases[fmt.Sprintf("flipped short %d", i)] = flip(short, i)
		cases[fmt.Sprintf("cut short to %d", i)] = short[:i]
	}
	for _, border := range []int{headerSize, headerSize + packageSize, headerSize + 2*packageSize, len(long)} {
		for d := -40; d <= 40; d++ {
			if i := border + d; i >= 0 && i < len(long) {
				cases[fmt.Sprintf("flipped long %d", i)] = flip(long, i)
				cases[fmt.Sprintf("cut long to %d", i)] = long[:i]
			}
		}
	}
	swapped := bytes.Clone(long)
	copy(swapped[headerSize:], long[headerSize+packageSize:headerSize+2*packageSize])
	copy(swapped[headerSize+packageSize:], long[headerSize:headerSize+packageSize])
	cases["packages swapped"] = swapped
	cases["a package left out"] = append(bytes.Clone(long[:headerSize+packageSize]), long[headerSize+2*packageSize:]...)
	other := sealed(t, content(2*payloadSize+500), 1<<20)
	cases["a package of another file"] = append(bytes.Clone(long[:headerSize+packageSize]), other[headerSize+packageSize:]...)
	cases["the salt of another file"] = append(bytes.Clone(other[:headerSize]), long[headerSize:]...)
	for what, file := range cases {
		if got, err := unseal(t, file, newKey(t, 1), name); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: read %d bytes, %v", what, len(got), err)
		}
	}
}

// A file opens under its own name and key only.
func TestSwappedNamesAndKeys(t *testing.T) {
	file := sealed(t, content(10), 10)
	for _, other := range []string{"", name + "1", name[:len(name)-1], "work-bucket/another/audio/00000"} {
		if _, err := unseal(t, file, newKey(t, 1), other); !errors.Is(err, ErrTampered) {
			t.Errorf("opened as %q: %v", other, err)
		}
	}
	if _, err := unseal(t, file, newKey(t, 2), name); !errors.Is(err, ErrTampered) {
		t.Errorf("opened with another key: %v", err)
	}
}

// Two files of the same content, name and job share no byte of key stream.
func TestSealingTwice(t *testing.T) {
	b := content(4096)
	one, two := sealed(t, b, 4096), sealed(t, b, 4096)
	if bytes.Equal(one[len(magic):headerSize], two[len(magic):headerSize]) || bytes.Equal(one[headerSize+16:], two[headerSize+16:]) {
		t.Error("two files are alike")
	}
}

func TestKeySizes(t *testing.T) {
	small, err := seal.NewKey(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	wiped := newKey(t, 1)
	wiped.Wipe()
	for what, key := range map[string]seal.Key{"128 bits": small, "no key": {}, "a wiped key": wiped} {
		if _, err := NewWriter(io.Discard, key, name); err == nil {
			t.Errorf("%s: NewWriter took it", what)
		}
	}
}

// The storage's errors come back as they are, wherever they strike: they are no
// sign of tampering.
func TestStorageErrors(t *testing.T) {
	file := sealed(t, content(payloadSize+100), 1<<20)
	for _, broken := range []error{errors.New("connection reset"), io.ErrUnexpectedEOF} {
		for _, at := range []int{0, 3, headerSize, headerSize + 5, headerSize + packageSize, len(file) - 1, len(file)} {
			r, err := NewReader(io.MultiReader(bytes.NewReader(file[:at]), iotest.ErrReader(broken)), newKey(t, 1), name)
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			if !errors.Is(err, broken) || errors.Is(err, ErrTampered) {
				t.Errorf("broken at %d with %v: %v", at, broken, err)
			}
		}
	}
	full := errors.New("no room")
	w, err := NewWriter(&limitedWriter{left: headerSize + 10, err: full}, newKey(t, 1), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content(3 * payloadSize)); !errors.Is(err, full) {
		t.Errorf("Write: %v", err)
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Errorf("Close after a failed write: %v", err)
	}
}

type limitedWriter struct {
	left int
	err  error
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, w.err
	}
	w.left -= len(p)
	return len(p), nil
}

// Whatever a file consists of, it is refused unless it is the one that was
// sealed, and nothing panics.
func FuzzFile(f *testing.F) {
	key := newKey(f, 1)
	for _, n := range []int{0, 1, 100} {
		f.Add(sealed(f, content(n), 100))
	}
	f.Add([]byte(nil))
	f.Add([]byte(magic))
	f.Add(append([]byte(magic), make([]byte, saltSize+overhead+1)...))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := unseal(t, file, key, name)
		if err != nil {
			if !errors.Is(err, ErrTampered) {
				t.Errorf("unexpected error %v", err)
			}
			return
		}
		if !bytes.Equal(got, content(len(got))) {
			t.Error("a forged file was opened")
		}
	})
}
