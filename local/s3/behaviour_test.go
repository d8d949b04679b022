package s3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestOneOfManyWritersWins races writers that each must be the first, by put, copy and multipart upload.
func TestOneOfManyWritersWins(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{AllowSSEC: true})
	putBytes(t, c, bucket, "source", []byte("copied"))
	star := aws.String("*")
	ways := map[string]func(key string, n int) error{
		"put": func(key string, n int) error {
			_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, IfNoneMatch: star, Body: strings.NewReader(fmt.Sprint("writer ", n))})
			return err
		},
		"customer put": func(key string, n int) error {
			_, err := c.PutObject(t.Context(), newTrio().put(&s3.PutObjectInput{Bucket: &bucket, Key: &key, IfNoneMatch: star, Body: strings.NewReader(fmt.Sprint("writer ", n))}))
			return err
		},
		"copy": func(key string, n int) error {
			_, err := c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &bucket, Key: &key, IfNoneMatch: star, CopySource: aws.String(bucket + "/source")})
			return err
		},
		"multipart": func(key string, n int) error {
			created, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key})
			if err != nil {
				return err
			}
			part, err := c.UploadPart(t.Context(), &s3.UploadPartInput{
				Bucket: &bucket, Key: &key, UploadId: created.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader(fmt.Sprint("writer ", n)),
			})
			if err != nil {
				return err
			}
			_, err = c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
				Bucket: &bucket, Key: &key, UploadId: created.UploadId, IfNoneMatch: star,
				MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}}},
			})
			return err
		},
	}
	for name, write := range ways {
		t.Run(name, func(t *testing.T) {
			key := "race " + name
			results := race(20, func(n int) error { return write(key, n) })
			won := 0
			for _, err := range results {
				if err == nil {
					won++
					continue
				}
				wantFailure(t, err, 412, "PreconditionFailed")
			}
			if won != 1 {
				t.Fatalf("%d of 20 writers won", won)
			}
		})
	}
}

// race runs f at once n times and returns what each returned.
func race(n int, f func(int) error) []error {
	results, begin := make([]error, n), make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			results[i] = f(i)
		})
	}
	close(begin)
	all.Wait()
	return results
}

// TestCompareAndSwap counts up by If-Match from many goroutines: every success must be one step.
func TestCompareAndSwap(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{})
	putBytes(t, c, bucket, "n", []byte{0})
	var steps atomic.Int32
	race(8, func(int) error {
		for range 5 {
			out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("n")})
			if err != nil {
				t.Error(err)
				return err
			}
			n, _ := io.ReadAll(out.Body)
			out.Body.Close()
			_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("n"), Body: bytes.NewReader([]byte{n[0] + 1}), IfMatch: out.ETag})
			if err == nil {
				steps.Add(1)
			}
		}
		return nil
	})
	if got := getBytes(t, c, bucket, "n"); int32(got[0]) != steps.Load() {
		t.Fatalf("counted to %d in %d steps", got[0], steps.Load())
	}
}

func TestEvents(t *testing.T) {
	srv, c, bucket := start(t, BucketOptions{Versioning: true, AllowSSEC: true})
	var mu sync.Mutex
	var events []Event
	srv.OnEvent(func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e)
		// It is visible already.
		if v, err := srv.store.look(e.Bucket, e.Key, e.VersionID); strings.HasPrefix(e.Name, "ObjectCreated:") && (err != nil || v.Size != e.Size) {
			t.Errorf("%s of %s before it is visible: %v", e.Name, e.Key, err)
		}
	})
	put := must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), newTrio().put(&s3.PutObjectInput{Bucket: &bucket, Key: aws.String("a b"), Body: strings.NewReader("hello")})))
	putBytes(t, c, bucket, "a b", []byte("hello world"))
	must[*s3.CopyObjectOutput](t)(c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &bucket, Key: aws.String("copy"), CopySource: aws.String(bucket + "/a%20b")}))
	uploadParts(t, c, bucket, "parts", pattern(100), 1000, trio{})
	marker := must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("a b")}))
	must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("a b"), VersionId: put.VersionId}))
	// What changes nothing is no event.
	c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("copy"), IfNoneMatch: aws.String("*")})
	c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("copy"), VersionId: aws.String("nothing")})

	want := []struct {
		name, key string
		size      int64
	}{
		{CreatedPut, "a b", 5}, {CreatedPut, "a b", 11}, {CreatedCopy, "copy", 11}, {CreatedMultipart, "parts", 100},
		{RemovedDeleteMarker, "a b", 0}, {RemovedDelete, "a b", 5},
	}
	if len(events) != len(want) {
		t.Fatalf("%d events: %+v", len(events), events)
	}
	for i, w := range want {
		e := events[i]
		if e.Name != w.name || e.Bucket != bucket || e.Key != w.key || e.Size != w.size || e.AccessKey != testKey || e.Time.IsZero() {
			t.Errorf("event %d: %+v, want %+v", i, e, w)
		}
		if i > 0 && e.Sequencer <= events[i-1].Sequencer || len(e.Sequencer) != 16 {
			t.Errorf("event %d: sequencer %s", i, e.Sequencer)
		}
	}
	if events[0].VersionID != *put.VersionId || events[0].ETag != strings.Trim(*put.ETag, `"`) || events[4].VersionID != *marker.VersionId {
		t.Errorf("events %+v", events)
	}
}

func TestRequestsAreRecorded(t *testing.T) {
	srv, root, bucket := start(t, BucketOptions{})
	srv.AddAccount("AKIDFUNC", "function-secret")
	var mu sync.Mutex
	var seen []Request
	srv.OnRequest(func(r Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r)
	})
	c := clientOf(t, srv, func(o *s3.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider("AKIDFUNC", "function-secret", "")
		o.AppID = "transcode"
	})
	key := "dir/a b+c"
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x")}))
	c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("missing")})
	readAll(t, root, &s3.GetObjectInput{Bucket: &bucket, Key: &key, Range: aws.String("bytes=0-0")})
	must[*s3.ListObjectsV2Output](t)(c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket}))
	must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key}))
	must[*s3.GetBucketEncryptionOutput](t)(c.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: &bucket}))
	c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key, VersionId: aws.String("1")})
	must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}))
	bad := clientOf(t, srv, wrongSecret)
	bad.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})

	want := []Request{
		{Operation: "PutObject", Action: "s3:PutObject", Key: key, AccessKeyID: "AKIDFUNC", Status: 200},
		{Operation: "HeadObject", Action: "s3:GetObject", Key: "missing", AccessKeyID: "AKIDFUNC", Status: 404},
		{Operation: "GetObject", Action: "s3:GetObject", Key: key, AccessKeyID: testKey, Status: 206},
		{Operation: "ListObjectsV2", Action: "s3:ListBucket", AccessKeyID: "AKIDFUNC", Status: 200},
		{Operation: "CreateMultipartUpload", Action: "s3:PutObject", Key: key, AccessKeyID: "AKIDFUNC", Status: 200},
		{Operation: "GetBucketEncryption", Action: "s3:GetEncryptionConfiguration", AccessKeyID: "AKIDFUNC", Status: 200},
		{Operation: "GetObject", Action: "s3:GetObjectVersion", Key: key, VersionID: "1", AccessKeyID: "AKIDFUNC", Status: 404},
		{Operation: "DeleteObject", Action: "s3:DeleteObject", Key: key, AccessKeyID: "AKIDFUNC", Status: 204},
		{Operation: "GetObject", Action: "s3:GetObject", Key: key, AccessKeyID: testKey, Status: 403},
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != len(want) {
		t.Fatalf("%d requests: %+v", len(seen), seen)
	}
	for i, w := range want {
		w.Bucket, w.UserAgent = bucket, seen[i].UserAgent
		if !reflect.DeepEqual(seen[i], w) {
			t.Errorf("request %d:\n%+v, want\n%+v", i, seen[i], w)
		}
	}
	if !strings.Contains(seen[0].UserAgent, "app/transcode") {
		t.Errorf("user agent %q", seen[0].UserAgent)
	}
}

// TestClientsOfEveryKind puts with each way there is to sign and check a body.
func TestClientsOfEveryKind(t *testing.T) {
	srv, c, bucket := start(t, BucketOptions{})
	content := pattern(700_001)
	unsigned := s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
	whenRequired := func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired }
	ways := map[string]func(*s3.PutObjectInput) []func(*s3.Options){
		"trailing CRC32": func(*s3.PutObjectInput) []func(*s3.Options) { return nil },
		"signed body":    func(*s3.PutObjectInput) []func(*s3.Options) { return []func(*s3.Options){whenRequired} },
		"unsigned body":  func(*s3.PutObjectInput) []func(*s3.Options) { return []func(*s3.Options){whenRequired, unsigned} },
		"no length known": func(in *s3.PutObjectInput) []func(*s3.Options) {
			in.Body, in.ContentLength = struct{ io.Reader }{bytes.NewReader(content)}, aws.Int64(int64(len(content)))
			return []func(*s3.Options){whenRequired, unsigned}
		},
	}
	for _, algorithm := range types.ChecksumAlgorithm("").Values() {
		switch algorithm {
		case types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256, types.ChecksumAlgorithmCrc64nvme:
			ways[string(algorithm)] = func(in *s3.PutObjectInput) []func(*s3.Options) { in.ChecksumAlgorithm = algorithm; return nil }
		}
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			in := &s3.PutObjectInput{Bucket: &bucket, Key: &name, Body: bytes.NewReader(content)}
			must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), in, way(in)...))
			out := must[*s3.GetObjectOutput](t)(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &name, ChecksumMode: types.ChecksumModeEnabled}))
			defer out.Body.Close()
			if got, err := io.ReadAll(out.Body); err != nil || !bytes.Equal(got, content) { // the SDK verifies the checksum
				t.Fatalf("content differs, error %v", err)
			}
			if out.ChecksumCRC32 == nil && out.ChecksumCRC64NVME == nil && out.ChecksumCRC32C == nil && out.ChecksumSHA1 == nil && out.ChecksumSHA256 == nil {
				t.Error("no checksum in the answer")
			}
		})
	}
	t.Run("wrong checksum", func(t *testing.T) {
		_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("bad"), Body: bytes.NewReader(content), ChecksumCRC32: aws.String("AAAAAA==")})
		wantFailure(t, err, 400, "BadDigest")
		_, err = c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("bad")})
		wantFailure(t, err, 404, "NotFound")
	})
	t.Run("presigned", func(t *testing.T) {
		signed := must[*v4.PresignedHTTPRequest](t)(s3.NewPresignClient(c).PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("signed body")}))
		client := c.Options().HTTPClient.(*http.Client)
		response := must[*http.Response](t)(client.Get(signed.URL))
		defer response.Body.Close()
		if got, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("status %d, error %v", response.StatusCode, err)
		}
	})
	t.Run("wrong secret", func(t *testing.T) {
		_, err := clientOf(t, srv, wrongSecret).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
		wantFailure(t, err, 403, "SignatureDoesNotMatch")
	})
}

// TestAbortedUploadLeavesNothing: a body that ends early is never an object.
func TestAbortedUploadLeavesNothing(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{})
	broken := io.MultiReader(bytes.NewReader(pattern(200_000)), errReader{})
	_, err := c.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: aws.String("k"), Body: struct{ io.Reader }{broken}, ContentLength: aws.Int64(1_000_000),
	}, s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware), func(o *s3.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	})
	if err == nil {
		t.Fatal("put of a broken body succeeded")
	}
	_, err = c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("k")})
	wantFailure(t, err, 404, "NotFound")
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("the client gave up") }

// TestQuietOnTheStandardStreams runs a server through successes and failures and looks at both streams.
func TestQuietOnTheStandardStreams(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = write, write
	t.Run("run", func(t *testing.T) {
		_, c, bucket := start(t, BucketOptions{})
		putBytes(t, c, bucket, "k", []byte("x"))
		c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("missing")})
		c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &bucket})
		c.GetBucketWebsite(t.Context(), &s3.GetBucketWebsiteInput{Bucket: &bucket})
	})
	os.Stdout, os.Stderr = stdout, stderr
	write.Close()
	said := must[[]byte](t)(io.ReadAll(read))
	lines := slices.DeleteFunc(bytes.Split(said, []byte("\n")), func(line []byte) bool {
		return len(line) == 0 || bytes.HasPrefix(line, []byte("=== ")) || bytes.Contains(line, []byte("--- PASS")) || bytes.HasPrefix(line, []byte{0x16})
	})
	if len(lines) > 0 {
		t.Fatalf("said:\n%s", said)
	}
}
