package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"sealreel/local/internal/gate"
)

// Config says for whom a Server keeps metrics and whom it tells.
type Config struct {
	Region  string // for ARNs
	Account string // twelve digits, for ARNs

	// Publish sends a message to the topic of an ARN.
	Publish func(topicARN, subject, message string) error
	// Sample, when set, returns the gauges at the end of each minute.
	Sample func(end time.Time) []Datum
	// OnChange, when set, hears of every change of an alarm's state, in order.
	// It must not call the Server.
	OnChange func(Change)

	// Known reports whether an access key id may call over HTTP; nil admits none.
	Known func(accessKeyID string) bool
	// Gate says who may do what; nil admits every known access key id.
	Gate *gate.Gate
	Log  *slog.Logger // what goes wrong inside; nil drops it
}

// Change is a change of an alarm's state.
type Change struct {
	Alarm    Alarm
	From, To State
	Reason   string
	Time     time.Time
}

// Server holds the metrics and alarms of one account and region. It is an
// http.Handler for clients of the API.
type Server struct {
	config Config
	store  *store
	http   http.Handler

	mu     sync.Mutex // guards the rest; a minute at a time is lived through
	ahead  time.Duration
	last   minute   // up to which alarms were evaluated
	alarms []*alarm // composite ones behind all others
	faults []error
}

// New makes a Server without alarms.
func New(config Config) (*Server, error) {
	if config.Region == "" || config.Account == "" || config.Publish == nil {
		return nil, errors.New("cloudwatch: Config needs Region, Account and Publish")
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Known == nil {
		config.Known = func(string) bool { return false }
	}
	s := &Server{config: config, store: newStore()}
	s.last = minuteOf(s.Now())
	s.http = s.handler()
	return s, nil
}

// ServeHTTP answers a client of CloudWatch's API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.http.ServeHTTP(w, r) }

// Now is the time of the Server: that of the machine, and what Advance added.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

func (s *Server) now() time.Time { return time.Now().Add(s.ahead) }

// Put adds data. Their times are the machine's; what Advance added is added to
// them.
func (s *Server) Put(data ...Datum) {
	s.mu.Lock()
	ahead := s.ahead
	s.mu.Unlock()
	for _, d := range data {
		d.Time = d.Time.Add(ahead)
		s.store.put(d)
	}
}

// TakeLine takes the metrics out of a function's log line, if it has any. One
// that CloudWatch would drop is in Faults.
func (s *Server) TakeLine(function, line string) {
	data, err := ParseEMF([]byte(line), time.Now())
	if err != nil {
		err = fmt.Errorf("%s: %w", function, err)
		s.mu.Lock()
		s.faults = append(s.faults, err)
		s.mu.Unlock()
		s.config.Log.Error("metrics of a log line are lost", "error", err)
		return
	}
	s.Put(data...)
}

// Faults are the log lines that looked like metrics and are none, each as an
// error that says why.
func (s *Server) Faults() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// States are those of all alarms, by name.
func (s *Server) States() map[string]State {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]State{}
	for _, a := range s.alarms {
		all[a.Name] = a.state
	}
	return all
}

// Metrics are those that have data, in order.
func (s *Server) Metrics() []Listed { return s.store.all() }

// ARN returns the ARN of the alarm of a name.
func (s *Server) ARN(name string) string {
	return "arn:aws:cloudwatch:" + s.config.Region + ":" + s.config.Account + ":alarm:" + name
}

// PutAlarm makes an alarm. A composite one must come after those that it names.
func (s *Server) PutAlarm(a Alarm) error {
	kept, err := newAlarm(a)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(a.Name) != nil {
		return fmt.Errorf("cloudwatch: there is an alarm %s already", a.Name)
	}
	if kept.rule != nil {
		for _, name := range kept.rule.alarms {
			if s.find(name) == nil {
				return fmt.Errorf("cloudwatch: alarm %s: its rule names %s, and there is no such alarm", a.Name, name)
			}
		}
	}
	kept.made, kept.changed = s.now(), s.now()
	s.alarms = append(s.alarms, kept)
	return nil
}

// find returns an alarm by its name or ARN, or nil.
func (s *Server) find(name string) *alarm {
	name = strings.TrimPrefix(name, s.ARN(""))
	for _, a := range s.alarms {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Run lives through the minutes until ctx ends.
func (s *Server) Run(ctx context.Context) {
	for {
		s.mu.Lock()
		now := s.now()
		s.mu.Unlock()
		timer := time.NewTimer(now.Truncate(time.Minute).Add(time.Minute).Sub(now))
		select {
		case <-timer.C:
			s.Advance(0)
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// Advance moves the clock ahead and lives through the minutes up to then.
func (s *Server) Advance(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += by
	until := minuteOf(s.now())
	for s.last < until {
		s.endMinute(s.last)
		s.last++
		s.evaluate(s.last)
	}
	s.store.forget(s.now().Add(-kept))
}

// endMinute samples the gauges at the end of a minute.
func (s *Server) endMinute(at minute) {
	if s.config.Sample == nil {
		return
	}
	for _, d := range s.config.Sample((at + 1).start()) {
		d.Time = at.start()
		s.store.put(d)
	}
}

func (m minute) start() time.Time { return time.Unix(int64(m)*60, 0) }

// evaluate finds the state of every alarm by the minutes before one.
func (s *Server) evaluate(until minute) {
	for _, a := range s.alarms {
		var to State
		var reason string
		if a.rule != nil {
			to, reason = a.compose(func(name string) State { return s.find(name).state })
		} else {
			to, reason = a.judge(a.points(s.store, until))
		}
		s.change(a, to, reason, until.start())
	}
}

// change gives an alarm a state and tells of it if it is another one.
func (s *Server) change(a *alarm, to State, reason string, at time.Time) {
	from := a.state
	a.reason = reason
	if to == from {
		return
	}
	a.state, a.changed = to, at
	c := Change{Alarm: a.Alarm, From: from, To: to, Reason: reason, Time: at}
	if s.config.OnChange != nil {
		s.config.OnChange(c)
	}
	for _, topic := range actions(a.Alarm, to) {
		if err := s.config.Publish(topic, s.subject(c), s.message(c, a)); err != nil {
			s.config.Log.Error("nobody is told of an alarm", "alarm", a.Name, "topic", topic, "error", err)
		}
	}
}

func actions(a Alarm, state State) []string {
	switch state {
	case Alarming:
		return a.Actions
	case OK:
		return a.OKActions
	}
	return a.InsufficientActions
}
