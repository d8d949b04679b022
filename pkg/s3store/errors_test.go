package s3store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/seal"
)

// answer is the SDK's error for an answer of S3.
func answer(status int, code, message string) error {
	return &smithy.OperationError{ServiceID: "S3", OperationName: "PutObject", Err: &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: &smithy.GenericAPIError{Code: code, Message: message}}}}
}

// The answers are those of the S3 API reference and of captures from S3.
func TestClassify(t *testing.T) {
	for _, c := range []struct {
		status        int
		code, message string
		want          error
	}{
		{404, "NoSuchKey", "", object.ErrNotExist},
		{404, "NoSuchVersion", "", object.ErrNotExist},
		{404, "NotFound", "", object.ErrNotExist},
		{405, "MethodNotAllowed", "", object.ErrNotExist},
		{404, "NoSuchBucket", "", object.ErrNoBucket},
		{404, "NoSuchUpload", "", nil},
		{403, "AccessDenied", "Access Denied", object.ErrAccess},
		{403, "AccessDenied", "User: u is not authorized to perform: s3:PutObject on resource: r because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type", object.ErrAccess},
		{403, "AccessDenied", "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.", object.ErrNeedsKey},
		{400, "InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.", object.ErrNeedsKey},
		{400, "InvalidRequest", "The encryption parameters are not applicable to this object.", ErrNoCustomerKey},
		{400, "InvalidRequest", "something else", nil},
		{400, "InvalidArgument", "The calculated MD5 hash of the key did not match the hash that was provided.", nil},
		{412, "PreconditionFailed", "", object.ErrExists},
		{409, "ConditionalRequestConflict", "", object.ErrChanged},
		{409, "BucketAlreadyExists", "", nil},
		{503, "SlowDown", "", ErrThrottled},
		{503, "ServiceUnavailable", "", ErrThrottled},
		{429, "TooManyRequests", "", ErrThrottled},
		{400, "KMS.NotFoundException", "Invalid arn us-west-2", ErrKMSKeyRegion},
		{400, "KMS.DisabledException", "k is disabled.", ErrKMSKey},
		{500, "InternalError", "", nil},
		{416, "InvalidRange", "", nil},
	} {
		if got := kindOf(answer(c.status, c.code, c.message), mustBeNew); got != c.want {
			t.Errorf("%d %s %q: %v, want %v", c.status, c.code, c.message, got, c.want)
		}
	}
	if got := kindOf(answer(412, "PreconditionFailed", ""), mustMatch); got != object.ErrChanged {
		t.Errorf("412 on If-Match: %v", got)
	}
	if got := kindOf(context.Canceled, mustMatch); got != nil {
		t.Errorf("canceled: %v", got)
	}
}

func TestFailures(t *testing.T) {
	plaintext := &seal.PlaintextEndpointError{Endpoint: "http://s3.example.com"}
	for _, c := range []struct {
		err           error
		input, output job.Code // 0: comes back as it is
	}{
		{nil, 0, 0},
		{context.Canceled, 0, 0},
		{ErrThrottled, 0, 0},
		{object.ErrNotExist, 3001, 0},
		{object.ErrChanged, 3001, 0},
		{object.ErrExists, 0, 3002},
		{&ExistsError{Bucket: bucket, Key: "k"}, 0, 3002},
		{object.ErrAccess, 3003, 3004},
		{object.ErrNoBucket, 3005, 3005},
		{object.ErrNeedsKey, 4016, 0},
		{ErrNoCustomerKey, 4016, 0},
		{ErrKMSKey, 3003, 3004},
		{ErrKMSKeyRegion, 3003, 3006},
		{plaintext, 3000, 3000},
		{job.BadMedia(nil), 4000, 4000},
	} {
		err := c.err
		if err != nil {
			err = fmt.Errorf("reading: %w", err)
		}
		for way, got := range map[string]struct {
			err  error
			code job.Code
		}{
			"input":  {InputFailure(err, Object{Bucket: bucket, Key: "k"}, job.ModeSSEC), c.input},
			"output": {OutputFailure(err, bucket, "k"), c.output},
		} {
			var f *job.Failure
			switch {
			case got.code == 0 && got.err != err:
				t.Errorf("%s, %v: %v", way, c.err, got.err)
			case got.code != 0 && (!errors.As(got.err, &f) || f.Code != got.code || !errors.Is(got.err, c.err)):
				t.Errorf("%s, %v: %v, want %d", way, c.err, got.err, got.code)
			}
		}
	}
}
