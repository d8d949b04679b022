package s3

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/s3response"
)

// CreateBucket implements backend.Backend.
func (g guarded) CreateBucket(ctx context.Context, in *s3.CreateBucketInput, acl []byte) error {
	if err := g.authorize(exchangeOf(ctx), "s3:CreateBucket", *in.Bucket, "", nil); err != nil {
		return err
	}
	return g.store.CreateBucket(ctx, in, acl)
}

// DeleteBucket implements backend.Backend.
func (g guarded) DeleteBucket(ctx context.Context, name string) error {
	if err := g.authorize(exchangeOf(ctx), "s3:DeleteBucket", name, "", nil); err != nil {
		return err
	}
	return g.store.DeleteBucket(ctx, name)
}

// HeadBucket implements backend.Backend.
func (g guarded) HeadBucket(ctx context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	if err := g.authorize(exchangeOf(ctx), "s3:ListBucket", *in.Bucket, "", nil); err != nil {
		return nil, err
	}
	return g.store.HeadBucket(ctx, in)
}

// ListBuckets implements backend.Backend.
func (g guarded) ListBuckets(ctx context.Context, in s3response.ListBucketsInput) (s3response.ListAllMyBucketsResult, error) {
	if err := g.authorize(exchangeOf(ctx), "s3:ListAllMyBuckets", "*", "", nil); err != nil {
		return s3response.ListAllMyBucketsResult{}, err
	}
	return g.store.ListBuckets(ctx, in)
}

// admitList authorizes a list of keys.
func (g guarded) admitList(ctx context.Context, action, bucket string, prefix, delimiter *string, limit *int32) error {
	facts := map[string]string{"s3:prefix": deref(prefix), "s3:delimiter": deref(delimiter)}
	if limit != nil {
		facts["s3:max-keys"] = strconv.Itoa(int(*limit))
	}
	return g.authorize(exchangeOf(ctx), action, bucket, "", facts)
}

// ListObjects implements backend.Backend.
func (g guarded) ListObjects(ctx context.Context, in *s3.ListObjectsInput) (s3response.ListObjectsResult, error) {
	if err := g.admitList(ctx, "s3:ListBucket", *in.Bucket, in.Prefix, in.Delimiter, in.MaxKeys); err != nil {
		return s3response.ListObjectsResult{}, err
	}
	return g.store.ListObjects(ctx, in)
}

// ListObjectsV2 implements backend.Backend.
func (g guarded) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (s3response.ListObjectsV2Result, error) {
	if err := g.admitList(ctx, "s3:ListBucket", *in.Bucket, in.Prefix, in.Delimiter, in.MaxKeys); err != nil {
		return s3response.ListObjectsV2Result{}, err
	}
	return g.store.ListObjectsV2(ctx, in)
}

// ListObjectVersions implements backend.Backend.
func (g guarded) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (s3response.ListVersionsResult, error) {
	if err := g.admitList(ctx, "s3:ListBucketVersions", *in.Bucket, in.Prefix, in.Delimiter, in.MaxKeys); err != nil {
		return s3response.ListVersionsResult{}, err
	}
	return g.store.ListObjectVersions(ctx, in)
}

// ListMultipartUploads implements backend.Backend.
func (g guarded) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (s3response.ListMultipartUploadsResult, error) {
	if err := g.authorize(exchangeOf(ctx), "s3:ListBucketMultipartUploads", *in.Bucket, "", nil); err != nil {
		return s3response.ListMultipartUploadsResult{}, err
	}
	return g.store.ListMultipartUploads(ctx, in)
}

// The gateway reads a bucket's settings for its own ends, too, in the middle of other operations; it is the caller's
// wish only if the request asks for them.

// GetBucketAcl implements backend.Backend.
func (g guarded) GetBucketAcl(ctx context.Context, in *s3.GetBucketAclInput) ([]byte, error) {
	out, err := g.store.GetBucketAcl(ctx, in)
	return out, g.asked(ctx, "acl", "s3:GetBucketAcl", *in.Bucket, err)
}

// GetBucketVersioning implements backend.Backend.
func (g guarded) GetBucketVersioning(ctx context.Context, name string) (s3response.GetBucketVersioningOutput, error) {
	out, err := g.store.GetBucketVersioning(ctx, name)
	return out, g.asked(ctx, "versioning", "s3:GetBucketVersioning", name, err)
}

// PutBucketVersioning implements backend.Backend.
func (g guarded) PutBucketVersioning(ctx context.Context, name string, status types.BucketVersioningStatus) error {
	if err := g.authorize(exchangeOf(ctx), "s3:PutBucketVersioning", name, "", nil); err != nil {
		return err
	}
	return g.store.PutBucketVersioning(ctx, name, status)
}

// GetBucketOwnershipControls implements backend.Backend.
func (g guarded) GetBucketOwnershipControls(ctx context.Context, name string) (types.ObjectOwnership, error) {
	out, err := g.store.GetBucketOwnershipControls(ctx, name)
	return out, g.asked(ctx, "ownershipControls", "s3:GetBucketOwnershipControls", name, err)
}

// asked authorizes a read of a bucket's settings if the request is about them, the first time it comes.
func (g guarded) asked(ctx context.Context, setting, action, bucket string, err error) error {
	x := exchangeOf(ctx)
	if err != nil || x.rc == nil || x.accessKey() == "" || !x.rc.QueryArgs().Has(setting) || !x.rc.IsGet() || len(x.note().By) > 0 {
		return err
	}
	return g.authorize(x, action, bucket, "", nil)
}
