package cloudwatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// heard are the messages to topics and the changes.
type heard struct {
	mu      sync.Mutex // sleeping in a test orders nothing towards the server
	told    []string
	changes []string
	fail    error
}

func newServer(t *testing.T, h *heard, sample func(time.Time) []Datum, alarms ...Alarm) *Server {
	t.Helper()
	s, err := New(Config{Region: "us-east-1", Account: "111122223333", Sample: sample,
		Publish: func(topic, subject, message string) error {
			var n notice
			if err := json.Unmarshal([]byte(message), &n); err != nil {
				t.Error(err)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			h.told = append(h.told, fmt.Sprintf("%s %s %s->%s", topic, n.AlarmName, n.OldStateValue, n.NewStateValue))
			if !strings.HasPrefix(subject, string(n.NewStateValue)+`: "`+n.AlarmName+`"`) || n.AlarmArn != "arn:aws:cloudwatch:us-east-1:111122223333:alarm:"+n.AlarmName {
				t.Errorf("%s: %s", subject, message)
			}
			return h.fail
		},
		OnChange: func(c Change) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.changes = append(h.changes, fmt.Sprintf("%s %s", c.Alarm.Name, c.To))
		}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alarms {
		if err := s.PutAlarm(a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (h *heard) want(t *testing.T, what string, changes ...string) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if fmt.Sprint(h.changes) != fmt.Sprint(changes) {
		t.Errorf("%s: %q, want %q", what, h.changes, changes)
	}
	h.changes = nil
}

var (
	depth  = Metric{"AWS/SQS", "ApproximateNumberOfMessagesVisible", map[string]string{"QueueName": "q"}}
	rounds = Metric{"Sealreel", "ReconcileRounds", map[string]string{"Stack": "s"}}
)

func queueAlarm(name string, periods int) Alarm {
	return Alarm{Name: name, Queries: []Query{{ID: "m", Metric: depth, Stat: "Maximum", Period: time.Minute, Returns: true}}, Comparison: "GreaterThanThreshold",
		Periods: periods, Datapoints: periods, TreatMissing: "notBreaching", Actions: []string{"on"}, OKActions: []string{"off"}}
}

func roundsAlarm() Alarm {
	return Alarm{Name: "rounds", Queries: []Query{{ID: "m", Metric: rounds, Stat: "Sum", Period: 15 * time.Minute, Returns: true}},
		Comparison: "LessThanThreshold", Threshold: 1, Periods: 1, Datapoints: 1, TreatMissing: "breaching"}
}

// TestGauge: an alarm on a queue's depth goes off after as many minutes as it
// looks at, whether they pass or are passed over, and tells its topics.
func TestGauge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		var n atomic.Int64
		any := Alarm{Name: "any", Rule: "ALARM(now) OR ALARM(five)", Actions: []string{"all"}}
		s := newServer(t, h, func(time.Time) []Datum {
			return []Datum{{Metric: depth, Unit: "Count", Values: []float64{float64(n.Load())}}}
		}, queueAlarm("now", 1), queueAlarm("five", 5), any)
		ctx, stop := t.Context(), func() {}
		defer stop()
		go s.Run(ctx)
		time.Sleep(time.Minute)
		synctest.Wait()
		h.want(t, "at first", "now OK", "five OK", "any OK")
		n.Store(2)
		time.Sleep(time.Minute)
		synctest.Wait()
		h.want(t, "after a minute", "now ALARM", "any ALARM")
		s.Advance(3 * time.Minute)
		h.want(t, "after four")
		s.Advance(time.Minute)
		h.want(t, "after five", "five ALARM")
		n.Store(0)
		time.Sleep(time.Minute)
		synctest.Wait()
		h.want(t, "when it is empty", "now OK", "five OK", "any OK")
		want := []string{"off now INSUFFICIENT_DATA->OK", "off five INSUFFICIENT_DATA->OK", "on now OK->ALARM", "all any OK->ALARM", "on five OK->ALARM", "off now ALARM->OK", "off five ALARM->OK"}
		if fmt.Sprint(h.told) != fmt.Sprint(want) {
			t.Errorf("told %q", h.told)
		}
	})
}

// TestSlidingWindow: a period of a quarter of an hour slides by the minute, and
// missing data breach where that is asked for.
func TestSlidingWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		s := newServer(t, h, nil, roundsAlarm())
		s.Put(Datum{Metric: rounds, Unit: "Count", Time: time.Now(), Values: []float64{1}})
		s.Advance(time.Minute)
		h.want(t, "after a round", "rounds OK")
		s.Advance(14 * time.Minute)
		h.want(t, "a quarter of an hour later")
		s.Advance(3 * time.Minute) // data of two periods more are looked at, see extra
		for range 30 {
			s.Advance(time.Minute)
		}
		h.want(t, "long after", "rounds ALARM")
		s.Put(Datum{Metric: rounds, Unit: "Count", Time: time.Now(), Values: []float64{1}})
		s.Advance(time.Minute)
		h.want(t, "after a round of the later time", "rounds OK")
	})
}

func TestMath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{fail: errors.New("no topic")}
		metric := func(name string) Metric { return Metric{"Sealreel", name, map[string]string{"Stack": "s"}} }
		put := func(s *Server, ended, errors float64) {
			s.Put(Datum{Metric: metric("JobsEnded"), Unit: "Count", Time: time.Now(), Values: []float64{ended}},
				Datum{Metric: metric("JobErrors"), Unit: "Count", Time: time.Now(), Values: []float64{errors}})
		}
		s := newServer(t, h, nil, Alarm{Name: "rate", Comparison: "GreaterThanThreshold", Threshold: 20, Periods: 1, Datapoints: 1, TreatMissing: "notBreaching", Actions: []string{"on"},
			Queries: []Query{{ID: "percent", Expression: "IF(ended >= 5, 100 * errors / ended, 0)", Returns: true},
				{ID: "ended", Metric: metric("JobsEnded"), Stat: "Sum", Period: 5 * time.Minute}, {ID: "errors", Metric: metric("JobErrors"), Stat: "Sum", Period: 5 * time.Minute}}})
		put(s, 4, 4)
		s.Advance(time.Minute)
		h.want(t, "below the floor", "rate OK")
		put(s, 4, 0)
		s.Advance(time.Minute)
		h.want(t, "half of them", "rate ALARM")
		put(s, 30, 0)
		s.Advance(time.Minute)
		h.want(t, "one in ten", "rate OK")
		if len(h.told) != 1 {
			t.Errorf("told %q", h.told) // though it failed
		}
	})
}

// TestAlarmsThatAreRefused, each for one thing.
func TestAlarmsThatAreRefused(t *testing.T) {
	s := newServer(t, &heard{}, nil, queueAlarm("there", 1))
	for what, change := range map[string]func(a *Alarm){
		"no name":           func(a *Alarm) { a.Name = "" },
		"a name twice":      func(a *Alarm) { a.Name = "there" },
		"an unknown rule":   func(a *Alarm) { a.Rule = "ALARM(" },
		"a rule of nothing": func(a *Alarm) { a.Rule = "ALARM(gone)" },
		"missing data":      func(a *Alarm) { a.TreatMissing = "odd" },
		"a comparison":      func(a *Alarm) { a.Comparison = "GreaterThanUpperThreshold" },
		"no periods":        func(a *Alarm) { a.Periods = 0 },
		"too many of them":  func(a *Alarm) { a.Datapoints = 2 },
		"half a minute":     func(a *Alarm) { a.Queries[0].Period = 30 * time.Second },
		"two days":          func(a *Alarm) { a.Queries[0].Period = 48 * time.Hour },
		"a statistic":       func(a *Alarm) { a.Queries[0].Stat = "Median" },
		"no metrics":        func(a *Alarm) { a.Queries = nil },
		"nothing returned":  func(a *Alarm) { a.Queries[0].Returns = false },
		"an id twice":       func(a *Alarm) { a.Queries = append(a.Queries, a.Queries[0]) },
		"two returned":      func(a *Alarm) { q := a.Queries[0]; q.ID = "n"; a.Queries = append(a.Queries, q) },
		"an expression":     func(a *Alarm) { a.Queries[0].Expression = "RATE(m)" },
		"an unknown id":     func(a *Alarm) { a.Queries[0].Expression = "x + 1" },
		"two periods": func(a *Alarm) {
			a.Queries = append(a.Queries, Query{ID: "n", Metric: depth, Stat: "Sum", Period: time.Hour})
		},
		"an expression that is not returned": func(a *Alarm) { a.Queries = append(a.Queries, Query{ID: "n", Expression: "m + 1"}) },
	} {
		a := queueAlarm("new", 1)
		change(&a)
		if err := s.PutAlarm(a); err == nil {
			t.Errorf("an alarm with %s is taken", what)
		}
	}
	if err := s.PutAlarm(queueAlarm("new", 1)); err != nil {
		t.Error(err)
	}
}

func TestLines(t *testing.T) {
	s := newServer(t, &heard{}, nil)
	s.TakeLine("IngestFunction", emfLine(time.Now(), `{"Namespace":"N","Dimensions":[["S"]],"Metrics":[{"Name":"M","Unit":"Count"}]}`, `"S":"s","M":1`))
	s.TakeLine("IngestFunction", `{"level":"INFO"}`)
	if got := s.Metrics(); len(got) != 1 || got[0].String() != "N M S=s" || fmt.Sprint(got[0].Units) != "[Count]" || len(s.Faults()) > 0 {
		t.Errorf("%+v, %v", got, s.Faults())
	}
	s.TakeLine("IngestFunction", `{"_aws":{}}`)
	if faults := s.Faults(); len(faults) != 1 || !strings.Contains(faults[0].Error(), "IngestFunction") {
		t.Errorf("%v", faults)
	}
}
