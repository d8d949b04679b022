package fault

import "time"

// Call is one thing that the engine can disturb.
type Call struct {
	Number  uint64 // in the order of arrival, from 1
	Service string // as in When
	// Operation is that of the service's API, such as UploadPart; for a message
	// Send or Receive, for an event its name such as ObjectCreated:Put, for a
	// schedule Fire, for lambda Invoke.
	Operation string
	Caller    string // logical id of a function, user, or lambda for the service itself
	// Resource is bucket/key, the name of a queue, the ARN of a topic or role, a
	// key as the caller named it, the name of a schedule's rule, or the logical id of
	// the function that is invoked.
	Resource    string
	AccessKeyID string
	Environment string // of the calling function; empty for other callers
	Invocation  string // request id of what it works on
	// Event is the payload of that; of a message its body.
	Event string

	Done   bool // it was carried out or ended otherwise; hooks hear of each call twice
	Status int  // HTTP status then; 0 for a caller that never got one
}

// Fired is a rule that fired.
type Fired struct {
	Rule string
	Call Call
	Time time.Time
}

// Environment is a process that calls.
type Environment interface {
	ID() string
	Function() string
	// Work is the invocation that it works on; empty between two.
	Work() (requestID string, payload []byte)
	// Kill ends it and all that it started, and returns when it is gone.
	Kill()
}
