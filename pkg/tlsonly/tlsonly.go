// Package tlsonly keeps AWS clients whose answers hold secrets from asking over
// an unprotected network.
//
// It guarantees that a request goes to an https endpoint or to this machine, or
// is not made at all.
package tlsonly

import (
	"context"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"sealreel/pkg/seal"
)

// Add puts the check into a client's APIOptions. It stands behind the resolution
// of the endpoint, so it judges the address that will be used. What it stops is
// a *seal.PlaintextEndpointError.
func Add(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("SealreelEndpointGate",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if req, ok := in.Request.(*smithyhttp.Request); ok {
				if err := seal.CheckEndpoint(req.URL); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
			}
			return next.HandleFinalize(ctx, in)
		}), "ResolveEndpointV2", middleware.After)
}
