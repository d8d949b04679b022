package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"sealreel/cmd/sealreel/internal/crypt"
	"sealreel/pkg/envelope"
	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/source"
	"sealreel/pkg/vault"
)

// Store is the storage that objects are read from; see s3store.
type Store interface {
	Head(ctx context.Context, o s3store.Object, m *seal.Material) (s3store.Info, error)
	ReadRange(ctx context.Context, o s3store.Object, m *seal.Material, off, n int64) (io.ReadCloser, error)
}

// Content is the plaintext of an object. Close ends it and wipes the key.
//
// In modes with a tag it may be forged until io.EOF, unless Verify found it
// genuine.
type Content struct {
	io.Reader
	Size int64 // bytes; in aes-cbc-pkcs7 there may be up to 15 fewer

	name   string
	sealed *source.Reader
	size   int64 // of the object
	ring   *seal.Keyring
	here   *seal.Material // nil: S3 decrypts, if anybody does
}

// Close lets go of the object.
func (c *Content) Close() error {
	err := c.sealed.Close()
	c.ring.Close()
	return err
}

// Verify reads an object in aes-gcm or s3-encryption-client once more and checks
// its tag, so that its plaintext may go where it can't be taken back from. Objects
// in other modes have nothing that could be checked. What is read goes through
// count.
func (c *Content) Verify(ctx context.Context, count func(io.Reader) io.Reader) error {
	if c.here == nil || !crypt.Authentic(c.here) {
		return nil
	}
	err := crypt.Verify(ctx, count(io.NewSectionReader(c.sealed, 0, c.size)), c.size, c.here)
	if err != nil {
		return fmt.Errorf("verifying %s: %w", c.name, err)
	}
	return nil
}

// Open reads the object at a place, in the version that is there now and no
// other, through breaks of the connection. What an object that is decrypted here
// says of itself must be what its job says, or nothing is decrypted. Memory is
// flat however large it is.
func Open(ctx context.Context, store Store, keys seal.Keys, p Place) (_ *Content, err error) {
	ring := seal.NewKeyring(keys, p.Keys.KeyARN, p.Keys.Context)
	defer func() {
		if err != nil {
			ring.Close()
		}
	}()
	var m *seal.Material
	if p.Encryption != nil && !p.enveloped() {
		if m, err = ring.Unwrap(ctx, *p.Encryption); err != nil {
			return nil, fmt.Errorf("the key of %s: %w", p.Key, err)
		}
	}
	o := s3store.Object{Bucket: p.Bucket, Key: p.Key}
	info, err := store.Head(ctx, o, m)
	if err != nil {
		return nil, explain(err, p)
	}
	var here *seal.Material
	if p.enveloped() {
		here, err = unwrapped(ctx, ring, info, p)
	} else {
		here, err = described(info.Metadata, m, p)
	}
	if err != nil {
		return nil, err
	}
	o.VersionID, o.ETag = info.VersionID, info.ETag
	in := source.New(ctx, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		return store.ReadRange(ctx, o, m, off, n)
	}, info.Size, source.Options{})
	c := &Content{Reader: io.NewSectionReader(in, 0, info.Size), Size: info.Size, name: p.Key, sealed: in, size: info.Size, ring: ring, here: here}
	if here != nil {
		err = c.decrypt()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("decrypting %s: %w", p.Key, err), in.Close())
	}
	return c, nil
}

// decrypt puts the decryption between the object and who reads it.
func (c *Content) decrypt() (err error) {
	if c.Size, err = crypt.PlainSize(c.here, c.size); err != nil {
		return err
	}
	c.Reader, err = crypt.Decrypt(c.name, c.Reader, c.here)
	return err
}

// described is the material with the object's IV if the object is decrypted
// here and says of itself what its job says of it; nil if it is not.
func described(metadata map[string]string, m *seal.Material, p Place) (*seal.Material, error) {
	claimed := metadata[vault.MetadataMode]
	switch {
	case crypt.Here(m):
	case m != nil && m.Mode.Side == seal.Here:
		return nil, fmt.Errorf("%s is encrypted in mode %s, which this command can't decrypt", p.Key, m.Mode.Name)
	case claimed == "" && !p.Owned && envelope.Present(metadata):
		return nil, fmt.Errorf("%s is encrypted by AWS's S3 Encryption Client, and no job of this stack wrote it: if you trust it, ask for it with --mode %s", p.Key, job.ModeS3EC)
	case claimed == "":
		return nil, nil
	case !p.Owned:
		return nil, fmt.Errorf("%s says that it is encrypted in mode %q, and no job of this stack wrote it: if you trust it, fetch it with another S3 client and open it with `sealreel unseal`", p.Key, claimed)
	default:
		return nil, fmt.Errorf("%s says that it is encrypted in mode %q, and the job that owns its name says otherwise: somebody replaced it", p.Key, claimed)
	}
	own, err := vault.Described(metadata, *p.Encryption, m, p.Bucket, p.Key)
	if err == nil && p.Single && !bytes.Equal(own.IV, m.IV) {
		err = fmt.Errorf("its metadata %s is not what its job has: %w", vault.MetadataIV, seal.ErrCommitment)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not encrypted as the job that owns its name says: somebody replaced it: %w", p.Key, err)
	}
	return own, nil
}

// unwrapped is the material in an object's envelope, if the object says nothing of
// itself that contradicts its name and the envelope, and says it at all if a job
// wrote it.
func unwrapped(ctx context.Context, ring *seal.Keyring, info s3store.Info, p Place) (*seal.Material, error) {
	e, err := envelope.Parse(info.Metadata, info.Size)
	if err != nil {
		return nil, fmt.Errorf("%s is not in the format of mode %s: %w", p.Key, job.ModeS3EC, err)
	}
	m, err := ring.Open(ctx, e, p.Key)
	if err != nil {
		return nil, fmt.Errorf("the key of %s: %w", p.Key, err)
	}
	err = vault.DescribedEnvelope(info.Metadata, m, p.Bucket, p.Key, p.Owned)
	switch {
	case err != nil && p.Owned:
		return nil, fmt.Errorf("%s is not as the job that owns its name stored it: somebody replaced it: %w", p.Key, err)
	case err != nil:
		return nil, fmt.Errorf("%s says that it was stored otherwise, or under another name: fetch it from where it was stored: %w", p.Key, err)
	}
	return m, nil
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
