package stack

import (
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"sealreel/local/fault"
	"sealreel/local/lambda"
)

// errNoFaults is for a stack that was made without a fault engine.
var errNoFaults = errors.New("stack: it has no faults: set Config.Faults to a plan, be it an empty one")

// openFaults makes the engine that the configuration asks for.
func (s *Stack) openFaults() error {
	if s.config.Faults == nil {
		return nil
	}
	s.faults = fault.New(caller, s.config.Log)
	return s.faults.Set(*s.config.Faults)
}

// SetFaults replaces the plan of faults. Rules that were added stay.
func (s *Stack) SetFaults(p fault.Plan) error {
	if s.faults == nil {
		return errNoFaults
	}
	return s.faults.Set(p)
}

// AddFaults adds rules beside those of the plan, until remove is called.
func (s *Stack) AddFaults(rules ...fault.Rule) (remove func(), err error) {
	if s.faults == nil {
		return nil, errNoFaults
	}
	return s.faults.Add(rules...)
}

// Faults returns the faults that fired, in order.
func (s *Stack) Faults() []fault.Fired {
	if s.faults == nil {
		return nil
	}
	return s.faults.Fired()
}

// OnCall has f called before and after each call that faults can be about, from
// many goroutines, and of messages that are sent with their queues locked: f may
// call no service. Without a fault engine f is never called.
func (s *Stack) OnCall(f func(fault.Call)) (remove func()) {
	if s.faults == nil {
		return func() {}
	}
	return s.faults.OnCall(f)
}

// issue gives each environment of a function an access key of its own, so that
// it is known which process calls.
func (s *Stack) issue(function string) func(lambda.Environment) (lambda.Credentials, func()) {
	return func(e lambda.Environment) (lambda.Credentials, func()) {
		v := s.services
		base := functionKeyPrefix + function
		c := lambda.Credentials{AccessKeyID: base + keySeparator + rand.Text()[:12], SecretAccessKey: newSecret()}
		if err := v.directory.AddKey(c.AccessKeyID, base); err != nil { // a deployed function has its own
			s.config.Log.Error("an environment can't have credentials of its own", "function", function, "error", err)
		}
		if s.faults != nil {
			s.faults.Enter(c.AccessKeyID, c.SecretAccessKey, e)
		}
		v.objects.AddAccount(c.AccessKeyID, c.SecretAccessKey)
		v.known.add(c.AccessKeyID)
		return c, func() {
			v.known.remove(c.AccessKeyID)
			v.objects.RemoveAccount(c.AccessKeyID)
			v.directory.Remove(c.AccessKeyID)
			if s.faults != nil {
				s.faults.Leave(e)
			}
		}
	}
}

// disturb lets the engine see what drives functions.
func (s *Stack) disturb(c *lambda.Config) {
	deliveries := c.Deliveries
	c.Deliveries = func(e lambda.ObjectEvent) []time.Duration {
		delays := []time.Duration{0}
		if deliveries != nil {
			delays = deliveries(e)
		}
		return s.faults.Deliveries(fault.Event, e.Name, e.Bucket+"/"+e.Key, e.Caller, delays)
	}
	c.Firings = func(rule, _ string) []time.Duration {
		return s.faults.Deliveries(fault.Schedule, "Fire", strings.TrimPrefix(rule, s.config.StackName+"-"), "", []time.Duration{0})
	}
	c.Disturb = func(function, requestID string, payload []byte) lambda.Disturbance {
		then := s.faults.Invoked(function, requestID, string(payload))
		if then == nil {
			return lambda.Disturbance{}
		}
		d := lambda.Disturbance{Kill: then.Kill != "", After: time.Duration(then.Delay)}
		if l := then.Limits; l != nil {
			d.Memory, d.Timeout = l.MemoryMB<<20, time.Duration(l.Timeout)
			if l.DiskMB != nil {
				size := *l.DiskMB << 20
				d.Disk = &size
			}
		}
		return d
	}
}
