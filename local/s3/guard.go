package s3

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// guarded is the store behind its gate: every operation of an object or an upload is authorized here before the store
// does it. guardbuckets.go has those of buckets.
type guarded struct{ *store }

var _ backend.Backend = guarded{}

// missing replaces the news that an object, or a version of it, isn't there, which is for those who may list the bucket.
func (g guarded) missing(x exchange, bucket string, err error) error {
	var version s3err.NoSuchVersionError
	if g.gate == nil || !errors.Is(err, errNoSuchKey) && !errors.As(err, &version) {
		return err
	}
	if denied := g.authorize(x, "s3:ListBucket", bucket, "", nil); denied != nil {
		return denied
	}
	return err
}

// PutObject implements backend.Backend.
func (g guarded) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	x := exchangeOf(ctx)
	if err := g.admitWrite(x, *in.Bucket, *in.Key, x.asked(), true, in.IfMatch, deref(in.Tagging)); err != nil {
		return s3response.PutObjectOutput{}, err
	}
	return g.store.PutObject(ctx, in)
}

// GetObject implements backend.Backend.
func (g guarded) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	x := exchangeOf(ctx)
	if err := g.admitVersion(x, "GetObject", *in.Bucket, *in.Key, deref(in.VersionId)); err != nil {
		return nil, err
	}
	out, err := g.store.GetObject(ctx, in)
	return out, g.missing(x, *in.Bucket, err)
}

// HeadObject implements backend.Backend.
func (g guarded) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	x := exchangeOf(ctx)
	if err := g.admitVersion(x, "GetObject", *in.Bucket, *in.Key, deref(in.VersionId)); err != nil {
		return nil, err
	}
	out, err := g.store.HeadObject(ctx, in)
	return out, g.missing(x, *in.Bucket, err)
}

// GetObjectAttributes implements backend.Backend. S3 wants the right to read the object, too.
func (g guarded) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (s3response.GetObjectAttributesResponse, error) {
	x := exchangeOf(ctx)
	for _, operation := range []string{"GetObjectAttributes", "GetObject"} {
		if err := g.admitVersion(x, operation, *in.Bucket, *in.Key, deref(in.VersionId)); err != nil {
			return s3response.GetObjectAttributesResponse{}, err
		}
	}
	out, err := g.store.GetObjectAttributes(ctx, in)
	return out, g.missing(x, *in.Bucket, err)
}

// CopyObject implements backend.Backend.
func (g guarded) CopyObject(ctx context.Context, in s3response.CopyObjectInput) (s3response.CopyObjectOutput, error) {
	x := exchangeOf(ctx)
	c := destinationCondition(x)
	err := g.admitWrite(x, *in.Bucket, *in.Key, x.asked(), true, c.ifMatch, deref(in.Tagging))
	if err == nil {
		err = g.admitSource(x, *in.CopySource)
	}
	if err != nil {
		return s3response.CopyObjectOutput{}, err
	}
	out, err := g.store.CopyObject(ctx, in)
	return out, g.missingSource(x, *in.CopySource, err)
}

// UploadPartCopy implements backend.Backend.
func (g guarded) UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput) (s3response.CopyPartResult, error) {
	x := exchangeOf(ctx)
	err := g.admitWrite(x, *in.Bucket, *in.Key, g.begun(*in.Bucket, *in.Key, *in.UploadId), false, nil, "")
	if err == nil {
		err = g.admitSource(x, *in.CopySource)
	}
	if err != nil {
		return s3response.CopyPartResult{}, err
	}
	out, err := g.store.UploadPartCopy(ctx, in)
	return out, g.missingSource(x, *in.CopySource, err)
}

func (g guarded) admitSource(x exchange, header string) error {
	bucket, key, id, err := backend.ParseCopySource(header)
	if err != nil {
		return g.answerable("CopyObject", err)
	}
	return g.admitVersion(x, "GetObject", bucket, key, id)
}

func (g guarded) missingSource(x exchange, header string, err error) error {
	bucket, _, _, _ := backend.ParseCopySource(header)
	return g.missing(x, bucket, err)
}

// DeleteObject implements backend.Backend.
func (g guarded) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if err := g.admitVersion(exchangeOf(ctx), "DeleteObject", *in.Bucket, *in.Key, deref(in.VersionId)); err != nil {
		return nil, err
	}
	return g.store.DeleteObject(ctx, in)
}

// DeleteObjects implements backend.Backend. What may not be deleted is listed and stops nothing else.
func (g guarded) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	x := exchangeOf(ctx)
	var denied []types.Error
	var allowed []types.ObjectIdentifier
	for _, object := range in.Delete.Objects {
		if err := g.admitVersion(x, "DeleteObject", *in.Bucket, deref(object.Key), deref(object.VersionId)); err != nil {
			denied = append(denied, deleteFailure(object, err))
			continue
		}
		allowed = append(allowed, object)
	}
	rest := *in
	rest.Delete = &types.Delete{Objects: allowed, Quiet: in.Delete.Quiet}
	out, err := g.store.DeleteObjects(ctx, &rest)
	out.Error = append(out.Error, denied...)
	return out, err
}

// CreateMultipartUpload implements backend.Backend.
func (g guarded) CreateMultipartUpload(ctx context.Context, in s3response.CreateMultipartUploadInput) (s3response.InitiateMultipartUploadResult, error) {
	if err := g.admitWrite(exchangeOf(ctx), *in.Bucket, *in.Key, exchangeOf(ctx).asked(), false, nil, deref(in.Tagging)); err != nil {
		return s3response.InitiateMultipartUploadResult{}, err
	}
	return g.store.CreateMultipartUpload(ctx, in)
}

// UploadPart implements backend.Backend.
func (g guarded) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	if err := g.admitWrite(exchangeOf(ctx), *in.Bucket, *in.Key, g.begun(*in.Bucket, *in.Key, *in.UploadId), false, nil, ""); err != nil {
		return nil, err
	}
	return g.store.UploadPart(ctx, in)
}

// CompleteMultipartUpload implements backend.Backend.
func (g guarded) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	if err := g.admitWrite(exchangeOf(ctx), *in.Bucket, *in.Key, g.begun(*in.Bucket, *in.Key, *in.UploadId), true, in.IfMatch, ""); err != nil {
		return s3response.CompleteMultipartUploadResult{}, "", err
	}
	return g.store.CompleteMultipartUpload(ctx, in)
}

// AbortMultipartUpload implements backend.Backend.
func (g guarded) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) error {
	if err := g.authorize(exchangeOf(ctx), "s3:AbortMultipartUpload", *in.Bucket, *in.Key, nil); err != nil {
		return err
	}
	return g.store.AbortMultipartUpload(ctx, in)
}

// ListParts implements backend.Backend.
func (g guarded) ListParts(ctx context.Context, in *s3.ListPartsInput) (s3response.ListPartsResult, error) {
	if err := g.authorize(exchangeOf(ctx), "s3:ListMultipartUploadParts", *in.Bucket, *in.Key, nil); err != nil {
		return s3response.ListPartsResult{}, err
	}
	return g.store.ListParts(ctx, in)
}

// GetObjectTagging implements backend.Backend.
func (g guarded) GetObjectTagging(ctx context.Context, bucket, key, id string) (map[string]string, error) {
	x := exchangeOf(ctx)
	if err := g.admitVersion(x, "GetObjectTagging", bucket, key, id); err != nil {
		return nil, err
	}
	tags, err := g.store.GetObjectTagging(ctx, bucket, key, id)
	return tags, g.missing(x, bucket, err)
}

// PutObjectTagging implements backend.Backend.
func (g guarded) PutObjectTagging(ctx context.Context, bucket, key, id string, tags map[string]string) error {
	x := exchangeOf(ctx)
	if err := g.admitVersion(x, "PutObjectTagging", bucket, key, id); err != nil {
		return err
	}
	return g.missing(x, bucket, g.store.PutObjectTagging(ctx, bucket, key, id, tags))
}

// DeleteObjectTagging implements backend.Backend.
func (g guarded) DeleteObjectTagging(ctx context.Context, bucket, key, id string) error {
	x := exchangeOf(ctx)
	if err := g.admitVersion(x, "DeleteObjectTagging", bucket, key, id); err != nil {
		return err
	}
	return g.missing(x, bucket, g.store.DeleteObjectTagging(ctx, bucket, key, id))
}

// condense keeps the facts that a request has.
func condense(facts map[string]string) map[string][]string {
	out := map[string][]string{}
	for name, value := range facts {
		if value = strings.TrimSpace(value); value != "" {
			out[name] = []string{value}
		}
	}
	return out
}
