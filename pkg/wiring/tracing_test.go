package wiring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"sealreel/pkg/logs"
	"sealreel/pkg/trace"
	"sealreel/pkg/trace/tracetest"
)

// lossy is a tracer whose spans nobody takes.
type lossy struct{ tracetest.Tracer }

func (*lossy) Flush(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		return errors.New("it may take for ever")
	}
	return errors.New("no collector")
}

func TestInvocationsAreTraced(t *testing.T) {
	var log bytes.Buffer
	tracer := &lossy{}
	i := &tracing{tracer: tracer, log: logs.New(&log, slog.LevelInfo), handler: lambda.NewHandler(func(ctx context.Context) error {
		_, end := trace.Work(ctx, "1382644766696-2di5iz", "assemble")
		end(nil)
		return nil
	})}
	for range 2 {
		if _, err := i.Invoke(event(t.Context()), []byte(`{}`)); err != nil {
			t.Errorf("lost spans failed an invocation: %v", err)
		}
	}
	var got []string
	for _, s := range tracer.Spans() {
		got = append(got, fmt.Sprint(s.Name, s.Attributes[1:]))
	}
	want := []string{"assemble[faas.coldstart=true faas.invocation_id=r-1]", "assemble[faas.coldstart=false faas.invocation_id=r-1]"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if strings.Count(log.String(), `"err":"no collector"`) != 2 {
		t.Errorf("logged %s", &log)
	}
}
