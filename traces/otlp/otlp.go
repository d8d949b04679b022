// Package otlp sends the spans of package trace to an OpenTelemetry collector,
// by OTLP over HTTP. OpenTelemetry's own variables say where it is and what is
// sampled.
//
// It guarantees that a job's spans are in the one trace that package trace names,
// whichever functions they come from, and that spans, which name jobs and
// objects, go to an https endpoint or to this machine only.
package otlp

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"

	"sealreel/pkg/seal"
	"sealreel/pkg/trace"
)

// endpoints are the variables that say where the collector is.
var endpoints = []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"}

// Configured says whether the environment names a collector that spans may be
// sent to; without an error but false it names none.
func Configured(getenv func(string) string) (bool, error) {
	named := false
	for _, variable := range endpoints {
		value := getenv(variable)
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		if err != nil || seal.CheckEndpoint(u) != nil {
			return false, fmt.Errorf("%s is %q: spans are sent to an https URL, or to http://localhost", variable, value)
		}
		named = true
	}
	return named, nil
}

// Tracer is a trace.Tracer.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   otel.Tracer
}

var _ trace.Tracer = (*Tracer)(nil)

// New returns the tracer of a function of a stack, or an error when the variables
// of OpenTelemetry are wrong. It asks nothing of the collector yet.
func New(ctx context.Context, stack, function string) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("making the exporter of traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithFromEnv(), resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "sealreel-"+function), attribute.String("service.namespace", stack)))
	if err != nil {
		return nil, fmt.Errorf("making the resource of traces: %w", err)
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about), sdk.WithIDGenerator(ids{}))
	return &Tracer{provider, provider.Tracer("sealreel")}, nil
}

// Start is of trace.Tracer.
func (t *Tracer) Start(ctx context.Context, parent *trace.Parent, name string, attributes []slog.Attr) (context.Context, trace.End) {
	options := []otel.SpanStartOption{otel.WithAttributes(converted(attributes)...)}
	if parent != nil {
		ctx = otel.ContextWithRemoteSpanContext(ctx, otel.NewSpanContext(otel.SpanContextConfig{
			TraceID: parent.Trace, SpanID: parent.Span, TraceFlags: otel.FlagsSampled, Remote: true}))
		options = append(options, otel.WithSpanKind(otel.SpanKindConsumer))
	}
	ctx, span := t.tracer.Start(ctx, name, options...)
	return ctx, func(err error, more ...slog.Attr) {
		span.SetAttributes(converted(more)...)
		mark(span, err != nil)
		span.End()
	}
}

// Record is of trace.Tracer.
func (t *Tracer) Record(ctx context.Context, at trace.Parent, name string, begin, end time.Time, failed bool, attributes []slog.Attr) {
	_, span := t.tracer.Start(context.WithValue(ctx, placeKey{}, at), name, otel.WithNewRoot(), otel.WithTimestamp(begin),
		otel.WithAttributes(converted(attributes)...))
	mark(span, failed)
	span.End(otel.WithTimestamp(end))
}

// Flush is of trace.Tracer.
func (t *Tracer) Flush(ctx context.Context) error { return t.provider.ForceFlush(ctx) }

func mark(span otel.Span, failed bool) {
	if failed {
		span.SetStatus(codes.Error, "")
	}
}

func converted(attributes []slog.Attr) []attribute.KeyValue {
	all := make([]attribute.KeyValue, len(attributes))
	for i, a := range attributes {
		switch a.Value.Kind() {
		case slog.KindInt64:
			all[i] = attribute.Int64(a.Key, a.Value.Int64())
		case slog.KindBool:
			all[i] = attribute.Bool(a.Key, a.Value.Bool())
		default:
			all[i] = attribute.String(a.Key, a.Value.String())
		}
	}
	return all
}
