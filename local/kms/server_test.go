package kms

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

func serve(t *testing.T, s *Server) *client {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return newClient(web.URL)
}

func TestKeysSurviveARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kms")
	c := serve(t, open(t, dir, nil))
	arn := c.key(t)
	alias := "alias/media"
	if _, err := c.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &alias, TargetKeyId: &arn}); err != nil {
		t.Fatal(err)
	}
	context := map[string]string{"service": "elastictranscoder.amazonaws.com"}
	blob := c.seal(t, alias, "key", context)
	if _, err := c.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &arn}); err != nil {
		t.Fatal(err)
	}

	c = serve(t, open(t, dir, nil))
	_, err := c.open(blob, context)
	wantCode(t, err, "DisabledException")
	if _, err := c.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &alias}); err != nil {
		t.Fatal(err)
	}
	out, err := c.open(blob, context)
	if err != nil || string(out.Plaintext) != "key" || *out.KeyId != arn {
		t.Errorf("after a restart: %v, %v", out, err)
	}
	info, err := os.Stat(filepath.Join(dir, "keys.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the key file: %v, %v; want 0600", info.Mode(), err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode of its folder: %v, %v; want 0700", info.Mode(), err)
	}
}

func TestDamagedKeyFileIsAnErrorThatQuotesNothing(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	for name, text := range map[string]string{
		"cut":            `{"Keys":[{"ID":"1","Material":"` + secret,
		"wrong type":     `{"Keys":[{"ID":1,"Material":"` + secret + `"}]}`,
		"not base64":     `{"Keys":[{"ID":"1","Material":"` + secret + `%"}]}`,
		"short material": `{"Keys":[{"ID":"1","Material":"` + secret[:20] + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "keys.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(Config{Dir: dir, Region: testRegion, Account: testAccount, Known: func(string) bool { return true }})
			if err == nil || !strings.Contains(err.Error(), "keys.json") || strings.Contains(err.Error(), secret[:8]) {
				t.Errorf("error %v, want one that names the file and no key", err)
			}
		})
	}
}

func TestCiphertextOfAnotherServer(t *testing.T) {
	theirs := serve(t, open(t, t.TempDir(), nil))
	blob := theirs.seal(t, theirs.key(t), "x", nil)
	_, err := serve(t, open(t, t.TempDir(), nil)).open(blob, nil)
	wantCode(t, err, "AccessDeniedException")
}

func TestEnsureKey(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	first, err := s.EnsureKey("alias/media", "of the template")
	if err != nil || !keyARN.MatchString(first) {
		t.Fatalf("made %s, %v", first, err)
	}
	other, err := s.EnsureKey("alias/other", "")
	if err != nil || other == first {
		t.Errorf("other alias: %s, %v; want another key than %s", other, err, first)
	}
	again, err := open(t, dir, nil).EnsureKey("alias/media", "")
	if err != nil || again != first {
		t.Errorf("after a restart: %s, %v; want %s", again, err, first)
	}
	for _, bad := range []string{"", "media", "alias/", "alias/a b", "alias/aws/s3"} {
		if _, err := s.EnsureKey(bad, ""); err == nil {
			t.Errorf("alias %q was taken", bad)
		}
	}
}

func TestRequestsAreReported(t *testing.T) {
	var mu sync.Mutex
	var got []Request
	s := open(t, t.TempDir(), func(r Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r)
	})
	arn, err := s.EnsureKey("alias/media", "")
	if err != nil {
		t.Fatal(err)
	}
	c := serve(t, s)
	context := map[string]string{"service": "x"}
	blob := c.seal(t, "alias/media", "key", context)
	c.open(blob, context)
	c.open(blob, nil)
	c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: aws.String("alias/never")})
	want := []Request{
		{Action: "Encrypt", KeyARN: arn, EncryptionContext: context, AccessKeyID: testKey, Status: 200},
		{Action: "Decrypt", KeyARN: arn, EncryptionContext: context, AccessKeyID: testKey, Status: 200},
		{Action: "Decrypt", KeyARN: arn, EncryptionContext: nil, AccessKeyID: testKey, Status: 400},
		{Action: "DescribeKey", KeyARN: "", EncryptionContext: nil, AccessKeyID: testKey, Status: 400},
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) != len(want) {
		t.Fatalf("%d requests reported, want %d: %v", len(got), len(want), got)
	}
	for i, w := range want {
		g := got[i]
		if g.Action != w.Action || g.KeyARN != w.KeyARN || g.AccessKeyID != w.AccessKeyID || g.Status != w.Status || !maps.Equal(g.EncryptionContext, w.EncryptionContext) {
			t.Errorf("request %d is %v, want %v", i, g, w)
		}
	}
}

func TestKeysTravelOnlyOverTLSOrLoopback(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	for _, test := range []struct {
		from, url string
		status    int
	}{
		{"127.0.0.1:5000", "http://kms.local/", 200}, {"[::1]:5000", "http://kms.local/", 200},
		{"192.0.2.1:5000", "http://kms.local/", 403}, {"192.0.2.1:5000", "https://kms.local/", 200},
		{"", "http://kms.local/", 403},
	} {
		r := httptest.NewRequest("POST", test.url, strings.NewReader(`{"NumberOfBytes":16}`))
		r.RemoteAddr = test.from
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+testKey+"/20261124/eu-west-1/kms/aws4_request, SignedHeaders=host, Signature=00")
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "TrentService.GenerateRandom")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s from %s: status %d, want %d: %s", test.url, test.from, w.Code, test.status, w.Body)
		}
	}
}

// The errors on the wire as clients other than the Go SDK read them.
func TestErrorOnTheWire(t *testing.T) {
	web := httptest.NewServer(open(t, t.TempDir(), nil))
	defer web.Close()
	body := fmt.Sprintf(`{"CiphertextBlob":%q}`, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 100)))
	r, _ := http.NewRequest("POST", web.URL, strings.NewReader(body))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+testKey+"/20261124/eu-west-1/kms/aws4_request, SignedHeaders=host, Signature=00")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "TrentService.Decrypt")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 400 || got["__type"] != "InvalidCiphertextException" || len(got) != 1 {
		t.Errorf("status %d, body %v", resp.StatusCode, got)
	}
	if got := resp.Header.Get("X-Amzn-Query-Error"); got != "" {
		t.Errorf("query error %q of a service that never had any", got)
	}
	if resp.Header.Get("X-Amzn-Requestid") == "" {
		t.Error("no request id")
	}
}

// Calls from many goroutines, for the race detector.
func TestConcurrentUse(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	c := serve(t, s)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			arn, err := s.EnsureKey(fmt.Sprintf("alias/k%d", i%2), "")
			if err != nil {
				t.Error(err)
				return
			}
			for range 5 {
				out, err := c.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &arn, KeySpec: "AES_128"})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := c.open(out.CiphertextBlob, nil); err != nil {
					t.Error(err)
				}
				c.ListAliases(t.Context(), &kms.ListAliasesInput{})
			}
		})
	}
	group.Wait()
}

// Whatever bytes come, parsing them is safe; and a sealed blob opens only as
// it was sealed.
func FuzzOpen(f *testing.F) {
	k := open(f, f.TempDir(), nil).newKey("")
	context := map[string]string{"a": "b"}
	f.Add([]byte("0123456789abcdef"), uint16(0), byte(0))
	f.Add([]byte{}, uint16(20), byte(1))
	f.Add(make([]byte, blobMin-1), uint16(blobMin), byte(0x80))
	f.Add(append([]byte{blobVersion}, make([]byte, blobMin-1)...), uint16(3), byte(0xff))
	f.Fuzz(func(t *testing.T, data []byte, at uint16, flip byte) {
		if id, err := keyOfBlob(data); err == nil && len(id) != 36 {
			t.Errorf("key id %q", id)
		}
		blob := k.seal(data, context)
		blob[int(at)%len(blob)] ^= flip
		id, err := keyOfBlob(blob)
		var plaintext []byte
		if err == nil && id == k.ID {
			plaintext, err = k.open(blob, context)
		}
		if flip == 0 && (err != nil || id != k.ID || !bytes.Equal(plaintext, data)) {
			t.Errorf("%x did not come back: %x, %v", data, plaintext, err)
		}
		if flip != 0 && err == nil {
			t.Errorf("byte %d of %d changed by %#x went unnoticed", int(at)%len(blob), len(blob), flip)
		}
	})
}
