package s3store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Version is the current version of an object of a versioned bucket.
type Version struct {
	Key          string
	VersionID    string
	LastModified time.Time
}

// Versions yields the current version of every object whose key begins with the
// prefix. An error ends it.
func (s *Store) Versions(ctx context.Context, bucket, prefix string) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		pages := s3.NewListObjectVersionsPaginator(s.client, &s3.ListObjectVersionsInput{Bucket: &bucket, Prefix: optional(prefix)})
		for pages.HasMorePages() {
			page, err := inRegion(ctx, s, bucket, func(where func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
				return pages.NextPage(ctx, where)
			})
			if err != nil {
				yield(Version{}, fmt.Errorf("listing versions of %s: %w", Object{Bucket: bucket, Key: prefix}, classify(err, mustMatch)))
				return
			}
			for _, v := range page.Versions {
				if !aws.ToBool(v.IsLatest) {
					continue
				}
				found := Version{Key: aws.ToString(v.Key), VersionID: aws.ToString(v.VersionId), LastModified: aws.ToTime(v.LastModified)}
				if !yield(found, nil) {
					return
				}
			}
		}
	}
}
