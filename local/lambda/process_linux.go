package lambda

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// attributes make a process the leader of a group and let it die with the
// host, however the host ends. The system ties that to the thread that
// started the process; Go ends no thread but those of locked goroutines, and
// none of those starts processes here.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// clockTick is the unit of processor time in /proc: a hundredth of a second
// on every Linux a program can see.
const clockTick = 10 * time.Millisecond

// cpu returns the processor time of the bootstrap and of the children it
// waited for.
func (p *process) cpu() time.Duration {
	if !p.isAlive() {
		return p.used
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/stat")
	if err != nil {
		return 0
	}
	// The name in parentheses may hold spaces; utime, stime, cutime and
	// cstime are the fields 14 to 17, the name is field 2.
	_, rest, ok := bytes.Cut(stat, []byte(") "))
	fields := strings.Fields(string(rest))
	if !ok || len(fields) < 15 {
		return 0
	}
	var ticks int64
	for _, field := range fields[11:15] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick
}

// limitFiles bounds the size of each file that the bootstrap, and what it
// starts from now on, may write, in bytes.
func (p *process) limitFiles(size int64) error {
	type limits struct{ now, most uint64 }
	l := limits{uint64(size), uint64(1<<64 - 1)}
	_, _, failed := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(p.cmd.Process.Pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&l)), 0, 0, 0)
	if failed != 0 {
		return failed
	}
	return nil
}

// memory returns the resident bytes of the bootstrap and its descendants.
func (p *process) memory() int64 { return residentTree(p.cmd.Process.Pid) }

func residentTree(pid int) int64 {
	dir := "/proc/" + strconv.Itoa(pid)
	var total int64
	if statm, err := os.ReadFile(dir + "/statm"); err == nil {
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64)
			total = pages * int64(os.Getpagesize())
		}
	}
	tasks, err := os.ReadDir(dir + "/task")
	if err != nil {
		return total
	}
	for _, task := range tasks {
		children, err := os.ReadFile(dir + "/task/" + task.Name() + "/children")
		if err != nil {
			continue
		}
		for _, child := range strings.Fields(string(children)) {
			if id, err := strconv.Atoi(child); err == nil {
				total += residentTree(id)
			}
		}
	}
	return total
}
