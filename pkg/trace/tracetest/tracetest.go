// Package tracetest is a tracer for tests, which keeps the spans.
package tracetest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"sealreel/pkg/trace"
)

// Span is one that has ended.
type Span struct {
	Name       string
	Parent     trace.Parent // of the job
	Within     string       // name of the span that it is in, "" for those of a job
	Failed     bool
	Attributes []slog.Attr
}

// Tracer keeps spans in the order of their ends. It is safe for concurrent use.
type Tracer struct {
	mu    sync.Mutex
	spans []Span
}

type withinKey struct{}

// within is what the context is in.
type within struct {
	parent trace.Parent
	name   string
}

// Start is of trace.Tracer.
func (t *Tracer) Start(ctx context.Context, parent *trace.Parent, name string, attributes []slog.Attr) (context.Context, trace.End) {
	outer, _ := ctx.Value(withinKey{}).(within)
	if parent != nil {
		outer = within{parent: *parent}
	}
	var once sync.Once
	return context.WithValue(ctx, withinKey{}, within{outer.parent, name}), func(err error, more ...slog.Attr) {
		twice := true
		once.Do(func() {
			twice = false
			t.keep(Span{Name: name, Parent: outer.parent, Within: outer.name, Failed: err != nil, Attributes: append(slices.Clone(attributes), more...)})
		})
		if twice {
			panic(fmt.Sprintf("the span %s ended twice", name))
		}
	}
}

// Record is of trace.Tracer.
func (t *Tracer) Record(_ context.Context, at trace.Parent, name string, _, _ time.Time, failed bool, attributes []slog.Attr) {
	t.keep(Span{Name: name, Parent: at, Failed: failed, Attributes: attributes})
}

func (t *Tracer) keep(s Span) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spans = append(t.spans, s)
}

// Flush is of trace.Tracer.
func (t *Tracer) Flush(context.Context) error { return nil }

// Spans are those so far.
func (t *Tracer) Spans() []Span {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.spans)
}
