package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"sealreel/pkg/aesstream"
	"sealreel/pkg/envelope"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/task"
	"sealreel/pkg/trace"
)

// Store seals a file of an output and creates the object. When an earlier
// attempt stored it, that is no error and what is returned is what is stored.
// When it is somebody else's, the error is a *job.Failure of
// job.CodeOutputExists.
//
// Of an output that is one file, the file is sealed with the output's IV: it is
// assembled from parts that are fixed, so that every attempt seals the same
// bytes. Each file of a set, such as of a segmented output, gets an IV of its own. In mode
// s3-encryption-client each attempt at a file gets a key of its own.
func (s *Session) Store(ctx context.Context, o plan.Output, key, contentType string, r io.Reader) (task.Sealed, error) {
	m, err := s.material(ctx, o.Encryption)
	if err != nil {
		return task.Sealed{}, err
	}
	t := s3store.UploadTarget{
		Bucket: o.Bucket, Key: key, ContentType: contentType, Material: m, KMSKeyARN: s.plan.KeyARN,
		Writer: writer(o, key), StorageClass: o.StorageClass, Permissions: o.Permissions,
	}
	if !enveloped(o.Encryption) && (m == nil || m.Mode.Side != seal.Here) {
		stored, err := s.upload(ctx, t, r)
		return task.Sealed{Bytes: stored.Size}, err
	}
	t.Material = nil
	if m, t.Metadata, err = s.sealing(ctx, o, key, m); err != nil {
		return task.Sealed{}, err
	}
	return s.storeEncrypted(ctx, t, m, r)
}

// storeEncrypted encrypts what r gives and uploads the ciphertext. The target's
// metadata explain it.
func (s *Session) storeEncrypted(ctx context.Context, t s3store.UploadTarget, m *seal.Material, r io.Reader) (task.Sealed, error) {
	if m.Mode.Enveloped {
		t.SizeMetadata = envelope.Length
	}
	sealed, pipe := io.Pipe()
	count := make(chan int64, 1)
	go func() {
		var n int64
		w, err := aesstream.NewWriter(pipe, params(m))
		if err == nil {
			if n, err = io.Copy(w, r); err == nil {
				err = w.Close()
			}
		}
		count <- n
		pipe.CloseWithError(err) // nil is the end of the object
	}()
	defer sealed.Close()
	stored, err := s.upload(ctx, t, sealed)
	if err != nil {
		return task.Sealed{}, err
	}
	if stored.Earlier {
		_, most, err := aesstream.PlainSize(format(m.Mode), stored.Size)
		return task.Sealed{Bytes: most, IV: stored.Metadata[MetadataIV]}, err
	}
	return task.Sealed{Bytes: <-count, IV: t.Metadata[MetadataIV]}, nil
}

// StorePlain creates a playlist over files of an output, where and how they are
// stored, but never encrypted. The owner is the same for every attempt at it.
func (s *Session) StorePlain(ctx context.Context, o plan.Output, key, contentType, owner string, r io.Reader) (int64, error) {
	stored, err := s.upload(ctx, s3store.UploadTarget{Bucket: o.Bucket, Key: key, ContentType: contentType, Writer: owner + "/" + key,
		StorageClass: o.StorageClass, Permissions: o.Permissions}, r)
	return stored.Size, err
}

// upload also takes an object of an earlier attempt for its own that has another
// size.
func (s *Session) upload(ctx context.Context, t s3store.UploadTarget, r io.Reader) (s3store.Stored, error) {
	t.Permissions = s.granting(t)
	ctx, end := trace.Start(ctx, "store", slog.String("sealreel.object", t.Key))
	stored, err := s.store.Upload(ctx, t, r)
	end(err, slog.Int64("sealreel.bytes", stored.Size))
	s.refused(t.Bucket, stored.Unshared)
	var exists *s3store.ExistsError
	if errors.As(err, &exists) && exists.Mine {
		return s3store.Stored{Size: exists.Info.Size, Earlier: true, Metadata: exists.Info.Metadata}, nil
	}
	return stored, s3store.OutputFailure(err, t.Bucket, t.Key)
}

// writer names what is written, the same for every attempt at it.
func writer(o plan.Output, key string) string { return fmt.Sprintf("%s/%s/%s", o.Job, o.ID, key) }

// Claim names the key and IV of an output whose mode must never use the pair
// for another file; "" when it may, or when every file gets an IV of its own.
func (s *Session) Claim(ctx context.Context, e *job.Encryption, segmented bool) (string, error) {
	m, err := s.material(ctx, e)
	if err != nil || m == nil || segmented || !m.Mode.OnceOnly() {
		return "", err
	}
	return m.Pair(), nil
}
