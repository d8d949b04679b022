// Package ffmpeg runs ffmpeg and ffprobe on media that nobody has checked,
// contained. A program started by Run
//
//   - gets no environment (but a switch that turns colours off), no input, no
//     open file and the working directory "/", so that it inherits neither
//     credentials nor configuration;
//   - can write no file: the kernel kills it at the first byte (RLIMIT_FSIZE
//     0); it leaves no core, and has few file descriptors;
//   - runs in a sandbox, as far as the kernel has the means (Sandbox), which holds
//     it also after somebody took it over through a fault in a decoder: Landlock
//     lets it open nothing but its libraries and connect to nothing but the
//     loopback port that its arguments name, and a filter of system calls
//     (seccomp) refuses all sockets but those of TCP, files to write, looking into
//     other processes, and the kernel's rarer parts;
//   - runs in a process group of its own that is killed, all of it, when the
//     context or the wall-clock limit ends, when it floods its output, and
//     when the calling process dies in whatever way;
//   - costs bounded memory here: the last 16 KiB of its error text are kept and
//     its output is streamed under a limit.
//
// InputArgs holds the other half of the containment, the allow-lists of
// protocols and container formats. What a caller gets as an error or a Result
// never shows the token in the URL of a loopback resource.
//
// The package is for Linux only: on another system it could not keep its word.
package ffmpeg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Errors that callers may look for in what Run returns, besides *ExitError
// and the cause of their own context.
var (
	// ErrTimeout: the program ran longer than Limits.Wall.
	ErrTimeout = errors.New("the time limit passed")
	// ErrFlood: the program printed more than Limits.Stdout.
	ErrFlood = errors.New("it printed more than it may")
)

// DefaultStdout is the limit on standard output, in bytes, where a command
// sets none.
const DefaultStdout = 1 << 20

// drain is how long Run waits for the pipes of a program that has ended.
const drain = 5 * time.Second

// Command is one program run. Args holds the arguments without the program's
// name.
type Command struct {
	Path   string    // ffmpeg or ffprobe, best absolute
	Args   []string  // must hold no key: any process of the machine can read them
	Stdout io.Writer // gets the standard output as it comes; nil discards it
	Limits Limits
}

// Limits bounds a program. The zero value is usable.
type Limits struct {
	Wall   time.Duration // from start to end; 0: as long as the context lasts
	Stdout int64         // bytes on standard output; 0: DefaultStdout
	// Memory bounds the bytes of private memory (RLIMIT_DATA), which
	// unlike the address space leaves out code and reserved arenas. The
	// program's allocations fail beyond it. 0: no bound.
	Memory int64
}

// Result is what a run cost and said. It is filled also when the run failed.
type Result struct {
	Stderr string // the last 16 KiB of standard error, without tokens
	Wall   time.Duration
	User   time.Duration // CPU time
	System time.Duration
	MaxRSS int64 // largest resident set in bytes

	Sandbox Sandbox // what held the program besides its limits
}

// ExitError is a program that ended by itself, but not well.
type ExitError struct {
	Program string         // base name
	Code    int            // exit status, -1 for a signal
	Signal  syscall.Signal // what killed it, or 0
	Reason  string         // the telling line of its error text; may be empty
}

func (e *ExitError) Error() string {
	how := fmt.Sprintf("exit status %d", e.Code)
	switch {
	case e.Signal == syscall.SIGXFSZ:
		how = "killed because it tried to write a file"
	case e.Signal != 0:
		how = "killed by signal " + e.Signal.String()
	}
	if e.Reason == "" {
		return fmt.Sprintf("%s: %s", e.Program, how)
	}
	return fmt.Sprintf("%s: %s: %s", e.Program, how, e.Reason)
}

// Run runs the command to its end. Its error is an *ExitError when the
// program failed, wraps ErrTimeout or ErrFlood when a limit stopped it, the
// error of Stdout when that could not be written, and the context's cause when
// that ended it.
func Run(ctx context.Context, c Command) (Result, error) {
	program := filepath.Base(c.Path)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if c.Limits.Wall > 0 {
		var stop context.CancelFunc
		late := fmt.Errorf("%w: %v", ErrTimeout, c.Limits.Wall)
		ctx, stop = context.WithTimeoutCause(ctx, c.Limits.Wall, late)
		defer stop()
	}

	stderr, stdout := new(tail), newGate(c, cancel)
	began := time.Now()
	cmd, in, err := runContained(ctx, c, func(cmd *exec.Cmd) { cmd.Stdout, cmd.Stderr = stdout, stderr })
	result := Result{Stderr: redact(stderr.String()), Wall: time.Since(began), Sandbox: in}
	if state := cmd.ProcessState; state != nil {
		result.User, result.System = state.UserTime(), state.SystemTime()
		if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
			result.MaxRSS = usage.Maxrss << 10
		}
	}
	return result, classify(ctx, program, cmd, err, result.Stderr)
}

// classify turns the error of a run into one of those that Run documents.
func classify(ctx context.Context, program string, cmd *exec.Cmd, err error, stderr string) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: stopped: %w", program, context.Cause(ctx))
	}
	if cmd.Process == nil {
		return fmt.Errorf("%s: cannot start it: %w; is it installed, and its path configured?", program, err)
	}
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		return fmt.Errorf("%s: %w", program, err)
	}
	exit := &ExitError{Program: program, Code: cmd.ProcessState.ExitCode(), Reason: reason(stderr)}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
	}
	return exit
}

// gate passes standard output on, and stops the program at the limit or when
// the writer fails.
type gate struct {
	w    io.Writer
	left int64
	stop context.CancelCauseFunc
}

func newGate(c Command, stop context.CancelCauseFunc) *gate {
	g := &gate{w: c.Stdout, left: c.Limits.Stdout, stop: stop}
	if g.w == nil {
		g.w = io.Discard
	}
	if g.left == 0 {
		g.left = DefaultStdout
	}
	return g
}

func (g *gate) Write(p []byte) (int, error) {
	if int64(len(p)) > g.left {
		g.stop(ErrFlood)
		return 0, ErrFlood
	}
	n, err := g.w.Write(p)
	g.left -= int64(n)
	if err != nil {
		g.stop(err)
	}
	return n, err
}
