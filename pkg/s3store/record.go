package s3store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sealreel/pkg/object"
)

// MaxRecord is the length of the longest record that Get reads, in bytes.
const MaxRecord = 16 << 20

const recordType = "application/json"

// conflictTries and conflictPause are for 409 answers, which S3 gives while
// another write of the same key is on its way. The pause doubles.
const (
	conflictTries = 4
	conflictPause = 100 * time.Millisecond
)

// Get reads a record, a small object, and its entity tag.
func (s *Store) Get(ctx context.Context, bucket, key string) (body []byte, etag string, err error) {
	o := Object{Bucket: bucket, Key: key}
	out, err := s.get(ctx, o, nil, "")
	if err != nil {
		return nil, "", fmt.Errorf("reading %s: %w", o, classify(err, mustMatch))
	}
	defer out.Body.Close()
	body, err = io.ReadAll(io.LimitReader(out.Body, MaxRecord+1))
	if err != nil {
		return nil, "", fmt.Errorf("reading %s: %w", o, err)
	}
	if len(body) > MaxRecord {
		return nil, "", fmt.Errorf("reading %s: %w (at most %d bytes)", o, ErrTooLarge, MaxRecord)
	}
	return body, aws.ToString(out.ETag), nil
}

// Create stores a record where there is none; object.ErrExists when there is
// one, be it one that a lost answer of this very call stored.
func (s *Store) Create(ctx context.Context, bucket, key string, body []byte) error {
	return s.putRecord(ctx, bucket, key, body, nil, aws.String("*"))
}

// Replace stores a record in place of the one with the entity tag;
// object.ErrChanged when it has another by now.
func (s *Store) Replace(ctx context.Context, bucket, key string, body []byte, etag string) error {
	return s.putRecord(ctx, bucket, key, body, &etag, nil)
}

// Put stores a record whatever is there.
func (s *Store) Put(ctx context.Context, bucket, key string, body []byte) error {
	return s.putRecord(ctx, bucket, key, body, nil, nil)
}

func (s *Store) putRecord(ctx context.Context, bucket, key string, body []byte, ifMatch, ifNoneMatch *string) error {
	unmet := mustMatch
	if ifNoneMatch != nil {
		unmet = mustBeNew
	}
	_, err := s.put(ctx, &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, ContentType: aws.String(recordType), IfMatch: ifMatch, IfNoneMatch: ifNoneMatch,
	}, bytes.NewReader(body), unmet)
	if err != nil {
		return fmt.Errorf("storing %s: %w", Object{Bucket: bucket, Key: key}, err)
	}
	return nil
}

// put sends one object. A conflict with another writer is tried again where the
// object must be new, for then the other one's failure leaves the way free;
// where it must match, the caller has to read it anew first.
func (s *Store) put(ctx context.Context, in *s3.PutObjectInput, body io.ReadSeeker, unmet condition) (*s3.PutObjectOutput, error) {
	size, err := body.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	in.Body, in.ContentLength = body, &size
	for try := 1; ; try++ {
		out, err := inRegion(ctx, s, *in.Bucket, func(where func(*s3.Options)) (*s3.PutObjectOutput, error) {
			if _, err := body.Seek(0, io.SeekStart); err != nil {
				return nil, err
			}
			return s.client.PutObject(ctx, in, where)
		})
		if err == nil {
			return out, nil
		}
		err = classify(err, unmet)
		if !errors.Is(err, object.ErrChanged) || in.IfMatch != nil || try == conflictTries {
			return nil, err
		}
		select {
		case <-time.After(conflictPause << (try - 1)):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Delete removes an object, or in a versioned bucket hides it. One that is not
// there is no error.
func (s *Store) Delete(ctx context.Context, bucket, key string) error {
	_, err := inRegion(ctx, s, bucket, func(where func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
		return s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}, where)
	})
	if err != nil {
		return fmt.Errorf("deleting %s: %w", Object{Bucket: bucket, Key: key}, classify(err, mustMatch))
	}
	return nil
}

// Entry is one object of a listing. Size is in bytes.
type Entry struct {
	Key          string
	Size         int64
	ETag         string
	LastModified time.Time
}

// List yields the objects whose keys begin with the prefix and come after
// startAfter, which may be empty, in the order of their keys in UTF-8. An error
// ends it.
func (s *Store) List(ctx context.Context, bucket, prefix, startAfter string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{
			Bucket: &bucket, Prefix: optional(prefix), StartAfter: optional(startAfter)})
		for pages.HasMorePages() {
			page, err := inRegion(ctx, s, bucket, func(where func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
				return pages.NextPage(ctx, where)
			})
			if err != nil {
				yield(Entry{}, fmt.Errorf("listing %s: %w", Object{Bucket: bucket, Key: prefix}, classify(err, mustMatch)))
				return
			}
			for _, o := range page.Contents {
				e := Entry{Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), ETag: aws.ToString(o.ETag), LastModified: aws.ToTime(o.LastModified)}
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// Keys yields the keys with the prefix in order; see List.
func (s *Store) Keys(ctx context.Context, bucket, prefix string) iter.Seq2[string, error] {
	return s.KeysAfter(ctx, bucket, prefix, "")
}

// KeysAfter yields those that come after a key; see List.
func (s *Store) KeysAfter(ctx context.Context, bucket, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for e, err := range s.List(ctx, bucket, prefix, after) {
			if !yield(e.Key, err) {
				return
			}
		}
	}
}
