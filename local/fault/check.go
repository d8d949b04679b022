package fault

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Services beside those that are called over HTTP.
const (
	Message  = "message"
	Event    = "event"
	Schedule = "schedule"
	Lambda   = "lambda"
)

var serviceName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// faults says which members of Then a kind of service can have.
var faults = map[string][]string{
	"":       {"error", "delay", "jitter", "reset", "slow", "kill", "skew"}, // over HTTP
	Message:  {"delay", "jitter", "lost", "copies"},
	Event:    {"delay", "jitter", "lost", "copies"},
	Schedule: {"delay", "jitter", "lost", "copies"},
	Lambda:   {"delay", "jitter", "kill", "limits"},
}

// Check returns what is wrong with the plan, by the names of its rules.
func (p Plan) Check() error {
	var errs []error
	seen := map[string]bool{}
	for i, r := range p.Rules {
		if r.Name == "" {
			errs = append(errs, fmt.Errorf("fault: rule %d needs a name", i+1))
			continue
		}
		if seen[r.Name] {
			errs = append(errs, fmt.Errorf("fault: there are two rules named %q", r.Name))
		}
		seen[r.Name] = true
		if err := r.check(); err != nil {
			errs = append(errs, fmt.Errorf("fault: rule %q: %w", r.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (r Rule) check() error {
	return errors.Join(r.When.check(), r.Then.check(r.When.Service), r.Then.checkMoments(r.When.Service))
}

func (w When) check() error {
	switch {
	case !serviceName.MatchString(w.Service):
		return fmt.Errorf("when.service is %q: name one, such as s3 or message", w.Service)
	case w.After < 0 || w.Times < 0:
		return errors.New("when.after and when.times can't be negative")
	case w.Chance < 0 || w.Chance > 1:
		return fmt.Errorf("when.chance is %v: it goes from 0 to 1", w.Chance)
	}
	return nil
}

// has returns the members that are set.
func (t Then) has() []string {
	var names []string
	for _, m := range []struct {
		name string
		set  bool
	}{
		{"error", t.Error != nil}, {"delay", t.Delay != 0}, {"jitter", t.Jitter != 0}, {"reset", t.Reset != ""}, {"slow", t.Slow != nil},
		{"kill", t.Kill != ""}, {"lost", t.Lost}, {"copies", t.Copies != 0}, {"skew", t.Skew != 0}, {"limits", t.Limits != nil},
	} {
		if m.set {
			names = append(names, m.name)
		}
	}
	return names
}

func (t Then) check(service string) error {
	can, other := faults[service]
	if !other {
		can = faults[""]
	}
	has := t.has()
	if len(has) == 0 {
		return errors.New("then says nothing: name what goes wrong, such as error or delay")
	}
	for _, name := range has {
		if !slices.Contains(can, name) {
			return fmt.Errorf("then.%s is nothing that can happen to %s: that can have %s", name, service, strings.Join(can, ", "))
		}
	}
	ends := 0 // a call ends in one way
	for _, name := range []string{"error", "reset", "kill", "skew"} {
		if slices.Contains(has, name) {
			ends++
		}
	}
	if ends > 1 {
		return fmt.Errorf("then has %s: of error, reset, kill and skew a call can have one", strings.Join(has, ", "))
	}
	if t.Lost && len(has) > 1 {
		return fmt.Errorf("then has %s: what is lost can't be anything else", strings.Join(has, ", "))
	}
	return t.checkValues(service)
}

func (t Then) checkValues(service string) error {
	switch {
	case t.Bytes < 0 || t.Copies < 0:
		return errors.New("then.bytes and then.copies can't be negative")
	case t.Bytes > 0 && t.Reset != Request && t.Reset != Reply:
		return errors.New("then.bytes is for a reset of request or answer")
	case t.Copies > 0 && service == Message && (t.Delay != 0 || t.Jitter != 0):
		return errors.New("then has copies and a delay: copies are of messages that were received, delays of those that are sent; use two rules")
	}
	return errors.Join(t.Error.check(), t.Slow.check(), t.Limits.check())
}

func (a *Answer) check() error {
	if a != nil && (a.Status < 300 || a.Status > 599 || a.Code == "") {
		return fmt.Errorf("then.error needs a status from 300 to 599 and a code, not %d and %q", a.Status, a.Code)
	}
	return nil
}

func (r *Rates) check() error {
	if r != nil && (r.Request < 0 || r.Answer < 0 || *r == Rates{}) {
		return errors.New("then.slow needs bytes a second of request or answer")
	}
	return nil
}

func (l *Limits) check() error {
	if l != nil && (l.MemoryMB < 0 || l.DiskMB != nil && *l.DiskMB < 0 || *l == Limits{}) {
		return errors.New("then.limits needs memoryMB, diskMB or timeout, none negative")
	}
	return nil
}

func (t Then) checkMoments(service string) error {
	switch t.Reset {
	case "", Before, Request, Reply, After:
	default:
		return fmt.Errorf("then.reset is %q: it happens before, request, answer or after", t.Reset)
	}
	switch t.Kill {
	case "", After:
	case Before:
		if service == Lambda {
			return errors.New("then.kill before an invocation has nobody to kill: use after, with a delay")
		}
	default:
		return fmt.Errorf("then.kill is %q: it happens before or after", t.Kill)
	}
	return nil
}
