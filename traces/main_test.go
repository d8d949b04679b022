package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"sealreel/pkg/trace"
)

const job = "1382644766696-2di5iz"

// world is all that a bootstrap speaks to: Lambda's runtime, S3, which has
// nothing, and a collector. Each tells what it saw.
type world struct {
	seen   chan string
	given  atomic.Bool
	handed chan struct{} // closed when the test is over
}

func (w *world) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch {
	case strings.HasSuffix(r.URL.Path, "/invocation/next") && w.given.Swap(true):
		<-w.handed
	case strings.HasSuffix(r.URL.Path, "/invocation/next"):
		answer.Header().Set("Lambda-Runtime-Aws-Request-Id", "r-1")
		answer.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
		fmt.Fprintf(answer, `{"Records":[{"s3":{"bucket":{"name":"state"},"object":{"key":"ready/%s/1.json"}}}]}`, job)
	case strings.Contains(r.URL.Path, "/invocation/"):
		w.seen <- "answer " + string(body)
		answer.WriteHeader(http.StatusAccepted)
	case r.URL.Path == "/v1/traces":
		request := &collector.ExportTraceServiceRequest{}
		if err := proto.Unmarshal(body, request); err != nil {
			w.seen <- err.Error()
		}
		span := request.ResourceSpans[0].ScopeSpans[0].Spans[0]
		w.seen <- fmt.Sprintf("span %s %x", span.Name, span.TraceId)
	default:
		answer.WriteHeader(http.StatusNotFound)
	}
}

// A bootstrap as make builds it has its spans taken before it answers, since
// Lambda may freeze it then.
func TestABootstrapSendsItsSpans(t *testing.T) {
	program := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w -X main.function=assemble", "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w := &world{seen: make(chan string, 10), handed: make(chan struct{})}
	server := httptest.NewServer(w)
	defer server.Close()
	defer close(w.handed)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, program)
	run.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(server.URL, "http://"), "AWS_ENDPOINT_URL=" + server.URL, "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=s", "SEALREEL_STACK=media", "SEALREEL_INGEST_BUCKET=ingest", "SEALREEL_OUTPUT_BUCKET=output",
		"SEALREEL_STATE_BUCKET=state", "SEALREEL_WORK_BUCKET=work", "SEALREEL_QUEUE_URL=https://queue.example", "OTEL_EXPORTER_OTLP_ENDPOINT=" + server.URL}
	var log strings.Builder
	run.Stdout, run.Stderr = &log, &log
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	place := trace.Of(job)
	for _, want := range []string{fmt.Sprintf("span assemble %x", place.Trace), "answer null"} {
		select {
		case got := <-w.seen:
			if strings.TrimSpace(got) != want {
				t.Errorf("got %s, want %s", got, want)
			}
		case <-ctx.Done():
			t.Errorf("waited in vain for %s", want)
		}
	}
	if err := run.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = run.Wait() // it was killed
	if t.Failed() {
		t.Log(log.String())
	}
}
