package ffmpeg

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sandbox says which of the kernel's means hold a program besides its limits. A
// kernel may have neither: nothing is refused then that the program's own
// arguments don't refuse.
type Sandbox struct {
	Seccomp  bool
	Landlock int // version of its ABI; 0: none
}

func (s Sandbox) String() string {
	var all []string
	if s.Seccomp {
		all = append(all, "seccomp")
	}
	if s.Landlock > 0 {
		all = append(all, fmt.Sprintf("landlock %d", s.Landlock))
	}
	return strings.Join(all, ", ")
}

var withoutSandbox atomic.Bool

// WithoutSandbox has programs run without Landlock and seccomp from now on, for an
// ffmpeg that they don't let start: one whose libraries are in unusual places, or a
// script. All that Run guarantees besides holds.
func WithoutSandbox() { withoutSandbox.Store(true) }

// enter puts the calling thread, and what it starts from now on, into a sandbox,
// for good. It must be a thread that is locked to its goroutine and ends with it.
// What the kernel doesn't have is left out; an error means that the kernel has it
// and would not let it be used in full.
func enter(program string, ports []uint16) (Sandbox, error) {
	var s Sandbox
	if withoutSandbox.Load() {
		return s, nil
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return s, fmt.Errorf("give up the means to get new rights: %w", err)
	}
	version, err := restrict(program, ports)
	if err != nil {
		return s, err
	}
	s.Landlock = version
	rules := filter()
	if len(rules) == 0 {
		return s, nil
	}
	loaded := unix.SockFprog{Len: uint16(len(rules)), Filter: &rules[0]}
	err = unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&loaded)), 0, 0)
	runtime.KeepAlive(&loaded)
	switch {
	case err == nil:
		s.Seccomp = true
	case !absent(err) && !errors.Is(err, syscall.EINVAL): // EINVAL: built without filters
		return s, fmt.Errorf("load the filter of system calls: %w", err)
	}
	return s, nil
}

// absent says whether the kernel does not have a means, was started without it,
// or runs within a container that hides it.
func absent(err error) bool {
	return errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.EPERM)
}
