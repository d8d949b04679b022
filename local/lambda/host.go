// Package lambda runs functions as AWS Lambda runs those of a custom
// runtime (provided.al2023): the same compiled bootstrap, as a process that
// talks to the Lambda Runtime API, one invocation at a time.
//
// It keeps what functions rely on and what breaks them: environments are
// reused and frozen between invocations, scaled up to a limit, killed with
// everything they started when the time is up, and replaced after a crash.
// Asynchronous invocations are retried and end at a destination; an event
// source mapping returns what a batch reports as failed; object events come
// at least once. An asynchronous event that was accepted and a batch that
// was in flight survive the death of the host.
//
// It differs from Lambda where a single machine must: memory and processor
// time are measured and not limited, layers are not laid under /opt, and an
// invocation above the limit waits instead of being throttled.
package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Errors that callers branch on.
var (
	ErrClosed   = errors.New("lambda: the host is closed")
	ErrNotFound = errors.New("lambda: no such function")
	ErrTooLarge = errors.New("lambda: the payload is too large")
	// ErrDenied is for what the function's role may not do.
	ErrDenied = errors.New("lambda: the function's role is not allowed to")
)

// Limits of a payload in bytes (AWS: quotas of Lambda).
const (
	MaxSyncPayload  = 6 << 20
	MaxAsyncPayload = 1 << 20
)

// Config says where a Host keeps its state and how it deviates from AWS.
type Config struct {
	Dir     string // logs, pending events, temporary files; made if missing
	Region  string
	Account string

	// RetryDelays are the pauses before the retries of an asynchronous
	// invocation; the last one repeats. Default one and two minutes.
	RetryDelays []time.Duration
	// InitTimeout bounds a bootstrap's start, default 10 seconds.
	InitTimeout time.Duration
	// Destination takes the records of asynchronous invocations that ended.
	// It may be nil when no function has a destination.
	Destination Destination
	// Authorize, when set, is asked before the host does something in the
	// name of a function's role: write its logs. The action and the resource
	// are as IAM names them; the error says why not.
	Authorize func(function, action, resource string) error
	// Deliveries says after which delays an object event is delivered, once
	// for each. Nil stands for one delivery at once. Tests use it to
	// duplicate and to reorder events as S3 may do.
	Deliveries func(ObjectEvent) []time.Duration
	// Firings is the same for a schedule, by the name of its rule and its
	// function.
	Firings func(rule, function string) []time.Duration
	// Disturb, when set, is asked at the start of every invocation what goes
	// wrong with it.
	Disturb func(function, requestID string, payload []byte) Disturbance
	// OnLine, when set, hears of every log line of every function.
	OnLine func(function, line string)
	// OnReport, when set, hears of every invocation that ended.
	OnReport func(Report)
	// OnMetric, when set, hears of all that AWS's Lambda tells CloudWatch.
	OnMetric func(Metric)
}

// Host runs functions. Its methods may be called from many goroutines.
type Host struct {
	config Config
	ctx    context.Context // done when the host closes
	stop   context.CancelFunc
	work   sync.WaitGroup

	mu        sync.Mutex // guards all below
	closed    bool
	functions map[string]*function // by id, name and ARN
	deployed  []*function
	rules     []Notification
	schedules map[string]*schedule
}

// Open starts a Host without functions. Close ends it.
func Open(config Config) (*Host, error) {
	if config.Dir == "" || config.Region == "" || config.Account == "" {
		return nil, errors.New("lambda: Config needs Dir, Region and Account")
	}
	if len(config.RetryDelays) == 0 {
		config.RetryDelays = []time.Duration{time.Minute, 2 * time.Minute}
	}
	if config.InitTimeout == 0 {
		config.InitTimeout = 10 * time.Second
	}
	for _, dir := range []string{"logs", "events", "batches", "tmp"} {
		if err := os.MkdirAll(filepath.Join(config.Dir, dir), 0o700); err != nil {
			return nil, fmt.Errorf("lambda: make a folder for state: %w", err)
		}
	}
	h := &Host{config: config, functions: map[string]*function{}, schedules: map[string]*schedule{}}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h, nil
}

// Deploy makes a function known and takes up its events that an earlier
// host accepted and did not finish.
func (h *Host) Deploy(spec Function) error {
	if err := spec.check(); err != nil {
		return fmt.Errorf("lambda: deploy %s: %w", spec.ID, err)
	}
	log, err := openLog(filepath.Join(h.config.Dir, "logs", spec.ID+".log"), spec.ID, h.config.OnLine)
	if err != nil {
		return fmt.Errorf("lambda: deploy %s: %w", spec.ID, err)
	}
	f := newFunction(h.config, spec, log)
	f.events = &eventQueue{
		dir:         filepath.Join(h.config.Dir, "events", spec.ID),
		spec:        spec,
		delays:      h.config.RetryDelays,
		destination: h.config.Destination,
		invoke: func(ctx context.Context, id string, payload []byte) (Result, error) {
			return f.invoke(ctx, id, payload)
		},
		spawn:  h.spawn,
		log:    log.line,
		metric: f.metric,
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		log.close()
		return ErrClosed
	}
	for _, name := range []string{spec.ID, spec.Name, spec.ARN} {
		if h.functions[name] != nil {
			log.close()
			return fmt.Errorf("lambda: deploy %s: there is a function %s already", spec.ID, name)
		}
	}
	for _, name := range []string{spec.ID, spec.Name, spec.ARN} {
		h.functions[name] = f
	}
	h.deployed = append(h.deployed, f)
	return f.events.resume(h.ctx, h.spawnLocked)
}

// Invoke runs a function, named by id, name or ARN, and returns its result.
// A failure of the function is in the result; the error is for calls that
// did not run. Like Lambda it lets the function finish when ctx ends first.
func (h *Host) Invoke(ctx context.Context, name string, payload []byte) (Result, error) {
	f, err := h.function(name)
	if err != nil {
		return Result{}, err
	}
	if len(payload) > MaxSyncPayload {
		return Result{}, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(payload), MaxSyncPayload)
	}
	type answer struct {
		result Result
		err    error
	}
	done := make(chan answer, 1)
	if !h.spawn(func() {
		r, err := f.invoke(h.ctx, newID(), payload)
		done <- answer{r, err}
	}) {
		return Result{}, ErrClosed
	}
	select {
	case a := <-done:
		return a.result, a.err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// InvokeAsync accepts an event for a function and returns its request id.
// The event is on disk when InvokeAsync returns; one that comes while or
// after the host closes is for the next host on the same folder.
func (h *Host) InvokeAsync(name string, payload []byte) (requestID string, err error) {
	return h.invokeAfter(name, payload, 0)
}

func (h *Host) invokeAfter(name string, payload []byte, delay time.Duration) (string, error) {
	f, err := h.find(name)
	if err != nil {
		return "", err
	}
	return f.events.put(h.ctx, payload, delay)
}

// Warm returns how many environments of a function are alive.
func (h *Host) Warm(name string) int {
	f, err := h.function(name)
	if err != nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.alive)
}

// Cool ends the environments of a function that wait for work, as Lambda does with
// those that have waited for long: what comes next meets a cold start.
func (h *Host) Cool(name string) error {
	f, err := h.function(name)
	if err != nil {
		return err
	}
	f.mu.Lock()
	idle := f.idle
	f.idle = nil
	f.mu.Unlock()
	for _, e := range idle {
		f.discard(e)
	}
	return nil
}

// Close kills every environment with everything it started and waits until
// they are gone. Events and batches that were not finished are taken up by
// the next host on the same folder.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.mu.Unlock()
	h.stop()
	h.work.Wait()
	var errs []error
	for _, f := range h.deployed {
		f.close()
		errs = append(errs, f.log.close())
	}
	return errors.Join(errs...)
}

// function returns a function of a host that isn't closed.
func (h *Host) function(name string) (*function, error) {
	f, err := h.find(name)
	if err == nil && h.ctx.Err() != nil {
		return nil, ErrClosed
	}
	return f, err
}

func (h *Host) find(name string) (*function, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.functions[name]
	if f == nil {
		return nil, fmt.Errorf("%w: %q", ErrNotFound, name)
	}
	return f, nil
}

// spawn runs do in a goroutine that Close waits for, unless the host is
// closed already.
func (h *Host) spawn(do func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.spawnLocked(do)
}

func (h *Host) spawnLocked(do func()) bool {
	if h.closed {
		return false
	}
	h.work.Go(do)
	return true
}

var _ io.Closer = (*Host)(nil)
