package lambda

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Function is what a function is deployed with.
type Function struct {
	ID          string // names the log file and the folders: letters, digits, hyphens
	Name        string
	ARN         string
	Program     string // path of the bootstrap
	Environment map[string]string
	Credentials Credentials
	// Issue, when set, gives each environment credentials of its own, as Lambda
	// does, instead of Credentials; revoke takes them back when it has ended.
	Issue    func(Environment) (c Credentials, revoke func())
	Timeout  time.Duration
	MemoryMB int // told to the function; not enforced
	// MaxEnvironments bounds how many invocations run at once; above it
	// they wait. 0 stands for 10.
	MaxEnvironments int
	LogGroup        string
	LogFormat       string // Text or JSON, told to the function
	LogLevel        string
	Async           Async
}

// Credentials are those of a function's role.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // may be empty
}

// Async says how asynchronous invocations end (AWS: EventInvokeConfig).
type Async struct {
	MaxAge     time.Duration // 0 stands for six hours
	MaxRetries int
	OnFailure  string // ARN of a queue, or empty
	OnSuccess  string // ARN of a queue, or empty
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

func (spec *Function) check() error {
	if !plainID.MatchString(spec.ID) || spec.Name == "" || spec.ARN == "" {
		return fmt.Errorf("needs an id of letters, digits and hyphens, a name and an ARN, not %q, %q, %q", spec.ID, spec.Name, spec.ARN)
	}
	if spec.Timeout <= 0 {
		return errors.New("needs a timeout")
	}
	info, err := os.Stat(spec.Program)
	if err != nil {
		return fmt.Errorf("find the bootstrap: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("the bootstrap %s is no program that can be run", spec.Program)
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Environment)) {
		if reserved[name] {
			return fmt.Errorf("the variable %s is Lambda's own and can't be set", name)
		}
		if strings.ContainsRune(spec.Environment[name], 0) {
			return fmt.Errorf("the variable %s holds a NUL byte", name)
		}
	}
	return nil
}

// function is a deployed function with its environments.
type function struct {
	config Config
	spec   Function
	log    *logFile
	events *eventQueue
	slots  chan struct{} // one element for each invocation that runs

	throttled atomic.Bool

	mu      sync.Mutex // guards all below
	idle    []*environment
	alive   map[*environment]bool
	started int
}

func newFunction(config Config, spec Function, log *logFile) *function {
	if spec.MaxEnvironments <= 0 {
		spec.MaxEnvironments = 10
	}
	return &function{config: config, spec: spec, log: log,
		slots: make(chan struct{}, spec.MaxEnvironments), alive: map[*environment]bool{}}
}

// invoke waits for a free slot and runs one invocation. It returns ErrClosed
// when ctx, the host's life, ends first: then the outcome is unknown; and
// ErrThrottled when the function may not run.
func (f *function) invoke(ctx context.Context, requestID string, payload []byte) (Result, error) {
	if err := f.admit(); err != nil {
		return Result{}, err
	}
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return Result{}, ErrClosed
	}
	if ctx.Err() != nil {
		return Result{}, ErrClosed
	}
	f.began()
	e, fault := f.take(ctx, requestID)
	if ctx.Err() != nil {
		if e != nil {
			f.discard(e)
		}
		return Result{}, ErrClosed
	}
	if fault != nil {
		r := Result{RequestID: requestID, FunctionError: Unhandled, Payload: fault.payload(requestID)}
		f.log.line(string(r.Payload))
		f.report(Report{Result: r, Start: time.Now()})
		return r, nil
	}
	report, healthy := e.run(ctx, &invocation{id: requestID, arn: f.spec.ARN, payload: payload, done: make(chan outcome, 1)})
	if healthy {
		f.putBack(e)
	} else {
		f.discard(e)
	}
	if ctx.Err() != nil && report.FunctionError != "" {
		return Result{}, ErrClosed // the host killed it
	}
	f.report(report)
	return report.Result, nil
}

func (f *function) report(r Report) {
	r.Function = f.spec.ID
	f.ended(r)
	if f.config.OnReport != nil {
		f.config.OnReport(r)
	}
}

// take returns an environment that waits for an invocation: the one used
// last, or a new one.
func (f *function) take(ctx context.Context, requestID string) (*environment, *fault) {
	for {
		f.mu.Lock()
		if len(f.idle) == 0 {
			f.mu.Unlock()
			return f.start(ctx)
		}
		e := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		f.mu.Unlock()
		if e.process.isAlive() {
			return e, nil
		}
		f.discard(e) // it was killed from outside while it was idle
	}
}

// start makes a new environment and waits until it asks for work.
func (f *function) start(ctx context.Context) (*environment, *fault) {
	f.mu.Lock()
	f.started++
	number := f.started
	f.mu.Unlock()
	dir := filepath.Join(f.config.Dir, "tmp", fmt.Sprintf("%s-%d-%d", f.spec.ID, os.Getpid(), number))
	e, err := startEnvironment(f, filepath.Base(dir), dir)
	if err != nil {
		return nil, &fault{kind: "Runtime.InvalidEntrypoint", message: err.Error()}
	}
	f.mu.Lock()
	f.alive[e] = true
	f.mu.Unlock()
	if fault := e.awaitInit(ctx, f.config.InitTimeout); fault != nil {
		f.discard(e)
		return nil, fault
	}
	return e, nil
}

func (f *function) putBack(e *environment) {
	e.process.freeze()
	f.mu.Lock()
	f.idle = append(f.idle, e)
	f.mu.Unlock()
}

func (f *function) discard(e *environment) {
	e.close()
	f.mu.Lock()
	delete(f.alive, e)
	f.mu.Unlock()
}

// close ends every environment. Nothing is running any more.
func (f *function) close() {
	f.mu.Lock()
	all := slices.Collect(maps.Keys(f.alive))
	f.mu.Unlock()
	var closing sync.WaitGroup
	for _, e := range all {
		closing.Go(func() { f.discard(e) })
	}
	closing.Wait()
}
