package lambda

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// told collects what CloudWatch is told.
type told struct {
	mu   sync.Mutex
	list []Metric
}

func (l *told) add(m Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, m)
}

// of are the values of a metric in order.
func (l *told) of(name string) []float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var values []float64
	for _, m := range l.list {
		if m.Name == name {
			values = append(values, m.Value)
		}
	}
	return values
}

func TestMetrics(t *testing.T) {
	var l told
	h := openHost(t, Config{OnMetric: l.add})
	deploy(t, h, "Echo", nil)
	invoke(t, h, "Echo", request{Do: "echo"})
	invoke(t, h, "Echo", request{Do: "fail", Text: "x"})
	invoke(t, h, "Echo", request{Do: "sleep", Sleep: 50 * time.Millisecond})
	for name, want := range map[string]string{"Invocations": "[1 1 1]", "Errors": "[0 1 0]", "Throttles": "[0 0 0]", "ConcurrentExecutions": "[1 1 1]"} {
		if got := fmt.Sprint(l.of(name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if d := l.of("Duration"); len(d) != 3 || d[2] < 50 || d[2] > 20_000 {
		t.Errorf("durations are %v ms", d)
	}
	deploy(t, h, "Slow", func(f *Function) { f.Timeout = 300 * time.Millisecond })
	invoke(t, h, "Slow", request{Do: "sleep", Sleep: time.Minute})
	if d, e := l.of("Duration"), l.of("Errors"); len(d) != 4 || d[3] < 300 || e[3] != 1 { // the alarm on durations sees it
		t.Errorf("an invocation that runs out of time takes %v ms, with errors %v", d, e)
	}
	for _, m := range l.list {
		if m.Function == "" || m.Unit != "Count" && (m.Name != "Duration" || m.Unit != "Milliseconds") {
			t.Errorf("%+v", m)
		}
	}
}

// TestThrottle: a throttled function does nothing and loses nothing.
func TestThrottle(t *testing.T) {
	var l told
	var log lines
	h := openHost(t, Config{OnMetric: l.add, OnLine: log.add})
	deploy(t, h, "Echo", nil)
	deploy(t, h, "Queued", func(f *Function) { f.Environment = map[string]string{"HANDLES": "sqs"} })
	for _, name := range []string{"Echo", "Queued"} {
		if err := h.Throttle(name, true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Invoke(t.Context(), "Echo", []byte(`{}`)); !errors.Is(err, ErrThrottled) {
		t.Errorf("a throttled function: %v", err)
	}
	if _, err := h.InvokeAsync("Echo", []byte(`{"Do":"print","Text":"it ran"}`)); err != nil {
		t.Fatal(err)
	}
	q := newQueue(time.Hour, "fine")
	if err := h.Map(Mapping{Name: "m", Function: "Queued", Queue: q, QueueARN: "arn:q", BatchSize: 1, ReportsFailures: true}); err != nil {
		t.Fatal(err)
	}
	throttles := func() int {
		return len(slices.DeleteFunc(l.of("Throttles"), func(v float64) bool { return v == 0 }))
	}
	until(t, "a refusal of each", func() bool { return throttles() >= 3 })
	if n := len(l.of("Invocations")); n > 0 {
		t.Errorf("%d invocations", n)
	}
	for _, name := range []string{"Echo", "Queued"} {
		if err := h.Throttle(name, false); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the event", func() bool { return strings.Contains(log.all(), "it ran") })
	until(t, "the message", func() bool { return q.left() == "" })
	if err := h.Throttle("Nobody", true); !errors.Is(err, ErrNotFound) {
		t.Errorf("of no function: %v", err)
	}
}
