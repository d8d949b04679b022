// Package crypt encrypts and decrypts files on this machine, in the modes in
// which S3 sees ciphertext only, and reads and writes the Encryption elements
// that say with what.
//
// It guarantees that an element holds no key but a wrapped one, and that a file
// which its mode can't take is refused before anything of it is written.
package crypt

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"sealreel/pkg/aesstream"
	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

// Modes are those whose files an Encryption element alone can decrypt. This
// package also encrypts and decrypts in s3-encryption-client, with the key of an
// object's envelope.
var Modes = []string{job.ModeCBC, job.ModeCTR, job.ModeGCM}

// Names are the Modes as a sentence lists them.
func Names() string {
	last := len(Modes) - 1
	return strings.Join(Modes[:last], ", ") + " and " + Modes[last]
}

// KeyBits is the size of the keys that are made here.
const KeyBits = 256

// format is how the files of a mode look.
func format(m *seal.Material) aesstream.Mode {
	if m.Mode.Enveloped {
		return aesstream.GCM
	}
	return aesstream.Mode(m.Mode.Name)
}

func params(m *seal.Material) aesstream.Params {
	return aesstream.Params{Mode: format(m), Key: m.Key, IV: m.IV}
}

// CheckSize refuses a plaintext of more bytes than the mode takes.
func CheckSize(m *seal.Material, size int64) error {
	_, err := aesstream.SealedSize(format(m), size)
	return err
}

// Encrypt gives the ciphertext of what r gives. An error of r ends it without
// what would make the file look whole. The material's key is not used again.
func Encrypt(r io.Reader, m *seal.Material) (io.Reader, error) {
	e := &encrypter{plain: r, in: make([]byte, 256<<10)}
	var err error
	if e.w, err = aesstream.NewWriter(&e.out, params(m)); err != nil {
		return nil, err
	}
	return e, nil
}

// encrypter encrypts as much as it is asked for, so that nothing runs on when
// it is not read to its end.
type encrypter struct {
	plain io.Reader
	w     *aesstream.Writer
	in    []byte
	out   bytes.Buffer // encrypted and not yet read
	err   error
}

func (e *encrypter) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for e.out.Len() == 0 {
		if e.err != nil {
			return 0, e.err
		}
		e.err = e.next()
	}
	return e.out.Read(p)
}

// next encrypts what one Read of the plaintext gives.
func (e *encrypter) next() error {
	n, err := e.plain.Read(e.in)
	_, failed := e.w.Write(e.in[:n])
	clear(e.in[:n])
	switch {
	case failed != nil:
		return failed
	case err != io.EOF:
		return err
	}
	if err := e.w.Close(); err != nil {
		return err
	}
	return io.EOF
}

// Decrypt gives the plaintext of what r gives of the file called name. In modes
// that are Authentic its io.EOF says that the file was genuine: use nothing
// before. In the others nothing says so.
func Decrypt(name string, r io.Reader, m *seal.Material) (io.Reader, error) {
	plain, err := aesstream.NewReader(r, params(m))
	if err != nil {
		return nil, err
	}
	return decrypter{name, plain}, nil
}

// decrypter says of which file the errors are.
type decrypter struct {
	name  string
	plain *aesstream.Reader
}

func (d decrypter) Read(p []byte) (int, error) {
	n, err := d.plain.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("decrypting %s: %w", d.name, err)
	}
	return n, err
}

// Authentic says whether the end of what Decrypt gives vouches for the whole.
func Authentic(m *seal.Material) bool { return format(m) == aesstream.GCM }

// PlainSize is how many bytes a file of sealed bytes holds; in aes-cbc-pkcs7
// up to 15 fewer. A size that no file of the mode has is an error.
func PlainSize(m *seal.Material, sealed int64) (int64, error) {
	_, most, err := aesstream.PlainSize(format(m), sealed)
	return most, err
}

// Here says whether the mode of the material is one of this package. Without a
// material there is nothing to decrypt.
func Here(m *seal.Material) bool {
	return m != nil && (m.Mode.Enveloped || slices.Contains(Modes, m.Mode.Name))
}

// CheckMode refuses what is none of the Modes.
func CheckMode(mode string) error {
	if slices.Contains(Modes, mode) {
		return nil
	}
	if mode == job.ModeS3EC {
		return fmt.Errorf("mode %s is for objects alone, in whose metadata the key is: use `sealreel put` and `sealreel get`; a file of one's own takes %s", mode, Names())
	}
	return fmt.Errorf("mode %q is none for a file of one's own, which takes %s", mode, Names())
}
