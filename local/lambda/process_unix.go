//go:build unix && !linux

package lambda

import (
	"syscall"
	"time"
)

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func (p *process) cpu() time.Duration {
	if p.isAlive() {
		return 0
	}
	return p.used
}

func (p *process) memory() int64 { return 0 }
