package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
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

func enable(t *testing.T, c *s3.Client, bucket string, status types.BucketVersioningStatus) {
	t.Helper()
	must[*s3.PutBucketVersioningOutput](t)(c.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	}))
}

func contractVersioning(t *testing.T, c *s3.Client, bucket string) {
	enable(t, c, bucket, types.BucketVersioningStatusEnabled)
	one, two := putBytes(t, c, bucket, "k", []byte("one")), putBytes(t, c, bucket, "k", []byte("two"))
	if aws.ToString(one.VersionId) == "" || *one.VersionId == aws.ToString(two.VersionId) {
		t.Fatalf("versions %v and %v", one.VersionId, two.VersionId)
	}
	if got := readAll(t, c, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k"), VersionId: one.VersionId}); string(got) != "one" {
		t.Fatalf("old version: %q", got)
	}
	deleted := must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("k")}))
	if !aws.ToBool(deleted.DeleteMarker) || aws.ToString(deleted.VersionId) == "" {
		t.Fatalf("delete: %v %v", deleted.DeleteMarker, deleted.VersionId)
	}
	_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k")})
	wantFailure(t, err, 404, "NoSuchKey")
	list := must[*s3.ListObjectVersionsOutput](t)(c.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &bucket}))
	if len(list.Versions) != 2 || len(list.DeleteMarkers) != 1 || !*list.DeleteMarkers[0].IsLatest || *list.Versions[0].VersionId != *two.VersionId {
		t.Fatalf("list: %d versions, %d markers", len(list.Versions), len(list.DeleteMarkers))
	}
	must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("k"), VersionId: deleted.VersionId}))
	if got := getBytes(t, c, bucket, "k"); string(got) != "two" {
		t.Fatalf("after the marker went: %q", got)
	}
	must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("k"), VersionId: two.VersionId}))
	if got := getBytes(t, c, bucket, "k"); string(got) != "one" {
		t.Fatalf("after the newest went: %q", got)
	}
}

func contractDeleteMarker(t *testing.T, c *s3.Client, bucket string) {
	enable(t, c, bucket, types.BucketVersioningStatusEnabled)
	putBytes(t, c, bucket, "k", []byte("one"))
	deleted := must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("k")}))
	_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k"), VersionId: deleted.VersionId})
	wantFailure(t, err, 405, "MethodNotAllowed")
}

func contractSuspended(t *testing.T, c *s3.Client, bucket string) {
	putBytes(t, c, bucket, "k", []byte("before"))
	enable(t, c, bucket, types.BucketVersioningStatusEnabled)
	kept := putBytes(t, c, bucket, "k", []byte("kept"))
	enable(t, c, bucket, types.BucketVersioningStatusSuspended)
	putBytes(t, c, bucket, "k", []byte("after")) // replaces "before", which has the null id too
	list := must[*s3.ListObjectVersionsOutput](t)(c.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &bucket}))
	if len(list.Versions) != 2 || *list.Versions[0].VersionId != "null" || *list.Versions[1].VersionId != *kept.VersionId {
		t.Fatalf("%d versions", len(list.Versions))
	}
	if got := readAll(t, c, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k"), VersionId: aws.String("null")}); string(got) != "after" {
		t.Fatalf("null version: %q", got)
	}
}

func contractMultipart(t *testing.T, c *s3.Client, bucket string) {
	content := pattern(11 << 20)
	out := uploadParts(t, c, bucket, "k", content, 5<<20, trio{})
	if !strings.HasSuffix(*out.ETag, `-3"`) {
		t.Fatalf("ETag %s", *out.ETag)
	}
	if !bytes.Equal(getBytes(t, c, bucket, "k"), content) {
		t.Fatal("content differs")
	}
	// Ranges within, at, and across the borders of parts.
	for _, at := range []int{0, 5<<20 - 1, 5 << 20, 5<<20 + 1, 10<<20 - 20, 11<<20 - 3} {
		header := fmt.Sprintf("bytes=%d-%d", at, at+40)
		got := readAll(t, c, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k"), Range: &header})
		if !bytes.Equal(got, content[at:min(at+41, len(content))]) {
			t.Errorf("%s differs", header)
		}
	}
	part := must[*s3.HeadObjectOutput](t)(c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("k"), PartNumber: aws.Int32(3)}))
	if *part.ContentLength != 1<<20 || aws.ToInt32(part.PartsCount) != 3 {
		t.Fatalf("part 3: %d bytes of %d parts", *part.ContentLength, aws.ToInt32(part.PartsCount))
	}
}

func contractMultipartRefusals(t *testing.T, c *s3.Client, bucket string) {
	created := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("k")}))
	var parts []types.CompletedPart
	for number := int32(1); number <= 2; number++ {
		out := must[*s3.UploadPartOutput](t)(c.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: &bucket, Key: aws.String("k"), UploadId: created.UploadId, PartNumber: &number, Body: strings.NewReader("small"),
		}))
		parts = append(parts, types.CompletedPart{PartNumber: &number, ETag: out.ETag})
	}
	complete := func(id *string, parts ...types.CompletedPart) error {
		_, err := c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
			Bucket: &bucket, Key: aws.String("k"), UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
		return err
	}
	wantFailure(t, complete(created.UploadId, parts...), 400, "EntityTooSmall")
	wantFailure(t, complete(created.UploadId, types.CompletedPart{PartNumber: aws.Int32(1), ETag: aws.String(`"0123456789abcdef0123456789abcdef"`)}), 400, "InvalidPart")
	listed := must[*s3.ListPartsOutput](t)(c.ListParts(t.Context(), &s3.ListPartsInput{Bucket: &bucket, Key: aws.String("k"), UploadId: created.UploadId}))
	if len(listed.Parts) != 2 || *listed.Parts[1].Size != 5 {
		t.Fatalf("%d parts listed", len(listed.Parts))
	}
	uploads := must[*s3.ListMultipartUploadsOutput](t)(c.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket}))
	if len(uploads.Uploads) != 1 || *uploads.Uploads[0].UploadId != *created.UploadId {
		t.Fatalf("%d uploads listed", len(uploads.Uploads))
	}
	must[*s3.AbortMultipartUploadOutput](t)(c.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: &bucket, Key: aws.String("k"), UploadId: created.UploadId}))
	_, err := c.ListParts(t.Context(), &s3.ListPartsInput{Bucket: &bucket, Key: aws.String("k"), UploadId: created.UploadId})
	wantFailure(t, err, 404, "NoSuchUpload")
}

func contractPartOrder(t *testing.T, c *s3.Client, bucket string) {
	created := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("k")}))
	for _, numbers := range [][]int32{{2, 1}, {1, 1}} {
		var parts []types.CompletedPart
		for _, number := range numbers {
			out := must[*s3.UploadPartOutput](t)(c.UploadPart(t.Context(), &s3.UploadPartInput{
				Bucket: &bucket, Key: aws.String("k"), UploadId: created.UploadId, PartNumber: &number, Body: strings.NewReader("small"),
			}))
			parts = append(parts, types.CompletedPart{PartNumber: &number, ETag: out.ETag})
		}
		_, err := c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
			Bucket: &bucket, Key: aws.String("k"), UploadId: created.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
		wantFailure(t, err, 400, "InvalidPartOrder")
	}
}

func contractListing(t *testing.T, c *s3.Client, bucket string) {
	keys := []string{"a", "a/1", "a/2", "a/b/3", "b", "c d", "ü/1", "z/1", "z/2"}
	for _, key := range keys {
		putBytes(t, c, bucket, key, []byte(key))
	}
	cases := []struct {
		prefix, delimiter, after string
		want                     []string
	}{
		{"", "", "", keys},
		{"a/", "", "", []string{"a/1", "a/2", "a/b/3"}},
		{"", "/", "", []string{"a", "a/", "b", "c d", "z/", "ü/"}},
		{"a/", "/", "", []string{"a/1", "a/2", "a/b/"}},
		{"", "", "a/2", []string{"a/b/3", "b", "c d", "z/1", "z/2", "ü/1"}},
		{"nothing", "/", "", nil},
	}
	for _, tc := range cases {
		slices.Sort(tc.want)
		for _, limit := range []int32{1, 2, 1000} {
			got := listAll(t, c, &s3.ListObjectsV2Input{
				Bucket: &bucket, Prefix: &tc.prefix, Delimiter: &tc.delimiter, StartAfter: &tc.after, MaxKeys: &limit,
			})
			slices.Sort(got)
			if !slices.Equal(got, tc.want) {
				t.Errorf("%+v by %d: got %q", tc, limit, got)
			}
		}
	}
}

// listAll follows the pages and returns keys and common prefixes.
func listAll(t *testing.T, c *s3.Client, in *s3.ListObjectsV2Input) (names []string) {
	t.Helper()
	pages := s3.NewListObjectsV2Paginator(c, in)
	for pages.HasMorePages() {
		page := must[*s3.ListObjectsV2Output](t)(pages.NextPage(context.Background()))
		for _, o := range page.Contents {
			names = append(names, *o.Key)
			if *o.Size != int64(len(*o.Key)) {
				t.Errorf("%s: size %d", *o.Key, *o.Size)
			}
		}
		for _, p := range page.CommonPrefixes {
			names = append(names, *p.Prefix)
		}
	}
	return names
}

func contractCopy(t *testing.T, c *s3.Client, bucket string) {
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: aws.String("from"), Body: strings.NewReader("content"), Metadata: map[string]string{"a": "1"},
	}))
	in := &s3.CopyObjectInput{Bucket: &bucket, Key: aws.String("to"), CopySource: aws.String(bucket + "/from")}
	must[*s3.CopyObjectOutput](t)(c.CopyObject(t.Context(), in))
	in.Key, in.MetadataDirective, in.Metadata = aws.String("renamed"), types.MetadataDirectiveReplace, map[string]string{"b": "2"}
	must[*s3.CopyObjectOutput](t)(c.CopyObject(t.Context(), in))
	for key, want := range map[string]string{"to": "a", "renamed": "b"} {
		head := must[*s3.HeadObjectOutput](t)(c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key}))
		if head.Metadata[want] == "" || len(head.Metadata) != 1 {
			t.Errorf("%s has metadata %v", key, head.Metadata)
		}
		if got := getBytes(t, c, bucket, key); string(got) != "content" {
			t.Errorf("%s: %q", key, got)
		}
	}
	_, err := c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &bucket, Key: aws.String("x"), CopySource: aws.String(bucket + "/missing")})
	wantFailure(t, err, 404, "NoSuchKey")
	_, err = c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &bucket, Key: aws.String("from"), CopySource: aws.String(bucket + "/from")})
	wantFailure(t, err, 400, "InvalidRequest")
}

func contractDeleteMany(t *testing.T, c *s3.Client, bucket string) {
	for _, key := range []string{"a", "b", "c"} {
		putBytes(t, c, bucket, key, nil)
	}
	out := must[*s3.DeleteObjectsOutput](t)(c.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("a")}, {Key: aws.String("c")}, {Key: aws.String("never was")}},
	}}))
	if len(out.Deleted) != 3 || len(out.Errors) != 0 {
		t.Fatalf("%d deleted, %d errors", len(out.Deleted), len(out.Errors))
	}
	_, err := c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &bucket})
	wantFailure(t, err, 409, "BucketNotEmpty")
	must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("b")}))
	must[*s3.DeleteBucketOutput](t)(c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &bucket}))
}

func contractTags(t *testing.T, c *s3.Client, bucket string) {
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("k"), Tagging: aws.String("a=1&b=2")}))
	get := func() map[string]string {
		out := must[*s3.GetObjectTaggingOutput](t)(c.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &bucket, Key: aws.String("k")}))
		tags := map[string]string{}
		for _, tag := range out.TagSet {
			tags[*tag.Key] = *tag.Value
		}
		return tags
	}
	if got := get(); len(got) != 2 || got["b"] != "2" {
		t.Fatalf("tags %v", got)
	}
	must[*s3.PutObjectTaggingOutput](t)(c.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
		Bucket: &bucket, Key: aws.String("k"), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("c"), Value: aws.String("3")}}},
	}))
	if got := get(); len(got) != 1 || got["c"] != "3" {
		t.Fatalf("tags %v", got)
	}
	must[*s3.DeleteObjectTaggingOutput](t)(c.DeleteObjectTagging(t.Context(), &s3.DeleteObjectTaggingInput{Bucket: &bucket, Key: aws.String("k")}))
	if got := get(); len(got) != 0 {
		t.Fatalf("tags %v", got)
	}
}

func contractMissing(t *testing.T, c *s3.Client, bucket string) {
	_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k")})
	wantFailure(t, err, 404, "NoSuchKey")
	_, err = c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("k")})
	wantFailure(t, err, 404, "NotFound")
	_, err = c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("no-such-bucket-here")})
	wantFailure(t, err, 404, "NoSuchBucket")
	_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("no-such-bucket-here"), Key: aws.String("k"), Body: strings.NewReader("x")})
	wantFailure(t, err, 404, "NoSuchBucket")
	must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("k")}))
}
