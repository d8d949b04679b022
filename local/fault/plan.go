package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Plan is a list of rules. The zero Plan disturbs nothing.
type Plan struct {
	Seed  uint64 `json:"seed,omitempty"` // of what happens by chance
	Rules []Rule `json:"rules"`
}

// Rule says when something goes wrong, and what.
type Rule struct {
	Name string `json:"name"` // noted when it fires
	When When   `json:"when"`
	Then Then   `json:"then"`
}

// When says which calls a rule is about. Patterns have * for any characters and
// ? for one; an empty pattern fits everything.
type When struct {
	// Service is s3, kms, sqs, sns, sts or another that clients call; or
	// message for a message on its way through SQS, event for the notification
	// of an object, schedule for a scheduled firing, lambda for an invocation.
	Service   string `json:"service"`
	Operation string `json:"operation,omitempty"` // pattern, such as *MultipartUpload; see Call
	Caller    string `json:"caller,omitempty"`    // pattern: logical id of a function, or user
	Resource  string `json:"resource,omitempty"`  // pattern, such as */plans/*; see Call
	// Event is a pattern of the payload that the calling environment works on.
	Event string `json:"event,omitempty"`

	After  int     `json:"after,omitempty"`  // matching calls that pass first
	Times  int     `json:"times,omitempty"`  // it fires at most so often; 0 knows no end
	Chance float64 `json:"chance,omitempty"` // 0 to 1 that it fires; 0 stands for always

	// Match, which no file has, is a further condition. It must be quick and is
	// called from many goroutines.
	Match func(Call) bool `json:"-"`
}

// Then is what goes wrong. Some of it can be had together, such as a delay
// before an error.
type Then struct {
	Error  *Answer  `json:"error,omitempty"`  // instead of carrying it out
	Delay  Duration `json:"delay,omitempty"`  // before it is carried out, or arrives
	Jitter Duration `json:"jitter,omitempty"` // up to so much more, by chance; reorders

	Reset Moment `json:"reset,omitempty"` // the connection is reset
	// Bytes are how many of the body pass before a reset of request or answer; 0
	// is half of them.
	Bytes int64  `json:"bytes,omitempty"`
	Slow  *Rates `json:"slow,omitempty"`
	Kill  Moment `json:"kill,omitempty"` // the caller's environment, before or after the call is carried out

	Lost   bool    `json:"lost,omitempty"`
	Copies int     `json:"copies,omitempty"` // beside the one
	Skew   Span    `json:"skew,omitempty"`   // of the service's clock
	Limits *Limits `json:"limits,omitempty"` // of an invocation
}

// Answer is an error that a service answers.
type Answer struct {
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}

// Rates are bytes of bodies a second; 0 is as fast as can be.
type Rates struct {
	Request int64 `json:"request,omitempty"`
	Answer  int64 `json:"answer,omitempty"`
}

// Limits are those of one invocation.
type Limits struct {
	MemoryMB int64    `json:"memoryMB,omitempty"` // of all its processes; over it they are killed
	DiskMB   *int64   `json:"diskMB,omitempty"`   // that no file may outgrow; 0 is a full disk
	Timeout  Duration `json:"timeout,omitempty"`
}

// Moment is when in the course of a call something happens.
type Moment string

// The moments of a call.
const (
	Before  Moment = "before"  // nothing is carried out
	Request Moment = "request" // in the middle of the request's body; nothing is carried out
	Reply   Moment = "answer"  // in the middle of the answer's body
	After   Moment = "after"   // it is carried out, and the caller never hears
)

// Duration is a time.Duration that JSON has as text such as "1.5s", not negative.
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return fmt.Errorf("%q is no length of time: write one such as 1.5s", text)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Span is like a Duration, and may be negative.
type Span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no length of time: write one such as -20m", text)
	}
	*s = Span(parsed)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// Parse reads a plan and checks it.
func Parse(text []byte) (Plan, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var p Plan
	if err := d.Decode(&p); err != nil {
		return Plan{}, fmt.Errorf("fault: no plan: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Plan{}, errors.New("fault: there is more than one plan in the text")
	}
	return p, p.Check()
}

// ReadFile reads the plan in a file.
func ReadFile(path string) (Plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Plan{}, fmt.Errorf("fault: read the plan: %w", err)
	}
	p, err := Parse(text)
	if err != nil {
		return Plan{}, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}
