package lambda

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// environment is one process of a function with a Runtime API of its own.
type environment struct {
	function *function
	id       string
	api      *runtimeAPI
	process  *process
	logs     *logPipe
	stream   *logStream
	tmp      string
	started  time.Time
	init     time.Duration // told by the first report, then 0
	cpu      time.Duration // used before the invocation in work
	revoke   func()        // its credentials

	mu      sync.Mutex
	working *invocation
}

// Environment is one process of a function, as those see it who must know who
// calls.
type Environment interface {
	ID() string       // of this process alone
	Function() string // id
	// Work returns the request id and the payload of the invocation in work;
	// both are empty between two.
	Work() (requestID string, payload []byte)
	// Kill ends the process with everything it started, and waits until it is gone.
	Kill()
}

var _ Environment = (*environment)(nil)

func (e *environment) ID() string       { return e.id }
func (e *environment) Function() string { return e.function.spec.ID }
func (e *environment) Kill()            { e.process.kill() }

func (e *environment) Work() (requestID string, payload []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.working == nil {
		return "", nil
	}
	return e.working.id, e.working.payload
}

func (e *environment) work(on *invocation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.working = on
}

func startEnvironment(f *function, id, tmp string) (*environment, error) {
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for temporary files: %w", err)
	}
	api, err := serveRuntimeAPI()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	stream := newLogStream(f, fmt.Sprintf("%s/[$LATEST]%s", started.UTC().Format("2006/01/02"), newID()[:8]))
	logs, err := openLogPipe(stream)
	if err != nil {
		api.close()
		return nil, err
	}
	e := &environment{function: f, id: id, api: api, logs: logs, stream: stream, tmp: tmp, started: started, revoke: func() {}}
	credentials := f.spec.Credentials
	if f.spec.Issue != nil {
		credentials, e.revoke = f.spec.Issue(e)
	}
	e.process, err = startProcess(f.spec.Program, f.variables(credentials, api.addr, stream.name, tmp), logs.write)
	if err != nil {
		e.revoke()
		api.close()
		logs.close()
		return nil, fmt.Errorf("start %s: %w", f.spec.Program, err)
	}
	return e, nil
}

// awaitInit waits until the process asks for its first invocation. It
// returns nil when it did; a fault also stands for a closing host.
func (e *environment) awaitInit(ctx context.Context, limit time.Duration) *fault {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-e.api.asked:
		e.init = time.Since(e.started)
		return nil
	case f := <-e.api.failed:
		return f
	case <-e.process.gone:
		select { // a runtime that reports an error exits after it
		case f := <-e.api.failed:
			return f
		default:
		}
		e.logs.fence()
		return &fault{kind: "Runtime.ExitError", message: "Runtime exited during init: " + e.process.exit}
	case <-timer.C:
		return &fault{kind: "Sandbox.Timedout", message: fmt.Sprintf("init took longer than %v", limit)}
	case <-ctx.Done():
		return &fault{kind: "Sandbox.Closed", message: "the host closes"}
	}
}

// run lets the process work on one invocation. It is healthy when the
// process then waits for the next one.
func (e *environment) run(ctx context.Context, inv *invocation) (Report, bool) {
	e.process.thaw()
	e.stream.ask("logs:PutLogEvents")
	e.stream.line(fmt.Sprintf("START RequestId: %s Version: $LATEST", inv.id))
	report := Report{Start: time.Now(), Init: e.init}
	e.init = 0
	undo := e.disturb(inv)
	watch := watchMemory(e.process, inv.disturbed.Memory)
	inv.limit = e.function.spec.Timeout
	if inv.disturbed.Timeout > 0 {
		inv.limit = inv.disturbed.Timeout
	}
	inv.deadline = report.Start.Add(inv.limit)
	e.work(inv)
	e.api.hand(inv, e.process.gone)
	answer, f := e.await(ctx, inv)
	report.Duration = time.Since(report.Start)
	report.Memory = watch.stop()
	e.work(nil)
	undo()
	if f != nil {
		e.process.kill()
	}
	cpu := e.process.cpu()
	report.CPU, e.cpu = max(cpu-e.cpu, 0), cpu
	e.logs.fence()
	report.Result = Result{RequestID: inv.id}
	if answer == nil {
		answer = &outcome{payload: f.payload(inv.id), failed: true}
		e.stream.line(string(answer.payload))
	}
	report.Payload = answer.payload
	if answer.failed {
		report.FunctionError = Unhandled
	}
	e.logReport(report)
	return report, f == nil
}

// await waits, at the latest until the deadline, for the process to answer
// and to ask for more. It returns the answer, if there was one, and what
// became of the process unless it waits for its next invocation.
func (e *environment) await(ctx context.Context, inv *invocation) (*outcome, *fault) {
	timer := time.NewTimer(time.Until(inv.deadline))
	defer timer.Stop()
	var answer *outcome
	for {
		var f *fault
		select {
		case o := <-inv.done:
			answer = &o
			continue
		case <-e.api.asked:
		case <-e.process.gone:
			f = &fault{kind: "Runtime.ExitError", message: "Runtime exited with error: " + e.process.exit}
		case <-timer.C:
			f = &fault{kind: "Sandbox.Timedout", message: fmt.Sprintf("Task timed out after %.2f seconds", inv.limit.Seconds())}
		case <-ctx.Done():
			f = &fault{kind: "Sandbox.Closed", message: "the host closes"}
		}
		if answer == nil {
			select { // both may have come at once
			case o := <-inv.done:
				answer = &o
			default:
			}
		}
		if answer == nil && f == nil {
			f = &fault{kind: "Runtime.InvalidStateTransition", message: "the runtime asked for an invocation before it answered one"}
		}
		return answer, f
	}
}

// logReport writes the lines that end an invocation in a Lambda log.
func (e *environment) logReport(r Report) {
	log := e.stream
	log.line("END RequestId: " + r.RequestID)
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB",
		r.RequestID, milliseconds(r.Duration), (r.Duration + r.Init + time.Millisecond - 1).Milliseconds(), e.function.spec.MemoryMB, (r.Memory+1<<20-1)>>20)
	if r.Init > 0 {
		line += fmt.Sprintf("\tInit Duration: %.2f ms", milliseconds(r.Init))
	}
	log.line(line)
}

// close ends the process, with SIGTERM first when it asked for that, and
// everything that belongs to it.
func (e *environment) close() {
	if e.api.wantsSignal() {
		e.process.terminate(300 * time.Millisecond) // what Lambda grants an internal extension
	}
	e.process.kill()
	e.api.close()
	e.logs.close()
	e.revoke()
	os.RemoveAll(e.tmp) // what stays is removed with the host's folder
}
