// Command traces is every function with traces by OpenTelemetry: a bootstrap that
// does what the one of functions/ does, and sends spans to a collector. Which
// function it is the linker says (make build TRACES=otlp). The functions as they
// are depend on none of what it needs.
package main

import (
	"context"
	"log"
	"os"

	"go.opentelemetry.io/otel"

	"sealreel/pkg/sqsqueue"
	"sealreel/pkg/wiring"
	"sealreel/traces/otlp"
)

// function is set by the linker: ingest, transcode, assemble or reconcile.
var function string

func main() {
	parts, err := wiring.FromEnv(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	turnOn(parts)
	switch function {
	case wiring.Ingest:
		parts.Start(function, parts.Ingester().Handle(parts.Config.IngestBucket))
	case wiring.Transcode:
		parts.Start(function, parts.Worker().Handle(parts.Queue))
	case wiring.Assemble:
		parts.Start(function, parts.Assembler().Handle(parts.Config.StateBucket))
	case wiring.Reconcile:
		reconciler := parts.Reconciler(sqsqueue.New(parts.AWS, os.Getenv("SEALREEL_DEAD_LETTER_QUEUE_URL")))
		parts.Start(function, func(ctx context.Context) error { _, err := reconciler.Run(ctx); return err })
	default:
		log.Fatalf("this bootstrap was built for the function %q, which there is not: build it with make build TRACES=otlp", function)
	}
}

// turnOn turns traces on where a collector is named. Jobs are done without, too.
func turnOn(parts *wiring.Parts) {
	warn := func(err error) {
		if err != nil {
			parts.Log.WarnContext(context.Background(), "nothing is traced", "err", err)
		}
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(warn))
	named, err := otlp.Configured(os.Getenv)
	if err != nil || !named {
		warn(err)
		return
	}
	tracer, err := otlp.New(context.Background(), parts.Config.Stack, function)
	if err != nil {
		warn(err)
		return
	}
	parts.Tracer = tracer
}
