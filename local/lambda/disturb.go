package lambda

import (
	"fmt"
	"time"
)

// Disturbance is what goes wrong with an invocation. The zero one is nothing.
type Disturbance struct {
	Memory  int64  // bytes above which the environment is killed; 0: no limit
	Disk    *int64 // bytes that no file of the environment may outgrow
	Timeout time.Duration
	Kill    bool // the environment
	After   time.Duration
}

// disturb begins what goes wrong with an invocation; undo ends it.
func (e *environment) disturb(inv *invocation) (undo func()) {
	if e.function.config.Disturb == nil {
		return func() {}
	}
	d := e.function.config.Disturb(e.function.spec.ID, inv.id, inv.payload)
	inv.disturbed = d
	var kill *time.Timer
	if d.Kill {
		kill = time.AfterFunc(d.After, e.Kill)
	}
	if d.Disk != nil {
		if err := e.process.limitFiles(*d.Disk); err != nil {
			e.stream.line(fmt.Sprintf("the disk of request %s can't be limited: %v", inv.id, err))
		}
	}
	return func() {
		if kill != nil {
			kill.Stop()
		}
		if d.Disk != nil {
			e.process.limitFiles(unlimited) // of a process that is gone it doesn't matter
		}
	}
}

// unlimited is RLIM_INFINITY.
const unlimited = -1
