package aesstream

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestSizesAreThoseOfFiles(t *testing.T) {
	for _, f := range formats {
		for _, n := range lengths {
			sealed := int64(len(oneShot(t, f.params(16), make([]byte, n))))
			if got, err := SealedSize(f.mode, int64(n)); got != sealed || err != nil {
				t.Errorf("%s: SealedSize(%d) is %d, %v; the file has %d", f, n, got, err, sealed)
			}
			least, most, err := PlainSize(f.mode, sealed)
			if err != nil || int64(n) < least || int64(n) > most || f.mode != CBC && least != most || most-least > 15 {
				t.Errorf("%s: PlainSize(%d) is %d to %d, %v; the file has %d", f, sealed, least, most, err, n)
			}
		}
	}
}

func TestSizesThatCannotBe(t *testing.T) {
	for mode, sizes := range map[Mode][]int64{
		CBC: {-16, -1, 0, 1, 15, 17, 1001, math.MaxInt64},
		CTR: {-1},
		GCM: {-1, 0, 15, maxGCM + 17, math.MaxInt64},
	} {
		for _, size := range sizes {
			_, _, err := PlainSize(mode, size)
			var wrong *SizeError
			if !errors.As(err, &wrong) || wrong.Mode != mode || wrong.Size != size || !strings.Contains(err.Error(), string(mode)) {
				t.Errorf("PlainSize(%s, %d): %v", mode, size, err)
			}
			if _, err := NewReaderAt(strings.NewReader(""), size, format{mode, 16}.params(16)); err != ErrDecrypt {
				t.Errorf("NewReaderAt of %d bytes in %s: %v", size, mode, err)
			}
		}
	}
	for mode, size := range map[Mode]int64{GCM: maxGCM + 1, CBC: math.MaxInt64 - 15} {
		if _, err := SealedSize(mode, size); err != ErrTooLong {
			t.Errorf("SealedSize(%s, %d): %v", mode, size, err)
		}
		if got, err := SealedSize(mode, size-1); err != nil || got < size-1 {
			t.Errorf("SealedSize(%s, %d) is %d, %v", mode, size-1, got, err)
		}
	}
	if _, err := SealedSize(CTR, -1); err == nil {
		t.Error("a negative size is taken")
	}
	if _, err := SealedSize("x", 1); !isParamError(err, "Mode") {
		t.Error(err)
	}
	if _, _, err := PlainSize("x", 1); !isParamError(err, "Mode") {
		t.Error(err)
	}
}

// A Writer takes exactly maxGCM bytes.
func TestGCMIsLimited(t *testing.T) {
	const written = maxGCM / chunkSize * chunkSize
	for _, over := range []int{0, 1} {
		w, err := NewWriter(io.Discard, format{GCM, 16}.params(16))
		if err != nil {
			t.Fatal(err)
		}
		w.left -= written
		w.s.(*gcmSealer).n = written
		w.Write(make([]byte, 1000))
		n, err := w.Write(make([]byte, maxGCM-written-1000+over))
		if over == 0 && (err != nil || n != maxGCM-written-1000) {
			t.Errorf("the last bytes: %d, %v", n, err)
		}
		if over == 1 && (err != ErrTooLong || n != 0) {
			t.Errorf("one byte more: %d, %v", n, err)
		}
		if err := w.Close(); (err == nil) != (over == 0) {
			t.Errorf("Close returned %v", err)
		}
	}
}

// A file longer than any can be is refused, though its tag is right.
func TestGCMReaderIsLimited(t *testing.T) {
	const read = maxGCM / chunkSize * chunkSize
	for rest, want := range map[int]error{maxGCM - read: nil, maxGCM - read + 1: ErrDecrypt, chunkSize: ErrDecrypt, chunkSize + 5: ErrDecrypt} {
		p := format{GCM, 16}.params(16)
		writer, err := NewWriter(io.Discard, p)
		if err != nil {
			t.Fatal(err)
		}
		g := writer.s.(*gcmSealer)
		g.n = read
		file := make([]byte, rest)
		g.hash(file[:min(rest, chunkSize)])
		g.hash(file[min(rest, chunkSize):])
		r := newReader(t, bytes.NewReader(g.tag(file)), p)
		r.o.(*gcmOpener).hash.n, r.o.(*gcmOpener).keys.pos = read, read
		if _, err := io.ReadAll(r); err != want {
			t.Errorf("%d bytes: %v", rest, err)
		}
	}
}
