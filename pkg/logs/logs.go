// Package logs makes the functions' log lines: one JSON object a line on
// standard output, with what the context says of the work that the line is about:
// the request, the job, and its task or output.
//
// It guarantees that a line written with a context has every member that the
// context carries, once, whichever package writes it. What a line says is up to
// who writes it: no key and no media, which types that hold keys see to
// themselves.
package logs

import (
	"context"
	"io"
	"log/slog"
	"slices"
)

// Names of the members that lines are searched by.
const (
	Function = "function"  // its name in AWS
	Request  = "requestId" // of the invocation
	Job      = "job"
	Task     = "task"   // audio, or that of a chunk
	Output   = "output" // id of a job's output
)

// New returns a logger of lines of at least the level. It is used by its methods
// that take a context.
func New(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(handler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})})
}

type attrsKey struct{}

// With returns a context whose lines have the member, in place of one of the
// same name.
func With(ctx context.Context, name, value string) context.Context {
	attrs := slices.DeleteFunc(slices.Clone(carried(ctx)), func(a slog.Attr) bool { return a.Key == name })
	return context.WithValue(ctx, attrsKey{}, append(attrs, slog.String(name, value)))
}

func carried(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(attrsKey{}).([]slog.Attr)
	return attrs
}

// handler adds what the context carries.
type handler struct{ slog.Handler }

// Handle writes a line (slog.Handler). What the line itself says of a member
// goes before the context's word.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	attrs := carried(ctx)
	if len(attrs) == 0 {
		return h.Handler.Handle(ctx, r)
	}
	own := map[string]bool{}
	r.Attrs(func(a slog.Attr) bool { own[a.Key] = true; return true })
	r = r.Clone()
	for _, a := range attrs {
		if !own[a.Key] {
			r.AddAttrs(a)
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs is of slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup is of slog.Handler.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
