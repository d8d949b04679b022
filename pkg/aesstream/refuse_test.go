package aesstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

// openings are all ways to find out that a file is not what was encrypted.
func openings(t *testing.T, p Params, file []byte) map[string]error {
	t.Helper()
	errs := map[string]error{}
	for _, step := range []int{100, 2 * chunkSize} {
		got, err := readAll(newReader(t, bytes.NewReader(file), p), step)
		errs[fmt.Sprint("Reader", step)] = err
		if err != nil && len(got)%chunkSize != 0 {
			t.Errorf("%s: %d bytes came out of the rest of a bad file", p.Mode, len(got)%chunkSize)
		}
	}
	switch p.Mode {
	case CBC:
		_, errs["ReaderAt"] = NewReaderAt(bytes.NewReader(file), int64(len(file)), p)
	case GCM:
		errs["VerifyGCM"] = VerifyGCM(context.Background(), bytes.NewReader(file), int64(len(file)), p)
	}
	return errs
}

// refuse checks that all of them say ErrDecrypt, the very same value.
func refuse(t *testing.T, what string, p Params, file []byte) {
	t.Helper()
	for how, err := range openings(t, p, file) {
		if err != ErrDecrypt {
			t.Errorf("%s: %s, %d bytes: %s returned %v", p.Mode, what, len(file), how, err)
		}
	}
}

func TestGCMRefusesEveryChange(t *testing.T) {
	for _, iv := range []int{16, 12} {
		for _, n := range []int{0, 1, 16, 100, chunkSize, chunkSize + 1, 2*chunkSize + 33} {
			p := format{GCM, iv}.params(16)
			file := oneShot(t, p, random(n, 3))
			for how, err := range openings(t, p, file) {
				if err != nil {
					t.Fatalf("%d bytes: %s returned %v", n, how, err)
				}
			}
			for _, i := range append(edges(n), n, n+1, n+7, n+15) {
				if i >= len(file) {
					continue
				}
				file[i] ^= 1 << (i % 8)
				refuse(t, fmt.Sprint("bit flipped at ", i), p, file)
				file[i] ^= 1 << (i % 8)
			}
			for _, cut := range []int{1, 15, 16, 17, chunkSize, len(file)} {
				refuse(t, "cut", p, file[:max(0, len(file)-cut)])
			}
			refuse(t, "longer", p, append(bytes.Clone(file), 0))
			refuse(t, "beginning cut", p, file[1:])
			refuseParams(t, p, file)
		}
	}
}

// refuseParams tries another key and another IV.
func refuseParams(t *testing.T, p Params, file []byte) {
	t.Helper()
	key := bytes.Clone(p.Key.Bytes())
	key[len(key)-1] ^= 1
	refuse(t, "another key", Params{p.Mode, rawKey(key), p.IV}, file)
	iv := bytes.Clone(p.IV)
	iv[0] ^= 0x80
	refuse(t, "another IV", Params{p.Mode, p.Key, iv}, file)
}

// Chunks that change places are found: the powers of H count.
func TestGCMRefusesSwappedChunks(t *testing.T) {
	p := format{GCM, 16}.params(32)
	file := oneShot(t, p, random(3*chunkSize+5, 3))
	swapped := append(bytes.Clone(file[chunkSize:2*chunkSize]), file[:chunkSize]...)
	refuse(t, "chunks swapped", p, append(swapped, file[2*chunkSize:]...))
	refuse(t, "chunk left out", p, append(bytes.Clone(file[:chunkSize]), file[2*chunkSize:]...))
}

func TestCBCRefusesWhatCannotBe(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 100, chunkSize - 1, chunkSize, chunkSize + 40} {
		p := format{CBC, 16}.params(16)
		file := oneShot(t, p, random(n, 3))
		for _, cut := range []int{1, 5, 8, 15} {
			refuse(t, "cut within a block", p, file[:len(file)-cut])
		}
		refuse(t, "nothing", p, nil)
		refuse(t, "longer", p, append(bytes.Clone(file), 0))
		if n >= 16 {
			refuse(t, "last block missing", p, file[:len(file)-16])
		}
	}
}

// Every last block but those of PKCS #7 is refused, each by the same error.
func TestCBCPadding(t *testing.T) {
	p := format{CBC, 16}.params(16)
	for _, blocks := range []int{1, 3, chunkSize/16 + 1} {
		for pad := range 256 {
			checkPadding(t, p, blocks, pad, -1)
			for wrong := 1; wrong < pad && pad <= 16; wrong++ {
				checkPadding(t, p, blocks, pad, wrong)
			}
		}
	}
}

// checkPadding opens a file that ends with pad bytes of that value, all right but
// the one that is wrong places from the end.
func checkPadding(t *testing.T, p Params, blocks, pad, wrong int) {
	t.Helper()
	last := random(16, 4)
	for i := range min(pad, 16) {
		last[15-i] = byte(pad)
	}
	if pad == 0 {
		last[15] = 0
	}
	if wrong > 0 {
		last[15-wrong] ^= 0x40
	}
	whole := append(random(16*(blocks-1), 3), last...)
	file := oneShot(t, p, whole)[:len(whole)] // without the padding of oneShot
	right := pad >= 1 && pad <= 16 && wrong < 0
	if !right {
		refuse(t, fmt.Sprintf("padding %d, wrong %d", pad, wrong), p, file)
		return
	}
	got, err := readAll(newReader(t, bytes.NewReader(file), p), 1000)
	if err != nil || !bytes.Equal(got, whole[:len(whole)-pad]) {
		t.Errorf("padding %d: %d bytes, %v", pad, len(got), err)
	}
	if r := newReaderAt(t, bytes.NewReader(file), len(file), p); r.Size() != int64(len(whole)-pad) {
		t.Errorf("padding %d: Size %d", pad, r.Size())
	}
}

func TestVerifyGCM(t *testing.T) {
	p := format{GCM, 16}.params(16)
	file := oneShot(t, p, random(2*chunkSize+9, 3))
	verify := func(ctx context.Context, r io.Reader, size int) error { return VerifyGCM(ctx, r, int64(size), p) }
	for _, size := range []int{-1, 0, 15, 16, 100, chunkSize, chunkSize + 16, len(file) - 1, len(file) + 1, 3 * chunkSize, math.MaxInt} {
		if err := verify(t.Context(), bytes.NewReader(file), size); err != ErrDecrypt {
			t.Errorf("a genuine file of another size than %d: %v", size, err)
		}
	}
	if err := verify(t.Context(), iotest.OneByteReader(iotest.DataErrReader(bytes.NewReader(file))), len(file)); err != nil {
		t.Error(err)
	}
	long := io.MultiReader(bytes.NewReader(make([]byte, 3*chunkSize)), iotest.ErrReader(errors.New("read on in vain")))
	if err := verify(t.Context(), long, chunkSize+tagSize); err != ErrDecrypt {
		t.Errorf("a file that is longer than it was said to be: %v", err)
	}
	for _, cause := range []error{errors.New("the line is dead"), io.ErrUnexpectedEOF} {
		cut := io.MultiReader(bytes.NewReader(file[:chunkSize+500]), iotest.ErrReader(cause))
		if err := verify(t.Context(), cut, len(file)); !errors.Is(err, cause) {
			t.Errorf("%v became %v", cause, err)
		}
	}
	if err := VerifyGCM(t.Context(), bytes.NewReader(file), int64(len(file)), format{CTR, 16}.params(16)); !isParamError(err, "Mode") {
		t.Errorf("CTR: %v", err)
	}
}

func TestVerifyGCMStopsWithItsContext(t *testing.T) {
	p := format{GCM, 16}.params(16)
	cause := errors.New("no more time")
	ctx, cancel := context.WithCancelCause(t.Context())
	read := 0
	endless := readerFunc(func(b []byte) (int, error) {
		if read += len(b); read > 3*chunkSize {
			cancel(cause)
		}
		return len(b), nil
	})
	if err := VerifyGCM(ctx, endless, maxGCM, p); err != cause {
		t.Errorf("returned %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func isParamError(err error, field string) bool {
	var param *ParamError
	return errors.As(err, &param) && param.Field == field
}

func TestParamsAreChecked(t *testing.T) {
	cases := []struct {
		p     Params
		field string
		text  string
	}{
		{Params{"aes-xts", rawKey(make([]byte, 16)), make([]byte, 16)}, "Mode", `there is no mode "aes-xts"`},
		{Params{"", rawKey(make([]byte, 16)), make([]byte, 16)}, "Mode", "aes-cbc-pkcs7, aes-ctr and aes-gcm"},
		{Params{CBC, rawKey(make([]byte, 16)), make([]byte, 12)}, "IV", "aes-cbc-pkcs7 takes an IV of 16 bytes, not of 12"},
		{Params{CTR, rawKey(make([]byte, 16)), nil}, "IV", "aes-ctr takes an IV of 16 bytes, not of 0"},
		{Params{CTR, rawKey(make([]byte, 16)), make([]byte, 12)}, "IV", "not of 12"},
		{Params{GCM, rawKey(make([]byte, 16)), make([]byte, 13)}, "IV", "aes-gcm takes an IV of 16 or 12 bytes, not of 13"},
		{Params{GCM, rawKey(make([]byte, 15)), make([]byte, 12)}, "Key", "aes-gcm takes a key of 16, 24 or 32 bytes, not of 15"},
		{Params{CBC, rawKey(nil), make([]byte, 16)}, "Key", "not of 0"},
		{Params{CBC, rawKey(make([]byte, 64)), make([]byte, 16)}, "Key", "not of 64"},
		{Params{CTR, nil, make([]byte, 16)}, "Key", "aes-ctr needs a key"},
	}
	for _, c := range cases {
		_, writer := NewWriter(io.Discard, c.p)
		_, reader := NewReader(strings.NewReader(""), c.p)
		_, readerAt := NewReaderAt(strings.NewReader(""), 16, c.p)
		for _, err := range []error{c.p.Check(), writer, reader, readerAt} {
			if !isParamError(err, c.field) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s, IV %d: %v", c.p.Mode, len(c.p.IV), err)
			}
		}
	}
	for _, f := range formats {
		if err := f.params(24).Check(); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// The key is in nothing that can be printed.
func TestKeysAreNotPrinted(t *testing.T) {
	for _, f := range formats {
		p := f.params(16)
		p.Key = rawKey(bytes.Repeat([]byte{0xA7}, 16))
		file := oneShot(t, p, nil)
		w, _ := NewWriter(io.Discard, p)
		r := newReader(t, bytes.NewReader(file), p)
		ra := newReaderAt(t, bytes.NewReader(file), len(file), p)
		for _, v := range []any{w, *w, r, *r, ra, *ra, Params{Mode: "x", Key: p.Key}.Check()} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%x"} {
				text := fmt.Sprintf(verb, v)
				for _, form := range []string{"167 167", "a7a7a7", "0xa7, 0xa7", "2812782503"} {
					if strings.Contains(text, form) {
						t.Errorf("%s: %s of %T shows the key", f, verb, v)
					}
				}
			}
		}
	}
}
