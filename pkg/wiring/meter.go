package wiring

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"sealreel/pkg/usage"
)

// payloadUnit is what SQS and SNS bill as one request, in bytes.
const payloadUnit = 64 << 10

// apiOptions are those of all clients.
var apiOptions = []func(*middleware.Stack) error{meter}

// meter counts every attempt at a request into the context's tally.
func meter(stack *middleware.Stack) error {
	for _, err := range []error{
		stack.Initialize.Add(middleware.InitializeMiddlewareFunc("SealreelMeterRequest", meterRequest), middleware.Before),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("SealreelMeterAttempt", meterAttempt), middleware.Before),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("SealreelMeterBody", meterBody), middleware.After),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// lastKey is the context's key of why the last attempt at a request failed.
type lastKey struct{}

func meterRequest(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	return next.HandleInitialize(context.WithValue(ctx, lastKey{}, new(usage.Cause)), in)
}

// meterAttempt counts an attempt, and as a retry if one before it failed. It
// stands around what reads errors from answers.
func meterAttempt(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	tally, last := usage.From(ctx), ctx.Value(lastKey{}).(*usage.Cause)
	if *last != "" {
		tally.Retry(*last)
	}
	req, _ := in.Request.(*smithyhttp.Request)
	counts := countsOf(awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), req)
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if counts.KMS > 0 && denied(err) {
		counts.KMSDenied++
	}
	tally.Add(counts)
	if conflicts(req, err) { // no retry of the SDK's: the store or the ledger tries again
		tally.Retry(usage.Conflict)
	}
	*last = causeOf(ctx, err)
	return out, metadata, err
}

// countsOf is what one attempt at a request counts. req may be nil.
func countsOf(service, operation string, req *smithyhttp.Request) usage.Counts {
	method, length := http.MethodPost, int64(0)
	if req != nil {
		method, length = req.Method, max(req.ContentLength, 0)
	}
	units := max((length+payloadUnit-1)/payloadUnit, 1)
	switch service {
	case "S3":
		c := usage.Counts{S3Out: length}
		switch {
		case method == http.MethodDelete:
			c.S3Deletes = 1
		case method == http.MethodPut, method == http.MethodPost, strings.HasPrefix(operation, "List"):
			c.S3Writes = 1
		default:
			c.S3Reads = 1
		}
		return c
	case "KMS":
		return usage.Counts{KMS: 1}
	case "SQS":
		return usage.Counts{SQS: units}
	case "SNS":
		return usage.Counts{SNS: units}
	case "STS":
		return usage.Counts{STS: 1}
	}
	return usage.Counts{}
}

// denied says whether KMS refused for want of rights, or for the key's state.
func denied(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "AccessDeniedException", "AccessDenied", "DisabledException", "KMSInvalidStateException", "NotFoundException", "InvalidKeyUsageException":
		return true
	}
	return false
}

// conflicts says whether another writer was faster than a write that its caller
// makes anew.
func conflicts(req *smithyhttp.Request, err error) bool {
	switch status(err) {
	case http.StatusConflict:
		return true
	case http.StatusPreconditionFailed:
		return req != nil && req.Method == http.MethodPut && req.Header.Get("If-Match") != ""
	}
	return false
}

func status(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

var throttling = retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}

// causeOf is why an attempt failed, "" where trying again would not help.
func causeOf(ctx context.Context, err error) usage.Cause {
	var (
		sending *smithyhttp.RequestSendError
		network net.Error
	)
	switch code := status(err); {
	case err == nil, ctx.Err() != nil:
		return ""
	case code == http.StatusTooManyRequests, throttling.IsErrorThrottle(err).Bool():
		return usage.Throttled
	case code >= http.StatusInternalServerError:
		return usage.Server
	case errors.As(err, &network) && network.Timeout():
		return usage.Timeout
	case errors.As(err, &sending), errors.Is(err, io.ErrUnexpectedEOF):
		return usage.Connection
	}
	return ""
}

// meterBody counts the bytes of S3's answers as they are read.
func meterBody(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if response, ok := out.RawResponse.(*smithyhttp.Response); ok && response.Body != nil && awsmiddleware.GetServiceID(ctx) == "S3" {
		if tally := usage.From(ctx); tally != nil {
			response.Body = &meteredBody{ReadCloser: response.Body, ctx: ctx, tally: tally}
		}
	}
	return out, metadata, err
}

// meteredBody is a body whose bytes are counted. One that breaks off is read
// anew by whoever needs the rest, which is a retry.
type meteredBody struct {
	io.ReadCloser
	ctx    context.Context
	tally  *usage.Tally
	broken bool
}

func (b *meteredBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.tally.Add(usage.Counts{S3In: int64(n)})
	}
	if err != nil && err != io.EOF && !b.broken && b.ctx.Err() == nil {
		b.broken = true
		var network net.Error
		if errors.As(err, &network) && network.Timeout() {
			b.tally.Retry(usage.Timeout)
		} else {
			b.tally.Retry(usage.Connection)
		}
	}
	return n, err
}
