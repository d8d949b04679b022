// Package loopback lets one ffmpeg run read and write media that never
// touches a disk: an HTTP server on 127.0.0.1 that gives out readable
// resources (Serve), pours streams out (Stream) and takes streams in (Accept), each
// under a URL with a random 128-bit token of its own.
//
// What it guarantees:
//
//   - Nothing but the registered resources is served, and nothing outside the
//     loopback interface can connect.
//   - An input that cannot be read is never taken for a short file: the
//     connection is cut and the error is recorded, so that the run fails with
//     it whatever ffmpeg makes of the cut.
//   - A handler sees the end of its stream (io.EOF) only when the client sent
//     all of it; a client that died gives ErrCut.
//   - The first failure ends Context, so that a program run under it stops at
//     once, and Finish names that failure rather than what followed from it.
//
// The order of use is New, Serve and Accept, the program under Context, then
// Finish with the program's own error. Close, deferred, ends everything early.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Errors that callers may look for in what Finish returns.
var (
	// ErrCut is what a handler reads, instead of io.EOF, when the client
	// went away before it had sent all of its stream.
	ErrCut = errors.New("loopback: the stream was cut before its end")
	// ErrNothingReceived means that a program ended well without opening
	// a resource that it was to write.
	ErrNothingReceived = errors.New("loopback: nothing was written")
	// ErrClosed ends the context of handlers that Close interrupted.
	ErrClosed = errors.New("loopback: the server was closed")
)

const (
	// openGrace is how long Finish waits for a connection that a program
	// opened and left in the listener's queue when it ended.
	openGrace = 5 * time.Second
	// sendBuffer bounds what the kernel takes from an input ahead of the
	// client. ffmpeg drops a connection at each seek, and what was read
	// ahead for it is lost.
	sendBuffer = 256 << 10
)

// Server is the endpoint of one run. Its methods are safe for concurrent use.
type Server struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	listener net.Listener
	http     *http.Server
	handlers sync.WaitGroup // requests that are being answered
	served   sync.WaitGroup // the accept loop
	grace    time.Duration  // openGrace, shorter in tests

	mu        sync.Mutex
	resources []*resource
	closed    bool
	failure   error // the first failure of our side: an input or a handler
	aftermath error // the first stream that the client cut
}

// New starts a server on a free port of 127.0.0.1. When ctx ends, every
// connection is closed and every handler's context ends with it.
func New(ctx context.Context) (*Server, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("loopback: listen on 127.0.0.1: %w", err)
	}
	s := &Server{listener: listener, grace: openGrace}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // failures are returned, not logged
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetWriteBuffer(sendBuffer) // best effort: a hint to the kernel
			}
			return ctx
		},
	}
	context.AfterFunc(s.ctx, func() { _ = s.http.Close() })
	s.served.Go(func() { _ = s.http.Serve(listener) })
	return s, nil
}

// Context ends when the context given to New ends, at the first failure of an
// input or a handler (which is its cause), and on Close. Run the program under
// it.
func (s *Server) Context() context.Context { return s.ctx }

// Err returns the first failure of an input or a handler so far, or nil.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// Finish waits until every stream has been handled to its end, closes the
// server and returns why the run failed, or nil. run is the error of the
// program that used the server. The cause comes before the consequence: the
// failure of an input or a handler, then run, then the end of New's context,
// then a stream that was cut or never opened.
func (s *Server) Finish(run error) error {
	if run == nil {
		s.awaitOpened()
	} else {
		// A dead program sends nothing more, and a connection that it
		// left half-open must not hold the handlers.
		_ = s.listener.Close()
	}
	s.refuse()
	s.handlers.Wait()
	s.mu.Lock()
	failure, aftermath, unopened := s.failure, s.aftermath, s.unopened()
	s.mu.Unlock()
	ended := context.Cause(s.ctx)
	s.Close()

	switch {
	case failure != nil:
		return failure
	case run != nil:
		return run
	case ended != nil:
		return fmt.Errorf("loopback: stopped: %w", ended)
	case aftermath != nil:
		return aftermath
	case unopened != nil:
		return fmt.Errorf("%w to %q; is its URL among the program's arguments?", ErrNothingReceived, unopened.name)
	default:
		return nil
	}
}

// Close ends the server now: it cuts the connections, ends the handlers'
// context and returns when they have returned. After Finish it does nothing.
func (s *Server) Close() {
	s.refuse()
	s.cancel(ErrClosed)
	_ = s.http.Close()
	s.served.Wait()
	s.handlers.Wait()
}

// refuse lets no further request begin.
func (s *Server) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// awaitOpened returns when each stream has been opened, at the latest after
// openGrace or at the end of the context.
func (s *Server) awaitOpened() {
	ctx, cancel := context.WithTimeout(s.ctx, s.grace)
	defer cancel()
	s.mu.Lock()
	resources := s.resources
	s.mu.Unlock()
	for _, r := range resources {
		if r.handler == nil {
			continue
		}
		select {
		case <-r.opened:
		case <-ctx.Done():
			return
		}
	}
}

// unopened returns a stream that no client opened. The caller holds mu.
func (s *Server) unopened() *resource {
	for _, r := range s.resources {
		if r.handler != nil && !r.isOpen {
			return r
		}
	}
	return nil
}

// fail records a failure of our side and ends the context with it.
func (s *Server) fail(err error) {
	s.mu.Lock()
	if s.failure == nil && !s.interrupted() {
		s.failure = err
	}
	s.mu.Unlock()
	s.cancel(err)
}

// interrupted says whether the context ended for a reason from outside, so
// that what fails now fails because of it.
func (s *Server) interrupted() bool { return s.ctx.Err() != nil }

// cut records a stream that the client did not finish.
func (s *Server) cut(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aftermath == nil {
		s.aftermath = err
	}
}
