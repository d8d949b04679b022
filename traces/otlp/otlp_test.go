package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"sealreel/pkg/trace"
)

const job = "1382644766696-2di5iz"

// stub is an OTLP collector that keeps what it gets.
type stub struct {
	mu       sync.Mutex
	requests []*collector.ExportTraceServiceRequest
	refuse   bool
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	request := &collector.ExportTraceServiceRequest{}
	switch {
	case s.refuse:
		w.WriteHeader(http.StatusBadRequest)
		return
	case err != nil, r.URL.Path != "/v1/traces", r.Header.Get("Content-Type") != "application/x-protobuf", proto.Unmarshal(body, request) != nil:
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	s.requests = append(s.requests, request)
}

// received are the spans by name, and the services that they came from.
func (s *stub) received() (byName map[string][]*spans.Span, services []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	byName = map[string][]*spans.Span{}
	for _, request := range s.requests {
		for _, of := range request.ResourceSpans {
			for _, a := range of.Resource.Attributes {
				if a.Key == "service.name" {
					services = append(services, a.Value.GetStringValue())
				}
			}
			for _, scope := range of.ScopeSpans {
				for _, span := range scope.Spans {
					byName[span.Name] = append(byName[span.Name], span)
				}
			}
		}
	}
	slices.Sort(services)
	return byName, slices.Compact(services)
}

func serve(t *testing.T) *stub {
	t.Helper()
	s := &stub{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	return s
}

func tracer(t *testing.T, function string) *Tracer {
	t.Helper()
	made, err := New(t.Context(), "media", function)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// Three functions that know nothing of each other but the job's id make one
// trace, whose root comes last.
func TestOneJobIsOneTrace(t *testing.T) {
	s := serve(t)
	begin := time.UnixMilli(1382644766696)
	for _, function := range []string{"ingest", "transcode", "assemble"} {
		made := tracer(t, function)
		ctx := trace.With(t.Context(), made, slog.String("faas.invocation_id", "r-"+function), slog.Bool("faas.coldstart", true))
		work, end := trace.Work(ctx, job, function)
		_, endKey := trace.Start(work, "unwrap key")
		endKey(nil)
		_, endStore := trace.Start(work, "store "+function, slog.String("sealreel.object", "film/a.ts"))
		endStore(errors.New("the text of an error"), slog.Int64("sealreel.bytes", 188))
		end(nil)
		if function == "assemble" {
			trace.Whole(ctx, job, "Complete", begin, begin.Add(time.Minute), false)
		}
		if err := made.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got, services := s.received()
	if !slices.Equal(services, []string{"sealreel-assemble", "sealreel-ingest", "sealreel-transcode"}) {
		t.Errorf("services %v", services)
	}
	place, count := trace.Of(job), 0
	for name, all := range got {
		for _, span := range all {
			count++
			if !bytes.Equal(span.TraceId, place.Trace[:]) {
				t.Errorf("%s is in the trace %x", name, span.TraceId)
			}
			if text := fmt.Sprint(span); strings.Contains(text, "the text") {
				t.Errorf("%s tells what an error said: %s", name, text)
			}
		}
	}
	root, work, store := got["job"][0], got["transcode"][0], got["store transcode"][0]
	if count != 10 || !bytes.Equal(root.SpanId, place.Span[:]) || len(root.ParentSpanId) != 0 {
		t.Errorf("%d spans, the root %v", count, root)
	}
	if root.StartTimeUnixNano != uint64(begin.UnixNano()) || root.EndTimeUnixNano != uint64(begin.Add(time.Minute).UnixNano()) {
		t.Errorf("the root's times %v", root)
	}
	if !bytes.Equal(work.ParentSpanId, place.Span[:]) || work.Kind != spans.Span_SPAN_KIND_CONSUMER || !bytes.Equal(store.ParentSpanId, work.SpanId) {
		t.Errorf("parents: %v, %v", work, store)
	}
	if store.Status.Code != spans.Status_STATUS_CODE_ERROR || work.Status.Code == spans.Status_STATUS_CODE_ERROR {
		t.Errorf("statuses: %v, %v", store.Status, work.Status)
	}
	for span, want := range map[*spans.Span]string{
		work:  `sealreel.job=` + job + ` faas.invocation_id=r-transcode faas.coldstart=true`,
		store: `sealreel.object=film/a.ts sealreel.bytes=188`,
	} {
		var all []string
		for _, a := range span.Attributes {
			value := a.Value.GetStringValue()
			switch a.Key {
			case "faas.coldstart":
				value = fmt.Sprint(a.Value.GetBoolValue())
			case "sealreel.bytes":
				value = fmt.Sprint(a.Value.GetIntValue())
			}
			all = append(all, a.Key+"="+value)
		}
		if got := strings.Join(all, " "); got != want {
			t.Errorf("attributes %q, want %q", got, want)
		}
	}
}

// A share of the jobs is sampled, each of them whole: whether it is follows from
// the trace's id.
func TestJobsAreSampledWhole(t *testing.T) {
	s := serve(t)
	t.Setenv("OTEL_TRACES_SAMPLER", "traceidratio")
	t.Setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
	const jobs = 100
	for _, function := range []string{"ingest", "assemble"} {
		made := tracer(t, function)
		ctx := trace.With(t.Context(), made)
		for i := range jobs {
			id := fmt.Sprintf("13826447666%02d-2di5iz", i)
			_, end := trace.Work(ctx, id, "work")
			end(nil)
			if function == "assemble" {
				trace.Whole(ctx, id, "Complete", time.Now(), time.Now(), false)
			}
		}
		if err := made.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := s.received()
	spansOf := map[string]int{}
	for _, all := range got {
		for _, span := range all {
			spansOf[string(span.TraceId)]++
		}
	}
	if len(spansOf) < jobs/4 || len(spansOf) > jobs*3/4 {
		t.Errorf("%d of %d jobs are sampled", len(spansOf), jobs)
	}
	for id, n := range spansOf {
		if n != 3 {
			t.Errorf("the trace %x has %d spans", id, n)
		}
	}
}

func TestFlushTellsOfLostSpans(t *testing.T) {
	serve(t).refuse = true
	made := tracer(t, "ingest")
	_, end := trace.Work(trace.With(t.Context(), made), job, "ingest")
	end(nil)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := made.Flush(ctx); err == nil {
		t.Error("no error")
	}
}

func TestConfigured(t *testing.T) {
	for value, want := range map[string]struct{ is, fails bool }{
		"":                               {false, false},
		"http://localhost:4318":          {true, false},
		"http://127.0.0.1:4318":          {true, false},
		"https://collector.example:4318": {true, false},
		"http://collector.example:4318":  {false, true},
		"collector.example:4318":         {false, true},
		"http://[::1":                    {false, true},
	} {
		for _, variable := range endpoints {
			got, err := Configured(func(name string) string {
				if name == variable {
					return value
				}
				return ""
			})
			if got != want.is || (err != nil) != want.fails || (err != nil && !strings.Contains(err.Error(), variable)) {
				t.Errorf("%s=%s: %v, %v", variable, value, got, err)
			}
		}
	}
}
