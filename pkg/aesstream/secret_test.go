//go:build goexperiment.runtimesecret && linux && (amd64 || arm64)

package aesstream

import (
	"bytes"
	"io"
	"runtime/secret"
	"testing"
)

// watchedKey says how often its bytes are used where everything is erased.
type watchedKey struct {
	rawKey
	shielded *int
}

func (k watchedKey) Bytes() []byte {
	if secret.Enabled() {
		*k.shielded++
	}
	return k.rawKey
}

// Whoever opens a stream expands its key under the shield, and leaves it.
func TestKeysAreExpandedUnderTheShield(t *testing.T) {
	for _, f := range formats {
		p := f.params(32)
		shielded := 0
		p.Key = watchedKey{p.Key.(rawKey), &shielded}
		var file bytes.Buffer
		w, err := NewWriter(&file, p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(bytes.NewReader(file.Bytes()), p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
		if _, err := NewReaderAt(bytes.NewReader(file.Bytes()), int64(file.Len()), p); err != nil {
			t.Fatal(err)
		}
		if shielded != 3 || secret.Enabled() {
			t.Errorf("%s: %d of 3 keys are expanded under the shield, and it holds on: %v", f, shielded, secret.Enabled())
		}
	}
}
