// Package trace says where the time of a job goes, to whoever set a Tracer into
// the context; without one it does nothing and costs next to nothing.
//
// It guarantees that one job is one trace, in whichever functions the work on it
// is done and however often: the trace's id follows from the job's, so that
// nothing has to be handed on. Attributes are names and numbers: no key, wrapped
// or not, and no media.
package trace

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"time"
)

// End ends a span, which failed unless err is nil. It may be called once. What
// an error says is not in the trace: the log has it, under the span's request.
type End func(err error, attributes ...slog.Attr)

// Tracer takes spans. It is safe for concurrent use.
type Tracer interface {
	// Start begins a span within the parent or, where that is nil, within the span
	// of the context.
	Start(ctx context.Context, parent *Parent, name string, attributes []slog.Attr) (context.Context, End)
	// Record takes a span that began and ended at known times, which has the
	// parent's place and no parent of its own.
	Record(ctx context.Context, at Parent, name string, begin, end time.Time, failed bool, attributes []slog.Attr)
	// Flush sends what was taken.
	Flush(ctx context.Context) error
}

// Parent is the place of a job's own span, in which all work on it is done.
type Parent struct {
	Trace [16]byte
	Span  [8]byte
}

// Of is the place of a job's span: the first bytes of a digest of its id.
func Of(job string) Parent {
	digest := sha256.Sum256([]byte("sealreel job " + job))
	return Parent{Trace: [16]byte(digest[:16]), Span: [8]byte(digest[16:24])}
}

// scope is what a context carries.
type scope struct {
	tracer     Tracer
	attributes []slog.Attr // of each span of work
	work       bool        // the context is that of work on a job
}

type scopeKey struct{}

// With returns a context whose spans go to the tracer. The attributes are those
// of the invocation.
func With(ctx context.Context, t Tracer, attributes ...slog.Attr) context.Context {
	return context.WithValue(ctx, scopeKey{}, scope{tracer: t, attributes: attributes})
}

// Work begins the span of an invocation's work on a job.
func Work(ctx context.Context, job, name string, attributes ...slog.Attr) (context.Context, End) {
	s, ok := ctx.Value(scopeKey{}).(scope)
	if !ok {
		return ctx, func(error, ...slog.Attr) {}
	}
	parent := Of(job)
	all := append([]slog.Attr{slog.String("sealreel.job", job)}, s.attributes...)
	s.work = true
	return s.tracer.Start(context.WithValue(ctx, scopeKey{}, s), &parent, name, append(all, attributes...))
}

// Start begins a span within the work on a job. Outside of it nothing is traced.
func Start(ctx context.Context, name string, attributes ...slog.Attr) (context.Context, End) {
	s, ok := ctx.Value(scopeKey{}).(scope)
	if !ok || !s.work {
		return ctx, func(error, ...slog.Attr) {}
	}
	return s.tracer.Start(ctx, nil, name, attributes)
}

// Whole records the span of a whole job, when it has ended.
func Whole(ctx context.Context, job, status string, begin, end time.Time, failed bool) {
	if s, ok := ctx.Value(scopeKey{}).(scope); ok {
		s.tracer.Record(ctx, Of(job), "job", begin, end, failed, []slog.Attr{slog.String("sealreel.job", job), slog.String("sealreel.status", status)})
	}
}
