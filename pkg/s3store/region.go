package s3store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sealreel/pkg/object"
)

// regionHeader names a bucket's region in most of S3's answers.
const regionHeader = "X-Amz-Bucket-Region"

// regions are where buckets are, as far as S3 has said so. The zero value knows
// none.
type regions struct{ known sync.Map } // of string to string

func (r *regions) of(bucket string) string {
	region, _ := r.known.Load(bucket)
	name, _ := region.(string)
	return name
}

// Region is the region that a bucket is in. S3 is asked once for each bucket,
// and may tell even those who have no permission to use it; if not, the error
// wraps those of package object.
func (s *Store) Region(ctx context.Context, bucket string) (string, error) {
	if region := s.regions.of(bucket); region != "" {
		return region, nil
	}
	out, err := s.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
	region := regionIn(err)
	if err == nil {
		region = aws.ToString(out.BucketRegion)
	}
	switch {
	case isRegion(region):
		s.regions.known.Store(bucket, region)
		return region, nil
	case err == nil:
		return "", fmt.Errorf("looking for the region of %s: S3 answered with %q", bucket, region)
	case status(err) == http.StatusNotFound:
		return "", fmt.Errorf("looking for the region of %s: %w: %w", bucket, object.ErrNoBucket, err)
	}
	return "", fmt.Errorf("looking for the region of %s: %w", bucket, classify(err, mustMatch))
}

// inRegion makes a request about a bucket, which passes on the option it is
// given: it has the request made in the bucket's region, at first that of the
// configuration. When S3 answers that the bucket is in another, the request is
// made there once more, with an address that the SDK makes of the region's name:
// what S3 says of addresses is not followed.
func inRegion[Out any](ctx context.Context, s *Store, bucket string, request func(where func(*s3.Options)) (Out, error)) (Out, error) {
	asked := s.regions.of(bucket)
	out, err := request(where(asked))
	if err == nil || !elsewhere(err) {
		return out, err
	}
	if asked == "" {
		asked = s.client.Options().Region
	}
	region := regionIn(err)
	if !isRegion(region) {
		s.regions.known.Delete(bucket)
		if region, _ = s.Region(ctx, bucket); region == "" {
			return out, err
		}
	}
	if region == asked {
		return out, err
	}
	s.regions.known.Store(bucket, region)
	return request(where(region))
}

func where(region string) func(*s3.Options) {
	return func(o *s3.Options) {
		if region != "" {
			o.Region = region
		}
	}
}

// elsewhere says whether S3 may have refused a request for its region. A HEAD is
// refused with 400 and no code; then the region in the answer must decide.
func elsewhere(err error) bool {
	switch status(err) {
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect:
		return true
	case http.StatusBadRequest:
		return isCode(err, "AuthorizationHeaderMalformed") || isRegion(regionIn(err))
	}
	return false
}

// regionIn is the region that a refusal names, or "".
func regionIn(err error) string {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil {
		return ""
	}
	return response.Response.Header.Get(regionHeader)
}

// isRegion says whether a name can stand in a host name of Amazon's without
// making it another's.
func isRegion(name string) bool {
	return name != "" && len(name) <= 63 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
