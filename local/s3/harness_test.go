package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	testKey    = "AKIDROOT"
	testSecret = "root-secret"
)

// testLog fails the test when something goes wrong inside the server.
type testLog struct{ t *testing.T }

func (w testLog) Write(p []byte) (int, error) {
	w.t.Errorf("server logged: %s", p)
	return len(p), nil
}

// openServer starts a server on dir, with TLS unless plain is set.
func openServer(t *testing.T, dir string, plain bool) *Server {
	t.Helper()
	c := Config{Dir: dir, AccessKey: testKey, SecretKey: testSecret, Log: slog.New(slog.NewTextHandler(testLog{t}, nil))}
	if !plain {
		authority, err := OpenAuthority(filepath.Join(dir, "tls"))
		if err != nil {
			t.Fatal(err)
		}
		c.TLS = authority
	}
	srv, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return srv
}

// clientOf returns an SDK client that trusts the server.
func clientOf(t *testing.T, srv *Server, change ...func(*s3.Options)) *s3.Client {
	t.Helper()
	pem, err := srv.CAPEM()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return newClient(srv.URL(), append(change, func(o *s3.Options) {
		o.HTTPClient = &http.Client{Transport: transport}
	})...)
}

func newClient(url string, change ...func(*s3.Options)) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &url, UsePathStyle: true, RetryMaxAttempts: 1,
		// What the SDK's configuration loader sets by default.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		Credentials:                credentials.NewStaticCredentialsProvider(testKey, testSecret, ""),
	}, change...)
}

// start returns a server with a bucket that takes SSE-C, and a client.
func start(t *testing.T, o BucketOptions) (*Server, *s3.Client, string) {
	t.Helper()
	srv := openServer(t, t.TempDir(), false)
	if err := srv.CreateBucket("media", o); err != nil {
		t.Fatal(err)
	}
	return srv, clientOf(t, srv), "media"
}

// trio is the three headers of a customer's key.
type trio struct{ algorithm, key, md5 *string }

func newTrio() trio {
	raw := make([]byte, 32)
	rand.Read(raw)
	return trioOf(raw)
}

func trioOf(raw []byte) trio {
	sum := md5.Sum(raw)
	return trio{
		aws.String("AES256"), aws.String(base64.StdEncoding.EncodeToString(raw)),
		aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	}
}

func (k trio) put(in *s3.PutObjectInput) *s3.PutObjectInput {
	in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.algorithm, k.key, k.md5
	return in
}

func (k trio) get(in *s3.GetObjectInput) *s3.GetObjectInput {
	in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.algorithm, k.key, k.md5
	return in
}

func (k trio) head(in *s3.HeadObjectInput) *s3.HeadObjectInput {
	in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.algorithm, k.key, k.md5
	return in
}

func (k trio) part(in *s3.UploadPartInput) *s3.UploadPartInput {
	in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.algorithm, k.key, k.md5
	return in
}

func (k trio) create(in *s3.CreateMultipartUploadInput) *s3.CreateMultipartUploadInput {
	in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.algorithm, k.key, k.md5
	return in
}

func (k trio) complete(in *s3.CompleteMultipartUploadInput) *s3.CompleteMultipartUploadInput {
	in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = k.algorithm, k.key, k.md5
	return in
}

// failure is what a client sees of an error.
type failure struct {
	status        int
	code, message string
}

func failureOf(t *testing.T, err error) failure {
	t.Helper()
	var out failure
	if err == nil {
		return out
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		t.Fatalf("no answer: %v", err)
	}
	out.status = response.HTTPStatusCode()
	var api smithy.APIError
	if errors.As(err, &api) {
		out.code, out.message = api.ErrorCode(), api.ErrorMessage()
	}
	return out
}

// wantFailure checks status and code, and the message if one is given.
func wantFailure(t *testing.T, err error, status int, code string, message ...string) {
	t.Helper()
	got := failureOf(t, err)
	if got.status != status || got.code != code {
		t.Fatalf("got %d %s (%s), want %d %s", got.status, got.code, got.message, status, code)
	}
	if len(message) > 0 && got.message != message[0] {
		t.Fatalf("got message\n%s\nwant\n%s", got.message, message[0])
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// putBytes stores content without any setting.
func putBytes(t *testing.T, c *s3.Client, bucket, key string, content []byte) *s3.PutObjectOutput {
	t.Helper()
	return must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: bytes.NewReader(content),
	}))
}

func readAll(t *testing.T, c *s3.Client, in *s3.GetObjectInput) []byte {
	t.Helper()
	out := must[*s3.GetObjectOutput](t)(c.GetObject(t.Context(), in))
	defer out.Body.Close()
	return must[[]byte](t)(io.ReadAll(out.Body))
}

func getBytes(t *testing.T, c *s3.Client, bucket, key string) []byte {
	t.Helper()
	return readAll(t, c, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
}

// pattern returns n bytes of which no two stretches are alike.
func pattern(n int) []byte {
	out := make([]byte, n)
	state := uint32(n)*2654435761 + 1
	for i := range out {
		state = state*1664525 + 1013904223
		out[i] = byte(state >> 24)
	}
	return out
}

// upload stores content in parts of size, the last of which may be shorter.
func uploadParts(t *testing.T, c *s3.Client, bucket, key string, content []byte, size int, k trio) *s3.CompleteMultipartUploadOutput {
	t.Helper()
	ctx := context.Background()
	created := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(ctx, k.create(&s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key})))
	var parts []types.CompletedPart
	for number := int32(1); len(content) > 0; number++ {
		n := min(size, len(content))
		out := must[*s3.UploadPartOutput](t)(c.UploadPart(ctx, k.part(&s3.UploadPartInput{
			Bucket: &bucket, Key: &key, UploadId: created.UploadId, PartNumber: &number, Body: bytes.NewReader(content[:n]),
		})))
		parts = append(parts, types.CompletedPart{PartNumber: &number, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32})
		content = content[n:]
	}
	return must[*s3.CompleteMultipartUploadOutput](t)(c.CompleteMultipartUpload(ctx, k.complete(&s3.CompleteMultipartUploadInput{
		Bucket: &bucket, Key: &key, UploadId: created.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})))
}
