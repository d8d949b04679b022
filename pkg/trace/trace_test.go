package trace_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"sealreel/pkg/trace"
	"sealreel/pkg/trace/tracetest"
)

const job = "1382644766696-2di5iz"

func TestSpansOfAJob(t *testing.T) {
	tracer := &tracetest.Tracer{}
	for request := range 2 { // two invocations that know nothing of each other
		ctx := trace.With(t.Context(), tracer, slog.Int("request", request))
		if inner, _ := trace.Start(ctx, "outside of work"); inner != ctx {
			t.Error("a span outside of work on a job has a context")
		}
		work, end := trace.Work(ctx, job, "transcode", slog.String("task", "audio"))
		_, endEncode := trace.Start(work, "encode")
		endEncode(errors.New("of a test"), slog.Int("frames", 3))
		end(nil)
	}
	trace.Whole(trace.With(t.Context(), tracer), job, "Error", time.UnixMilli(1), time.UnixMilli(2), true)
	var got []string
	for _, s := range tracer.Spans() {
		if s.Parent != trace.Of(job) {
			t.Errorf("%s is in another trace", s.Name)
		}
		got = append(got, fmt.Sprint(s.Name, "<", s.Within, " ", s.Failed, " ", s.Attributes))
	}
	want := []string{
		"encode<transcode true [frames=3]",
		"transcode< false [sealreel.job=" + job + " request=0 task=audio]",
		"encode<transcode true [frames=3]",
		"transcode< false [sealreel.job=" + job + " request=1 task=audio]",
		"job< true [sealreel.job=" + job + " sealreel.status=Error]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q,\nwant %q", got, want)
	}
}

func TestNothingIsTracedWithoutATracer(t *testing.T) {
	ctx := context.Background()
	for name, start := range map[string]func() (context.Context, trace.End){
		"work": func() (context.Context, trace.End) { return trace.Work(ctx, job, "transcode") },
		"span": func() (context.Context, trace.End) { return trace.Start(ctx, "encode") },
	} {
		inner, end := start()
		end(errors.New("of a test"))
		if inner != ctx {
			t.Errorf("%s has a context of its own", name)
		}
	}
	trace.Whole(ctx, job, "Complete", time.Now(), time.Now(), false)
}

// Whoever has a job's id finds its trace: the digest is documented.
func TestTheIDOfATrace(t *testing.T) {
	p := trace.Of(job)
	if got := hex.EncodeToString(p.Trace[:]); got != "0e547fb464406a6280abd5a3dc476aef" {
		t.Errorf("trace %s", got)
	}
	if p.Trace == trace.Of("1382644766696-2di5ia").Trace {
		t.Error("two jobs have one trace")
	}
}
