package fault

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// Front returns what stands in front of a service, which speaks HTTP/1 and is
// told from its protocol: S3's, or that of JSON or Query.
func (e *Engine) Front(service string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call, err := describe(service, r)
		if err != nil {
			return // the caller went away in the middle of its request
		}
		c, of := e.arrive(call)
		then := e.decide(c, nil)
		answer := &answer{ResponseWriter: w}
		defer func() { e.end(c, answer.status) }()
		if then == nil {
			next.ServeHTTP(answer, r)
			return
		}
		x := &exchange{engine: e, call: c, of: of, then: then, answer: answer, request: r, next: next}
		x.run()
	})
}

// exchange is a call to which something happens.
type exchange struct {
	engine  *Engine
	call    Call
	of      Environment
	then    *Then
	answer  *answer
	request *http.Request
	next    http.Handler
}

func (x *exchange) run() {
	if !sleep(x.request.Context(), time.Duration(x.then.Delay)) {
		x.cut()
	}
	if x.then.Slow != nil {
		x.request.Body = slowBody(x.request.Body, x.then.Slow.Request)
		x.answer.rate = x.then.Slow.Answer
	}
	switch {
	case x.then.Kill == Before:
		x.kill()
	case x.then.Reset == Before:
		x.cut()
	case x.then.Reset == Request:
		io.CopyN(io.Discard, x.request.Body, half(x.then.Bytes, x.request.ContentLength))
		x.cut()
	case x.then.Error != nil:
		io.Copy(io.Discard, x.request.Body) // a caller that is still sending might not see the answer
		refuse(x.call, x.answer, *x.then.Error)
	case x.then.Skew != 0:
		x.skewed(time.Duration(x.then.Skew))
	case x.then.Reset == Reply:
		x.answer.limit, x.answer.cut = x.then.Bytes, x.cut
		if x.answer.limit == 0 {
			x.answer.limit = -1 // half of it
		}
		x.next.ServeHTTP(x.answer, x.request)
		x.cut() // it was shorter than that
	case x.then.Reset == After || x.then.Kill == After:
		x.unheard()
		if x.then.Kill == After {
			x.kill()
		}
		x.cut()
	default:
		x.next.ServeHTTP(x.answer, x.request)
	}
}

// unheard has the call carried out, whatever becomes of the caller, and drops
// the answer.
func (x *exchange) unheard() {
	x.next.ServeHTTP(&answer{ResponseWriter: silent{http.Header{}}}, x.request)
}

// kill ends the calling environment; of another caller it resets the connection.
func (x *exchange) kill() {
	if x.of != nil {
		x.of.Kill()
	}
	x.cut()
}

// cut resets the connection and ends the handler.
func (x *exchange) cut() {
	if hijacker, ok := x.answer.ResponseWriter.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			if layered, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS would say goodbye
				conn = layered.NetConn()
			}
			if tcp, ok := conn.(*net.TCPConn); ok {
				tcp.SetLinger(0)
			}
			conn.Close()
		}
	}
	panic(http.ErrAbortHandler)
}

// half is n, or where that is 0 half of a length, which is -1 when unknown.
func half(n, length int64) int64 {
	if n > 0 {
		return n
	}
	return max(length, 0) / 2
}

// sleep returns false when the caller goes away first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// silent takes an answer that nobody hears.
type silent struct{ header http.Header }

func (s silent) Header() http.Header         { return s.header }
func (s silent) Write(p []byte) (int, error) { return len(p), nil }
func (s silent) WriteHeader(int)             {}

// errSlow ends a throttled body whose reader went away.
var errSlow = errors.New("fault: the caller of a slow body is gone")
