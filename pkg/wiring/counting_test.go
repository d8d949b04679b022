package wiring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"sealreel/pkg/metric"
	"sealreel/pkg/usage"
)

// journal is what an environment printed.
type journal struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (j *journal) Write(text []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out.Write(text)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out.String()
}

// serve is an environment of a function, and the lines that it writes.
func serve(function string, handler any) (*counting, func() []map[string]any) {
	var out journal
	i := &counting{function: function, stack: "media", handler: lambda.NewHandler(handler), out: &out, log: slog.New(slog.DiscardHandler)}
	return i, func() []map[string]any {
		var lines []map[string]any
		for text := range strings.Lines(out.String()) {
			var members map[string]any
			if err := json.Unmarshal([]byte(text), &members); err != nil {
				panic(err)
			}
			delete(members, "_aws")
			lines = append(lines, members)
		}
		return lines
	}
}

func event(ctx context.Context) context.Context {
	ctx, _ = usage.With(ctx)
	return lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
}

func TestEachInvocationWritesWhatItCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := errors.New("no such bucket")
		i, lines := serve(Ingest, func(ctx context.Context, outcome string) error {
			time.Sleep(2 * time.Second)
			switch outcome {
			case "error":
				return fail
			case "panic":
				panic("of a bug")
			}
			metric.Add(ctx, metric.JobsSubmitted, 1)
			usage.From(ctx).Add(usage.Counts{S3In: 500, S3Out: 20, KMS: 3, KMSDenied: 1})
			usage.From(ctx).Retry(usage.Throttled)
			return nil
		})
		invoke := func(payload string) (err error) {
			ctx, cancel := context.WithTimeout(event(t.Context()), 10*time.Second)
			defer cancel()
			defer func() {
				if recover() != nil {
					err = errors.New("panic")
				}
			}()
			_, err = i.Invoke(ctx, []byte(payload))
			return err
		}
		if err := invoke(`"fine"`); err != nil {
			t.Error(err)
		}
		if err := invoke(`"error"`); !errors.Is(err, fail) {
			t.Errorf("error %v", err)
		}
		if err := invoke(`"panic"`); err == nil {
			t.Error("the panic is swallowed")
		}
		got := lines()
		if len(got) != 3 {
			t.Fatalf("lines %v", got)
		}
		for n, want := range []map[string]any{
			{"ColdStarts": 1.0, "IngestFailures": 0.0, "JobsSubmitted": 1.0, "BytesIn": 500.0, "BytesOut": 20.0, "KMSCalls": 3.0, "KMSDenials": 1.0, "Retries": 1.0, "Cause": "throttled"},
			{"ColdStarts": 0.0, "IngestFailures": 1.0, "BytesIn": 0.0, "BytesOut": 0.0},
			{"ColdStarts": 0.0, "IngestFailures": 1.0, "BytesIn": 0.0, "BytesOut": 0.0},
		} {
			maps.Copy(want, map[string]any{"TimeLeft": 8000.0, "Stack": "media", "Function": "ingest", "requestId": "r-1", "level": "INFO", "msg": "metrics",
				"function": lambdacontext.FunctionName, "time": got[n]["time"]})
			if !maps.Equal(got[n], want) {
				t.Errorf("line %d is %v, want %v", n, got[n], want)
			}
		}
	})
}

// An invocation that Lambda is about to kill has its metrics written before.
func TestMetricsAreWrittenBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, lines := serve(Transcode, func(ctx context.Context) error {
			store := func(bytes int64) {
				metric.Add(ctx, metric.Receipts, 1)
				usage.From(ctx).Add(usage.Counts{S3Out: bytes})
			}
			store(100)
			time.Sleep(12 * time.Second)
			store(10)
			return nil
		})
		ctx, cancel := context.WithTimeout(event(t.Context()), 10*time.Second)
		defer cancel()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if _, err := i.Invoke(ctx, []byte(`{}`)); err != nil {
				t.Error(err)
			}
		}()
		time.Sleep(9500 * time.Millisecond)
		synctest.Wait()
		got := lines()
		if len(got) != 1 || got[0]["TimeLeft"] != 1000.0 || got[0]["Receipts"] != 1.0 || got[0]["BytesOut"] != 100.0 {
			t.Errorf("before the deadline: %v", got)
		}
		<-ended
		got = lines()
		if len(got) != 2 || got[1]["Receipts"] != 1.0 || got[1]["BytesOut"] != 10.0 || slices.Contains(slices.Collect(maps.Keys(got[1])), "TimeLeft") {
			t.Errorf("in the end: %v", got)
		}
	})
}
