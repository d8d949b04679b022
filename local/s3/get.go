package s3

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// locate returns a version of an object, the newest if id is empty. For a delete marker it returns the marker and the
// error that S3 has for reading it.
func (t tables) locate(bucket, key, id string) (*version, error) {
	if _, err := t.bucket(bucket); err != nil {
		return nil, err
	}
	if id == "" {
		v, err := t.newest(bucket, key)
		if err == nil && !v.live() {
			err = errNoSuchKey
		}
		return v, err
	}
	v, err := t.find(bucket, key, id)
	switch {
	case err != nil:
		return nil, err
	case v == nil:
		return nil, s3err.GetNoSuchVersionErr(key, id)
	case v.DeleteMarker:
		return v, errDeleteMarker
	}
	return v, nil
}

// look is locate for those who want the record only.
func (s *store) look(bucket, key, id string) (v *version, err error) {
	err = s.index.view(func(t tables) error {
		v, err = t.locate(bucket, key, id)
		return err
	})
	return v, err
}

// hold is look for readers of the content: it stays readable until release is called.
func (s *store) hold(bucket, key, id string) (v *version, release func(), err error) {
	release, err = s.blobs.pin(func() ([]blob, error) {
		v, err = s.look(bucket, key, id)
		if err != nil {
			return nil, err
		}
		return v.blobs(), nil
	})
	return v, release, err
}

// readCondition is the conditional headers of a read.
type readCondition struct {
	ifMatch, ifNoneMatch       *string
	modifiedSince, unmodifedBy *time.Time
}

// check evaluates the headers in the order of RFC 9110, section 13.2.2.
func (c readCondition) check(v *version) error {
	matches := func(tag string) bool { return tag == "*" || tag == strings.Trim(v.ETag, `"`) }
	switch {
	case c.ifMatch != nil:
		if !matches(*c.ifMatch) {
			return s3err.GetPreconditionFailedErr(s3err.ConditionIfMatch)
		}
	case c.unmodifedBy != nil && v.Modified.After(*c.unmodifedBy):
		return s3err.GetPreconditionFailedErr(s3err.ConditionIfUnmodifiedSince)
	}
	switch {
	case c.ifNoneMatch != nil:
		if matches(*c.ifNoneMatch) {
			return errNotModified
		}
	case c.modifiedSince != nil && !v.Modified.After(*c.modifiedSince):
		return errNotModified
	}
	return nil
}

// span is the part of an object that a read asks for.
type span struct {
	offset, length int64
	whole          bool
	parts          *int32 // number of parts, if one of them was asked for
}

// spanOf evaluates the Range header or part number of a read.
func spanOf(v *version, header string, number *int32) (span, error) {
	if number == nil {
		offset, length, partial, err := backend.ParseObjectRange(v.Size, header)
		return span{offset: offset, length: length, whole: !partial}, err
	}
	count := int32(len(v.Parts))
	if *number > count {
		return span{}, s3err.GetInvalidPartNumberRangeErr(count, *number)
	}
	var out span
	for _, p := range v.Parts[:*number-1] {
		out.offset += p.Blob.Size
	}
	out.length = v.Parts[*number-1].Blob.Size
	if v.Multipart {
		out.parts = &count
	}
	return out, nil
}

func (p span) contentRange(size int64) *string {
	if p.whole || p.length == 0 {
		return nil
	}
	text := fmt.Sprintf("bytes %d-%d/%d", p.offset, p.offset+p.length-1, size)
	return &text
}

// admit checks whether a read may see v, and returns the key of its content.
func (s *store) admit(x exchange, v *version, c readCondition) (secret, error) {
	given, err := readCustomerKey(x, customerPrefix)
	if err != nil {
		return secret{}, err
	}
	key, err := s.unlock(v.Encryption, given)
	if err != nil {
		return secret{}, err
	}
	return key, c.check(v)
}

// GetObject implements backend.Backend.
func (s *store) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	x := exchangeOf(ctx)
	v, release, err := s.hold(*in.Bucket, *in.Key, deref(in.VersionId))
	if err != nil {
		if v != nil {
			return &s3.GetObjectOutput{LastModified: &v.Modified}, s.answerable("GetObject", err)
		}
		return nil, s.answerable("GetObject", err)
	}
	key, err := s.admit(x, v, readCondition{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince})
	if err == nil {
		_, err = s.useKey(x, "Decrypt", v.Encryption, *in.Bucket, v.Key)
	}
	var wanted span
	if err == nil {
		wanted, err = spanOf(v, deref(in.Range), in.PartNumber)
	}
	if err != nil {
		release()
		return nil, s.answerable("GetObject", err)
	}
	v.Encryption.answer(x)
	a := v.Attributes
	out := &s3.GetObjectOutput{
		Body:         s.blobs.read(v.blobs(), key, wanted.offset, wanted.length, release),
		AcceptRanges: optional("bytes"), ContentLength: &wanted.length, ContentRange: wanted.contentRange(v.Size),
		ETag: &v.ETag, LastModified: &v.Modified, VersionId: optional(v.shownID()), PartsCount: wanted.parts,
		ContentType: &a.ContentType, ContentEncoding: &a.ContentEncoding, ContentDisposition: &a.ContentDisposition,
		ContentLanguage: &a.ContentLanguage, CacheControl: &a.CacheControl, ExpiresString: &a.Expires,
		WebsiteRedirectLocation: &a.Redirect, StorageClass: a.StorageClass, Metadata: a.Metadata, TagCount: optional(int32(len(a.Tags))),
	}
	if in.ChecksumMode == types.ChecksumModeEnabled && wanted.whole {
		v.Checksum.fill(out)
		out.ChecksumType = v.Checksum.Type
	}
	return out, nil
}

// HeadObject implements backend.Backend.
func (s *store) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	x := exchangeOf(ctx)
	v, err := s.look(*in.Bucket, *in.Key, deref(in.VersionId))
	if err != nil {
		if v != nil {
			return &s3.HeadObjectOutput{LastModified: &v.Modified}, s.answerable("HeadObject", err)
		}
		return nil, s.answerable("HeadObject", err)
	}
	_, err = s.admit(x, v, readCondition{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince})
	if err == nil && in.ChecksumMode == types.ChecksumModeEnabled { // the checksum is encrypted with the object
		_, err = s.useKey(x, "Decrypt", v.Encryption, *in.Bucket, v.Key)
	}
	var wanted span
	if err == nil {
		wanted, err = spanOf(v, deref(in.Range), in.PartNumber)
	}
	if err != nil {
		return nil, s.answerable("HeadObject", err)
	}
	v.Encryption.answer(x)
	a := v.Attributes
	out := &s3.HeadObjectOutput{
		AcceptRanges: optional("bytes"), ContentLength: &wanted.length, ContentRange: wanted.contentRange(v.Size),
		ETag: &v.ETag, LastModified: &v.Modified, VersionId: optional(v.shownID()), PartsCount: wanted.parts,
		ContentType: &a.ContentType, ContentEncoding: &a.ContentEncoding, ContentDisposition: &a.ContentDisposition,
		ContentLanguage: &a.ContentLanguage, CacheControl: &a.CacheControl, ExpiresString: &a.Expires,
		WebsiteRedirectLocation: &a.Redirect, StorageClass: a.StorageClass, Metadata: a.Metadata, TagCount: optional(int32(len(a.Tags))),
	}
	if in.ChecksumMode == types.ChecksumModeEnabled && wanted.whole {
		v.Checksum.fill(out)
		out.ChecksumType = v.Checksum.Type
	}
	return out, nil
}

// GetObjectAttributes implements backend.Backend. The gateway leaves out what was not asked for.
func (s *store) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (s3response.GetObjectAttributesResponse, error) {
	var out s3response.GetObjectAttributesResponse
	v, err := s.look(*in.Bucket, *in.Key, deref(in.VersionId))
	if err == nil {
		_, err = s.admit(exchangeOf(ctx), v, readCondition{})
	}
	if err != nil {
		if v != nil && v.DeleteMarker {
			out.DeleteMarker, out.VersionId = &v.DeleteMarker, optional(v.shownID())
		}
		return out, s.answerable("GetObjectAttributes", err)
	}
	sum := &types.Checksum{ChecksumType: v.Checksum.Type}
	v.Checksum.fill(sum)
	return s3response.GetObjectAttributesResponse{
		ETag: optional(strings.Trim(v.ETag, `"`)), ObjectSize: &v.Size, StorageClass: cmp.Or(v.Attributes.StorageClass, types.StorageClassStandard),
		Checksum: sum, ObjectParts: partsOf(v, in), VersionId: optional(v.shownID()), LastModified: &v.Modified,
	}, nil
}

// partsOf lists the parts of an object that was uploaded in parts.
func partsOf(v *version, in *s3.GetObjectAttributesInput) *s3response.ObjectParts {
	if !v.Multipart {
		return nil
	}
	marker, limit := 0, 1000
	fmt.Sscan(deref(in.PartNumberMarker), &marker)
	if in.MaxParts != nil {
		limit = int(*in.MaxParts)
	}
	out := &s3response.ObjectParts{PartNumberMarker: marker, MaxParts: limit}
	for _, p := range v.Parts {
		if int(p.Number) <= marker {
			continue
		}
		if len(out.Parts) == limit {
			out.IsTruncated = true
			break
		}
		listed := types.ObjectPart{PartNumber: &p.Number, Size: &p.Blob.Size}
		p.Checksum.fill(&listed)
		out.Parts = append(out.Parts, listed)
		out.NextPartNumberMarker = int(p.Number)
	}
	return out
}
