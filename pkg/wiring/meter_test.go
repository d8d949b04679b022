package wiring

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sealreel/pkg/kmskeys"
	"sealreel/pkg/role"
	"sealreel/pkg/s3store"
	"sealreel/pkg/snstopic"
	"sealreel/pkg/sqsqueue"
	"sealreel/pkg/stsrole"
	"sealreel/pkg/task"
	"sealreel/pkg/usage"
)

// answers is AWS: each request gets the next of the answers, and the last one
// again and again.
type answers struct {
	mu   sync.Mutex
	seen int
	all  []http.HandlerFunc
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	a.mu.Lock()
	next := a.all[min(a.seen, len(a.all)-1)]
	a.seen++
	a.mu.Unlock()
	next(w, r)
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// breaks off the connection, after some bytes of a body that is longer.
func breaks(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if body != "" {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)+1))
			io.WriteString(w, body)
			w.(http.Flusher).Flush()
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}
}

func silent(w http.ResponseWriter, r *http.Request) { time.Sleep(300 * time.Millisecond) }

// site is a metered configuration of a server with the answers.
func site(t *testing.T, all ...http.HandlerFunc) aws.Config {
	server := httptest.NewServer(&answers{all: all})
	t.Cleanup(server.Close)
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(200 * time.Millisecond),
		APIOptions: apiOptions}
}

const (
	arnOfKey  = "arn:aws:kms:eu-west-1:111122223333:key/k"
	arnOfRole = "arn:aws:iam::111122223333:role/r"
	slowDown  = `<Error><Code>SlowDown</Code></Error>`
	listing   = `<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>`
	unwrapped = `{"Plaintext":"QUFBQUFBQUFBQUFBQUFBQQ=="}`
	session   = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
)

func readAll(ctx context.Context, cfg aws.Config) error {
	body, err := s3store.New(cfg, s3store.Options{}).ReadRange(ctx, s3store.Object{Bucket: "b", Key: "k"}, nil, 0, 100)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(io.Discard, body)
	return err
}

func create(ctx context.Context, cfg aws.Config) error {
	return s3store.New(cfg, s3store.Options{}).Create(ctx, "b", "k", []byte("12345"))
}

func decrypt(ctx context.Context, cfg aws.Config) error {
	_, err := kmskeys.New(cfg).Decrypt(ctx, []byte("c"), arnOfKey, nil)
	return err
}

func TestMeter(t *testing.T) {
	type retries = map[usage.Cause]int64
	for _, c := range []struct {
		name    string
		answers []http.HandlerFunc
		do      func(ctx context.Context, cfg aws.Config) error
		fails   bool
		want    usage.Counts
	}{
		{"GET", []http.HandlerFunc{says(200, "1234567")}, readAll, false, usage.Counts{S3Reads: 1, S3In: 7}},
		{"PUT", []http.HandlerFunc{says(200, "")}, create, false, usage.Counts{S3Writes: 1, S3Out: 5}},
		{"LIST", []http.HandlerFunc{says(200, listing)}, func(ctx context.Context, cfg aws.Config) error {
			for _, err := range s3store.New(cfg, s3store.Options{}).Keys(ctx, "b", "p") {
				return err
			}
			return io.EOF
		}, false, usage.Counts{S3Writes: 1, S3In: int64(len(listing))}},
		{"DELETE", []http.HandlerFunc{says(204, "")}, func(ctx context.Context, cfg aws.Config) error {
			return s3store.New(cfg, s3store.Options{}).Delete(ctx, "b", "k")
		}, false, usage.Counts{S3Deletes: 1}},
		{"SlowDown twice", []http.HandlerFunc{says(503, slowDown), says(503, slowDown), says(200, "")}, create, false,
			usage.Counts{S3Writes: 3, S3Out: 15, S3In: int64(2 * len(slowDown)), Retries: retries{usage.Throttled: 2}}},
		{"500", []http.HandlerFunc{says(500, ""), says(200, "")}, create, false, usage.Counts{S3Writes: 2, S3Out: 10, Retries: retries{usage.Server: 1}}},
		{"reset before the answer", []http.HandlerFunc{breaks(""), says(200, "")}, create, false, usage.Counts{S3Writes: 2, S3Out: 10, Retries: retries{usage.Connection: 1}}},
		{"reset in the body", []http.HandlerFunc{breaks("123")}, readAll, true, usage.Counts{S3Reads: 1, S3In: 3, Retries: retries{usage.Connection: 1}}},
		{"silence", []http.HandlerFunc{silent, says(200, "")}, create, false, usage.Counts{S3Writes: 2, S3Out: 10, Retries: retries{usage.Timeout: 1}}},
		{"409", []http.HandlerFunc{says(409, `<Error><Code>ConditionalRequestConflict</Code></Error>`), says(200, "")}, create, false,
			usage.Counts{S3Writes: 2, S3Out: 10, S3In: 54, Retries: retries{usage.Conflict: 1}}},
		{"a lost race", []http.HandlerFunc{says(412, "")}, func(ctx context.Context, cfg aws.Config) error {
			return s3store.New(cfg, s3store.Options{}).Replace(ctx, "b", "k", []byte("1"), `"e"`)
		}, true, usage.Counts{S3Writes: 1, S3Out: 1, Retries: retries{usage.Conflict: 1}}},
		{"there is one already", []http.HandlerFunc{says(412, "")}, create, true, usage.Counts{S3Writes: 1, S3Out: 5}},
		{"no such object", []http.HandlerFunc{says(404, "")}, readAll, true, usage.Counts{S3Reads: 1}},
		{"KMS", []http.HandlerFunc{says(200, unwrapped)}, decrypt, false, usage.Counts{KMS: 1}},
		{"KMS throttles", []http.HandlerFunc{says(400, `{"__type":"ThrottlingException"}`), says(200, unwrapped)}, decrypt, false,
			usage.Counts{KMS: 2, Retries: retries{usage.Throttled: 1}}},
		{"KMS denies", []http.HandlerFunc{says(400, `{"__type":"AccessDeniedException"}`)}, decrypt, true, usage.Counts{KMS: 1, KMSDenied: 1}},
		{"KMS has the key disabled", []http.HandlerFunc{says(400, `{"__type":"DisabledException"}`)}, decrypt, true, usage.Counts{KMS: 1, KMSDenied: 1}},
		{"KMS knows no such ciphertext", []http.HandlerFunc{says(400, `{"__type":"InvalidCiphertextException"}`)}, decrypt, true, usage.Counts{KMS: 1}},
		{"SQS", []http.HandlerFunc{says(200, `{"Successful":[{"Id":"0"}]}`)}, func(ctx context.Context, cfg aws.Config) error {
			return sqsqueue.New(cfg, *cfg.BaseEndpoint+"/q").Send(ctx, task.Message{Version: 1, Job: "1382644766696-2di5iz", Task: task.Audio})
		}, false, usage.Counts{SQS: 1}},
		{"SNS, 100,000 bytes", []http.HandlerFunc{says(200, `<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>`)}, func(ctx context.Context, cfg aws.Config) error {
			_, err := snstopic.New(cfg).Publish(ctx, "arn:aws:sns:eu-west-1:111122223333:t", "s", strings.Repeat("m", 100_000))
			return err
		}, false, usage.Counts{SNS: 2}},
		{"STS", []http.HandlerFunc{says(200, session)}, func(ctx context.Context, cfg aws.Config) error {
			_, err := stsrole.New(cfg).Assume(ctx, role.Role{ARN: arnOfRole, Session: "s"}, role.Keys{})
			return err
		}, false, usage.Counts{STS: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, tally := usage.With(t.Context())
			if err := c.do(ctx, site(t, c.answers...)); (err != nil) != c.fails {
				t.Fatal(err)
			}
			if got := tally.Counts(); !reflect.DeepEqual(got, c.want) {
				t.Errorf("counted %+v, want %+v", got, c.want)
			}
		})
	}
}

// Parts of an upload are sent at the same time, and requests without a tally are
// made all the same.
func TestMeterOfAnUploadInParts(t *testing.T) {
	cfg := site(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"e"`)
		switch {
		case r.Method == http.MethodPost && r.URL.Query().Has("uploads"):
			io.WriteString(w, `<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>`)
		case r.Method == http.MethodPost:
			io.WriteString(w, `<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>`)
		}
	})
	cfg.HTTPClient = nil
	for _, tallied := range []bool{true, false} {
		ctx, tally := t.Context(), (*usage.Tally)(nil)
		if tallied {
			ctx, tally = usage.With(ctx)
		}
		media := bytes.NewReader(make([]byte, 11<<20))
		if _, err := s3store.New(cfg, s3store.Options{PartSize: 5 << 20}).Upload(ctx, s3store.UploadTarget{Bucket: "b", Key: "k"}, media); err != nil {
			t.Fatal(err)
		}
		got := tally.Counts()
		if tallied && (got.S3Writes != 5 || got.S3Out < 11<<20 || got.S3Out > 11<<20+1000) || !tallied && got.S3Writes != 0 {
			t.Errorf("tallied %v: %+v", tallied, got)
		}
	}
}

// An invocation's own end is no failure of the network.
func TestMeterOfACanceledRequest(t *testing.T) {
	ctx, tally := usage.With(t.Context())
	ctx, cancel := context.WithCancel(ctx)
	cfg := site(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "12345")
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	if err := readAll(ctx, cfg); err == nil {
		t.Error("the body did not break off")
	}
	if got := tally.Counts(); len(got.Retries) > 0 {
		t.Errorf("%+v", got)
	}
}
