package wiring

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"sealreel/pkg/usage"
)

// Start serves the function's invocations with a handler as lambda.Start takes
// it, and does not return. Each invocation carries a tally of what it uses
// (package usage).
func (p *Parts) Start(handler any) { lambda.Start(p.tallied(lambda.NewHandler(handler))) }

// invocations are those of a function, as Lambda's runtime hands them over.
type invocations func(ctx context.Context, event []byte) (answer []byte, err error)

// Invoke does one invocation (lambda.Handler).
func (f invocations) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }

// tallied gives each invocation its tally, and logs what it used.
func (p *Parts) tallied(handler lambda.Handler) lambda.Handler {
	return invocations(func(ctx context.Context, event []byte) ([]byte, error) {
		ctx, tally := usage.With(ctx)
		answer, err := handler.Invoke(ctx, event)
		p.Log.Debug("used", "jobs", tally.Jobs(), "counts", tally.Counts(), "done", err == nil)
		return answer, err
	})
}
