package s3

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func contractStorageClass(t *testing.T, c *s3.Client, bucket string) {
	put := func(key string, class types.StorageClass) error {
		_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, StorageClass: class, Body: strings.NewReader("x")})
		return err
	}
	for key, class := range map[string]types.StorageClass{"none": "", "standard": types.StorageClassStandard, "reduced": types.StorageClassReducedRedundancy} {
		if err := put(key, class); err != nil {
			t.Fatal(err)
		}
		if class == types.StorageClassStandard {
			class = "" // S3 names every other
		}
		head := must[*s3.HeadObjectOutput](t)(c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key}))
		if head.StorageClass != class {
			t.Errorf("%s: %q, want %q", key, head.StorageClass, class)
		}
	}
	wantFailure(t, put("wrong", "COLD"), 400, "InvalidStorageClass")
	upload := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: &bucket, Key: aws.String("parts"), StorageClass: types.StorageClassReducedRedundancy}))
	part := must[*s3.UploadPartOutput](t)(c.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: &bucket, Key: aws.String("parts"), UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: bytes.NewReader([]byte("x"))}))
	must[*s3.CompleteMultipartUploadOutput](t)(c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: &bucket, Key: aws.String("parts"), UploadId: upload.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}}}}))
	must[*s3.CopyObjectOutput](t)(c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &bucket, Key: aws.String("copy"), CopySource: aws.String(bucket + "/reduced")}))
	list := must[*s3.ListObjectsV2Output](t)(c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket}))
	for i, want := range []string{"copy STANDARD", "none STANDARD", "parts REDUCED_REDUNDANCY", "reduced REDUCED_REDUNDANCY", "standard STANDARD"} {
		if got := *list.Contents[i].Key + " " + string(list.Contents[i].StorageClass); got != want {
			t.Errorf("listed %s, want %s", got, want)
		}
	}
}

func contractGrants(t *testing.T, c *s3.Client, bucket string) {
	put := func(bucket, grant string) error {
		_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("k"), GrantRead: &grant, Body: strings.NewReader("x")})
		return err
	}
	everybody := `uri="http://acs.amazonaws.com/groups/global/AllUsers"`
	wantFailure(t, put(bucket, everybody), 400, "AccessControlListNotSupported")
	_, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("k"), GrantRead: &everybody})
	wantFailure(t, err, 400, "AccessControlListNotSupported")
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: aws.String("owned"), ACL: types.ObjectCannedACLBucketOwnerFullControl, Body: strings.NewReader("x")}))

	open := bucket + "-open"
	must[*s3.CreateBucketOutput](t)(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &open, ObjectOwnership: types.ObjectOwnershipObjectWriter}))
	if err := put(open, everybody+`, id="79a5"`); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, put(open, `emailAddress="a@example.com"`), 405, "MethodNotAllowed")
	wantFailure(t, put(open, `id=79a5`), 400, "InvalidArgument")
	acl := must[*s3.GetObjectAclOutput](t)(c.GetObjectAcl(t.Context(), &s3.GetObjectAclInput{Bucket: &open, Key: aws.String("k")}))
	var got []string
	for _, g := range acl.Grants {
		got = append(got, string(g.Permission)+" "+aws.ToString(g.Grantee.URI)+aws.ToString(g.Grantee.ID))
	}
	want := []string{"FULL_CONTROL " + aws.ToString(acl.Owner.ID), "READ 79a5", "READ http://acs.amazonaws.com/groups/global/AllUsers"}
	if !slices.Equal(got, want) {
		t.Errorf("grants %q, want %q", got, want)
	}
	_, err = c.GetObjectAcl(t.Context(), &s3.GetObjectAclInput{Bucket: &open, Key: aws.String("none")})
	wantFailure(t, err, 404, "NoSuchKey")
}
