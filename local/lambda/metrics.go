package lambda

import (
	"errors"
	"fmt"
	"time"
)

// Metric is a value that Lambda tells CloudWatch of a function, under the name
// and in the unit that AWS's namespace AWS/Lambda has it.
type Metric struct {
	Function string // id
	Name     string
	Unit     string // Count or Milliseconds
	Value    float64
}

// ErrThrottled is for a function that may have no environment now.
var ErrThrottled = errors.New("lambda: Rate Exceeded")

func (f *function) metric(name, unit string, value float64) {
	if f.config.OnMetric != nil {
		f.config.OnMetric(Metric{f.spec.ID, name, unit, value})
	}
}

func (f *function) count(name string, value float64) { f.metric(name, "Count", value) }

// began tells of an invocation that has an environment's place.
func (f *function) began() {
	f.count("Invocations", 1)
	f.count("Throttles", 0)
	f.count("ConcurrentExecutions", float64(len(f.slots)))
}

// ended tells of an invocation that ended.
func (f *function) ended(r Report) {
	failed := 0.0
	if r.FunctionError != "" {
		failed = 1
	}
	f.count("Errors", failed)
	f.metric("Duration", "Milliseconds", milliseconds(r.Duration))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Throttle refuses every invocation of a function from now on, or no longer: as
// reserving no concurrency for it does on AWS. What asked for an invocation
// tries again.
func (h *Host) Throttle(name string, on bool) error {
	f, err := h.function(name)
	if err != nil {
		return err
	}
	f.throttled.Store(on)
	return nil
}

// admit refuses an invocation of a function that is throttled.
func (f *function) admit() error {
	if !f.throttled.Load() {
		return nil
	}
	f.count("Throttles", 1)
	return fmt.Errorf("%w: %s has no concurrency", ErrThrottled, f.spec.Name)
}

// throttlePause is how long a throttled invocation waits for its next attempt:
// from a second to five minutes (AWS: asynchronous invocation, throttling).
func throttlePause(before time.Duration) time.Duration {
	return min(max(2*before, time.Second), 5*time.Minute)
}
