package logs

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
)

// line is what write logs, without its time.
func line(t *testing.T, write func(log *slog.Logger)) string {
	t.Helper()
	var out bytes.Buffer
	write(New(&out, slog.LevelInfo).With(Function, "media-transcode"))
	_, rest, _ := strings.Cut(out.String(), `"level"`)
	return strings.TrimSuffix(rest, "}\n")
}

func TestLinesCarryTheContext(t *testing.T) {
	request := With(t.Context(), Request, "r-1")
	work := With(With(request, Job, "j-1"), Task, "chunk-0-00003")
	other := With(With(work, Job, "j-2"), Task, "audio")
	for name, c := range map[string]struct {
		ctx  context.Context
		args []any
		want string
	}{
		"nothing":         {t.Context(), nil, ``},
		"the request":     {request, nil, `,"requestId":"r-1"`},
		"a task":          {work, nil, `,"requestId":"r-1","job":"j-1","task":"chunk-0-00003"`},
		"another task":    {other, nil, `,"requestId":"r-1","job":"j-2","task":"audio"`},
		"the line's own":  {work, []any{Job, "j-9", "err", "of a test"}, `,"job":"j-9","err":"of a test","requestId":"r-1","task":"chunk-0-00003"`},
		"a value escaped": {With(t.Context(), Job, "a\"b\n"), nil, `,"job":"a\"b\n"`},
	} {
		got := line(t, func(log *slog.Logger) { log.WarnContext(c.ctx, "m", c.args...) })
		if want := `:"WARN","msg":"m","function":"media-transcode"` + c.want; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if got := line(t, func(log *slog.Logger) { log.DebugContext(work, "m") }); got != "" {
		t.Errorf("below the level: %s", got)
	}
	if got := line(t, func(log *slog.Logger) { log.With("a", 1).WithGroup("g").InfoContext(t.Context(), "m", "b", 2) }); !strings.HasSuffix(got, `"a":1,"g":{"b":2}`) {
		t.Errorf("a group: %s", got)
	}
}
