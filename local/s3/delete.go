package s3

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// newVersionID returns an id that no client can guess and that nothing but its look can be told from.
func newVersionID(seq uint64) string {
	var random [8]byte
	rand.Read(random[:])
	return fmt.Sprintf("%016x", seq) + hex.EncodeToString(random[:])
}

// DeleteObject implements backend.Backend.
func (s *store) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	out, err := s.delete(exchangeOf(ctx), in)
	return out, s.answerable("DeleteObject", err)
}

func (s *store) delete(x exchange, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	bucket, key, id := *in.Bucket, *in.Key, deref(in.VersionId)
	if err := validKey(key); err != nil {
		return nil, err
	}
	var done *version // the marker that was set, or the version that was removed
	var name string
	var gone []blob
	err := s.index.update(func(t tables) error {
		done, gone = nil, nil
		record, err := t.bucket(bucket)
		if err != nil {
			return err
		}
		target, err := t.target(bucket, key, id)
		if err != nil {
			return err
		}
		if err := deleteCondition(target, in); err != nil {
			return err
		}
		if id == "" && record.Versioning != "" {
			name, done = RemovedDeleteMarker, &version{Key: key, DeleteMarker: true}
			gone, err = t.place(record, done)
			return err
		}
		if target == nil {
			return nil
		}
		name, done, gone = RemovedDelete, target, target.blobs()
		sequence, err := t.nextSeq()
		err = errors.Join(err, t.dropVersion(bucket, target))
		done.Seq = sequence // of the event
		return err
	})
	if err != nil {
		return nil, err
	}
	s.blobs.remove(gone...)
	out := &s3.DeleteObjectOutput{}
	if done == nil {
		out.VersionId = optional(id)
		return out, nil
	}
	if done.DeleteMarker {
		out.DeleteMarker = &done.DeleteMarker
	}
	out.VersionId = optional(done.shownID())
	if id != "" {
		out.VersionId = &id
	}
	s.events.call(newEvent(name, bucket, done, x.accessKey()))
	return out, nil
}

// target returns the version that a delete is about, or nil if there is none, which is no error.
func (t tables) target(bucket, key, id string) (*version, error) {
	if id == "" {
		return t.newest(bucket, key)
	}
	return t.find(bucket, key, id)
}

// deleteCondition checks the conditional headers of a delete.
func deleteCondition(target *version, in *s3.DeleteObjectInput) error {
	if in.IfMatch == nil && in.IfMatchSize == nil && in.IfMatchLastModifiedTime == nil {
		return nil
	}
	if !target.live() {
		return errNoSuchKey
	}
	if in.IfMatch != nil && *in.IfMatch == "*" {
		return nil
	}
	return backend.EvaluateObjectDeletePreconditions(target.ETag, target.Modified, target.Size, backend.ObjectDeletePreconditions{
		IfMatch: in.IfMatch, IfMatchLastModTime: in.IfMatchLastModifiedTime, IfMatchSize: in.IfMatchSize,
	})
}

// DeleteObjects implements backend.Backend.
func (s *store) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	var out s3response.DeleteResult
	if _, err := s.bucket(*in.Bucket); err != nil {
		return out, s.answerable("DeleteObjects", err)
	}
	for _, object := range in.Delete.Objects {
		one := &s3.DeleteObjectInput{Bucket: in.Bucket, Key: object.Key, VersionId: object.VersionId}
		one.IfMatch = optional(strings.Trim(deref(object.ETag), `"`))
		done, err := s.DeleteObject(ctx, one)
		if err != nil {
			out.Error = append(out.Error, deleteFailure(object, err))
			continue
		}
		deleted := types.DeletedObject{Key: object.Key, VersionId: object.VersionId, DeleteMarker: done.DeleteMarker}
		if deref(done.DeleteMarker) {
			deleted.DeleteMarkerVersionId = done.VersionId
		}
		out.Deleted = append(out.Deleted, deleted)
	}
	return out, nil
}

func deleteFailure(object types.ObjectIdentifier, err error) types.Error {
	failure := types.Error{Key: object.Key, VersionId: object.VersionId}
	var known s3err.S3Error
	if errors.As(err, &known) {
		base := known.BaseError()
		failure.Code, failure.Message = &base.Code, &base.Description
	}
	return failure
}
