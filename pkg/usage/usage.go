// Package usage counts what an invocation of a function asks of AWS, in the
// units that AWS bills, and keeps the record of it for the jobs it worked for.
//
// It guarantees that a tally may be counted into by any number of goroutines,
// that what carries none counts nothing and fails nothing, and that a record
// holds numbers and the names of jobs, tasks and functions only: nothing of keys
// or of media.
package usage

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Counts are requests and bytes. Each attempt at a request is one, the SDK's own
// retries included, and so is one that AWS refused.
type Counts struct {
	S3Writes  int64 `json:"s3Writes,omitempty"`  // PUT, COPY, POST and LIST: the dearer class
	S3Reads   int64 `json:"s3Reads,omitempty"`   // GET, HEAD and all others
	S3Deletes int64 `json:"s3Deletes,omitempty"` // DELETE, which is free
	S3In      int64 `json:"s3In,omitempty"`      // bytes of bodies that came from S3
	S3Out     int64 `json:"s3Out,omitempty"`     // bytes of bodies that went to S3
	KMS       int64 `json:"kms,omitempty"`
	KMSDenied int64 `json:"kmsDenied,omitempty"` // those of KMS that were refused for want of rights or for the key's state
	SQS       int64 `json:"sqs,omitempty"`       // in SQS's units: one for each 64 KiB that a request carries, at least one
	SNS       int64 `json:"sns,omitempty"`       // in SNS's units, as SQS's
	STS       int64 `json:"sts,omitempty"`       // free

	// Retries are requests that had to be made again, by why.
	Retries map[Cause]int64 `json:"retries,omitempty"`
}

// Cause is why a request had to be made again.
type Cause string

// The causes.
const (
	Throttled  Cause = "throttled"  // too many requests: 429, SlowDown, ThrottlingException
	Server     Cause = "server"     // the service failed: any other 5xx
	Connection Cause = "connection" // the connection broke, also in the middle of a body
	Timeout    Cause = "timeout"    // nothing came in time
	Conflict   Cause = "conflict"   // another writer was faster: 409, or 412 to a change of what was read
)

// Unanswered is how many requests the services failed at, of whatever kind: all
// that were made again but those that another writer won.
func (c Counts) Unanswered() int64 {
	return c.Retries[Throttled] + c.Retries[Server] + c.Retries[Connection] + c.Retries[Timeout]
}

// Causes are all causes.
var Causes = []Cause{Throttled, Server, Connection, Timeout, Conflict}

// Plus is the sum.
func (c Counts) Plus(more Counts) Counts {
	c.S3Writes += more.S3Writes
	c.S3Reads += more.S3Reads
	c.S3Deletes += more.S3Deletes
	c.S3In += more.S3In
	c.S3Out += more.S3Out
	c.KMS += more.KMS
	c.KMSDenied += more.KMSDenied
	c.SQS += more.SQS
	c.SNS += more.SNS
	c.STS += more.STS
	if len(more.Retries) > 0 {
		c.Retries = maps.Clone(c.Retries)
		if c.Retries == nil {
			c.Retries = map[Cause]int64{}
		}
		for cause, n := range more.Retries {
			c.Retries[cause] += n
		}
	}
	return c
}

// Tally is what one invocation has used so far, and what for.
type Tally struct {
	mu      sync.Mutex
	counts  Counts
	jobs    []string
	task    string
	attempt int
	failed  bool
}

type tallyKey struct{}

// With returns a context that carries a new tally.
func With(ctx context.Context) (context.Context, *Tally) {
	t := new(Tally)
	return context.WithValue(ctx, tallyKey{}, t), t
}

// From is the context's tally. It is nil where there is none; a nil tally counts
// nothing.
func From(ctx context.Context) *Tally {
	t, _ := ctx.Value(tallyKey{}).(*Tally)
	return t
}

// Add counts more.
func (t *Tally) Add(more Counts) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts = t.counts.Plus(more)
}

// Retry counts one request that had to be made again.
func (t *Tally) Retry(why Cause) {
	t.Add(Counts{Retries: map[Cause]int64{why: 1}})
}

// Counts is the sum so far.
func (t *Tally) Counts() Counts {
	if t == nil {
		return Counts{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	c.Retries = maps.Clone(c.Retries)
	return c
}

// For notes a job that the invocation works for, and its task or "". An
// invocation may work for several: those that wait for one file.
func (t *Tally) For(job, task string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.task = task
	if !slices.Contains(t.jobs, job) {
		t.jobs = append(t.jobs, job)
	}
}

// Attempt notes how often the queue has given out the message that is worked on,
// this time included.
func (t *Tally) Attempt(n int) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.attempt = n
}

// Fail notes that what was asked of the invocation is not done, where the handler
// itself returns no error (a queue's message that comes again).
func (t *Tally) Fail() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = true
}

// Failed says whether Fail was called.
func (t *Tally) Failed() bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// Jobs are the jobs that the invocation works for, in the order they were noted.
func (t *Tally) Jobs() []string {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.jobs)
}
