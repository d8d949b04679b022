package kmskeys

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"

	"sealreel/pkg/seal"
)

const keyARN = "arn:aws:kms:eu-west-1:111122223333:key/k"

var (
	secret  = []byte("a secret key of 32 bytes, truly!")
	service = map[string]string{"service": "elastictranscoder.amazonaws.com"}
)

// fakeKMS answers each KMS request as told and remembers what came.
type fakeKMS struct {
	mu       sync.Mutex
	target   string
	request  map[string]any
	requests int
	status   int
	answer   map[string]any
}

func (f *fakeKMS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	f.target = r.Header.Get("X-Amz-Target")
	f.request = nil
	json.NewDecoder(r.Body).Decode(&f.request)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(f.status)
	json.NewEncoder(w).Encode(f.answer)
}

func serve(t *testing.T, f *fakeKMS) aws.Config {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
}

func TestDecrypt(t *testing.T) {
	f := &fakeKMS{status: 200, answer: map[string]any{"KeyId": keyARN, "Plaintext": secret}}
	keys := New(serve(t, f))
	got, err := keys.Decrypt(t.Context(), []byte("ciphertext"), keyARN, service)
	if err != nil || !bytes.Equal(got, secret) {
		t.Fatal(err)
	}
	want := map[string]any{"CiphertextBlob": base64.StdEncoding.EncodeToString([]byte("ciphertext")), "KeyId": keyARN,
		"EncryptionContext": map[string]any{"service": service["service"]}}
	if f.target != "TrentService.Decrypt" || fmt.Sprint(f.request) != fmt.Sprint(want) {
		t.Errorf("%s %v", f.target, f.request)
	}
	if _, err := keys.Decrypt(t.Context(), []byte("ciphertext"), "", service); err != nil {
		t.Fatal(err)
	}
	if _, named := f.request["KeyId"]; named {
		t.Error("an empty ARN was sent")
	}
}

func TestGenerate(t *testing.T) {
	f := &fakeKMS{status: 200, answer: map[string]any{"Plaintext": secret, "CiphertextBlob": []byte("ciphertext")}}
	plain, wrapped, err := New(serve(t, f)).Generate(t.Context(), keyARN, 32, service)
	if err != nil || !bytes.Equal(plain, secret) || string(wrapped) != "ciphertext" {
		t.Fatal(err)
	}
	want := map[string]any{"KeyId": keyARN, "NumberOfBytes": 32, "EncryptionContext": map[string]any{"service": service["service"]}}
	if f.target != "TrentService.GenerateDataKey" || fmt.Sprint(f.request) != fmt.Sprint(want) {
		t.Errorf("%s %v", f.target, f.request)
	}
}

func TestWrap(t *testing.T) {
	f := &fakeKMS{status: 200, answer: map[string]any{"CiphertextBlob": []byte("ciphertext")}}
	key, err := seal.NewKey(bytes.Clone(secret))
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := New(serve(t, f)).Wrap(t.Context(), key, keyARN, service)
	if err != nil || string(wrapped) != "ciphertext" || f.target != "TrentService.Encrypt" || f.request["Plaintext"] != base64.StdEncoding.EncodeToString(secret) {
		t.Errorf("%q, %v, %s", wrapped, err, f.target)
	}
}

// The codes are those of the KMS API reference.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   error // nil: none of seal's
	}{
		{400, "InvalidCiphertextException", seal.ErrInvalidCiphertext},
		{400, "ValidationException", seal.ErrInvalidCiphertext},
		{400, "IncorrectKeyException", seal.ErrIncorrectKey},
		{400, "AccessDeniedException", seal.ErrAccess},
		{400, "NotFoundException", seal.ErrNoKey},
		{400, "DisabledException", seal.ErrDisabled},
		{400, "KMSInvalidStateException", seal.ErrDisabled},
		{400, "InvalidKeyUsageException", seal.ErrDisabled},
		{400, "SomethingNew", nil},
	} {
		f := &fakeKMS{status: c.status, answer: map[string]any{"__type": c.code, "message": "because"}}
		keys := New(serve(t, f))
		_, decrypting := keys.Decrypt(t.Context(), []byte("ciphertext"), keyARN, service)
		_, _, generating := keys.Generate(t.Context(), keyARN, 32, service)
		for _, err := range []error{decrypting, generating} {
			if err == nil {
				t.Errorf("%s: no error", c.code)
				continue
			}
			for _, kind := range []error{seal.ErrInvalidCiphertext, seal.ErrIncorrectKey, seal.ErrAccess, seal.ErrNoKey, seal.ErrDisabled, seal.ErrThrottled} {
				if errors.Is(err, kind) != (kind == c.want) {
					t.Errorf("%s: errors.Is(%v, %v) is %v", c.code, err, kind, !(kind == c.want))
				}
			}
			if !strings.Contains(err.Error(), "because") {
				t.Errorf("%s: %v does not say what KMS said", c.code, err)
			}
		}
		if f.requests != 2 {
			t.Errorf("%s: a lasting error was asked for %d times", c.code, f.requests)
		}
	}
}

// Nothing is asked of an endpoint whose answer could be read on the network.
func TestPlaintextEndpoint(t *testing.T) {
	sent := 0
	cfg := aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String("http://kms.example.com"),
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient: doer(func(*http.Request) (*http.Response, error) {
			sent++
			return nil, io.ErrUnexpectedEOF
		})}
	keys := New(cfg)
	_, err := keys.Decrypt(t.Context(), []byte("ciphertext"), keyARN, service)
	var refused *seal.PlaintextEndpointError
	if !errors.As(err, &refused) || refused.Endpoint != "http://kms.example.com" {
		t.Error(err)
	}
	if _, _, err := keys.Generate(t.Context(), keyARN, 32, service); !errors.As(err, &refused) {
		t.Error(err)
	}
	if sent != 0 {
		t.Errorf("%d requests were sent", sent)
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// A configuration that asks for logs of all there is to log gets none, and no
// error shows a key.
func TestNothingIsLogged(t *testing.T) {
	for _, status := range []int{200, 400} {
		var log bytes.Buffer
		f := &fakeKMS{status: status, answer: map[string]any{"Plaintext": secret, "CiphertextBlob": []byte("ciphertext")}}
		if status != 200 {
			f.answer = map[string]any{"__type": "InvalidCiphertextException"}
		}
		cfg := serve(t, f)
		cfg.Logger = logging.NewStandardLogger(&log)
		cfg.ClientLogMode = ^aws.ClientLogMode(0)
		key, err := seal.NewKey(bytes.Clone(secret))
		if err != nil {
			t.Fatal(err)
		}
		keys, errs := New(cfg), [4]error{}
		_, errs[0] = keys.Decrypt(t.Context(), []byte("ciphertext"), keyARN, service)
		_, _, errs[1] = keys.Generate(t.Context(), keyARN, 32, service)
		_, errs[2] = keys.Wrap(t.Context(), key, keyARN, service)
		_, errs[3] = keys.GenerateSealed(t.Context(), keyARN, 32, service)
		for i, err := range errs {
			if (err == nil) != (status == 200) {
				t.Errorf("call %d, status %d: %v", i, status, err)
			}
			if text := fmt.Sprint(err); strings.Contains(text, string(secret)) || strings.Contains(text, base64.StdEncoding.EncodeToString(secret)) {
				t.Errorf("call %d shows the key", i)
			}
		}
		if log.Len() > 0 {
			t.Errorf("status %d: logged %q", status, log.String())
		}
	}
}
