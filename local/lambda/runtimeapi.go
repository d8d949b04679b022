package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxResponse is the largest response of a function in bytes: six MiB of
// payload and some room (AWS: Function.ResponseSizeTooLarge).
const maxResponse = 6291556

// runtimeAPI serves the Lambda Runtime API (2018-06-01) to one process.
type runtimeAPI struct {
	server *http.Server
	addr   string
	asked  chan struct{}    // the process asks for work
	work   chan *invocation // handed to it then
	failed chan *fault      // it reported that it can't start
	closed chan struct{}

	mu       sync.Mutex
	current  *invocation // being worked on, not answered yet
	signaled bool        // it registered an extension, so it wants SIGTERM
}

// invocation is one event on its way through a process.
type invocation struct {
	id        string
	arn       string
	payload   []byte
	limit     time.Duration // of time
	deadline  time.Time
	disturbed Disturbance
	done      chan outcome // gets the answer; has room for it
}

// outcome is what the process answered.
type outcome struct {
	payload []byte
	failed  bool
}

func serveRuntimeAPI() (*runtimeAPI, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the runtime: %w", err)
	}
	a := &runtimeAPI{
		addr:   listener.Addr().String(),
		asked:  make(chan struct{}, 1),
		work:   make(chan *invocation),
		failed: make(chan *fault, 1),
		closed: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", a.answer(false))
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", a.answer(true))
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", a.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", a.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", a.extensionNext)
	a.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go a.server.Serve(listener) // ends with close
	return a, nil
}

func (a *runtimeAPI) close() {
	close(a.closed)
	a.server.Close()
}

// next answers with the next invocation once there is one.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	select {
	case a.asked <- struct{}{}:
	case <-r.Context().Done():
		return
	}
	select {
	case inv := <-a.work:
		a.mu.Lock()
		a.current = inv
		a.mu.Unlock()
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
		header.Set("Lambda-Runtime-Trace-Id", traceID(inv))
		w.Write(inv.payload) // a process that went away is noticed by its exit
	case <-r.Context().Done():
	case <-a.closed:
	}
}

// traceID makes an X-Ray header that isn't sampled.
func traceID(inv *invocation) string {
	hex := inv.id[:8] + inv.id[9:13] + inv.id[14:18] + inv.id[19:23] + inv.id[24:]
	return fmt.Sprintf("Root=1-%08x-%s;Sampled=0", inv.deadline.Unix(), hex[:24])
}

// answer takes the response or the error of the invocation in work.
func (a *runtimeAPI) answer(failed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponse))
		inv := a.settle(r.PathValue("id"))
		var tooLarge *http.MaxBytesError
		switch {
		case inv == nil:
			reply(w, http.StatusBadRequest, "InvalidRequestID", "no invocation of this id is in work")
		case errors.As(err, &tooLarge):
			f := fault{kind: "Function.ResponseSizeTooLarge", message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)}
			inv.done <- outcome{payload: f.payload(inv.id), failed: true}
			reply(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "the response is too large")
		case err != nil:
			f := fault{kind: "Runtime.ExitError", message: "the response broke off"}
			inv.done <- outcome{payload: f.payload(inv.id), failed: true}
		default:
			inv.done <- outcome{payload: payload, failed: failed}
			accepted(w)
		}
	}
}

// settle returns the invocation in work when it has this id, and ends it.
func (a *runtimeAPI) settle(id string) *invocation {
	a.mu.Lock()
	defer a.mu.Unlock()
	inv := a.current
	if inv == nil || inv.id != id {
		return nil
	}
	a.current = nil
	return inv
}

func (a *runtimeAPI) initError(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<10))
	if err != nil || !json.Valid(payload) {
		payload = nil
	}
	select {
	case a.failed <- &fault{kind: "Runtime.InitError", message: "the runtime reported that it can't start", raw: payload}:
	default:
	}
	accepted(w)
}

// register lets the process register an internal extension, which is how it
// asks for SIGTERM before the end.
func (a *runtimeAPI) register(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	a.signaled = true
	a.mu.Unlock()
	w.Header().Set("Lambda-Extension-Identifier", newID())
	w.WriteHeader(http.StatusOK)
	io.WriteString(w, "{}")
}

// extensionNext blocks: an internal extension gets no events.
func (a *runtimeAPI) extensionNext(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-a.closed:
	}
}

func (a *runtimeAPI) wantsSignal() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.signaled
}

// hand gives an invocation to the process, which has asked for one.
func (a *runtimeAPI) hand(inv *invocation, gone <-chan struct{}) {
	select {
	case a.work <- inv:
	case <-gone:
	}
}

func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`)
}

func reply(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"errorType": kind, "errorMessage": message})
}
