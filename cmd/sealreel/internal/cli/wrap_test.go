package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/pkg/seal"
)

// recordingKMS remembers what it wrapped, by reference.
type recordingKMS struct {
	seen []byte
	copy []byte
	err  error
}

func (k *recordingKMS) Wrap(_ context.Context, raw seal.Key, _ string, _ map[string]string) ([]byte, error) {
	k.seen, k.copy = raw.Bytes(), bytes.Clone(raw.Bytes())
	return []byte("wrapped"), k.err
}

func TestAKeyIsWipedAfterWrapping(t *testing.T) {
	raw := []byte("0123456789abcdefghijklmn")
	file := filepath.Join(t.TempDir(), "k")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, broken := range []error{nil, errors.New("broken")} {
		k := &recordingKMS{err: broken}
		_, err := wrapKey(t.Context(), &terminal{}, k, "arn", nil, file)
		if !errors.Is(err, broken) || !bytes.Equal(k.copy, raw) || !bytes.Equal(k.seen, make([]byte, len(raw))) {
			t.Errorf("%v; KMS got %q, and %q is left", err, k.copy, k.seen)
		}
	}
}

func TestTextOfAKey(t *testing.T) {
	for _, size := range []int{16, 24, 32} {
		raw := bytes.Repeat([]byte{0xfb, 0xef}, size/2)
		for name, text := range map[string]string{
			"hex": hex.EncodeToString(raw), "HEX": strings.ToUpper(hex.EncodeToString(raw)), "hex with newline": hex.EncodeToString(raw) + "\n",
			"base64": base64.StdEncoding.EncodeToString(raw), "base64 with newline": " " + base64.StdEncoding.EncodeToString(raw) + "\r\n",
			"raw": base64.RawStdEncoding.EncodeToString(raw), "URL": base64.URLEncoding.EncodeToString(raw), "raw URL": base64.RawURLEncoding.EncodeToString(raw),
		} {
			encoding, _ := textOf([]byte(text))
			if want := "base64"; encoding != want && !(strings.EqualFold(name[:3], "hex") && encoding == "hexadecimal") {
				t.Errorf("%d bytes in %s: %q", size, name, encoding)
			}
			if _, err := ciphertextOf([]byte(text)); err == nil {
				t.Errorf("%d bytes in %s are taken for a ciphertext", size, name)
			}
		}
		if encoding, _ := textOf(raw); encoding != "" {
			t.Errorf("%d bytes are taken for %s", size, encoding)
		}
		if _, err := ciphertextOf(raw); err == nil {
			t.Errorf("%d bytes are taken for a ciphertext", size)
		}
	}
}

func TestCiphertextOf(t *testing.T) {
	blob := bytes.Repeat([]byte{1, 2, 0x78, 0xff}, 46)
	text := base64.StdEncoding.EncodeToString(blob)
	for _, held := range []string{string(blob), text, text + "\n", text[:76] + "\n" + text[76:] + "\n"} {
		if got, err := ciphertextOf([]byte(held)); err != nil || !bytes.Equal(got, blob) {
			t.Errorf("%q: %q, %v", held, got, err)
		}
	}
}
