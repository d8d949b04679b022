package otlp

import (
	"context"
	"crypto/rand"

	otel "go.opentelemetry.io/otel/trace"

	"sealreel/pkg/trace"
)

// placeKey is the context's key of the place that the span of a whole job gets.
type placeKey struct{}

// ids gives the span of a whole job its place, and all other spans ids of their
// own.
type ids struct{}

// NewIDs is of the SDK's IDGenerator.
func (ids) NewIDs(ctx context.Context) (otel.TraceID, otel.SpanID) {
	if at, ok := ctx.Value(placeKey{}).(trace.Parent); ok {
		return at.Trace, at.Span
	}
	var id otel.TraceID
	_, _ = rand.Read(id[:]) // it never fails
	return id, ids{}.NewSpanID(ctx, id)
}

// NewSpanID is of the SDK's IDGenerator.
func (ids) NewSpanID(context.Context, otel.TraceID) otel.SpanID {
	var id otel.SpanID
	_, _ = rand.Read(id[:]) // it never fails, and gives zeros once in 2^64 times
	return id
}
