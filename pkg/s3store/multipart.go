package s3store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"sealreel/pkg/object"
)

const (
	// partsInFlight are sent while the next part is being read.
	partsInFlight = 2
	// abortTimeout bounds the clearing up after a failure, which goes on when
	// the upload was cancelled.
	abortTimeout = 20 * time.Second
)

// multipart is an upload in parts.
type multipart struct {
	store  *Store
	target *UploadTarget
	id     *string
	where  func(*s3.Options) // the region in which the upload was begun
	key    customerKey
	sent   []*types.CompletedPart // in order; filled in when the part is stored
	size   int64
}

// uploadParts stores the parts that were read and those that are left. It takes
// over the parts.
func (s *Store) uploadParts(ctx context.Context, t *UploadTarget, read []part, rest *partReader) (Stored, error) {
	u := &multipart{store: s, target: t, key: customerKeyOf(t.Material)}
	created, unshared, err := sharing(t, func(g grants) (*s3.CreateMultipartUploadOutput, error) {
		return inRegion(ctx, s, t.Bucket, func(where func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
			return s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
				Bucket: &t.Bucket, Key: &t.Key, ContentType: optional(t.ContentType), Metadata: t.metadata(),
				ServerSideEncryption: t.serverSide(), SSEKMSKeyId: t.kmsKey(),
				SSECustomerAlgorithm: u.key.algorithm, SSECustomerKey: u.key.key, SSECustomerKeyMD5: u.key.md5,
				StorageClass:     t.storageClass(),
				GrantFullControl: g.fullControl, GrantRead: g.read, GrantReadACP: g.readACP, GrantWriteACP: g.writeACP,
			}, where)
		})
	})
	if err != nil {
		for _, p := range read {
			p.release()
		}
		return Stored{}, classify(err, mustBeNew)
	}
	u.id, u.where = created.UploadId, where(s.regions.of(t.Bucket))
	if err := u.sendAll(ctx, read, rest); err != nil {
		return Stored{}, u.abort(ctx, err)
	}
	stored, err := u.complete(ctx)
	if err != nil || stored.Earlier {
		err = u.abort(ctx, err)
	}
	stored.Unshared = unshared
	return stored, err
}

// sendAll sends all parts, a few at a time.
func (u *multipart) sendAll(ctx context.Context, read []part, rest *partReader) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(partsInFlight)
	for _, p := range read {
		u.start(groupCtx, group, p)
	}
	err := u.readRest(groupCtx, group, rest)
	// A part that failed stops the reading, so it is the cause.
	if failed := group.Wait(); failed != nil {
		return failed
	}
	return err
}

// readRest starts what is left of the parts, until one fails.
func (u *multipart) readRest(ctx context.Context, group *errgroup.Group, rest *partReader) error {
	for ctx.Err() == nil {
		p, err := rest.next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case len(u.sent) == u.store.maxParts:
			p.release()
			return fmt.Errorf("it is longer than %d parts of %d bytes: use a larger part size", u.store.maxParts, u.store.partSize)
		}
		u.start(ctx, group, p)
	}
	return context.Cause(ctx)
}

// start sends a part as soon as fewer than partsInFlight are under way.
func (u *multipart) start(ctx context.Context, group *errgroup.Group, p part) {
	place := new(types.CompletedPart)
	u.sent = append(u.sent, place)
	u.size += p.size
	number := int32(len(u.sent))
	group.Go(func() (err error) {
		defer p.release()
		*place, err = u.send(ctx, number, p)
		return err
	})
}

func (u *multipart) send(ctx context.Context, number int32, p part) (types.CompletedPart, error) {
	out, err := u.store.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &u.target.Bucket, Key: &u.target.Key, UploadId: u.id, PartNumber: &number,
		Body: p.body(), ContentLength: &p.size,
		SSECustomerAlgorithm: u.key.algorithm, SSECustomerKey: u.key.key, SSECustomerKeyMD5: u.key.md5,
	}, u.where)
	if err != nil {
		return types.CompletedPart{}, fmt.Errorf("part %d: %w", number, classify(err, mustMatch))
	}
	return types.CompletedPart{
		PartNumber: &number, ETag: out.ETag,
		ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC32C: out.ChecksumCRC32C, ChecksumCRC64NVME: out.ChecksumCRC64NVME,
		ChecksumSHA1: out.ChecksumSHA1, ChecksumSHA256: out.ChecksumSHA256,
	}, nil
}

// complete makes the object visible. It sends the customer key too: S3 wants it
// where parts have checksums, and the SDK gives them some.
func (u *multipart) complete(ctx context.Context) (Stored, error) {
	parts := make([]types.CompletedPart, len(u.sent))
	for i, p := range u.sent {
		parts[i] = *p
	}
	out, err := u.store.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.target.Bucket, Key: &u.target.Key, UploadId: u.id, IfNoneMatch: aws.String("*"),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}, MpuObjectSize: &u.size,
		SSECustomerAlgorithm: u.key.algorithm, SSECustomerKey: u.key.key, SSECustomerKeyMD5: u.key.md5,
	}, u.where)
	if err == nil {
		return Stored{Size: u.size, ETag: aws.ToString(out.ETag), VersionID: aws.ToString(out.VersionId)}, nil
	}
	// An upload that is not there any more was completed by an attempt whose
	// answer got lost.
	err = classify(err, mustBeNew)
	if errors.Is(err, object.ErrExists) || isCode(err, "NoSuchUpload") {
		return u.store.recognise(ctx, u.target, u.size)
	}
	return Stored{}, err
}

// abort removes the parts and returns err, with what kept it from removing them.
func (u *multipart) abort(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	_, failed := u.store.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.target.Bucket, Key: &u.target.Key, UploadId: u.id}, u.where)
	if failed == nil || err == nil || isCode(failed, "NoSuchUpload") {
		return err
	}
	return fmt.Errorf("%w (and its parts stay until the bucket's lifecycle removes them: %v)", err, failed)
}
