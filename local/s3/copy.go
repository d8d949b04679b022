package s3

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// source is the object that a copy reads.
type source struct {
	*version
	key     secret
	release func()
}

// openSource finds the source of a copy and checks its conditions and its customer's key. Any condition that fails is a
// 412 here.
func (s *store) openSource(x exchange, header string, c readCondition) (*source, error) {
	bucket, key, id, err := backend.ParseCopySource(header)
	if err != nil {
		return nil, err
	}
	v, release, err := s.hold(bucket, key, id)
	if errors.Is(err, errDeleteMarker) {
		return nil, invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.")
	}
	if err != nil {
		return nil, err
	}
	src := &source{version: v, release: release}
	given, err := readCustomerKey(x, copySourcePrefix)
	if err == nil {
		src.key, err = s.unlock(v.Encryption, given)
	}
	if err == nil {
		_, err = s.useKey(x, "Decrypt", v.Encryption, bucket, v.Key)
	}
	if err == nil {
		err = c.check(v)
	}
	if errors.Is(err, errNotModified) {
		err = s3err.GetAPIError(s3err.ErrPreconditionFailed)
	}
	if err != nil {
		release()
		return nil, err
	}
	return src, nil
}

// CopyObject implements backend.Backend. Without SSE-C headers for the destination the copy gets the bucket's default,
// even if the source had a customer's key: S3 does so too.
func (s *store) CopyObject(ctx context.Context, in s3response.CopyObjectInput) (s3response.CopyObjectOutput, error) {
	x := exchangeOf(ctx)
	src, err := s.openSource(x, *in.CopySource, readCondition{
		in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince,
	})
	var v *version
	if err == nil {
		v, err = s.copy(x, in, src)
	}
	if err != nil {
		return s3response.CopyObjectOutput{}, s.answerable("CopyObject", err)
	}
	v.Encryption.answer(x)
	s.events.call(newEvent(CreatedCopy, *in.Bucket, v, x.accessKey()))
	result := &s3response.CopyObjectResult{ETag: &v.ETag, LastModified: &v.Modified, ChecksumType: v.Checksum.Type}
	v.Checksum.fill(result)
	return s3response.CopyObjectOutput{
		CopyObjectResult: result, VersionId: optional(v.shownID()), CopySourceVersionId: optional(src.shownID()),
	}, nil
}

func (s *store) copy(x exchange, in s3response.CopyObjectInput, src *source) (*version, error) {
	content := s.blobs.read(src.blobs(), src.key, 0, src.Size, src.release)
	defer content.Close()
	if err := validKey(*in.Key); err != nil {
		return nil, err
	}
	record, err := s.bucket(*in.Bucket)
	if err != nil {
		return nil, err
	}
	v := &version{Key: *in.Key}
	if v.Attributes, err = copiedAttributes(in, src.Attributes); err == nil {
		err = v.Attributes.place(x, record)
	}
	if err != nil {
		return nil, err
	}
	var key secret
	if v.Encryption, key, err = s.requested(x, record, v.Key); err != nil {
		return nil, err
	}
	if err := illegalCopy(x, in, src); err != nil {
		return nil, err
	}
	algorithm := in.ChecksumAlgorithm
	if algorithm == "" && src.Checksum.Type == types.ChecksumTypeFullObject {
		algorithm = src.Checksum.Algorithm
	}
	body, err := newIntake(content, algorithm, "", src.Size, v.Encryption.opaque())
	if err != nil {
		return nil, err
	}
	stored, err := s.take(body, key)
	if err != nil {
		return nil, err
	}
	v.Size, v.ETag, v.Checksum = stored.Size, body.etag(), body.sum()
	v.Parts = []part{{Number: 1, Blob: stored, ETag: v.ETag, Checksum: v.Checksum}}
	if err := s.publish(*in.Bucket, v, destinationCondition(x), nil); err != nil {
		s.blobs.remove(stored)
		return nil, err
	}
	return v, nil
}

// destinationCondition reads the conditions on the object that a copy replaces, which the gateway does not pass on.
func destinationCondition(x exchange) condition {
	bare := func(name string) *string { return optional(strings.Trim(x.header(name), `"`)) }
	return condition{ifMatch: bare("If-Match"), ifNoneMatch: bare("If-None-Match")}
}

// illegalCopy refuses the copy of an object to itself that changes nothing.
func illegalCopy(x exchange, in s3response.CopyObjectInput, src *source) error {
	bucket, key, id, _ := backend.ParseCopySource(*in.CopySource)
	changes := in.MetadataDirective == types.MetadataDirectiveReplace || id != "" || src.Encryption.customer() ||
		x.header(headerMethod) != "" || x.header(customerPrefix+"Algorithm") != "" || deref(in.WebsiteRedirectLocation) != ""
	if bucket == *in.Bucket && key == *in.Key && !changes {
		return s3err.GetAPIError(s3err.ErrInvalidCopyDest)
	}
	return nil
}

func copiedAttributes(in s3response.CopyObjectInput, from attributes) (attributes, error) {
	out := from
	if in.MetadataDirective == types.MetadataDirectiveReplace {
		out = attributes{
			ContentType: deref(in.ContentType), ContentEncoding: deref(in.ContentEncoding),
			ContentDisposition: deref(in.ContentDisposition), ContentLanguage: deref(in.ContentLanguage),
			CacheControl: deref(in.CacheControl), Expires: deref(in.Expires), Metadata: in.Metadata, Tags: from.Tags,
		}
	}
	out.Redirect = deref(in.WebsiteRedirectLocation)
	if in.TaggingDirective != types.TaggingDirectiveReplace {
		return out, nil
	}
	tags, err := backend.ParseObjectTags(deref(in.Tagging))
	out.Tags = tags
	return out, err
}

// UploadPartCopy implements backend.Backend.
func (s *store) UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput) (s3response.CopyPartResult, error) {
	x := exchangeOf(ctx)
	src, err := s.openSource(x, *in.CopySource, readCondition{
		in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince,
	})
	if err != nil {
		return s3response.CopyPartResult{}, s.answerable("UploadPartCopy", err)
	}
	offset, length, err := backend.ParseCopySourceRange(src.Size, deref(in.CopySourceRange))
	content := s.blobs.read(src.blobs(), src.key, offset, length, src.release)
	defer content.Close()
	var p *part
	if err == nil {
		p, err = s.storePart(x, partInput{
			bucket: *in.Bucket, key: *in.Key, uploadID: *in.UploadId, number: *in.PartNumber, body: content, length: length,
		})
	}
	if err != nil {
		return s3response.CopyPartResult{}, s.answerable("UploadPartCopy", err)
	}
	out := s3response.CopyPartResult{ETag: &p.ETag, LastModified: time.Now().UTC(), CopySourceVersionId: src.shownID()}
	p.Checksum.fill(&out)
	return out, nil
}
