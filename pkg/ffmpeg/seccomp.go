package ffmpeg

import (
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// refused are system calls that neither ffmpeg nor Go needs to start and run it:
// those that change files, listen, talk to other programs, look into them, or
// reach parts of the kernel where faults have been. Those that only one processor
// has are in refusedHere.
var refused = []uint32{
	// Files: opened by other ways than open and openat, made, renamed, changed, removed.
	unix.SYS_OPENAT2, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_MKDIRAT, unix.SYS_MKNODAT, unix.SYS_LINKAT,
	unix.SYS_SYMLINKAT, unix.SYS_RENAMEAT2, unix.SYS_UNLINKAT, unix.SYS_TRUNCATE, unix.SYS_FCHMOD, unix.SYS_FCHMODAT,
	unix.SYS_FCHMODAT2, unix.SYS_FCHOWN, unix.SYS_FCHOWNAT, unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR, unix.SYS_UTIMENSAT,
	// Other machines and programs.
	unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4, unix.SYS_SENDMSG, unix.SYS_SENDMMSG, unix.SYS_MQ_OPEN,
	unix.SYS_SHMGET, unix.SYS_MSGGET, unix.SYS_SEMGET, unix.SYS_EXECVEAT, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV,
	unix.SYS_PROCESS_MADVISE, unix.SYS_KCMP, unix.SYS_PIDFD_GETFD,
	// The system and its names.
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_FSOPEN, unix.SYS_FSPICK,
	unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_MOUNT_SETATTR, unix.SYS_SWAPON, unix.SYS_SWAPOFF,
	unix.SYS_SETHOSTNAME, unix.SYS_QUOTACTL, unix.SYS_ACCT, unix.SYS_REBOOT, unix.SYS_SYSLOG, unix.SYS_VHANGUP, unix.SYS_SETTIMEOFDAY,
	unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME, unix.SYS_PERSONALITY,
	// Parts of the kernel that are no business of media.
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
	unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_FANOTIFY_INIT, unix.SYS_MEMFD_CREATE, unix.SYS_MEMFD_SECRET,
}

// Places in the kernel's struct seccomp_data. An argument's lower half comes
// first on both processors.
const (
	placeOfNumber       = 0
	placeOfArchitecture = 4
	placeOfArguments    = 16
)

const (
	writing    = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC
	namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
	otherABI   = 0x40000000 // of x32, in the numbers of x86-64's calls
)

// filter is the program that the kernel runs at each system call, empty for a
// processor that is not known. Everything is allowed that it does not name: it
// holds the thread in which Go starts a program too, and later versions of C
// libraries. What it refuses looks like a file or right that isn't there.
func filter() []unix.SockFilter {
	if architecture == 0 {
		return nil
	}
	program := []unix.SockFilter{
		load(placeOfArchitecture), jump(unix.BPF_JEQ, architecture, 1, 0), answer(syscall.ENOSYS),
		load(placeOfNumber), jump(unix.BPF_JGE, otherABI, 0, 1), answer(syscall.ENOSYS),
	}
	for _, number := range slices.Concat(refused, refusedHere) {
		program = append(program, when(number, answer(syscall.EPERM))...)
	}
	// Its flags are in memory, where a filter can't look; C libraries then use
	// clone.
	program = append(program, when(unix.SYS_CLONE3, answer(syscall.ENOSYS))...)
	program = append(program, when(unix.SYS_CLONE, unless(argument(0), namespaces, syscall.EPERM)...)...)
	program = append(program, when(unix.SYS_OPENAT, unless(argument(2), writing, syscall.EACCES)...)...)
	if openNumber != 0 {
		program = append(program, when(openNumber, unless(argument(1), writing, syscall.EACCES)...)...)
	}
	program = append(program, when(unix.SYS_SOCKET, // IPv4 and TCP alone
		argument(0), jump(unix.BPF_JEQ, unix.AF_INET, 1, 0), answer(syscall.EACCES),
		argument(1), unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xf},
		jump(unix.BPF_JEQ, unix.SOCK_STREAM, 1, 0), answer(syscall.EACCES), allow)...)
	program = append(program, when(unix.SYS_PTRACE, // what the start of a program takes
		argument(0), jump(unix.BPF_JEQ, unix.PTRACE_TRACEME, 2, 0), jump(unix.BPF_JEQ, unix.PTRACE_DETACH, 1, 0), answer(syscall.EPERM), allow)...)
	program = append(program, when(unix.SYS_IOCTL, // no typing on a terminal
		argument(1), jump(unix.BPF_JEQ, unix.TIOCSTI, 0, 1), answer(syscall.EPERM), allow)...)
	return append(program, allow)
}

var allow = unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}

func answer(errno syscall.Errno) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)}
}

func load(place uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: place}
}

// argument loads the lower half of an argument.
func argument(n uint32) unix.SockFilter { return load(placeOfArguments + 8*n) }

// jump goes on after so many instructions as the test says.
func jump(test uint16, k uint32, hit, miss uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, Jt: hit, Jf: miss, K: k}
}

// when does what follows for a system call; that must end with an answer, since
// the call's number may be lost by then.
func when(number uint32, then ...unix.SockFilter) []unix.SockFilter {
	return append([]unix.SockFilter{jump(unix.BPF_JEQ, number, 0, uint8(len(then)))}, then...)
}

// unless allows a call in whose argument none of the bits is set.
func unless(load unix.SockFilter, bits uint32, errno syscall.Errno) []unix.SockFilter {
	return []unix.SockFilter{load, jump(unix.BPF_JSET, bits, 0, 1), answer(errno), allow}
}
