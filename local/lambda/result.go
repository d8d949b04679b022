package lambda

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"
)

// Unhandled is the FunctionError of every failure of a custom runtime.
const Unhandled = "Unhandled"

// Result is what an invocation gave. FunctionError is empty for success;
// else Payload is {"errorType": …, "errorMessage": …}.
type Result struct {
	RequestID     string
	Payload       []byte
	FunctionError string
}

// Err returns the failure of the function as an error, or nil.
func (r Result) Err() error {
	if r.FunctionError == "" {
		return nil
	}
	return fmt.Errorf("the function failed (request %s): %s", r.RequestID, r.Payload)
}

// Report is what an invocation took. Memory is in bytes and CPU is the
// processor time, each of the bootstrap with everything it started; both are
// 0 where the system doesn't tell.
type Report struct {
	Result
	Function string // id
	Start    time.Time
	Duration time.Duration
	Init     time.Duration // of a new environment, else 0
	Memory   int64
	CPU      time.Duration
}

// fault is a failure that Lambda itself reports for a function.
type fault struct {
	kind    string
	message string
	raw     []byte // the runtime's own report, used as it is
}

func (f *fault) payload(requestID string) []byte {
	if f.raw != nil {
		return f.raw
	}
	payload, err := json.Marshal(map[string]string{
		"errorType":    f.kind,
		"errorMessage": fmt.Sprintf("RequestId: %s Error: %s", requestID, f.message),
	})
	if err != nil {
		panic("lambda: a fault that is no JSON: " + err.Error())
	}
	return payload
}

// newID returns a random UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
