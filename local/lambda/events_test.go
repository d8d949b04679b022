package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// destination keeps what is sent to it, and fails the first times.
type destination struct {
	mu    sync.Mutex
	fails int
	sent  []string // "ARN body"
}

func (d *destination) Send(_ context.Context, _, arn, body string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fails > 0 {
		d.fails--
		return errors.New("not now")
	}
	d.sent = append(d.sent, arn+" "+body)
	return nil
}

// attempts is a queue whose function fails a number of times, with the time
// since the start of each attempt.
type attempts struct {
	queue *eventQueue
	work  sync.WaitGroup
	at    []time.Duration
	ids   map[string]bool
	// metrics are the values told to CloudWatch, by name.
	metrics map[string][]float64
}

func newAttempts(t *testing.T, dir string, failures int, async Async, d Destination) *attempts {
	t.Helper()
	start := time.Now()
	a := &attempts{ids: map[string]bool{}, metrics: map[string][]float64{}}
	a.queue = &eventQueue{
		dir:    dir,
		spec:   Function{ID: "F", ARN: "arn:f", Async: async},
		delays: []time.Duration{time.Minute, 2 * time.Minute}, destination: d, log: func(string) {},
		spawn:  func(do func()) bool { a.work.Go(do); return true },
		metric: func(name, _ string, value float64) { a.metrics[name] = append(a.metrics[name], value) },
		invoke: func(ctx context.Context, id string, _ []byte) (Result, error) {
			if ctx.Err() != nil {
				return Result{}, ErrClosed
			}
			a.at = append(a.at, time.Since(start))
			a.ids[id] = true
			if len(a.at) <= failures {
				return Result{RequestID: id, FunctionError: Unhandled, Payload: []byte(`{"errorMessage":"no"}`)}, nil
			}
			return Result{RequestID: id, Payload: []byte(`"done"`)}, nil
		},
	}
	return a
}

func (a *attempts) resume(t *testing.T, ctx context.Context) {
	t.Helper()
	if err := a.queue.resume(ctx, a.queue.spawn); err != nil {
		t.Fatal(err)
	}
}

func TestRetries(t *testing.T) {
	for _, c := range []struct {
		name      string
		failures  int
		async     Async
		want      []time.Duration
		condition string
	}{
		{"success", 0, Async{MaxRetries: 2}, []time.Duration{0}, "Success"},
		{"success at last", 2, Async{MaxRetries: 2}, []time.Duration{0, time.Minute, 3 * time.Minute}, "Success"},
		{"exhausted", 9, Async{MaxRetries: 2}, []time.Duration{0, time.Minute, 3 * time.Minute}, "RetriesExhausted"},
		{"one retry", 9, Async{MaxRetries: 1}, []time.Duration{0, time.Minute}, "RetriesExhausted"},
		{"no retry", 9, Async{}, []time.Duration{0}, "RetriesExhausted"},
		{"too old", 9, Async{MaxRetries: 2, MaxAge: 90 * time.Second}, []time.Duration{0, time.Minute}, "EventAgeExceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				c.async.OnFailure, c.async.OnSuccess = "arn:failure", "arn:success"
				d := &destination{fails: 3}
				a := newAttempts(t, dir, c.failures, c.async, d)
				a.resume(t, t.Context())
				id, err := a.queue.put(t.Context(), []byte(`{"a":1}`), 0)
				if err != nil {
					t.Fatal(err)
				}
				a.work.Wait()
				if fmt.Sprint(a.at) != fmt.Sprint(c.want) {
					t.Errorf("attempts at %v, want %v", a.at, c.want)
				}
				if len(a.ids) != 1 || !a.ids[id] {
					t.Errorf("request ids %v, want %s alone", a.ids, id)
				}
				checkRecord(t, d, id, c.condition, len(c.want))
				a.checkMetrics(t, c.want, c.condition != "Success")
				if left, _ := os.ReadDir(dir); len(left) > 0 {
					t.Errorf("the event is still on disk: %v", left)
				}
			})
		})
	}
}

// checkMetrics checks what CloudWatch was told of an event attempted at some
// times, whose record was sent at the fourth attempt.
func (a *attempts) checkMetrics(t *testing.T, at []time.Duration, dropped bool) {
	t.Helper()
	want := map[string][]float64{"AsyncEventsReceived": {1}, "DestinationDeliveryFailures": {1, 1, 1}}
	for _, d := range at {
		want["AsyncEventAge"] = append(want["AsyncEventAge"], float64(d.Milliseconds()))
	}
	if dropped {
		want["AsyncEventsDropped"] = []float64{1}
	}
	if fmt.Sprint(a.metrics) != fmt.Sprint(want) {
		t.Errorf("metrics %v, want %v", a.metrics, want)
	}
}

func checkRecord(t *testing.T, d *destination, id, condition string, count int) {
	t.Helper()
	if len(d.sent) != 1 {
		t.Fatalf("sent to the destination: %v", d.sent)
	}
	arn, body, _ := strings.Cut(d.sent[0], " ")
	var r struct {
		Version, Timestamp string
		RequestContext     struct {
			RequestID, FunctionARN, Condition string
			ApproximateInvokeCount            int
		}
		RequestPayload  map[string]int
		ResponseContext struct {
			StatusCode                     int
			ExecutedVersion, FunctionError string
		}
		ResponsePayload any
	}
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	wantARN, wantError := "arn:failure", Unhandled
	if condition == "Success" {
		wantARN, wantError = "arn:success", ""
	}
	if arn != wantARN || r.Version != "1.0" || r.RequestContext.RequestID != id || r.RequestContext.Condition != condition ||
		r.RequestContext.ApproximateInvokeCount != count || r.RequestContext.FunctionARN != "arn:f:$LATEST" ||
		r.RequestPayload["a"] != 1 || r.ResponseContext.StatusCode != 200 || r.ResponseContext.FunctionError != wantError {
		t.Errorf("%s got %s", arn, body)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", r.Timestamp); err != nil {
		t.Error(err)
	}
}

// TestRestart stops a host between the attempts of an event and expects the
// next one to go on where it stopped.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		first := newAttempts(t, dir, 9, Async{MaxRetries: 2}, nil)
		first.resume(t, ctx)
		id, err := first.queue.put(ctx, []byte(`{}`), 0)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		stop()
		first.work.Wait()
		if len(first.at) != 1 {
			t.Fatalf("the first host made %d attempts", len(first.at))
		}
		second := newAttempts(t, dir, 1, Async{MaxRetries: 2}, nil)
		second.resume(t, t.Context())
		second.work.Wait()
		if !second.ids[id] || fmt.Sprint(second.at) != fmt.Sprint([]time.Duration{30 * time.Second, 150 * time.Second}) {
			t.Errorf("the second host attempted %v at %v", second.ids, second.at)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("the event is still on disk: %v", left)
		}
	})
}

func TestResumeRefusesForeignFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := newAttempts(t, dir, 0, Async{}, nil)
	if err := a.queue.resume(t.Context(), a.queue.spawn); err == nil || !strings.Contains(err.Error(), "x.json is no pending event") {
		t.Errorf("error is %v", err)
	}
}

// TestAsyncProcess checks the whole way with a real process: a failure, a
// retry, and an event that is in work when the host closes.
func TestAsyncProcess(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	var ended []string
	config := Config{Dir: dir, RetryDelays: []time.Duration{10 * time.Millisecond}, OnReport: func(r Report) {
		mu.Lock()
		defer mu.Unlock()
		ended = append(ended, r.FunctionError+string(r.Payload))
	}}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(ended) }
	retry := func(f *Function) { f.Async.MaxRetries = 2 }

	h := openHost(t, config)
	deploy(t, h, "Echo", retry)
	file := filepath.Join(t.TempDir(), "once")
	if _, err := h.InvokeAsync("Echo", fmt.Appendf(nil, `{"Do":"once","Text":%q}`, file)); err != nil {
		t.Fatal(err)
	}
	until(t, "the retry", func() bool { return count() == 2 })
	if ended[1] != `"ok"` {
		t.Errorf("the retry gave %s", ended[1])
	}
	if _, err := h.InvokeAsync("Echo", []byte(`{"Do":"sleep","Sleep":1000000000}`)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	h.Close()
	if count() != 2 {
		t.Fatalf("the event ended before the host closed: %v", ended)
	}
	next := openHost(t, config)
	deploy(t, next, "Echo", retry)
	until(t, "the interrupted event", func() bool { return count() == 3 })
	if ended[2] != "null" {
		t.Errorf("the interrupted event gave %s", ended[2])
	}
}
