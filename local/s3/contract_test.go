package s3

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// contract is what any S3 must do. Each case gets a bucket of its own.
var contract = []struct {
	name string
	run  func(t *testing.T, c *s3.Client, bucket string)
	own  bool // not asked of moto, which gets it wrong
}{
	{"round trip", contractRoundTrip, false},
	{"ranges", contractRanges, false},
	{"conditional put", contractConditionalPut, false},
	{"conditional complete", contractConditionalComplete, false},
	{"conditional get", contractConditionalGet, false},
	{"versioning", contractVersioning, false},
	{"delete marker", contractDeleteMarker, true},     // moto 5.2: 404 NoSuchVersion
	{"suspended versioning", contractSuspended, true}, // moto 5.2 drops the old version
	{"multipart", contractMultipart, false},
	{"multipart refusals", contractMultipartRefusals, false},
	{"part order", contractPartOrder, true}, // moto 5.2: EntityTooSmall
	{"listing", contractListing, false},
	{"copy", contractCopy, false},
	{"delete many", contractDeleteMany, false},
	{"tags", contractTags, false},
	{"missing things", contractMissing, false},
	{"storage class", contractStorageClass, true}, // moto 5.2 names it beside objects in STANDARD, too
	{"grants", contractGrants, true},              // moto 5.2 lets buckets without ACLs have some
}

func TestContract(t *testing.T) {
	srv := openServer(t, t.TempDir(), false)
	runContract(t, clientOf(t, srv), true)
}

// TestContractOfMoto runs the same cases against an independent implementation, to see that they ask for S3 and not
// for what ours happens to do.
func TestContractOfMoto(t *testing.T) {
	runContract(t, newClient(startMoto(t)), false)
}

func runContract(t *testing.T, c *s3.Client, own bool) {
	for i, tc := range contract {
		if tc.own && !own {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			bucket := fmt.Sprintf("contract-%d", i)
			must[*s3.CreateBucketOutput](t)(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}))
			tc.run(t, c, bucket)
		})
	}
}

// startMoto returns the URL of a moto server. Without moto the test is skipped, unless SEALREEL_REQUIRE_MOTO is set.
func startMoto(t *testing.T) string {
	t.Helper()
	if out, err := exec.Command("python3", "-c", "import moto.server").CombinedOutput(); err != nil {
		if os.Getenv("SEALREEL_REQUIRE_MOTO") != "" {
			t.Fatalf("moto is required but python3 cannot import it: %v\n%s", err, out)
		}
		t.Skip("python3 with moto[server] is not installed")
	}
	listener := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	var log bytes.Buffer
	moto := exec.Command("python3", "-c", "import sys; from moto.server import main; main(sys.argv[1:])", "-H", host, "-p", port)
	moto.Stdout, moto.Stderr = &log, &log
	if err := moto.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		moto.Process.Kill()
		moto.Wait()
	})
	url := "http://" + net.JoinHostPort(host, port)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if response, err := http.Get(url + "/moto-api/"); err == nil {
			response.Body.Close()
			return url
		}
	}
	moto.Process.Kill()
	moto.Wait()
	t.Fatalf("moto did not start:\n%s", log.String())
	return ""
}

func contractRoundTrip(t *testing.T, c *s3.Client, bucket string) {
	content := pattern(3<<20 + 7)
	key := "dir/a b+c~ü.bin"
	put := must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: bytes.NewReader(content), ContentType: aws.String("video/mp4"),
		CacheControl: aws.String("no-store"), Metadata: map[string]string{"sealreel-mode": "aes-gcm"},
	}))
	out := must[*s3.GetObjectOutput](t)(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key}))
	defer out.Body.Close()
	if got, err := io.ReadAll(out.Body); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("content differs, error %v", err)
	}
	if *out.ContentType != "video/mp4" || *out.CacheControl != "no-store" || out.Metadata["sealreel-mode"] != "aes-gcm" ||
		*out.ETag != *put.ETag || *out.ContentLength != int64(len(content)) {
		t.Fatalf("headers: %v %v %v %v", *out.ContentType, *out.CacheControl, out.Metadata, *out.ETag)
	}
	// "a" and "a/b" are two objects.
	putBytes(t, c, bucket, "dir", []byte("1"))
	putBytes(t, c, bucket, "dir/", []byte("2"))
	if one, two := getBytes(t, c, bucket, "dir"), getBytes(t, c, bucket, "dir/"); string(one) != "1" || string(two) != "2" {
		t.Fatalf("got %q and %q", one, two)
	}
}

func contractRanges(t *testing.T, c *s3.Client, bucket string) {
	content := pattern(1000)
	putBytes(t, c, bucket, "k", content)
	for header, want := range map[string][]byte{
		"bytes=0-0": content[:1], "bytes=1-15": content[1:16], "bytes=16-31": content[16:32], "bytes=17-999": content[17:],
		"bytes=990-": content[990:], "bytes=-5": content[995:], "bytes=-2000": content, "bytes=500-5000": content[500:],
	} {
		out := must[*s3.GetObjectOutput](t)(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k"), Range: &header}))
		got, err := io.ReadAll(out.Body)
		out.Body.Close()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d, error %v", header, len(got), len(want), err)
		}
		if out.ContentRange == nil || !strings.HasSuffix(*out.ContentRange, "/1000") {
			t.Errorf("%s: Content-Range %v", header, aws.ToString(out.ContentRange))
		}
	}
	_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k"), Range: aws.String("bytes=1000-")})
	wantFailure(t, err, 416, "InvalidRange")
}

func contractConditionalPut(t *testing.T, c *s3.Client, bucket string) {
	key, star := "k", aws.String("*")
	put := func(in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
		in.Bucket, in.Key = &bucket, &key
		return c.PutObject(t.Context(), in)
	}
	first := must[*s3.PutObjectOutput](t)(put(&s3.PutObjectInput{Body: strings.NewReader("1"), IfNoneMatch: star}))
	_, err := put(&s3.PutObjectInput{Body: strings.NewReader("2"), IfNoneMatch: star})
	wantFailure(t, err, 412, "PreconditionFailed")
	second := must[*s3.PutObjectOutput](t)(put(&s3.PutObjectInput{Body: strings.NewReader("3"), IfMatch: first.ETag}))
	_, err = put(&s3.PutObjectInput{Body: strings.NewReader("4"), IfMatch: first.ETag})
	wantFailure(t, err, 412, "PreconditionFailed")
	if got := getBytes(t, c, bucket, key); string(got) != "3" {
		t.Fatalf("content %q", got)
	}
	must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}))
	_, err = put(&s3.PutObjectInput{Body: strings.NewReader("5"), IfMatch: second.ETag})
	wantFailure(t, err, 404, "NoSuchKey")
	must[*s3.PutObjectOutput](t)(put(&s3.PutObjectInput{Body: strings.NewReader("6"), IfNoneMatch: star}))
}

func contractConditionalComplete(t *testing.T, c *s3.Client, bucket string) {
	putBytes(t, c, bucket, "k", []byte("here first"))
	created := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("k")}))
	sent := must[*s3.UploadPartOutput](t)(c.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: &bucket, Key: aws.String("k"), UploadId: created.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("part"),
	}))
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &bucket, Key: aws.String("k"), UploadId: created.UploadId, IfNoneMatch: aws.String("*"),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: sent.ETag}}},
	}
	_, err := c.CompleteMultipartUpload(t.Context(), in)
	wantFailure(t, err, 412, "PreconditionFailed")
	must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: in.Key}))
	must[*s3.CompleteMultipartUploadOutput](t)(c.CompleteMultipartUpload(t.Context(), in)) // the upload was not used up
	if got := getBytes(t, c, bucket, "k"); string(got) != "part" {
		t.Fatalf("content %q", got)
	}
}

func contractConditionalGet(t *testing.T, c *s3.Client, bucket string) {
	put := putBytes(t, c, bucket, "k", []byte("content"))
	get := func(in *s3.GetObjectInput) error {
		in.Bucket, in.Key = &bucket, aws.String("k")
		out, err := c.GetObject(t.Context(), in)
		if err == nil {
			out.Body.Close()
		}
		return err
	}
	wantFailure(t, get(&s3.GetObjectInput{IfMatch: aws.String(`"0"`)}), 412, "PreconditionFailed")
	if got := failureOf(t, get(&s3.GetObjectInput{IfNoneMatch: put.ETag})); got.status != 304 {
		t.Fatalf("If-None-Match: %d", got.status)
	}
	if err := get(&s3.GetObjectInput{IfMatch: put.ETag}); err != nil {
		t.Fatal(err)
	}
	if err := get(&s3.GetObjectInput{IfNoneMatch: aws.String(`"0"`)}); err != nil {
		t.Fatal(err)
	}
	head := must[*s3.HeadObjectOutput](t)(c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("k")}))
	if err := get(&s3.GetObjectInput{IfUnmodifiedSince: head.LastModified}); err != nil {
		t.Fatalf("If-Unmodified-Since its own time: %v", err)
	}
	if got := failureOf(t, get(&s3.GetObjectInput{IfModifiedSince: head.LastModified})); got.status != 304 {
		t.Fatalf("If-Modified-Since its own time: %d", got.status)
	}
}
