package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"

	"sealreel/local/internal/atomicfile"
	"sealreel/local/internal/gate"
)

// store is what lies behind the gateway: it keeps buckets, objects and uploads in one directory. It implements the
// gateway's backend.Backend; operations that it has not are answered with NotImplemented by the embedded one.
type store struct {
	backend.BackendUnsupported

	index  *index
	blobs  *blobs
	key    secret // encrypts what no customer's key does
	owner  string // access key that owns buckets made from Go
	region string
	log    *slog.Logger
	events hooks[Event]

	account  string
	gate     *gate.Gate // nil admits everybody
	keys     KeyService // nil has every key and lets everybody use it
	policies policies
}

var _ backend.Backend = (*store)(nil)

// openStore opens the directory, which one process at a time can have.
func openStore(dir string, c Config) (_ *store, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &store{owner: c.AccessKey, region: c.Region, log: c.Log, account: c.Account, gate: c.Gate, keys: c.Keys}
	if s.index, err = openIndex(filepath.Join(dir, "index.db")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.index.close())
		}
	}()
	if s.key, err = openServerKey(filepath.Join(dir, "server.key")); err != nil {
		return nil, err
	}
	if s.blobs, err = openBlobs(filepath.Join(dir, "blobs")); err != nil {
		return nil, err
	}
	var inUse map[string]bool
	err = s.index.view(func(t tables) error {
		inUse, err = t.blobsInUse()
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, s.blobs.sweep(inUse)
}

// openServerKey reads the key of a data directory, or makes one.
func openServerKey(path string) (secret, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		raw = make([]byte, secretSize)
		rand.Read(raw)
		err = atomicfile.Write(path, 0o600, func(w io.Writer) error {
			_, err := w.Write(raw)
			return err
		})
	}
	if err != nil {
		return secret{}, err
	}
	if len(raw) != secretSize {
		return secret{}, fmt.Errorf("%s has %d bytes, want %d: without the right key nothing stored can be read; remove the directory to start anew", path, len(raw), secretSize)
	}
	return newSecret(raw), nil
}

func (s *store) close() error { return s.index.close() }

// String implements backend.Backend.
func (s *store) String() string { return "sealreel" }

func (s *store) userARN(accessKey string) string {
	return fmt.Sprintf("arn:aws:iam::%s:user/%s", s.account, accessKey)
}

// defaultKMSKey is what S3 would take for SSE-KMS without a key id: the account's key for S3.
func (s *store) defaultKMSKey() string {
	return fmt.Sprintf("arn:aws:kms:%s:%s:alias/aws/s3", s.region, s.account)
}

// createBucket makes a bucket, or says that it exists.
func (s *store) createBucket(record *bucketRecord) error {
	record.Created = time.Now().UTC()
	if record.Default.Method == "" {
		record.Default.Method = methodS3
	}
	return s.index.update(func(t tables) error {
		if _, err := t.bucket(record.Name); err == nil {
			return s3err.GetBucketErr(s3err.ErrBucketAlreadyOwnedByYou, record.Name)
		}
		return t.putBucket(record)
	})
}

// changeBucket lets change alter the record of a bucket.
func (s *store) changeBucket(name string, change func(*bucketRecord) error) error {
	return s.index.update(func(t tables) error {
		record, err := t.bucket(name)
		if err != nil {
			return err
		}
		if err := change(record); err != nil {
			return err
		}
		return t.putBucket(record)
	})
}

func (s *store) bucket(name string) (record *bucketRecord, err error) {
	err = s.index.view(func(t tables) error {
		record, err = t.bucket(name)
		return err
	})
	return record, err
}

// CreateBucket implements backend.Backend. Like S3 since April 2026, it makes buckets that block SSE-C.
func (s *store) CreateBucket(_ context.Context, in *s3.CreateBucketInput, acl []byte) error {
	if in.ObjectLockEnabledForBucket != nil && *in.ObjectLockEnabledForBucket {
		return s3err.GetAPIError(s3err.ErrNotImplemented)
	}
	record := &bucketRecord{Name: *in.Bucket, BlockSSEC: true, ACL: acl, Ownership: in.ObjectOwnership}
	return s.answerable("CreateBucket", s.createBucket(record))
}

// DeleteBucket implements backend.Backend.
func (s *store) DeleteBucket(_ context.Context, name string) error {
	var gone []blob
	err := s.index.update(func(t tables) (err error) {
		if _, err := t.bucket(name); err != nil {
			return err
		}
		gone, err = t.dropBucket(name)
		return err
	})
	if err == nil {
		s.blobs.remove(gone...)
	}
	return s.answerable("DeleteBucket", err)
}

// HeadBucket implements backend.Backend.
func (s *store) HeadBucket(_ context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	if _, err := s.bucket(*in.Bucket); err != nil {
		return nil, s.answerable("HeadBucket", err)
	}
	return &s3.HeadBucketOutput{}, nil
}

// ListBuckets implements backend.Backend.
func (s *store) ListBuckets(_ context.Context, in s3response.ListBucketsInput) (s3response.ListAllMyBucketsResult, error) {
	out := s3response.ListAllMyBucketsResult{Owner: s3response.CanonicalUser{ID: in.Owner}, Prefix: in.Prefix}
	err := s.index.view(func(t tables) error {
		all, err := t.buckets()
		for _, b := range all {
			if !strings.HasPrefix(b.Name, in.Prefix) || b.Name <= in.ContinuationToken {
				continue
			}
			listed := out.Buckets.Bucket
			if in.MaxBuckets > 0 && len(listed) == int(in.MaxBuckets) {
				out.ContinuationToken = listed[len(listed)-1].Name
				break
			}
			out.Buckets.Bucket = append(listed, s3response.ListAllMyBucketsEntry{
				Name: b.Name, BucketRegion: s.region, CreationDate: b.Created,
			})
		}
		return err
	})
	return out, s.answerable("ListBuckets", err)
}

// GetBucketAcl implements backend.Backend.
func (s *store) GetBucketAcl(_ context.Context, in *s3.GetBucketAclInput) ([]byte, error) {
	record, err := s.bucket(*in.Bucket)
	if err != nil {
		return nil, s.answerable("GetBucketAcl", err)
	}
	return record.ACL, nil
}

// GetBucketVersioning implements backend.Backend.
func (s *store) GetBucketVersioning(_ context.Context, name string) (out s3response.GetBucketVersioningOutput, err error) {
	record, err := s.bucket(name)
	if err == nil && record.Versioning != "" {
		out.Status = &record.Versioning
	}
	return out, s.answerable("GetBucketVersioning", err)
}

// PutBucketVersioning implements backend.Backend.
func (s *store) PutBucketVersioning(_ context.Context, name string, status types.BucketVersioningStatus) error {
	err := s.changeBucket(name, func(b *bucketRecord) error { b.Versioning = status; return nil })
	return s.answerable("PutBucketVersioning", err)
}

// GetBucketOwnershipControls implements backend.Backend.
func (s *store) GetBucketOwnershipControls(_ context.Context, name string) (types.ObjectOwnership, error) {
	record, err := s.bucket(name)
	if err != nil {
		return "", s.answerable("GetBucketOwnershipControls", err)
	}
	if record.Ownership == "" {
		return types.ObjectOwnershipBucketOwnerEnforced, nil
	}
	return record.Ownership, nil
}

// GetBucketPolicy implements backend.Backend: there is never one.
func (s *store) GetBucketPolicy(_ context.Context, name string) ([]byte, error) {
	return nil, s3err.GetBucketErr(s3err.ErrNoSuchBucketPolicy, name)
}

// GetBucketCors implements backend.Backend: there is never one.
func (s *store) GetBucketCors(_ context.Context, name string) ([]byte, error) {
	return nil, s3err.GetBucketErr(s3err.ErrNoSuchCORSConfiguration, name)
}

// GetObjectLockConfiguration implements backend.Backend: there is never one.
func (s *store) GetObjectLockConfiguration(_ context.Context, name string) ([]byte, error) {
	return nil, s3err.GetAPIError(s3err.ErrObjectLockConfigurationNotFound)
}
