package s3

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// CreateMultipartUpload implements backend.Backend.
func (s *store) CreateMultipartUpload(ctx context.Context, in s3response.CreateMultipartUploadInput) (s3response.InitiateMultipartUploadResult, error) {
	x := exchangeOf(ctx)
	u, err := s.createUpload(x, in)
	if err != nil {
		return s3response.InitiateMultipartUploadResult{}, s.answerable("CreateMultipartUpload", err)
	}
	u.Encryption.answer(x)
	return s3response.InitiateMultipartUploadResult{Bucket: *in.Bucket, Key: u.Key, UploadId: u.ID}, nil
}

func (s *store) createUpload(x exchange, in s3response.CreateMultipartUploadInput) (*upload, error) {
	if err := validKey(*in.Key); err != nil {
		return nil, err
	}
	tags, err := backend.ParseObjectTags(deref(in.Tagging))
	if err != nil {
		return nil, err
	}
	record, err := s.bucket(*in.Bucket)
	if err != nil {
		return nil, err
	}
	var id [24]byte
	rand.Read(id[:])
	u := &upload{
		ID: hex.EncodeToString(id[:]), Key: *in.Key, Started: time.Now().UTC(), Owner: x.accessKey(),
		Algorithm: in.ChecksumAlgorithm, ChecksumType: in.ChecksumType,
		Attributes: attributes{
			ContentType: deref(in.ContentType), ContentEncoding: deref(in.ContentEncoding),
			ContentDisposition: deref(in.ContentDisposition), ContentLanguage: deref(in.ContentLanguage),
			CacheControl: deref(in.CacheControl), Expires: deref(in.Expires),
			Redirect: deref(in.WebsiteRedirectLocation), Metadata: in.Metadata, Tags: tags,
		},
	}
	if err := u.Attributes.place(x, record); err != nil {
		return nil, err
	}
	if u.Encryption, _, err = s.requested(x, record, u.Key); err != nil {
		return nil, err
	}
	return u, s.index.update(func(t tables) error {
		if _, err := t.bucket(*in.Bucket); err != nil {
			return err
		}
		return t.putUpload(*in.Bucket, u)
	})
}

// UploadPart implements backend.Backend.
func (s *store) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	algorithm := trailing(in.Body)
	if algorithm == "" {
		algorithm = in.ChecksumAlgorithm
	}
	p, err := s.storePart(exchangeOf(ctx), partInput{
		bucket: *in.Bucket, key: *in.Key, uploadID: *in.UploadId, number: *in.PartNumber,
		body: in.Body, length: *in.ContentLength, algorithm: algorithm, announced: given(in, algorithm),
	})
	if err != nil {
		return nil, s.answerable("UploadPart", err)
	}
	out := &s3.UploadPartOutput{ETag: &p.ETag}
	p.Checksum.fill(out)
	return out, nil
}

// partInput is a part to be stored.
type partInput struct {
	bucket, key, uploadID string
	number                int32
	body                  io.Reader
	length                int64
	algorithm             types.ChecksumAlgorithm // that the client used, "" if none
	announced             string                  // checksum in a header, to be verified
}

func (s *store) storePart(x exchange, in partInput) (*part, error) {
	var u *upload
	err := s.index.view(func(t tables) (err error) {
		u, err = t.upload(in.bucket, in.key, in.uploadID)
		return err
	})
	if err != nil {
		return nil, err
	}
	customer, err := readCustomerKey(x, customerPrefix)
	if err != nil {
		return nil, err
	}
	key, err := s.unlockPart(u.Encryption, customer)
	if err != nil {
		return nil, err
	}
	if _, err := s.useKey(x, "Decrypt", u.Encryption, in.bucket, u.Key); err != nil {
		return nil, err
	}
	if u.Algorithm != "" && in.algorithm != "" && in.algorithm != u.Algorithm {
		return nil, s3err.GetChecksumTypeMismatchErr(u.Algorithm, in.algorithm)
	}
	p, err := s.takePart(u, in, key)
	if err != nil {
		return nil, err
	}
	u.Encryption.answer(x)
	return p, nil
}

func (s *store) takePart(u *upload, in partInput, key secret) (*part, error) {
	// Without a checksum of the client's the object gets a CRC64NVME over everything, so its parts need one too.
	announced, body := in.announced, in.body
	if u.Algorithm == "" && in.algorithm != "" && in.announced != "" {
		verified, err := newIntake(in.body, in.algorithm, in.announced, in.length, true)
		if err != nil {
			return nil, err
		}
		announced, body = "", verified
	}
	measured, err := newIntake(body, u.Algorithm, announced, in.length, u.Encryption.opaque())
	if err != nil {
		return nil, err
	}
	stored, err := s.take(measured, key)
	if err != nil {
		return nil, err
	}
	p := &part{
		Number: in.number, Blob: stored, ETag: measured.etag(), Checksum: measured.sum(), Modified: time.Now().UTC(),
		Checked: in.algorithm != "",
	}
	var replaced *part
	err = s.index.update(func(t tables) error {
		if _, err := t.upload(in.bucket, in.key, in.uploadID); err != nil {
			return err
		}
		if replaced, err = t.part(in.uploadID, in.number); err != nil {
			return err
		}
		return t.putPart(in.uploadID, p)
	})
	if err != nil {
		s.blobs.remove(stored)
		return nil, err
	}
	if replaced != nil {
		s.blobs.remove(replaced.Blob)
	}
	return p, nil
}

// CompleteMultipartUpload implements backend.Backend. The object takes over the blobs of its parts; nothing is copied.
func (s *store) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	x := exchangeOf(ctx)
	v, err := s.complete(x, in)
	if err != nil {
		return s3response.CompleteMultipartUploadResult{}, "", s.answerable("CompleteMultipartUpload", err)
	}
	if !v.Encryption.customer() { // S3 does not answer with the customer's headers here
		v.Encryption.answer(x)
	}
	s.events.call(newEvent(CreatedMultipart, *in.Bucket, v, x.accessKey()))
	out := s3response.CompleteMultipartUploadResult{Bucket: in.Bucket, Key: in.Key, ETag: &v.ETag, ChecksumType: &v.Checksum.Type}
	v.Checksum.fill(&out)
	return out, v.shownID(), nil
}

func (s *store) complete(x exchange, in *s3.CompleteMultipartUploadInput) (*version, error) {
	customer, err := readCustomerKey(x, customerPrefix)
	if err != nil {
		return nil, err
	}
	var u *upload
	var stored []*part
	err = s.index.view(func(t tables) (err error) {
		if u, err = t.upload(*in.Bucket, *in.Key, *in.UploadId); err != nil {
			return err
		}
		stored, err = t.parts(u.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	// S3 needs the key here only for an upload with checksums. The SDKs send them with every part by default.
	checked := u.Algorithm != "" || slices.ContainsFunc(stored, func(p *part) bool { return p.Checked })
	if customer != nil || u.Encryption.customer() && checked {
		if _, err := s.unlockPart(u.Encryption, customer); err != nil {
			return nil, err
		}
	}
	v, err := assembled(u, stored, in)
	if err != nil {
		return nil, err
	}
	return v, s.publish(*in.Bucket, v, condition{in.IfMatch, in.IfNoneMatch}, func(t tables) ([]blob, error) {
		return t.consume(*in.Bucket, u, v)
	})
}

// consume forgets an upload that became v. It fails if the upload is gone or a part has changed since v was assembled,
// and returns the blobs of parts that v does not have.
func (t tables) consume(bucket string, u *upload, v *version) ([]blob, error) {
	if _, err := t.upload(bucket, u.Key, u.ID); err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, p := range v.Parts {
		current, err := t.part(u.ID, p.Number)
		if err != nil {
			return nil, err
		}
		if current == nil || current.Blob.ID != p.Blob.ID {
			return nil, s3err.GetInvalidPartErr(u.ID, p.Number, p.ETag)
		}
		used[p.Blob.ID] = true
	}
	all, err := t.dropUpload(bucket, u)
	var gone []blob
	for _, b := range all {
		if !used[b.ID] {
			gone = append(gone, b)
		}
	}
	return gone, err
}

// assembled checks the list of parts that completes an upload and returns the object they make.
func assembled(u *upload, stored []*part, in *s3.CompleteMultipartUploadInput) (*version, error) {
	if in.ChecksumType != "" && in.ChecksumType != u.ChecksumType {
		return nil, s3err.GetChecksumTypeMismatchOnMpErr(u.ChecksumType)
	}
	v := &version{Key: u.Key, Attributes: u.Attributes, Encryption: u.Encryption, Multipart: true}
	byNumber := map[int32]*part{}
	for _, p := range stored {
		byNumber[p.Number] = p
	}
	asked := in.MultipartUpload.Parts
	for i := range asked[1:] {
		if deref(asked[i].PartNumber) >= deref(asked[i+1].PartNumber) {
			return nil, s3err.GetAPIError(s3err.ErrInvalidPartOrder)
		}
	}
	for i, a := range asked {
		p, err := chosen(u, byNumber, a)
		if err != nil {
			return nil, err
		}
		if i < len(asked)-1 && p.Blob.Size < backend.MinPartSize {
			return nil, s3err.GetEntityTooSmallErr(p.Blob.Size, backend.MinPartSize)
		}
		v.Parts = append(v.Parts, *p)
		v.Size += p.Blob.Size
	}
	if in.MpuObjectSize != nil && *in.MpuObjectSize != v.Size {
		return nil, s3err.GetIncorrectMpObjectSizeErr(v.Size, *in.MpuObjectSize)
	}
	var err error
	if v.ETag, err = backend.GetMultipartMD5(asked); err != nil {
		return nil, err
	}
	v.Checksum, err = objectChecksum(u, v.Parts, in)
	return v, err
}

// chosen returns the stored part that an entry of the client's list means.
func chosen(u *upload, stored map[int32]*part, a types.CompletedPart) (*part, error) {
	if a.PartNumber == nil || a.ETag == nil {
		return nil, errMalformedXML
	}
	p := stored[*a.PartNumber]
	if p == nil || strings.Trim(p.ETag, `"`) != strings.Trim(*a.ETag, `"`) {
		return nil, s3err.GetInvalidPartErr(u.ID, *a.PartNumber, *a.ETag)
	}
	sum := given(&a, u.Algorithm)
	if sum == "" && u.ChecksumType == types.ChecksumTypeComposite {
		return nil, invalidRequest(fmt.Sprintf("The upload was created using a %s checksum. The complete request must include the checksum for each part. It was missing for part %d in the request.", strings.ToLower(string(u.Algorithm)), *a.PartNumber))
	}
	if sum != "" && sum != p.Checksum.Value {
		return nil, s3err.GetInvalidPartErr(u.ID, *a.PartNumber, *a.ETag)
	}
	return p, nil
}

func objectChecksum(u *upload, parts []part, in *s3.CompleteMultipartUploadInput) (checksum, error) {
	algorithm, kind := u.Algorithm, u.ChecksumType
	if algorithm == "" {
		algorithm, kind = types.ChecksumAlgorithmCrc64nvme, types.ChecksumTypeFullObject
	}
	sum, err := combine(parts, algorithm, kind)
	if err != nil {
		return checksum{}, err
	}
	want := given(in, u.Algorithm)
	if kind == types.ChecksumTypeComposite && want != "" && !strings.Contains(want, "-") {
		want = fmt.Sprintf("%s-%d", want, len(parts))
	}
	if want != "" && want != sum.Value {
		return checksum{}, s3err.GetChecksumBadDigestErr(algorithm)
	}
	return sum, nil
}

// AbortMultipartUpload implements backend.Backend.
func (s *store) AbortMultipartUpload(_ context.Context, in *s3.AbortMultipartUploadInput) error {
	var gone []blob
	err := s.index.update(func(t tables) error {
		u, err := t.upload(*in.Bucket, *in.Key, *in.UploadId)
		if err != nil {
			return err
		}
		gone, err = t.dropUpload(*in.Bucket, u)
		return err
	})
	if err == nil {
		s.blobs.remove(gone...)
	}
	return s.answerable("AbortMultipartUpload", err)
}
