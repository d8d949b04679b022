package loopback

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"
)

// PanicError is the failure of a run whose input or handler panicked.
type PanicError struct {
	Resource string
	Value    any
	Stack    []byte // for the operator's log
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("loopback: %q panicked: %v", e.Resource, e.Value)
}

// handle answers one request. It never lets a panic out but
// http.ErrAbortHandler, with which net/http cuts the connection.
func (s *Server) handle(w http.ResponseWriter, req *http.Request) {
	if !s.begin() {
		panic(http.ErrAbortHandler)
	}
	defer s.handlers.Done()
	r := s.find(req.URL.Path)
	switch {
	case r == nil:
		http.NotFound(w, req)
	case r.source != nil && req.Method == http.MethodGet:
		s.pour(w, r)
	case r.source == nil && r.handler == nil && (req.Method == http.MethodGet || req.Method == http.MethodHead):
		s.give(w, req, r)
	case r.handler != nil && (req.Method == http.MethodPut || req.Method == http.MethodPost):
		s.take(w, req, r)
	default:
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

// begin counts a request in, unless the server is closing.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

// give answers a GET or HEAD. When the input fails, the client gets a cut
// connection: it must not see a body that looks complete.
func (s *Server) give(w http.ResponseWriter, req *http.Request, r *resource) {
	in := &input{Input: r.input}
	err := contain(r.name, func() error {
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, req, "", time.Time{}, in)
		return in.err
	})
	if err == nil {
		return
	}
	if panicked := (*PanicError)(nil); !errors.As(err, &panicked) {
		err = fmt.Errorf("loopback: read %q: %w", r.name, err)
	}
	s.fail(err)
	panic(http.ErrAbortHandler)
}

// pour answers the GET of a stream. When its source fails, the client gets a cut
// connection: it must not see a body that looks complete.
func (s *Server) pour(w http.ResponseWriter, r *resource) {
	if !s.open(r) {
		s.fail(fmt.Errorf("loopback: %q was opened for reading a second time", r.name))
		reject(w, http.StatusConflict)
	}
	out := &answer{w: w}
	err := contain(r.name, func() error {
		w.Header().Set("Content-Type", "application/octet-stream")
		return r.source(s.ctx, out)
	})
	switch {
	case err == nil:
		return
	case out.cut:
		s.cut(fmt.Errorf("loopback: read %q: %w", r.name, err))
	default:
		s.fail(err)
	}
	panic(http.ErrAbortHandler)
}

// take hands the body of a PUT or POST to the resource's handler.
func (s *Server) take(w http.ResponseWriter, req *http.Request, r *resource) {
	if !s.open(r) {
		s.fail(fmt.Errorf("loopback: %q was opened for writing a second time", r.name))
		reject(w, http.StatusConflict)
		return
	}
	in := &body{r: req.Body}
	err := contain(r.name, func() error {
		err := r.handler(s.ctx, in)
		if err == nil {
			_, err = io.Copy(io.Discard, in)
		}
		return err
	})
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case in.cut:
		s.cut(fmt.Errorf("loopback: write %q: %w", r.name, err))
		reject(w, http.StatusInternalServerError)
	default:
		s.fail(err)
		reject(w, http.StatusInternalServerError)
	}
}

// open marks a stream as opened and says whether this was the first time.
func (s *Server) open(r *resource) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.isOpen {
		return false
	}
	r.isOpen = true
	close(r.opened)
	return true
}

// reject answers with the status and cuts the connection without reading what
// the client still sends, so that its next write fails.
func reject(w http.ResponseWriter, status int) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Unix(1, 0)) // net/http would else read on for a while
	w.Header().Set("Connection", "close")
	w.WriteHeader(status)
	_ = control.Flush()
	panic(http.ErrAbortHandler)
}

// contain runs f and turns a panic into an error.
func contain(name string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Resource: name, Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// input is one request's view of an Input. It keeps the first error of the
// ReaderAt, which http.ServeContent does not report.
type input struct {
	Input
	offset int64
	err    error
}

func (in *input) Read(p []byte) (int, error) {
	if in.err != nil {
		return 0, in.err
	}
	left := in.Size - in.offset
	if left <= 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), left)]
	n, err := in.ReaderAt.ReadAt(p, in.offset)
	if n < len(p) {
		if err == nil || err == io.EOF {
			err = fmt.Errorf("it ended at byte %d of %d: %w", in.offset+int64(n), in.Size, io.ErrUnexpectedEOF)
		}
		in.err = err
	}
	in.offset += int64(n)
	return n, in.err
}

func (in *input) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += in.offset
	case io.SeekEnd:
		offset += in.Size
	}
	if offset < 0 {
		return 0, fmt.Errorf("loopback: seek to %d", offset)
	}
	in.offset = offset
	return offset, nil
}

// answer is the body of an answer. A client that goes away gives ErrCut.
type answer struct {
	w   io.Writer
	cut bool
}

func (a *answer) Write(p []byte) (int, error) {
	n, err := a.w.Write(p)
	if err != nil {
		a.cut = true
		err = fmt.Errorf("%w: %w", ErrCut, err)
	}
	return n, err
}

// body is a request's body whose early end is ErrCut. Its error sticks.
type body struct {
	r   io.Reader
	cut bool
	err error
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	if err != nil && err != io.EOF {
		b.cut = true
		err = fmt.Errorf("%w: %w", ErrCut, err)
	}
	b.err = err
	return n, err
}
