// Package vault is where a job's media is kept: it joins the rules of keys
// (package seal), object storage and the key service into what ingest,
// transcode and assemble ask for.
//
// It guarantees that media leaves the process encrypted as the job says or, for
// what passes between functions, under the job's own work key; that an output
// which exists is never overwritten; and that what can't be mended by trying
// again is a *job.Failure.
package vault

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/source"
)

// Vault opens sessions.
type Vault struct {
	store      *s3store.Store
	keys       seal.Keys
	workBucket string
}

// New returns the vault over a store and a key service.
func New(store *s3store.Store, keys seal.Keys, workBucket string) *Vault {
	return &Vault{store: store, keys: keys, workBucket: workBucket}
}

// Document reads a whole dropped object of at most limit bytes; of a longer one
// it reads one byte more, so that the caller sees that it is too long.
func (v *Vault) Document(ctx context.Context, bucket, key, versionID string, limit int64) ([]byte, error) {
	o := s3store.Object{Bucket: bucket, Key: key, VersionID: versionID}
	info, err := v.store.Head(ctx, o, nil)
	if err != nil || info.Size == 0 {
		return nil, err
	}
	o.VersionID, o.ETag = info.VersionID, info.ETag
	body, err := v.store.ReadRange(ctx, o, nil, 0, min(info.Size, limit+1))
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, limit+1))
}

// window is how an object is read: twelve megabytes of memory and, where it is
// read forward, up to three requests at once.
var window = source.Options{BlockSize: 2 << 20, Blocks: 6, ReadAhead: 2}

// Session is a vault with the keys of one job for one invocation. It must be
// closed.
type Session struct {
	*Vault
	plan     plan.Keys
	keyring  *seal.Keyring
	workring *seal.Keyring
}

// Open begins a session under the job's keys.
func (v *Vault) Open(k plan.Keys) *Session {
	return &Session{Vault: v, plan: k,
		keyring:  seal.NewKeyring(v.keys, k.KeyARN, k.Context),
		workring: seal.NewKeyring(v.keys, k.WorkKeyARN, k.Context)}
}

// Close wipes the session's keys.
func (s *Session) Close() {
	s.keyring.Close()
	s.workring.Close()
}

// material unwraps the key of an element; nil stands for no encryption.
func (s *Session) material(ctx context.Context, e *job.Encryption) (*seal.Material, error) {
	if e == nil {
		return nil, nil
	}
	return s.keyring.Unwrap(ctx, *e)
}

// Pin finds an object, its current version when versionID is empty, and checks
// that it can be read under the encryption. Errors wrap those of package object,
// or are a *job.Failure.
func (s *Session) Pin(ctx context.Context, bucket, key, versionID string, e *job.Encryption) (plan.Input, error) {
	m, err := s.material(ctx, e)
	if err != nil {
		return plan.Input{}, err
	}
	o := s3store.Object{Bucket: bucket, Key: key, VersionID: versionID}
	info, err := s.store.Head(ctx, o, m)
	switch {
	case errors.Is(err, object.ErrNotExist), errors.Is(err, object.ErrNeedsKey),
		errors.Is(err, object.ErrNoBucket), errors.Is(err, object.ErrAccess):
		return plan.Input{}, err
	case err != nil:
		return plan.Input{}, s3store.InputFailure(err, o, modeName(e))
	}
	return plan.Input{Bucket: bucket, Key: key, VersionID: info.VersionID, ETag: info.ETag, Size: info.Size, Encryption: e}, nil
}

func modeName(e *job.Encryption) string {
	if e == nil {
		return ""
	}
	return e.Mode
}

// Input opens a pinned input. What reading it meets is a *job.Failure when it
// can't be mended by trying again.
func (s *Session) Input(ctx context.Context, in plan.Input) (*source.Reader, error) {
	m, err := s.material(ctx, in.Encryption)
	if err != nil {
		return nil, err
	}
	o := s3store.Object{Bucket: in.Bucket, Key: in.Key, VersionID: in.VersionID, ETag: in.ETag}
	return s.open(ctx, o, m, in.Size, func(err error) error {
		return s3store.InputFailure(err, o, modeName(in.Encryption))
	}), nil
}

func (s *Session) open(ctx context.Context, o s3store.Object, m *seal.Material, size int64, explain func(error) error) *source.Reader {
	return source.New(ctx, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		body, err := s.store.ReadRange(ctx, o, m, off, n)
		if err != nil {
			return nil, explain(err)
		}
		return body, nil
	}, size, window)
}

// Seal checks the key that an output names, or makes one where the mode takes
// one and none is named. The element that is returned holds it, wrapped.
func (s *Session) Seal(ctx context.Context, e *job.Encryption) (*job.Encryption, error) {
	if e == nil {
		return nil, nil
	}
	mode, err := seal.ModeOf(e.Mode)
	if err != nil {
		return nil, err
	}
	if mode.TakesKey() && e.Key == "" {
		made, err := s.keyring.Generate(ctx, e.Mode)
		return &made, err
	}
	_, err = s.keyring.Unwrap(ctx, *e)
	return e, err
}

// Exists says whether an object of the name is there. A caller who may not know
// is told no: the write that follows finds out.
func (s *Session) Exists(ctx context.Context, bucket, key string) (bool, error) {
	_, err := s.store.Head(ctx, s3store.Object{Bucket: bucket, Key: key}, nil)
	switch {
	case err == nil, errors.Is(err, object.ErrNeedsKey):
		return true, nil
	case errors.Is(err, object.ErrNotExist), errors.Is(err, object.ErrAccess):
		return false, nil
	}
	return false, s3store.OutputFailure(err, bucket, key)
}

// Store seals a file of an output and creates the object. When an earlier
// attempt stored it, that is no error and the size is that of what is stored.
// When it is somebody else's, the error is a *job.Failure of
// job.CodeOutputExists.
func (s *Session) Store(ctx context.Context, o plan.Output, key, contentType string, r io.Reader) (int64, error) {
	m, err := s.material(ctx, o.Encryption)
	if err != nil {
		return 0, err
	}
	return s.upload(ctx, s3store.UploadTarget{
		Bucket: o.Bucket, Key: key, ContentType: contentType, Material: m, KMSKeyARN: s.plan.KeyARN,
		Writer: writer(o, key),
	}, r)
}

// StorePlain creates a playlist, which is never encrypted. The owner is the
// same for every attempt at it.
func (s *Session) StorePlain(ctx context.Context, bucket, key, contentType, owner string, r io.Reader) (int64, error) {
	return s.upload(ctx, s3store.UploadTarget{Bucket: bucket, Key: key, ContentType: contentType, Writer: owner + "/" + key}, r)
}

func (s *Session) upload(ctx context.Context, t s3store.UploadTarget, r io.Reader) (int64, error) {
	stored, err := s.store.Upload(ctx, t, r)
	var exists *s3store.ExistsError
	switch {
	case errors.As(err, &exists) && exists.Mine:
		return exists.Info.Size, nil
	case err != nil:
		return 0, s3store.OutputFailure(err, t.Bucket, t.Key)
	}
	return stored.Size, nil
}

// writer names what is written, the same for every attempt at it.
func writer(o plan.Output, key string) string { return fmt.Sprintf("%s/%s/%s", o.Job, o.ID, key) }
