package metric

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
)

// Recorder holds what an invocation counted. It is safe for concurrent use.
type Recorder struct {
	stack, function string
	mu              sync.Mutex
	values          map[series]*samples
}

// series is a metric with the value of its label, "" when it has none.
type series struct{ name, label string }

type samples struct {
	metric Metric
	values []float64
}

// NewRecorder returns the empty recorder of an invocation of a stack's function.
// Without a stack's name nothing is written.
func NewRecorder(stack, function string) *Recorder {
	return &Recorder{stack: stack, function: function, values: map[series]*samples{}}
}

// Add counts a value of a metric; label is the value of the one dimension whose
// values an invocation has several of (Outcome, Cause), "" where the metric has
// none. What is no number is left out.
func (r *Recorder) Add(m Metric, label string, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) || (m.label() == "") != (label == "") {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at := series{m.Name, label}
	s := r.values[at]
	switch {
	case s == nil:
		r.values[at] = &samples{metric: m, values: []float64{value}}
	case m.summed():
		s.values[0] += value
	default:
		s.values = append(s.values, value)
	}
}

// take returns what was counted since the last call, in a fixed order.
func (r *Recorder) take() []labelled {
	r.mu.Lock()
	taken := r.values
	r.values = map[series]*samples{}
	r.mu.Unlock()
	keys := slices.SortedFunc(maps.Keys(taken), func(a, b series) int {
		if a.name != b.name {
			return order[a.name] - order[b.name]
		}
		return strings.Compare(a.label, b.label)
	})
	all := make([]labelled, len(keys))
	for i, k := range keys {
		all[i] = labelled{samples: taken[k], label: k.label}
	}
	return all
}

type recorderKey struct{}

// NewContext returns a context that carries the recorder.
func NewContext(ctx context.Context, r *Recorder) context.Context {
	return context.WithValue(ctx, recorderKey{}, r)
}

// Add counts a value of a metric in the invocation that the context is of.
// Outside of one, as in the command, nothing is counted.
func Add(ctx context.Context, m Metric, value float64) { AddBy(ctx, m, "", value) }

// AddBy is Add for a metric that is counted by outcome or cause.
func AddBy(ctx context.Context, m Metric, label string, value float64) {
	if r, ok := ctx.Value(recorderKey{}).(*Recorder); ok {
		r.Add(m, label, value)
	}
}
