package s3store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/seal"
)

// writerMetadata is the user metadata that says who wrote an object.
const writerMetadata = "sealreel-writer"

// UploadTarget says where and how an upload is stored.
type UploadTarget struct {
	Bucket, Key string
	ContentType string
	// Metadata is user metadata; S3 stores it unencrypted.
	Metadata map[string]string
	// SizeMetadata, when set, makes more of it from the size of an object that is
	// stored in one request; of others the size is known too late.
	SizeMetadata func(size int64) map[string]string
	// Material is how S3 encrypts the object; nil leaves it to the bucket. What
	// is of a mode with side seal.Here must be encrypted already.
	Material *seal.Material
	// KMSKeyARN is the key of mode s3-aws-kms; empty: the account's default.
	KMSKeyARN string
	// Writer names what is written, the same for every attempt at it. With it an
	// upload recognises the object of an earlier attempt, or its own after a
	// lost answer. It is stored in the object's metadata and must not be secret.
	Writer string
	// StorageClass is a pipeline's; "" is Standard.
	StorageClass string
	// Permissions are what others get of the object. They are not a condition:
	// where S3 refuses them the object is stored without.
	Permissions []pipeline.Permission

	named bool // see Options.NameEncryption
}

func (t *UploadTarget) String() string { return Object{Bucket: t.Bucket, Key: t.Key}.String() }

// Stored is an object that an upload stored. Size is in bytes of what was read
// from the upload's reader. Earlier: it was there already, from an earlier
// attempt of the same Writer and with the same size; then Metadata is its own.
type Stored struct {
	Size            int64
	ETag, VersionID string
	Earlier         bool
	Metadata        map[string]string
	// Unshared is why S3 refused the target's Permissions, as its error code; ""
	// when it did not.
	Unshared string
}

// Upload stores what r gives until io.EOF as a new object. At most three parts
// are in memory, and each request can be repeated with the same bytes. An error
// of r or of ctx leaves no object. When the name is taken, the error is an
// *ExistsError, an object.ErrExists. A conflict with another writer that went
// on for too long is object.ErrChanged: try the upload again.
func (s *Store) Upload(ctx context.Context, t UploadTarget, r io.Reader) (Stored, error) {
	t.named = s.named
	stored, err := s.upload(ctx, &t, r)
	if err != nil {
		return Stored{}, fmt.Errorf("storing %s: %w", &t, err)
	}
	return stored, nil
}

func (s *Store) upload(ctx context.Context, t *UploadTarget, r io.Reader) (Stored, error) {
	parts := &partReader{store: s, r: r}
	first, err := parts.next()
	if err == io.EOF {
		return s.putWhole(ctx, t, part{})
	}
	if err != nil {
		return Stored{}, err
	}
	second, err := parts.next()
	if err == nil {
		return s.uploadParts(ctx, t, []part{first, second}, parts)
	}
	defer first.release()
	if err != io.EOF {
		return Stored{}, err
	}
	return s.putWhole(ctx, t, first)
}

// putWhole stores an object in one request.
func (s *Store) putWhole(ctx context.Context, t *UploadTarget, whole part) (Stored, error) {
	key, sse := customerKeyOf(t.Material), t.serverSide()
	metadata := t.metadata()
	if t.SizeMetadata != nil {
		maps.Copy(metadata, t.SizeMetadata(whole.size))
	}
	out, unshared, err := sharing(t, func(g grants) (*s3.PutObjectOutput, error) {
		return s.put(ctx, &s3.PutObjectInput{
			Bucket: &t.Bucket, Key: &t.Key, ContentType: optional(t.ContentType), Metadata: metadata, IfNoneMatch: aws.String("*"),
			ServerSideEncryption: sse, SSEKMSKeyId: t.kmsKey(),
			SSECustomerAlgorithm: key.algorithm, SSECustomerKey: key.key, SSECustomerKeyMD5: key.md5,
			StorageClass:     t.storageClass(),
			GrantFullControl: g.fullControl, GrantRead: g.read, GrantReadACP: g.readACP, GrantWriteACP: g.writeACP,
		}, whole.body(), mustBeNew)
	})
	stored := Stored{Size: whole.size}
	switch {
	case errors.Is(err, object.ErrExists):
		if stored, err = s.recognise(ctx, t, whole.size); err != nil {
			return Stored{}, err
		}
	case err != nil:
		return Stored{}, err
	default:
		stored.ETag, stored.VersionID = aws.ToString(out.ETag), aws.ToString(out.VersionId)
	}
	stored.Unshared = unshared
	return stored, nil
}

// recognise looks at the object that has the upload's name.
func (s *Store) recognise(ctx context.Context, t *UploadTarget, size int64) (Stored, error) {
	info, err := s.Head(ctx, Object{Bucket: t.Bucket, Key: t.Key}, t.Material)
	taken := &ExistsError{Bucket: t.Bucket, Key: t.Key, Info: info}
	switch {
	case errors.Is(err, object.ErrNeedsKey), errors.Is(err, ErrNoCustomerKey), errors.Is(err, object.ErrAccess):
		return Stored{}, taken // encrypted otherwise than this upload would be, so not its own
	case errors.Is(err, object.ErrNotExist):
		return Stored{}, fmt.Errorf("it was removed while it was being stored: %w", object.ErrChanged)
	case err != nil:
		return Stored{}, err
	}
	mine := t.Writer != "" && info.Metadata[writerMetadata] == t.Writer
	if !mine || info.Size != size {
		taken.Mine = mine
		return Stored{}, taken
	}
	return Stored{Size: size, ETag: info.ETag, VersionID: info.VersionID, Earlier: true, Metadata: info.Metadata}, nil
}

// metadata is the target's with the writer.
func (t *UploadTarget) metadata() map[string]string {
	all := map[string]string{}
	maps.Copy(all, t.Metadata)
	if t.Writer != "" {
		all[writerMetadata] = t.Writer
	}
	return all
}

// serverSide is the encryption with S3's own or a KMS key.
func (t *UploadTarget) serverSide() types.ServerSideEncryption {
	mode := ""
	if t.Material != nil {
		mode = t.Material.Mode.Name
	}
	switch {
	case mode == job.ModeS3KMS:
		return types.ServerSideEncryptionAwsKms
	case mode == job.ModeS3, t.named && mode != job.ModeSSEC:
		return types.ServerSideEncryptionAes256
	}
	return ""
}

func (t *UploadTarget) kmsKey() *string {
	if t.serverSide() == types.ServerSideEncryptionAwsKms {
		return optional(t.KMSKeyARN)
	}
	return nil
}
