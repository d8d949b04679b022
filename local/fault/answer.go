package fault

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answer passes an answer on, as slowly and as far as it should.
type answer struct {
	http.ResponseWriter
	status int
	rate   int64  // bytes a second, 0: at once
	limit  int64  // bytes after which cut is called; -1: half of the body
	cut    func() // nil: never
	sent   int64
	date   func() time.Time // nil: the real one
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Flush implements http.Flusher.
func (a *answer) Flush() { http.NewResponseController(a.ResponseWriter).Flush() }

// restore gives the headers of user metadata the small letters of S3, which the
// proxy has made large: there are clients that show names as they came.
func restore(h http.Header) {
	for name, values := range h {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
}

func (a *answer) WriteHeader(status int) {
	if status >= 200 && a.status == 0 {
		a.status = status
		restore(a.Header())
		if a.date != nil {
			a.Header().Set("Date", a.date().UTC().Format(http.TimeFormat))
		}
		if a.limit < 0 {
			length, _ := strconv.ParseInt(a.Header().Get("Content-Length"), 10, 64)
			a.limit = length / 2
		}
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.cut != nil && a.sent+int64(len(p)) > a.limit {
		a.pass(p[:max(a.limit-a.sent, 0)])
		a.Flush()
		a.cut()
	}
	return a.pass(p)
}

// pass writes at the rate.
func (a *answer) pass(p []byte) (n int, err error) {
	for len(p) > 0 && err == nil {
		var m int
		m, err = a.ResponseWriter.Write(p[:step(a.rate, len(p))])
		n, p, a.sent = n+m, p[m:], a.sent+int64(m)
		if a.rate > 0 && err == nil {
			a.Flush()
			time.Sleep(lasting(m, a.rate))
		}
	}
	return n, err
}

// step is how many of n bytes go at once at a rate: those of a tenth of a second.
func step(rate int64, n int) int {
	if rate == 0 {
		return n
	}
	return int(min(max(rate/10, 1), int64(n)))
}

func lasting(n int, rate int64) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(rate)
}

// slowBody reads a body at a rate, 0: as it comes.
func slowBody(body io.ReadCloser, rate int64) io.ReadCloser {
	if rate == 0 {
		return body
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &slow{body, rate, ctx, cancel}
}

type slow struct {
	io.ReadCloser
	rate   int64
	ctx    context.Context
	cancel context.CancelFunc
}

func (s *slow) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p[:step(s.rate, len(p))])
	if !sleep(s.ctx, lasting(n, s.rate)) {
		return n, errSlow
	}
	return n, err
}

func (s *slow) Close() error {
	s.cancel()
	return s.ReadCloser.Close()
}
