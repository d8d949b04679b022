package s3

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3response"
)

// condition is what must hold of the object that a write replaces.
type condition struct {
	ifMatch     *string // an ETag
	ifNoneMatch *string // only "*"
}

func (c condition) check(current *version) error {
	etag := ""
	if current.live() {
		etag = current.ETag
	}
	return backend.EvaluateObjectPutPreconditions(etag, c.ifMatch, c.ifNoneMatch, current.live())
}

// publish makes v the newest version of its key, if the condition holds of the one before. It decides v's Seq, ID and
// Modified. also runs in the same transaction and returns blobs that it left without a record. If publish fails, the
// blobs of v stay: the caller removes them, if they are its own.
func (s *store) publish(bucket string, v *version, c condition, also func(tables) ([]blob, error)) error {
	var gone []blob
	err := s.index.update(func(t tables) error {
		record, err := t.bucket(bucket)
		if err != nil {
			return err
		}
		current, err := t.newest(bucket, v.Key)
		if err != nil {
			return err
		}
		if err := c.check(current); err != nil {
			return err
		}
		if gone, err = t.place(record, v); err != nil || also == nil {
			return err
		}
		more, err := also(t)
		gone = append(gone, more...)
		return err
	})
	if err == nil {
		s.blobs.remove(gone...)
	}
	return err
}

// place stores v as the newest version of its key, under the bucket's versioning, and returns the blobs of the version
// that it replaces, if it does.
func (t tables) place(bucket *bucketRecord, v *version) (gone []blob, err error) {
	if v.Seq, err = t.nextSeq(); err != nil {
		return nil, err
	}
	v.Modified = time.Now().UTC().Truncate(time.Second)
	if bucket.Versioning == types.BucketVersioningStatusEnabled {
		v.ID = newVersionID(v.Seq)
		return nil, t.putVersion(bucket.Name, v)
	}
	v.ID = nullVersion
	replaced, err := t.find(bucket.Name, v.Key, nullVersion)
	if err != nil {
		return nil, err
	}
	if replaced != nil {
		if err := t.dropVersion(bucket.Name, replaced); err != nil {
			return nil, err
		}
		gone = replaced.blobs()
	}
	return gone, t.putVersion(bucket.Name, v)
}

// PutObject implements backend.Backend.
func (s *store) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	x := exchangeOf(ctx)
	v, err := s.put(x, in)
	if err != nil {
		return s3response.PutObjectOutput{}, s.answerable("PutObject", err)
	}
	v.Encryption.answer(x)
	s.events.call(newEvent(CreatedPut, *in.Bucket, v, x.accessKey()))
	out := s3response.PutObjectOutput{ETag: v.ETag, VersionID: v.shownID(), ChecksumType: v.Checksum.Type}
	v.Checksum.fill(&out)
	return out, nil
}

func (s *store) put(x exchange, in s3response.PutObjectInput) (*version, error) {
	if err := validKey(*in.Key); err != nil {
		return nil, err
	}
	tags, err := backend.ParseObjectTags(deref(in.Tagging))
	if err != nil {
		return nil, err
	}
	record, err := s.bucket(*in.Bucket)
	if err != nil {
		return nil, err
	}
	v := &version{Key: *in.Key, Attributes: attributesOf(&in, tags)}
	if err := v.Attributes.place(x, record); err != nil {
		return nil, err
	}
	var key secret
	if v.Encryption, key, err = s.requested(x, record, v.Key); err != nil {
		return nil, err
	}
	algorithm := trailing(in.Body)
	if algorithm == "" {
		algorithm = in.ChecksumAlgorithm
	}
	body, err := newIntake(in.Body, algorithm, given(&in, algorithm), *in.ContentLength, v.Encryption.opaque())
	if err != nil {
		return nil, err
	}
	stored, err := s.take(body, key)
	if err != nil {
		return nil, err
	}
	v.Size, v.ETag, v.Checksum = stored.Size, body.etag(), body.sum()
	v.Parts = []part{{Number: 1, Blob: stored, ETag: v.ETag, Checksum: v.Checksum}}
	if err := s.publish(*in.Bucket, v, condition{in.IfMatch, in.IfNoneMatch}, nil); err != nil {
		s.blobs.remove(stored)
		return nil, err
	}
	return v, nil
}

// take stores a body, which must have the length that was announced.
func (s *store) take(body *intake, key secret) (blob, error) {
	stored, err := s.blobs.write(body, key)
	if err == nil && !body.complete() {
		s.blobs.remove(stored)
		err = errIncomplete
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errIncomplete
	}
	return stored, err
}

// shownID is the version's id as answers and events show it: not at all without versioning.
func (v *version) shownID() string {
	if v.ID == nullVersion {
		return ""
	}
	return v.ID
}

func attributesOf(in *s3response.PutObjectInput, tags map[string]string) attributes {
	return attributes{
		ContentType: deref(in.ContentType), ContentEncoding: deref(in.ContentEncoding),
		ContentDisposition: deref(in.ContentDisposition), ContentLanguage: deref(in.ContentLanguage),
		CacheControl: deref(in.CacheControl), Expires: deref(in.Expires), Redirect: deref(in.WebsiteRedirectLocation),
		Metadata: in.Metadata, Tags: tags,
	}
}

// deref returns what p points to, or the zero value.
func deref[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

// optional returns a pointer to value, or nil if it is the zero value.
func optional[T comparable](value T) *T {
	if value == *new(T) {
		return nil
	}
	return &value
}
