package lambda

import (
	"syscall"
	"time"
)

// sampling is how often the memory of a busy environment is looked at.
const sampling = 100 * time.Millisecond

// memoryWatch remembers the most memory a process tree was seen to use.
type memoryWatch struct {
	quit chan struct{}
	peak chan int64
}

// watchMemory kills the tree when it uses more than limit bytes, as Lambda does;
// 0 is no limit.
func watchMemory(p *process, limit int64) *memoryWatch {
	w := &memoryWatch{quit: make(chan struct{}), peak: make(chan int64, 1)}
	go func() {
		ticker := time.NewTicker(sampling)
		defer ticker.Stop()
		peak := p.memory()
		for {
			select {
			case <-ticker.C:
				now := p.memory()
				peak = max(peak, now)
				if limit > 0 && now > limit && p.isAlive() {
					p.signal(syscall.SIGKILL)
				}
			case <-w.quit:
				w.peak <- max(peak, p.memory())
				return
			}
		}
	}()
	return w
}

// stop ends the watch and returns the peak in bytes.
func (w *memoryWatch) stop() int64 {
	close(w.quit)
	return <-w.peak
}
