package s3store

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"sealreel/pkg/object"
)

// Errors of S3 beside those of package object.
var (
	// ErrThrottled: S3 asked for fewer requests through all attempts.
	ErrThrottled = errors.New("S3 is throttling requests")
	// ErrNoCustomerKey: a customer key was given for an object that is not
	// encrypted with one.
	ErrNoCustomerKey = errors.New("the object is not encrypted with a customer key")
	// ErrKMSKey: S3 could not use the KMS key of an object in mode s3-aws-kms.
	ErrKMSKey = errors.New("S3 can't use the KMS key")
	// ErrKMSKeyRegion is the ErrKMSKey of a key that S3 does not find in the
	// bucket's region.
	ErrKMSKeyRegion = fmt.Errorf("%w: it is not in the bucket's region", ErrKMSKey)
	// ErrTooLarge: a record is longer than MaxRecord.
	ErrTooLarge = errors.New("the object is too long for a record")
)

// ExistsError is the object.ErrExists of Upload: another object has the name.
type ExistsError struct {
	Bucket, Key string
	// Mine: the object was written under the same Writer, but has another size
	// than this attempt's. An earlier attempt stored it.
	Mine bool
	// Info is what could be learned about the object; zero when it can't be
	// read with the upload's key.
	Info Info
}

func (e *ExistsError) Error() string {
	if e.Mine {
		return fmt.Sprintf("s3://%s/%s: %v, stored by an earlier attempt with %d bytes", e.Bucket, e.Key, object.ErrExists, e.Info.Size)
	}
	return fmt.Sprintf("s3://%s/%s: %v", e.Bucket, e.Key, object.ErrExists)
}

// Unwrap makes it an object.ErrExists.
func (e *ExistsError) Unwrap() error { return object.ErrExists }

// condition is what a request demanded of the object that is there.
type condition error

// The meaning of a 412.
var (
	mustMatch condition = object.ErrChanged // If-Match, or none
	mustBeNew condition = object.ErrExists  // If-None-Match: *
)

// classify adds to err what it amounts to.
func classify(err error, unmet condition) error {
	if kind := kindOf(err, unmet); kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

func kindOf(err error, unmet condition) error {
	var api smithy.APIError
	code, message := "", ""
	if errors.As(err, &api) {
		code, message = api.ErrorCode(), strings.ToLower(api.ErrorMessage())
	}
	if kind := kindOfCode(code, message); kind != nil {
		return kind
	}
	switch status(err) {
	case http.StatusNotFound, http.StatusMethodNotAllowed: // 405: the version is a delete marker
		if code == "NoSuchUpload" {
			return nil
		}
		return object.ErrNotExist
	case http.StatusForbidden:
		return object.ErrAccess
	case http.StatusPreconditionFailed:
		return unmet
	case http.StatusConflict:
		if code == "ConditionalRequestConflict" {
			return object.ErrChanged
		}
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return ErrThrottled
	}
	return nil
}

// kindOfCode knows the answers that a status does not tell. S3 has one code for
// many cases around customer keys, so the message has to decide.
func kindOfCode(code, message string) error {
	switch {
	case code == "NoSuchBucket":
		return object.ErrNoBucket
	case code == "KMS.NotFoundException", strings.HasPrefix(code, "KMS.") && strings.Contains(message, "invalid arn"):
		return ErrKMSKeyRegion
	case strings.HasPrefix(code, "KMS."):
		return ErrKMSKey
	case strings.Contains(message, "correct secret key"), strings.Contains(message, "stored using a form of server side encryption"):
		return object.ErrNeedsKey
	case strings.Contains(message, "encryption parameters are not applicable"):
		return ErrNoCustomerKey
	}
	return nil
}

// status is the HTTP status of S3's answer, 0 when there was none.
func status(err error) int {
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

// isCode says whether S3 answered with the code.
func isCode(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}
