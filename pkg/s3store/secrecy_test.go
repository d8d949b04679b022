package s3store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"

	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

// withKey calls everything that sends a customer key.
func withKey(ctx context.Context, s *Store, m *seal.Material) map[string]error {
	o := Object{Bucket: bucket, Key: "k"}
	_, head := s.Head(ctx, o, m)
	_, ranged := s.ReadRange(ctx, o, m, 0, 1)
	_, whole := s.Upload(ctx, UploadTarget{Bucket: bucket, Key: "whole", Material: m}, strings.NewReader("x"))
	_, parts := s.Upload(ctx, UploadTarget{Bucket: bucket, Key: "parts", Material: m}, bytes.NewReader(make([]byte, 3*partSize)))
	return map[string]error{"Head": head, "ReadRange": ranged, "Upload": whole, "Upload in parts": parts}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// A customer key is not sent over a network in plaintext: no request is made.
func TestPlaintextEndpoint(t *testing.T) {
	var sent []string
	cfg := aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String("http://s3.example.com:9000"),
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
			sent = append(sent, r.URL.String())
			return nil, io.ErrUnexpectedEOF
		})}
	for call, err := range withKey(t.Context(), New(cfg, Options{PartSize: partSize}), customer(t, rawKey)) {
		var refused *seal.PlaintextEndpointError
		if !errors.As(err, &refused) || refused.Endpoint != "http://s3.example.com:9000" {
			t.Errorf("%s: %v", call, err)
		}
	}
	if len(sent) > 0 {
		t.Errorf("sent %v", sent)
	}
}

func TestLoopbackEndpoint(t *testing.T) {
	f := &fakeS3{}
	f.put("k", "x", trioOf(rawKey))
	server := httptest.NewServer(f)
	defer server.Close()
	for call, err := range withKey(t.Context(), New(configOf(server), Options{PartSize: partSize}), customer(t, rawKey)) {
		if err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
}

// Whatever a server answers, the key goes to nobody else.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { elsewhere = append(elsewhere, r.Method) }))
	defer other.Close()
	for _, status := range []int{301, 302, 307, 308} {
		f := &fakeS3{before: func(w http.ResponseWriter, _ string, _ int) bool {
			w.Header().Set("Location", other.URL+"/bucket/k")
			w.WriteHeader(status)
			return true
		}}
		for call, err := range withKey(t.Context(), serve(t, f, partSize), customer(t, rawKey)) {
			if err == nil {
				t.Errorf("%d: %s succeeded", status, call)
			}
		}
	}
	if len(elsewhere) > 0 {
		t.Errorf("requests went elsewhere: %v", elsewhere)
	}
}

// A configuration that asks for logs of requests and bodies gets none, and no
// error shows the key, whatever went wrong.
func TestKeyIsNotShown(t *testing.T) {
	for _, status := range []int{200, 400, 403, 404, 409, 412} {
		var log bytes.Buffer
		f := &fakeS3{}
		if status != 200 {
			f.before = func(w http.ResponseWriter, _ string, _ int) bool {
				refuse(w, status, "SomeCode", "some message")
				return true
			}
		}
		f.put("k", "x", trioOf(rawKey))
		server := httptest.NewTLSServer(f)
		cfg := configOf(server)
		cfg.Logger = logging.NewStandardLogger(&log)
		cfg.ClientLogMode = ^aws.ClientLogMode(0)
		for call, err := range withKey(t.Context(), New(cfg, Options{PartSize: partSize}), customer(t, rawKey)) {
			if (err == nil) != (status == 200) {
				t.Errorf("%d, %s: %v", status, call, err)
			}
			if err != nil && (strings.Contains(err.Error(), rawKey) || strings.Contains(err.Error(), base64Of([]byte(rawKey)))) {
				t.Errorf("%d, %s shows the key", status, call)
			}
		}
		if log.Len() > 0 {
			t.Errorf("%d: logged %q", status, log.String())
		}
		server.Close()
	}
}

// The key leaves in the header of its name alone, and not with a mode that has
// no use for it.
func TestKeyIsInItsHeaderOnly(t *testing.T) {
	f := &fakeS3{}
	f.put("k", "x", trioOf(rawKey))
	withKey(t.Context(), serve(t, f, partSize), customer(t, rawKey))
	for _, r := range f.requests {
		for name, values := range r.header {
			if name != keyHeader && slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, base64Of([]byte(rawKey))) }) {
				t.Errorf("%s: %s holds the key", r.op, name)
			}
		}
	}
	f = &fakeS3{}
	f.put("k", "x", nil)
	work := materialOf(t, seal.ModeWork, customer(t, rawKey).Key)
	for call, err := range withKey(t.Context(), serve(t, f, partSize), work) {
		if err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
	for _, r := range f.requests {
		if r.header.Get(keyHeader) != "" {
			t.Errorf("%s: the key of another mode was sent", r.op)
		}
	}
}

// With a key that is gone nothing is sent: S3 might take it for an object that
// is not to be encrypted.
func TestWipedKey(t *testing.T) {
	f := &fakeS3{}
	m := customer(t, rawKey)
	m.Key.Wipe()
	for call, err := range withKey(t.Context(), serve(t, f, partSize), m) {
		if !errors.Is(err, errWiped) {
			t.Errorf("%s: %v", call, err)
		}
	}
	if len(f.requests) > 0 {
		t.Errorf("sent %v", f.ops())
	}
}

// An endpoint of one's own is addressed by path, Amazon's by host name.
func TestAddressing(t *testing.T) {
	var urls []string
	cfg := aws.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
			urls = append(urls, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
			return &http.Response{StatusCode: 404, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		})}
	New(cfg, Options{}).Get(t.Context(), bucket, "k")
	cfg.BaseEndpoint = aws.String("https://127.0.0.1:9000")
	New(cfg, Options{}).Get(t.Context(), bucket, "k")
	if want := []string{"https://bucket.s3.eu-west-1.amazonaws.com/k", "https://127.0.0.1:9000/bucket/k"}; !slices.Equal(urls, want) {
		t.Errorf("asked %v", urls)
	}
}

// Only mode sse-c has a customer key.
func TestCustomerKeyOf(t *testing.T) {
	for _, m := range []*seal.Material{nil, materialOf(t, "", seal.Key{}), materialOf(t, job.ModeS3, seal.Key{}), materialOf(t, job.ModeS3KMS, seal.Key{})} {
		if k := customerKeyOf(m); k != (customerKey{}) {
			t.Errorf("%v has one", m)
		}
	}
	k, want := customerKeyOf(customer(t, rawKey)), trioOf(rawKey)
	if *k.key != want.Get(keyHeader) || *k.md5 != want.Get(keyHeader+"-Md5") || *k.algorithm != "AES256" {
		t.Error("another trio")
	}
}
