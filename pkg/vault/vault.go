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
	"log/slog"

	"sealreel/pkg/aesstream"
	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/role"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/source"
	"sealreel/pkg/trace"
)

// Vault opens sessions.
type Vault struct {
	store      *s3store.Store
	keys       seal.Keys
	workBucket string
	assume     Assume
}

// Assume takes on a pipeline's role for one job, and returns storage and key
// service as the role may use them. A role that can't be assumed is a
// *job.Failure.
type Assume func(ctx context.Context, r role.Role, k role.Keys) (*s3store.Store, seal.Keys, error)

// New returns the vault over a store and a key service. Work files are always
// stored with the store's own rights. Without assume no role can be taken on.
func New(store *s3store.Store, keys seal.Keys, workBucket string, assume Assume) *Vault {
	return &Vault{store: store, keys: keys, workBucket: workBucket, assume: assume}
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

// window is how an object is read of which so many are read at once: twelve
// megabytes of memory for one and, where it is read forward, up to three requests
// at once; twice as much for any number of them, as long as there are not more
// than ninety.
func window(together int) source.Options {
	const (
		block, smallest = 2 << 20, 64 << 10
		blocks, least   = 6, 4
		most            = 2 * blocks * block
	)
	if together*blocks*block <= most {
		return source.Options{BlockSize: block, Blocks: blocks, ReadAhead: 2}
	}
	size := block
	for size > smallest && together*least*size > most {
		size /= 2
	}
	return source.Options{BlockSize: size, Blocks: least, ReadAhead: 1}
}

// Session is a vault with the keys of one job for one invocation. It must be
// closed.
type Session struct {
	plan       plan.Keys
	store      *s3store.Store // for the job's objects
	workStore  *s3store.Store
	workBucket string
	keyring    *seal.Keyring
	workring   *seal.Keyring
	unshared   unshared
}

// Open begins a session under the job's keys and, where the pipeline has one,
// under its role: objects of the job and its keys are then used with the role's
// rights only. A role that can't be assumed is a *job.Failure. The work key is
// used with the role's rights too, unless it is wrapped with the stack's own KMS
// key, of which the role need not know.
func (v *Vault) Open(ctx context.Context, k plan.Keys) (*Session, error) {
	store, keys, workKeys := v.store, v.keys, v.keys
	if k.Role != nil {
		if v.assume == nil {
			return nil, job.RoleRefused(errors.New("nothing here takes on roles"), k.Role.ARN)
		}
		var err error
		if store, keys, err = v.assume(ctx, *k.Role, role.Keys{ARN: k.KeyARN, Context: k.Context}); err != nil {
			return nil, err
		}
		if k.WorkKeyARN == k.KeyARN {
			workKeys = keys
		}
	}
	return &Session{plan: k, store: store, workStore: v.store, workBucket: v.workBucket,
		keyring:  seal.NewKeyring(keys, k.KeyARN, k.Context),
		workring: seal.NewKeyring(workKeys, k.WorkKeyARN, k.Context)}, nil
}

// Close wipes the session's keys.
func (s *Session) Close() {
	s.keyring.Close()
	s.workring.Close()
}

// material unwraps the key of an element; nil stands for no encryption, and for
// one whose objects have envelopes.
func (s *Session) material(ctx context.Context, e *job.Encryption) (*seal.Material, error) {
	if e == nil || enveloped(e) {
		return nil, nil
	}
	return s.keyring.Unwrap(ctx, *e)
}

// opening unwraps the key that a pinned input is read with; nil when it is not
// encrypted.
func (s *Session) opening(ctx context.Context, in plan.Input) (*seal.Material, error) {
	if !enveloped(in.Encryption) {
		return s.material(ctx, in.Encryption)
	}
	if in.Envelope == nil {
		return nil, fmt.Errorf("the plan has no envelope for the input %s in mode %s", in.Key, in.Encryption.Mode)
	}
	return s.keyring.Open(ctx, *in.Envelope, in.Key)
}

// Pin finds an object, its current version when versionID is empty, and checks
// that it can be read under the encryption and is, if its metadata say so, the
// object that was stored under its name. Errors wrap those of package object, or
// are a *job.Failure.
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
	in := plan.Input{Bucket: bucket, Key: key, VersionID: info.VersionID, ETag: info.ETag, Size: info.Size, Encryption: e}
	switch {
	case in.Size == 0: // an empty file has a failure of its own
	case enveloped(e):
		in.Envelope, err = s.pinEnvelope(ctx, in, info.Metadata)
	case m != nil && m.Mode.Side == seal.Here:
		// A wrong key shows here first, so it must read like any other reason.
		if err := Committed(info.Metadata, m, bucket, key, false); err != nil {
			return plan.Input{}, job.DecryptFailed(err, key, e.Mode)
		}
	}
	return in, err
}

func modeName(e *job.Encryption) string {
	if e == nil {
		return ""
	}
	return e.Mode
}

// Input opens a pinned input as plaintext, one of so many that are open at once.
// What reading it meets is a *job.Failure when it can't be mended by trying again.
func (s *Session) Input(ctx context.Context, in plan.Input, together int) (source.Media, error) {
	ctx, end := trace.Start(ctx, "read input", slog.String("sealreel.object", in.Key))
	m, err := s.opening(ctx, in)
	if err != nil {
		end(err)
		return nil, err
	}
	raw := s.raw(ctx, in, m, window(together))
	if m == nil || m.Mode.Side != seal.Here {
		return &opened{raw, raw, end}, nil
	}
	plain, err := aesstream.NewReaderAt(raw, in.Size, params(m))
	if err != nil {
		err = errors.Join(err, raw.Close())
		end(err)
		return nil, decryptFailure(err, in)
	}
	return &opened{plain, raw, end}, nil
}

// Verify reads an input in aes-gcm or s3-encryption-client whole, once, and
// checks its tag; inputs in other modes have none. A file that is not genuine is
// a *job.Failure.
func (s *Session) Verify(ctx context.Context, in plan.Input) error {
	m, err := s.opening(ctx, in)
	if err != nil || m == nil || format(m.Mode) != aesstream.GCM {
		return err
	}
	ctx, end := trace.Start(ctx, "verify input", slog.String("sealreel.object", in.Key))
	raw := s.raw(ctx, in, m, window(1))
	defer raw.Close()
	err = aesstream.VerifyGCM(ctx, io.NewSectionReader(raw, 0, in.Size), in.Size, params(m))
	end(err)
	return decryptFailure(err, in)
}

// decryptFailure gives what can't be decrypted the one failure that a job shows.
func decryptFailure(err error, in plan.Input) error {
	var size *aesstream.SizeError
	if errors.Is(err, aesstream.ErrDecrypt) || errors.As(err, &size) {
		return job.DecryptFailed(err, in.Key, in.Encryption.Mode)
	}
	return err
}

// raw opens a pinned object as S3 gives it.
func (s *Session) raw(ctx context.Context, in plan.Input, m *seal.Material, window source.Options) *source.Reader {
	o := s3store.Object{Bucket: in.Bucket, Key: in.Key, VersionID: in.VersionID, ETag: in.ETag}
	return open(ctx, s.store, o, m, in.Size, window, func(err error) error {
		return s3store.InputFailure(err, o, modeName(in.Encryption))
	})
}

// opened is an input while it is read: as S3 gives it, or decrypted here.
type opened struct {
	sized
	raw *source.Reader
	end trace.End
}

type sized interface {
	io.ReaderAt
	Size() int64
}

// Close ends reading. It may be called once.
func (o *opened) Close() error {
	read := o.raw.Stats()
	err := o.raw.Close()
	o.end(err, slog.Int64("sealreel.requests", read.Requests), slog.Int64("sealreel.bytes", read.Bytes))
	return err
}

// format is how the files of a mode look that are encrypted here.
func format(m seal.Mode) aesstream.Mode {
	if m.Enveloped {
		return aesstream.GCM
	}
	return aesstream.Mode(m.Name)
}

func params(m *seal.Material) aesstream.Params {
	return aesstream.Params{Mode: format(m.Mode), Key: m.Key, IV: m.IV}
}

func open(ctx context.Context, store *s3store.Store, o s3store.Object, m *seal.Material, size int64, window source.Options, explain func(error) error) *source.Reader {
	return source.New(ctx, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		body, err := store.ReadRange(ctx, o, m, off, n)
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
	if enveloped(e) { // a key that is made and not used shows that others can be made
		_, _, err := s.keyring.Envelop(ctx)
		return e, err
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

// Region is the region that a bucket is in.
func (s *Session) Region(ctx context.Context, bucket string) (string, error) {
	return s.store.Region(ctx, bucket)
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
