package wiring

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"sealreel/pkg/trace"
)

// flushTime bounds how long an invocation waits for its spans to be taken: the
// environment may be frozen as soon as it has answered.
const flushTime = 2 * time.Second

// tracing gives the invocations of one environment a tracer (lambda.Handler).
type tracing struct {
	handler lambda.Handler
	tracer  trace.Tracer
	log     *slog.Logger
	warm    atomic.Bool
}

// Invoke does one invocation. That spans are lost does not fail it.
func (t *tracing) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	attributes := []slog.Attr{slog.Bool("faas.coldstart", !t.warm.Swap(true))}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		attributes = append(attributes, slog.String("faas.invocation_id", lc.AwsRequestID))
	}
	defer func() {
		ctx, cancel := context.WithTimeout(ctx, flushTime)
		defer cancel()
		if err := t.tracer.Flush(ctx); err != nil {
			t.log.WarnContext(ctx, "spans are lost", "err", err)
		}
	}()
	return t.handler.Invoke(trace.With(ctx, t.tracer, attributes...), payload)
}
