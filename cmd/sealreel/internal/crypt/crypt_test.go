package crypt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"sealreel/pkg/aesstream"
	"sealreel/pkg/envelope"
	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

// allModes are those of elements, and that of envelopes.
var allModes = append([]string{job.ModeS3EC}, Modes...)

func material(t *testing.T, mode string) *seal.Material {
	t.Helper()
	m, err := seal.ModeOf(mode)
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	made := &seal.Material{Mode: m, Key: key, IV: bytes.Repeat([]byte{9}, 16)}
	if m.Enveloped {
		made.IV = made.IV[:envelope.IVSize]
	}
	if !Here(made) {
		t.Errorf("%s is not of this machine", mode)
	}
	return made
}

// sealed is the ciphertext by the standard library's one-shot functions.
func sealed(t *testing.T, m *seal.Material, plain []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(m.Key.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	switch m.Mode.Name {
	case job.ModeGCM, job.ModeS3EC:
		gcm, err := cipher.NewGCMWithNonceSize(block, len(m.IV))
		if err != nil {
			t.Fatal(err)
		}
		return gcm.Seal(nil, m.IV, plain, nil)
	case job.ModeCTR:
		out := make([]byte, len(plain))
		cipher.NewCTR(block, m.IV).XORKeyStream(out, plain)
		return out
	}
	padding := 16 - len(plain)%16
	out := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, m.IV).CryptBlocks(out, out)
	return out
}

func TestThereAndBack(t *testing.T) {
	noise := make([]byte, 600<<10)
	rand.NewChaCha8([32]byte{}).Read(noise)
	shapes := map[string]func(io.Reader) io.Reader{
		"as it comes": func(r io.Reader) io.Reader { return r }, "halves": iotest.HalfReader, "data with EOF": iotest.DataErrReader,
	}
	for _, mode := range allModes {
		m := material(t, mode)
		for _, n := range []int{0, 1, 15, 16, 17, 256<<10 - 1, 256 << 10, 256<<10 + 1, len(noise)} {
			want := sealed(t, m, noise[:n])
			for shape, in := range shapes {
				name := fmt.Sprintf("%s %d %s", mode, n, shape)
				r, err := Encrypt(in(bytes.NewReader(noise[:n])), m)
				if err != nil {
					t.Fatal(name, err)
				}
				if err := iotest.TestReader(r, want); err != nil {
					t.Error(name, err)
				}
				r, err = Decrypt("f", in(bytes.NewReader(want)), m)
				if err != nil {
					t.Fatal(name, err)
				}
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, noise[:n]) {
					t.Errorf("%s: %d bytes, %v", name, len(got), err)
				}
				if size, err := PlainSize(m, int64(len(want))); err != nil || size < int64(n) || size > int64(n)+15 {
					t.Errorf("%s: its size is said to be %d, %v", name, size, err)
				}
			}
		}
	}
}

func TestABrokenFileIsNotMadeWhole(t *testing.T) {
	broken := errors.New("broken")
	for _, mode := range allModes {
		m := material(t, mode)
		r, err := Encrypt(io.MultiReader(bytes.NewReader(make([]byte, 300<<10)), iotest.ErrReader(broken)), m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if !errors.Is(err, broken) || len(got) > 256<<10 {
			t.Errorf("%s: %d bytes, %v", mode, len(got), err)
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, broken) {
			t.Errorf("%s: the error does not stay: %v", mode, err)
		}
	}
}

func TestDecryptSaysOfWhichFile(t *testing.T) {
	for _, mode := range []string{job.ModeGCM, job.ModeS3EC} {
		m := material(t, mode)
		b := sealed(t, m, []byte("a clip"))
		b[0] ^= 1
		r, err := Decrypt("clip.sealed", bytes.NewReader(b), m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !errors.Is(err, aesstream.ErrDecrypt) || !strings.Contains(err.Error(), "clip.sealed") {
			t.Error(err)
		}
		if err := Verify(t.Context(), bytes.NewReader(b), int64(len(b)), m); !Authentic(m) || !errors.Is(err, aesstream.ErrDecrypt) {
			t.Error(err)
		}
	}
}

func TestSizesThatAModeCannotTake(t *testing.T) {
	const most = 1<<36 - 32
	gcm := material(t, job.ModeGCM)
	if err := errors.Join(CheckSize(gcm, most), CheckSize(material(t, job.ModeCTR), most+1), CheckSize(material(t, job.ModeCBC), most+1)); err != nil {
		t.Error(err)
	}
	if err := CheckSize(gcm, most+1); !errors.Is(err, aesstream.ErrTooLong) {
		t.Error(err)
	}
	var size *aesstream.SizeError
	if _, err := PlainSize(gcm, 15); !errors.As(err, &size) {
		t.Error(err)
	}
}

// zeros is a long file.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestMemoryIsFlat(t *testing.T) {
	for _, mode := range allModes {
		m := material(t, mode)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := Encrypt(io.LimitReader(zeros{}, 16<<20), m)
		if err != nil {
			t.Fatal(err)
		}
		if r, err = Decrypt("f", r, m); err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; n != 16<<20 || err != nil || took > 4<<20 {
			t.Errorf("%s: %d bytes took %d of memory, %v", mode, n, took, err)
		}
	}
}
