package lambda

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// process is a bootstrap with everything it starts: the members of its
// process group, of which it is the leader.
type process struct {
	cmd  *exec.Cmd
	gone chan struct{} // closed when the bootstrap has exited
	exit string        // how it exited; set before gone is closed
	used time.Duration // processor time of the exited bootstrap; likewise
}

func startProcess(program string, variables []string, output *os.File) (*process, error) {
	cmd := exec.Command(program)
	cmd.Dir = filepath.Dir(program)
	cmd.Env = variables
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = attributes()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, gone: make(chan struct{})}
	go func() {
		err := cmd.Wait()
		p.signal(syscall.SIGKILL) // what it leaves behind
		p.exit = "exit status 0"
		if err != nil {
			p.exit = err.Error()
		}
		p.used = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		close(p.gone)
	}()
	return p, nil
}

func (p *process) isAlive() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// signal sends a signal to the whole group. A group that is gone is no
// error.
func (p *process) signal(s syscall.Signal) { syscall.Kill(-p.cmd.Process.Pid, s) }

// freeze stops the group, as Lambda freezes an idle environment.
func (p *process) freeze() { p.signal(syscall.SIGSTOP) }

func (p *process) thaw() { p.signal(syscall.SIGCONT) }

// terminate asks the bootstrap to end and gives it some time.
func (p *process) terminate(grace time.Duration) {
	if !p.isAlive() {
		return
	}
	p.thaw()
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.gone:
	case <-time.After(grace):
	}
}

// kill ends the group and waits until the bootstrap has exited.
func (p *process) kill() {
	if !p.isAlive() {
		return // its number may be another process's by now
	}
	p.signal(syscall.SIGKILL)
	<-p.gone
}
