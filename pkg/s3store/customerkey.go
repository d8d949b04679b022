package s3store

import (
	"context"
	"encoding/base64"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"sealreel/pkg/job"
	"sealreel/pkg/seal"
)

// The headers of a customer key: that there is one, and the key in base64.
const (
	algorithmHeader = "X-Amz-Server-Side-Encryption-Customer-Algorithm"
	keyHeader       = "X-Amz-Server-Side-Encryption-Customer-Key"
)

// errWiped stops a request that should carry a key which is gone.
var errWiped = errors.New("the customer key was wiped before its use: the keyring was closed too early")

// customerKey is the trio that S3 wants with each request about an SSE-C
// object; all nil for other objects. The SDK neither encodes the key nor
// computes its MD5.
type customerKey struct{ algorithm, key, md5 *string }

func customerKeyOf(m *seal.Material) customerKey {
	if m == nil || m.Mode.Name != job.ModeSSEC {
		return customerKey{}
	}
	sum := m.Key.MD5()
	return customerKey{
		algorithm: aws.String("AES256"),
		key:       aws.String(base64.StdEncoding.EncodeToString(m.Key.Bytes())),
		md5:       aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	}
}

// addGate stops a request about an SSE-C object that lacks its key, or that
// would carry it over a network in plaintext, before it is sent. It stands behind the
// resolution of the endpoint, so it judges the address that will be used.
func addGate(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("SealreelCustomerKeyGate",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if req, ok := in.Request.(*smithyhttp.Request); ok && req.Header.Get(algorithmHeader) != "" {
				if err := checkKeyRequest(req); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
			}
			return next.HandleFinalize(ctx, in)
		}), "ResolveEndpointV2", middleware.After)
}

func checkKeyRequest(req *smithyhttp.Request) error {
	if req.Header.Get(keyHeader) == "" {
		return errWiped
	}
	return seal.CheckEndpoint(req.URL)
}
