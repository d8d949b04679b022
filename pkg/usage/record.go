package usage

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// Version is the version of records that this code writes. It reads no newer
// one.
const Version = 1

// The functions, as records name them.
const (
	Ingest    = "ingest"
	Transcode = "transcode"
	Assemble  = "assemble"
	Reconcile = "reconcile"
)

// Functions are all functions that work for single jobs, in the order they do.
var Functions = []string{Ingest, Transcode, Assemble}

// Record is what one invocation used. A job has one for each invocation that
// worked for it, those that failed included, and none for what was killed.
type Record struct {
	Version  int    `json:"version"`
	Function string `json:"function"`       // one of Functions
	Task     string `json:"task,omitempty"` // of transcode the task, of assemble the id of the output
	Request  string `json:"request"`        // Lambda's id of the invocation; a repeated event has that of the first
	// Attempt is how often the queue had given out the task's message, this time
	// included; 0 where there is no queue.
	Attempt int  `json:"attempt,omitempty"`
	Failed  bool `json:"failed,omitempty"`
	// Shared is the number of jobs that the invocation worked for where it is more
	// than one: each has the same record.
	Shared       int       `json:"shared,omitempty"`
	Start        time.Time `json:"start"`
	Milliseconds int64     `json:"milliseconds"`
	// InitMilliseconds is the time from the process's start to its first
	// invocation, which has it; Lambda bills it too.
	InitMilliseconds int64 `json:"initMilliseconds,omitempty"`
	// CPUMilliseconds is processor time of the function and of the programs it ran.
	CPUMilliseconds int64  `json:"cpuMilliseconds"`
	MemoryMiB       int    `json:"memoryMiB"`    // as configured
	Architecture    string `json:"architecture"` // amd64 or arm64
	Counts
}

// Invocation is what is known of an invocation beside its tally.
type Invocation struct {
	Function, Request   string
	Start               time.Time
	Duration, Init, CPU time.Duration
	MemoryMiB           int
	Failed              bool
}

// Record is the record of an invocation, which is the same for each of its jobs.
func (t *Tally) Record(of Invocation) Record {
	counts := t.Counts()
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Record{Version: Version, Function: of.Function, Task: t.task, Request: of.Request, Attempt: t.attempt, Failed: of.Failed,
		Start: of.Start.UTC().Truncate(time.Millisecond), Milliseconds: roundUp(of.Duration), InitMilliseconds: roundUp(of.Init),
		CPUMilliseconds: of.CPU.Milliseconds(), MemoryMiB: of.MemoryMiB, Architecture: runtime.GOARCH, Counts: counts}
	if len(t.jobs) > 1 {
		r.Shared = len(t.jobs)
	}
	return r
}

// roundUp is d in milliseconds, as Lambda bills.
func roundUp(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

// Name names a record among those of its job: an invocation that Lambda repeats
// has the same request id and another beginning.
func (r Record) Name() string {
	request := strings.Map(func(c rune) rune {
		if strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-", c) {
			return c
		}
		return '_'
	}, r.Request)
	return fmt.Sprintf("%s-%d-%s", r.Function, r.Start.UnixMilli(), request)
}

// GBSeconds is what Lambda bills of an invocation's duration: memory times time,
// with 1024 MiB to the GB.
func (r Record) GBSeconds() float64 {
	return float64(r.Milliseconds+r.InitMilliseconds) / 1000 * float64(r.MemoryMiB) / 1024
}

// Share is the part of the record that is one job's.
func (r Record) Share() float64 { return 1 / float64(max(r.Shared, 1)) }
