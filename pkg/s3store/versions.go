package s3store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Version is a version of an object of a versioned bucket.
type Version struct {
	Key       string
	VersionID string
	// LastModified is when the object was stored, or where it was stored in parts
	// when that began.
	LastModified time.Time
	InParts      bool
	Replaced     bool // by a newer version
}

// VersionMarker is a place in a listing of versions; the zero one is its
// beginning.
type VersionMarker struct{ Key, VersionID string }

// Versions lists a page of the versions in a bucket, as many as S3 gives in one
// answer, in the order of their keys and of one key the newest first. Those that
// were deleted with their object are left out. next is where the listing goes
// on; the zero VersionMarker says that nothing is left.
func (s *Store) Versions(ctx context.Context, bucket string, after VersionMarker) (page []Version, next VersionMarker, err error) {
	out, err := inRegion(ctx, s, bucket, func(where func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
		return s.client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{
			Bucket: &bucket, KeyMarker: optional(after.Key), VersionIdMarker: optional(after.VersionID)}, where)
	})
	if err != nil {
		return nil, VersionMarker{}, fmt.Errorf("listing versions of %s: %w", Object{Bucket: bucket, Key: after.Key}, classify(err, mustMatch))
	}
	deleted := map[string]bool{}
	for _, d := range out.DeleteMarkers {
		if aws.ToBool(d.IsLatest) {
			deleted[aws.ToString(d.Key)] = true
		}
	}
	for _, v := range out.Versions {
		if deleted[aws.ToString(v.Key)] {
			continue
		}
		page = append(page, Version{
			Key: aws.ToString(v.Key), VersionID: aws.ToString(v.VersionId), LastModified: aws.ToTime(v.LastModified),
			InParts: strings.Contains(aws.ToString(v.ETag), "-"), Replaced: !aws.ToBool(v.IsLatest),
		})
	}
	if aws.ToBool(out.IsTruncated) {
		next = VersionMarker{aws.ToString(out.NextKeyMarker), aws.ToString(out.NextVersionIdMarker)}
	}
	return page, next, nil
}
