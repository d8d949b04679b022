package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sealreel/pkg/object"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/source"
)

// Store is the storage that objects are read from; see s3store.
type Store interface {
	Head(ctx context.Context, o s3store.Object, m *seal.Material) (s3store.Info, error)
	ReadRange(ctx context.Context, o s3store.Object, m *seal.Material, off, n int64) (io.ReadCloser, error)
}

// Content is the plaintext of an object. Close ends it and wipes the key.
type Content struct {
	io.Reader
	Size int64 // bytes

	source *source.Reader
	ring   *seal.Keyring
}

// Close lets go of the object.
func (c *Content) Close() error {
	err := c.source.Close()
	c.ring.Close()
	return err
}

// Open reads the object at a place, in the version that is there now and no
// other, through breaks of the connection. Memory is flat however large it is.
func Open(ctx context.Context, store Store, keys seal.Keys, p Place) (_ *Content, err error) {
	ring := seal.NewKeyring(keys, p.Keys.KeyARN, p.Keys.Context)
	defer func() {
		if err != nil {
			ring.Close()
		}
	}()
	var m *seal.Material
	if p.Encryption != nil {
		if m, err = ring.Unwrap(ctx, *p.Encryption); err != nil {
			return nil, fmt.Errorf("the key of %s: %w", p.Key, err)
		}
	}
	o := s3store.Object{Bucket: p.Bucket, Key: p.Key}
	info, err := store.Head(ctx, o, m)
	if err != nil {
		return nil, explain(err, p)
	}
	o.VersionID, o.ETag = info.VersionID, info.ETag
	in := source.New(ctx, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		return store.ReadRange(ctx, o, m, off, n)
	}, info.Size, source.Options{})
	return &Content{Reader: io.NewSectionReader(in, 0, info.Size), Size: info.Size, source: in, ring: ring}, nil
}

// explain says what to do about what S3 answered.
func explain(err error, p Place) error {
	switch {
	case errors.Is(err, object.ErrNotExist):
		return fmt.Errorf("%w: %s is not in bucket %s; `sealreel read JOB` lists the objects of a job", object.ErrNotExist, p.Key, p.Bucket)
	case errors.Is(err, object.ErrNeedsKey) && p.Encryption == nil:
		return fmt.Errorf("%s is encrypted with a customer key, and no job of this stack wrote it: whoever did has the key: %w", p.Key, object.ErrNeedsKey)
	case errors.Is(err, object.ErrNeedsKey), errors.Is(err, s3store.ErrNoCustomerKey):
		return fmt.Errorf("%s is not encrypted as the job that owns its name says: somebody replaced it: %w", p.Key, err)
	case errors.Is(err, object.ErrAccess):
		return fmt.Errorf("reading %s from bucket %s was denied: your AWS identity needs s3:GetObject there: %w", p.Key, p.Bucket, err)
	}
	return err
}
