//go:build goexperiment.runtimesecret && linux && (amd64 || arm64)

package seal

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"runtime/secret"
	"testing"
	"unsafe"
)

// shieldedKMS says whether it is asked where everything is erased.
type shieldedKMS struct {
	fakeKMS
	asked []bool
}

func (k *shieldedKMS) Decrypt(ctx context.Context, ciphertext []byte, keyARN string, context map[string]string) ([]byte, error) {
	k.asked = append(k.asked, secret.Enabled())
	return k.fakeKMS.Decrypt(ctx, ciphertext, keyARN, context)
}

func (k *shieldedKMS) Generate(ctx context.Context, keyARN string, n int, context map[string]string) (plaintext, ciphertext []byte, err error) {
	k.asked = append(k.asked, secret.Enabled())
	return k.fakeKMS.Generate(ctx, keyARN, n, context)
}

func TestKeysAreAskedForUnderTheShield(t *testing.T) {
	kms := new(shieldedKMS)
	ring := NewKeyring(kms, keyARN, transcoder)
	e, err := ring.Generate(t.Context(), "aes-gcm")
	if err != nil {
		t.Fatal(err)
	}
	other := NewKeyring(kms, keyARN, transcoder)
	if _, err := other.Unwrap(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if len(kms.asked) != 2 || !kms.asked[0] || !kms.asked[1] || secret.Enabled() {
		t.Errorf("asked under the shield: %v, and it holds on: %v", kms.asked, secret.Enabled())
	}
}

// A key that nobody wiped is gone when the garbage collector has come by.
func TestForgottenKeyIsErased(t *testing.T) {
	place := forgottenKey(t)
	runtime.GC()
	runtime.GC() // the first one's sweep is over
	if after := memory(t, place); bytes.Contains(after, []byte(rawKey[:24])) {
		t.Errorf("%q is still there", after)
	}
}

// forgottenKey makes a key, forgets it and says where it was.
//
//go:noinline
func forgottenKey(t *testing.T) uintptr {
	key := newKey(t, rawKey)
	place := uintptr(unsafe.Pointer(unsafe.SliceData(key.Bytes())))
	if before := memory(t, place); string(before) != rawKey {
		t.Fatalf("read %q", before)
	}
	return place
}

func memory(t *testing.T, place uintptr) []byte {
	t.Helper()
	f, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, len(rawKey))
	if _, err := f.ReadAt(b, int64(place)); err != nil {
		t.Fatal(err)
	}
	return b
}
