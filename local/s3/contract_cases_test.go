package s3

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

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
