package kmskeys

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

// A key of another region is refused without a request, in every operation that
// names one; any other name is KMS's to judge.
func TestKeyOfAnotherRegion(t *testing.T) {
	for _, c := range []struct {
		keyARN string
		far    string // the region; "" where KMS is asked
	}{
		{"arn:aws:kms:us-west-2:111122223333:key/k", "us-west-2"},
		{"arn:aws:kms:us-west-2:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab", "us-west-2"},
		{"arn:aws:kms:us-west-2:111122223333:alias/media", "us-west-2"},
		{keyARN, ""},
		{"alias/media", ""},
		{"1234abcd-12ab-34cd-56ef-1234567890ab", ""},
	} {
		f := &fakeKMS{status: 200, answer: map[string]any{"Plaintext": secret, "CiphertextBlob": []byte("ciphertext")}}
		keys := New(serve(t, f))
		raw, err := seal.NewKey(bytes.Clone(secret))
		if err != nil {
			t.Fatal(err)
		}
		_, decrypting := keys.Decrypt(t.Context(), []byte("ciphertext"), c.keyARN, service)
		_, _, generating := keys.Generate(t.Context(), c.keyARN, 32, service)
		_, wrapping := keys.Wrap(t.Context(), raw, c.keyARN, service)
		_, sealed := keys.GenerateSealed(t.Context(), c.keyARN, 32, service)
		for _, err := range []error{decrypting, generating, wrapping, sealed} {
			var far *seal.KeyRegionError
			if c.far == "" && err != nil || c.far != "" && (!errors.As(err, &far) || *far != seal.KeyRegionError{KeyARN: c.keyARN, KeyRegion: c.far, Region: "eu-west-1"}) {
				t.Errorf("%s: %v", c.keyARN, err)
			}
		}
		if want := map[bool]int{true: 4, false: 0}[c.far == ""]; f.requests != want {
			t.Errorf("%s: %d requests", c.keyARN, f.requests)
		}
	}
}

// twoKeys is a KMS whose ciphertexts begin with the ARN of their key.
func twoKeys(t *testing.T) *Keys {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			KeyID          string `json:"KeyId"`
			CiphertextBlob []byte
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		wrappedBy, _, _ := strings.Cut(string(in.CiphertextBlob), " ")
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if in.KeyID != "" && in.KeyID != wrappedBy {
			w.WriteHeader(400)
			json.NewEncoder(w).Encode(map[string]string{"__type": "IncorrectKeyException"})
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"KeyId": wrappedBy, "Plaintext": secret})
	}))
	t.Cleanup(server.Close)
	return New(aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")})
}

// A pipeline that names its key takes none that another key wrapped; one that
// names none takes any.
func TestDecryptIsPinnedToTheKey(t *testing.T) {
	const other = "arn:aws:kms:eu-west-1:111122223333:key/other"
	keys := twoKeys(t)
	for _, c := range []struct {
		pipeline, wrappedBy string
		refused             bool
	}{
		{keyARN, keyARN, false},
		{keyARN, other, true},
		{"", other, false},
	} {
		ciphertext := []byte(c.wrappedBy + " and a key that nobody sees")
		sum := md5.Sum(ciphertext)
		ring := seal.NewKeyring(keys, c.pipeline, service)
		_, err := ring.Unwrap(t.Context(), job.Encryption{Mode: job.ModeSSEC,
			Key: base64.StdEncoding.EncodeToString(ciphertext), KeyMd5: base64.StdEncoding.EncodeToString(sum[:])})
		ring.Close()
		var failure *job.Failure
		if refused := errors.As(err, &failure) && failure.Code == job.CodeUnwrapKey && strings.Contains(failure.Detail, "AwsKmsKeyArn"); refused != c.refused || err != nil && !refused {
			t.Errorf("wrapped by %s, pipeline's key %q: %v", c.wrappedBy, c.pipeline, err)
		}
	}
}
