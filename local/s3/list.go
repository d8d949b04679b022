package s3

import (
	"cmp"
	"context"
	"encoding/base64"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/s3response"
)

// list reads one page of a bucket's keys.
func (s *store) list(bucket string, q listQuery) (page listPage, err error) {
	err = s.index.view(func(t tables) error {
		if _, err := t.bucket(bucket); err != nil {
			return err
		}
		page, err = t.list(bucket, q)
		return err
	})
	return page, err
}

func (p listPage) objects() []s3response.Object {
	out := make([]s3response.Object, len(p.versions))
	for i, v := range p.versions {
		out[i] = s3response.Object{
			Key: &v.Key, Size: &v.Size, ETag: &v.ETag, LastModified: &v.Modified,
			StorageClass: types.ObjectStorageClass(cmp.Or(v.Attributes.StorageClass, types.StorageClassStandard)), ChecksumType: v.Checksum.Type,
			ChecksumAlgorithm: v.Checksum.algorithms(),
		}
	}
	return out
}

func (c checksum) algorithms() []types.ChecksumAlgorithm {
	if c.Algorithm == "" {
		return nil
	}
	return []types.ChecksumAlgorithm{c.Algorithm}
}

func commonPrefixes(prefixes []string) []types.CommonPrefix {
	out := make([]types.CommonPrefix, len(prefixes))
	for i := range prefixes {
		out[i].Prefix = &prefixes[i]
	}
	return out
}

// ListObjects implements backend.Backend.
func (s *store) ListObjects(_ context.Context, in *s3.ListObjectsInput) (s3response.ListObjectsResult, error) {
	q := listQuery{deref(in.Prefix), deref(in.Delimiter), deref(in.Marker), int(deref(in.MaxKeys))}
	page, err := s.list(*in.Bucket, q)
	if err != nil {
		return s3response.ListObjectsResult{}, s.answerable("ListObjects", err)
	}
	out := s3response.ListObjectsResult{
		Name: in.Bucket, Prefix: in.Prefix, Marker: in.Marker, MaxKeys: in.MaxKeys, Delimiter: optional(q.delimiter),
		IsTruncated: &page.truncated, Contents: page.objects(), CommonPrefixes: commonPrefixes(page.prefixes),
	}
	if page.truncated {
		out.NextMarker = &page.last
	}
	return out, nil
}

// ListObjectsV2 implements backend.Backend. A continuation token is the last key or prefix of the page before.
func (s *store) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input) (s3response.ListObjectsV2Result, error) {
	q := listQuery{deref(in.Prefix), deref(in.Delimiter), deref(in.StartAfter), int(deref(in.MaxKeys))}
	if token := deref(in.ContinuationToken); token != "" {
		after, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return s3response.ListObjectsV2Result{}, invalidArgument("The continuation token provided is incorrect")
		}
		q.after = string(after)
	}
	page, err := s.list(*in.Bucket, q)
	if err != nil {
		return s3response.ListObjectsV2Result{}, s.answerable("ListObjectsV2", err)
	}
	count := int32(page.size())
	out := s3response.ListObjectsV2Result{
		Name: in.Bucket, Prefix: in.Prefix, StartAfter: optional(deref(in.StartAfter)), MaxKeys: in.MaxKeys,
		ContinuationToken: optional(deref(in.ContinuationToken)), Delimiter: optional(q.delimiter), KeyCount: &count,
		IsTruncated: &page.truncated, Contents: page.objects(), CommonPrefixes: commonPrefixes(page.prefixes),
	}
	if page.truncated {
		next := base64.RawURLEncoding.EncodeToString([]byte(page.last))
		out.NextContinuationToken = &next
	}
	if deref(in.FetchOwner) {
		for i := range out.Contents {
			out.Contents[i].Owner = &types.Owner{ID: &s.owner}
		}
	}
	return out, nil
}

// ListObjectVersions implements backend.Backend.
func (s *store) ListObjectVersions(_ context.Context, in *s3.ListObjectVersionsInput) (s3response.ListVersionsResult, error) {
	q := listQuery{deref(in.Prefix), deref(in.Delimiter), deref(in.KeyMarker), int(deref(in.MaxKeys))}
	if deref(in.VersionIdMarker) != "" && q.after == "" {
		return s3response.ListVersionsResult{}, invalidArgument("A version-id marker cannot be specified without a key marker.")
	}
	var page listPage
	err := s.index.view(func(t tables) error {
		if _, err := t.bucket(*in.Bucket); err != nil {
			return err
		}
		var err error
		page, err = t.listVersions(*in.Bucket, q, deref(in.VersionIdMarker))
		return err
	})
	if err != nil {
		return s3response.ListVersionsResult{}, s.answerable("ListObjectVersions", err)
	}
	out := s3response.ListVersionsResult{
		Name: in.Bucket, Prefix: in.Prefix, KeyMarker: in.KeyMarker, VersionIdMarker: in.VersionIdMarker,
		MaxKeys: in.MaxKeys, Delimiter: optional(q.delimiter), IsTruncated: &page.truncated,
		CommonPrefixes: commonPrefixes(page.prefixes),
	}
	if page.truncated {
		out.NextKeyMarker, out.NextVersionIdMarker = &page.last, optional(page.lastID)
	}
	owner := &types.Owner{ID: &s.owner}
	for i, v := range page.versions {
		if v.DeleteMarker {
			out.DeleteMarkers = append(out.DeleteMarkers, types.DeleteMarkerEntry{
				Key: &v.Key, VersionId: &v.ID, IsLatest: &page.latest[i], LastModified: &v.Modified, Owner: owner,
			})
			continue
		}
		out.Versions = append(out.Versions, s3response.ObjectVersion{
			Key: &v.Key, VersionId: &v.ID, IsLatest: &page.latest[i], LastModified: &v.Modified, Owner: owner,
			Size: &v.Size, ETag: &v.ETag, StorageClass: types.ObjectVersionStorageClass(cmp.Or(v.Attributes.StorageClass, types.StorageClassStandard)),
			ChecksumType: v.Checksum.Type, ChecksumAlgorithm: v.Checksum.algorithms(),
		})
	}
	return out, nil
}

// ListMultipartUploads implements backend.Backend.
func (s *store) ListMultipartUploads(_ context.Context, in *s3.ListMultipartUploadsInput) (s3response.ListMultipartUploadsResult, error) {
	q := listQuery{deref(in.Prefix), deref(in.Delimiter), deref(in.KeyMarker), int(deref(in.MaxUploads))}
	out := s3response.ListMultipartUploadsResult{
		Bucket: *in.Bucket, KeyMarker: q.after, UploadIDMarker: deref(in.UploadIdMarker), Delimiter: q.delimiter,
		Prefix: q.prefix, MaxUploads: q.limit,
	}
	err := s.index.view(func(t tables) error {
		if _, err := t.bucket(*in.Bucket); err != nil {
			return err
		}
		uploads, prefixes, truncated, err := t.listUploads(*in.Bucket, q, deref(in.UploadIdMarker))
		for _, u := range uploads {
			owner := s3response.Owner{ID: u.Owner}
			out.Uploads = append(out.Uploads, s3response.Upload{
				Key: u.Key, UploadID: u.ID, Initiated: u.Started, Owner: owner, Initiator: s3response.Initiator(owner),
				StorageClass: cmp.Or(u.Attributes.StorageClass, types.StorageClassStandard), ChecksumAlgorithm: u.Algorithm, ChecksumType: u.ChecksumType,
			})
			out.NextKeyMarker, out.NextUploadIDMarker = u.Key, u.ID
		}
		for _, p := range prefixes {
			out.CommonPrefixes = append(out.CommonPrefixes, s3response.CommonPrefix{Prefix: p})
			if p > out.NextKeyMarker {
				out.NextKeyMarker, out.NextUploadIDMarker = p, ""
			}
		}
		out.IsTruncated = truncated
		return err
	})
	if !out.IsTruncated {
		out.NextKeyMarker, out.NextUploadIDMarker = "", ""
	}
	return out, s.answerable("ListMultipartUploads", err)
}

// ListParts implements backend.Backend.
func (s *store) ListParts(_ context.Context, in *s3.ListPartsInput) (s3response.ListPartsResult, error) {
	marker, _ := strconv.Atoi(deref(in.PartNumberMarker))
	limit := int(deref(in.MaxParts))
	out := s3response.ListPartsResult{
		Bucket: *in.Bucket, Key: *in.Key, UploadID: *in.UploadId,
		PartNumberMarker: marker, MaxParts: limit,
	}
	err := s.index.view(func(t tables) error {
		u, err := t.upload(*in.Bucket, *in.Key, *in.UploadId)
		if err != nil {
			return err
		}
		out.Owner = s3response.Owner{ID: u.Owner}
		out.Initiator = s3response.Initiator(out.Owner)
		out.ChecksumAlgorithm, out.ChecksumType = u.Algorithm, u.ChecksumType
		out.StorageClass = cmp.Or(u.Attributes.StorageClass, types.StorageClassStandard)
		parts, err := t.parts(u.ID)
		for _, p := range parts {
			if int(p.Number) <= marker {
				continue
			}
			if len(out.Parts) == limit {
				out.IsTruncated = true
				break
			}
			listed := s3response.Part{PartNumber: int(p.Number), LastModified: p.Modified, ETag: p.ETag, Size: p.Blob.Size}
			p.Checksum.fill(&listed)
			out.Parts = append(out.Parts, listed)
			out.NextPartNumberMarker = int(p.Number)
		}
		return err
	})
	return out, s.answerable("ListParts", err)
}
