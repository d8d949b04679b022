package vault

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/trace"
	"sealreel/pkg/trace/tracetest"
)

// The spans of an input and of stored files say which and how much, and nothing
// of keys, not even of wrapped ones.
func TestReadingAndStoringAreTraced(t *testing.T) {
	for _, mode := range []string{job.ModeSSEC, job.ModeCTR, job.ModeGCM} {
		s, _ := serve(t)
		e, err := s.Seal(t.Context(), &job.Encryption{Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		tracer := &tracetest.Tracer{}
		ctx, end := trace.Work(trace.With(t.Context(), tracer), "1382644766696-2di5iz", "transcode")
		o := plan.Output{Job: "j", ID: "1", Bucket: "in", Encryption: e}
		if _, err := s.Store(ctx, o, "film", "", strings.NewReader("film")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Store(ctx, o, "broken", "", iotest.ErrReader(errors.New("of a test"))); err == nil {
			t.Error("no error")
		}
		in, err := s.Pin(ctx, "in", "film", "", e)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Input(ctx, in, 1)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size())); err != nil || string(b) != "film" {
			t.Errorf("%q, %v", b, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		end(nil)
		var got []string
		for _, span := range tracer.Spans()[:3] {
			got = append(got, fmt.Sprint(span.Name, "<", span.Within, " ", span.Failed, " ", span.Attributes))
			if text := fmt.Sprint(span.Attributes); strings.Contains(text, e.Key) || e.InitializationVector != "" && strings.Contains(text, e.InitializationVector) {
				t.Errorf("%s tells of a key: %s", span.Name, text)
			}
		}
		want := []string{
			fmt.Sprintf("store<transcode false [sealreel.object=film sealreel.bytes=%d]", in.Size),
			"store<transcode true [sealreel.object=broken sealreel.bytes=0]",
			fmt.Sprintf("read input<transcode false [sealreel.object=film sealreel.requests=1 sealreel.bytes=%d]", in.Size),
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", mode, got, want)
		}
	}
}
