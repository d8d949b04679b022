package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"sealreel/cmd/sealreel/internal/crypt"
	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

// wrapper is a KMS that wraps keys.
type wrapper interface {
	Wrap(ctx context.Context, raw seal.Key, keyARN string, encryptionContext map[string]string) (ciphertext []byte, err error)
}

// wrapKey wraps the key that a file holds.
func wrapKey(ctx context.Context, t *terminal, kms wrapper, keyARN string, encryptionContext map[string]string, file string) ([]byte, error) {
	raw, err := readKey(t, file)
	if err != nil {
		return nil, err
	}
	defer raw.Wipe()
	wrapped, err := kms.Wrap(ctx, raw, keyARN, encryptionContext)
	if err != nil {
		return nil, fmt.Errorf("wrapping the key: %w", err)
	}
	return wrapped, nil
}

// maxKeyFile is the longest file in bytes that is looked at for a key: more than
// any text of one.
const maxKeyFile = 1024

// readKey reads the bytes of a key. No copy of them stays, and no error has any.
func readKey(t *terminal, file string) (seal.Key, error) {
	held, name, err := readAll(t, file, maxKeyFile)
	if err != nil {
		return seal.Key{}, err
	}
	defer clear(held)
	if encoding, decoder := textOf(held); encoding != "" {
		return seal.Key{}, fmt.Errorf("%s holds the %s text of a key, not the key: decode it first, as `%s` does", name, encoding, decoder)
	}
	key, err := seal.NewKey(bytes.Clone(held))
	if err != nil {
		return seal.Key{}, fmt.Errorf("%s holds %w", name, err)
	}
	return key, nil
}

// textOf names the encoding in which b is the text of an AES key, perhaps with
// white space around it, and what decodes it; "" when b is no such text. The
// bytes of a random key look like that with a chance of less than 2^-46.
func textOf(b []byte) (encoding, decoder string) {
	text := bytes.TrimSpace(b)
	raw := make([]byte, len(text))
	defer clear(raw)
	if n, err := hex.Decode(raw, text); err == nil && isKeySize(n) {
		return "hexadecimal", "xxd -r -p"
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if n, err := e.Strict().Decode(raw, text); err == nil && isKeySize(n) {
			return "base64", "base64 -d"
		}
	}
	return "", ""
}

func isKeySize(n int) bool { return n == 16 || n == 24 || n == 32 }

// readAll reads a file of at most limit bytes, - for standard input, without
// leaving a copy of it in memory.
func readAll(t *terminal, file string, limit int) (content []byte, name string, err error) {
	in, err := openInput(t, file)
	if err != nil {
		return nil, "", err
	}
	defer in.close()
	buf := make([]byte, limit+1)
	n, err := io.ReadFull(in, buf)
	switch {
	case err == nil:
		err = fmt.Errorf("%s holds more than %d bytes", in.name, limit)
	case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF):
		return buf[:n], in.name, nil
	}
	clear(buf)
	return nil, "", err
}

// maxCiphertext is the longest CiphertextBlob of KMS (API reference, Decrypt).
const maxCiphertext = 6144

// importKey checks a key that KMS wrapped and returns it as KMS gave it.
func importKey(ctx context.Context, t *terminal, ring *seal.Keyring, file string) ([]byte, error) {
	held, name, err := readAll(t, file, 2*maxCiphertext)
	if err != nil {
		return nil, err
	}
	wrapped, err := ciphertextOf(held)
	if err != nil {
		clear(held)
		return nil, fmt.Errorf("%s %w", name, err)
	}
	// Every size of key is taken, so the check is for a mode that takes all.
	e := crypt.Element(wrapped)
	e.Mode, e.InitializationVector = job.ModeCBC, base64.StdEncoding.EncodeToString(make([]byte, 16))
	m, err := ring.Unwrap(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t.note("it wraps a key of %d bits", m.Key.Bits())
	return wrapped, nil
}

// ciphertextOf is the CiphertextBlob that a file holds. What may be a plaintext
// key is not even sent to KMS.
func ciphertextOf(held []byte) ([]byte, error) {
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(held)))
	n, err := base64.StdEncoding.Decode(raw, bytes.TrimSpace(held))
	wrapped := raw[:n]
	if err != nil {
		wrapped = held
	}
	encoding, _ := textOf(held)
	switch {
	case len(held) == 0:
		return nil, errors.New("is empty")
	case encoding != "" || len(wrapped) <= 32:
		clear(raw)
		return nil, errors.New("is as short as a plaintext key, and no CiphertextBlob of KMS: if it holds a key, use `sealreel key wrap`")
	}
	return wrapped, nil
}
