package wiring

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"sealreel/pkg/logs"
	"sealreel/pkg/usage"
)

// Ingest, Transcode, Assemble and Reconcile are the functions' names in metrics.
const (
	Ingest    = "ingest"
	Transcode = "transcode"
	Assemble  = "assemble"
	Reconcile = "reconcile"
)

// Start serves the function's invocations with a handler as lambda.Start takes
// it, and does not return. Each invocation carries a tally of what it uses
// (package usage) and counts what it does (package metric).
func (p *Parts) Start(function string, handler any) {
	counted := &counting{function: function, stack: p.Config.Stack, handler: lambda.NewHandler(handler), out: os.Stdout, log: p.Log}
	lambda.Start(p.tallied(counted))
}

// invocations are those of a function, as Lambda's runtime hands them over.
type invocations func(ctx context.Context, event []byte) (answer []byte, err error)

// Invoke does one invocation (lambda.Handler).
func (f invocations) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }

// tallied gives each invocation its tally, and logs what it used.
func (p *Parts) tallied(handler lambda.Handler) lambda.Handler {
	return invocations(func(ctx context.Context, event []byte) ([]byte, error) {
		ctx, tally := usage.With(named(ctx))
		answer, err := handler.Invoke(ctx, event)
		p.Log.DebugContext(ctx, "used", "jobs", tally.Jobs(), "counts", tally.Counts(), "done", err == nil)
		return answer, err
	})
}

// named is the context of an invocation whose log lines name its request.
func named(ctx context.Context) context.Context {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return logs.With(ctx, logs.Request, lc.AwsRequestID)
	}
	return ctx
}
