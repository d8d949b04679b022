package kmskeys

import (
	"errors"
	"fmt"
	"testing"

	"sealreel/pkg/seal"
)

func TestGenerateSealed(t *testing.T) {
	f := &fakeKMS{status: 200, answer: map[string]any{"CiphertextBlob": []byte("ciphertext")}}
	keys := New(serve(t, f))
	wrapped, err := keys.GenerateSealed(t.Context(), keyARN, 24, service)
	if err != nil || string(wrapped) != "ciphertext" {
		t.Fatal(err)
	}
	want := map[string]any{"KeyId": keyARN, "NumberOfBytes": 24, "EncryptionContext": map[string]any{"service": service["service"]}}
	if f.target != "TrentService.GenerateDataKeyWithoutPlaintext" || fmt.Sprint(f.request) != fmt.Sprint(want) {
		t.Errorf("%s %v", f.target, f.request)
	}
	f.status, f.answer = 400, map[string]any{"__type": "AccessDeniedException"}
	if _, err := keys.GenerateSealed(t.Context(), keyARN, 24, service); !errors.Is(err, seal.ErrAccess) {
		t.Error(err)
	}
}
