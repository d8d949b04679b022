package ffmpeg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// openFiles is a program's limit on file descriptors: a few connections, and
// the shared libraries while it loads.
const openFiles = 64

// process is a contained program. Its methods belong to the thread that
// started it, but for kill.
type process struct {
	*exec.Cmd
	traced bool // it begins halted before its first instruction

	mu    sync.Mutex
	ended bool // its number may soon be another's
}

// runContained runs a program to its end under every limit, and returns when
// all that it started is dead too. The Cmd is returned also with an error, and
// has no Process if it could not be started.
func runContained(ctx context.Context, c Command, pipes func(*exec.Cmd)) (cmd *exec.Cmd, in Sandbox, err error) {
	hideOnce()
	done := make(chan struct{})
	onThread(func() {
		defer close(done)
		cmd, in, err = runOnThread(ctx, c, pipes)
	})
	<-done
	return cmd, in, err
}

// onThread runs f on a thread of its own, which ends with it: the kernel sends the
// death signal when the *thread* that forked the program dies, lets only that
// thread trace it, and lets no thread out of a sandbox. The process's first thread
// is none to use: it outlives its goroutine, and whoever looks at the process sees
// its first thread, which a program in the same sandbox would be allowed to.
func onThread(f func()) {
	begun := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(begun)
		if unix.Gettid() != unix.Getpid() {
			f() // never unlocked, which ends the thread with this goroutine
			return
		}
		onThread(f) // comes upon another thread, since this one is taken
		runtime.UnlockOSThread()
	}()
	<-begun
}

func runOnThread(ctx context.Context, c Command, pipes func(*exec.Cmd)) (*exec.Cmd, Sandbox, error) {
	in, err := enter(c.Path, portsOf(c.Args))
	if err != nil {
		return &exec.Cmd{}, in, fmt.Errorf("make a sandbox for it: %w", err)
	}
	p, err := start(ctx, c, pipes)
	if err != nil {
		return p.Cmd, in, err
	}
	err = p.confine(c.Limits.Memory)
	if err != nil {
		_ = p.kill()
	}
	_ = await(p.Process.Pid, unix.WEXITED)
	p.finish()
	return p.Cmd, in, errors.Join(err, p.Wait())
}

var hideOnce = sync.OnceFunc(func() {
	hideDescriptors()
	hideProcess()
})

// hideProcess keeps this process's memory, environment and descriptors from
// programs that run as the same user: on Lambda the environment holds the
// function's credentials, and a program that was taken over by hostile media
// could read it. It also keeps keys out of core files.
func hideProcess() {
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // known to every Linux that Go runs on
}

// hideDescriptors keeps from programs what this process inherited open from
// whoever started it. What Go opens is closed on exec anyway.
func hideDescriptors() {
	open, _ := os.ReadDir("/proc/self/fd") // without /proc there is nothing to be done
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// start starts the program halted before its first instruction, so that it
// never runs without limits. Where tracing is forbidden (by seccomp, or
// because a debugger is at work) the program starts running and gets its
// limits a moment later, before it can have read anything.
func start(ctx context.Context, c Command, pipes func(*exec.Cmd)) (*process, error) {
	p := prepare(ctx, c, true)
	pipes(p.Cmd)
	err := p.Start()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		p = prepare(ctx, c, false)
		pipes(p.Cmd)
		err = p.Start()
	}
	return p, err
}

func prepare(ctx context.Context, c Command, traced bool) *process {
	p := &process{Cmd: exec.CommandContext(ctx, c.Path, c.Args...), traced: traced}
	p.Dir = "/"
	p.Env = []string{"AV_LOG_FORCE_NOCOLOR=1"}
	p.WaitDelay = drain
	p.Cancel = p.kill
	p.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true,
		Pdeathsig: syscall.SIGKILL,
		Ptrace:    traced,
	}
	return p
}

// confine sets the limits of a started program and lets it go on.
func (p *process) confine(memory int64) error {
	pid := p.Process.Pid
	if p.traced {
		if err := await(pid, unix.WEXITED|unix.WSTOPPED); err != nil {
			return fmt.Errorf("await the halted program: %w", err)
		}
	}
	limits := map[int]uint64{
		unix.RLIMIT_FSIZE:  0,
		unix.RLIMIT_CORE:   0,
		unix.RLIMIT_NOFILE: openFiles,
	}
	if memory > 0 {
		limits[unix.RLIMIT_DATA] = uint64(memory)
	}
	for resource, most := range limits {
		err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: most, Max: most}, nil)
		if err != nil && !errors.Is(err, syscall.ESRCH) { // ESRCH: it has died
			return fmt.Errorf("limit resource %d to %d: %w", resource, most, err)
		}
	}
	if p.traced {
		if err := syscall.PtraceDetach(pid); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("let the halted program run: %w", err)
		}
	}
	return nil
}

// await returns when the process has changed into one of the states, and
// leaves it to be reaped by whoever waits for it.
func await(pid, states int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, states|unix.WNOWAIT, nil)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// kill kills the program's group.
func (p *process) kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return os.ErrProcessDone
	}
	return syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
}

// finish kills what a program that has ended left behind. Not yet reaped, the
// program still holds the number of its group, so that this kill can hit
// nobody else; no kill follows it.
func (p *process) finish() {
	_ = p.kill()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}
