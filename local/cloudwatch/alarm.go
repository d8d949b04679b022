package cloudwatch

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// State is that of an alarm.
type State string

// The states of an alarm.
const (
	OK               State = "OK"
	Alarming         State = "ALARM"
	InsufficientData State = "INSUFFICIENT_DATA"
)

// Alarm says what is looked at and who is told. With a Rule it is a composite
// alarm: of the rest it has the actions alone.
type Alarm struct {
	Name, Description string
	Rule              string

	Queries      []Query // one returns what is compared
	Comparison   string  // GreaterThanThreshold and so on
	Threshold    float64
	Periods      int    // how many are looked at
	Datapoints   int    // how many of them must breach
	TreatMissing string // missing, ignore, breaching or notBreaching

	Actions, OKActions, InsufficientActions []string // ARNs of topics
}

// Query is a metric of an alarm or an expression over other metrics.
type Query struct {
	ID         string
	Expression string // empty for a metric
	Metric     Metric
	Stat       string
	Unit       string        // empty for any
	Period     time.Duration // whole minutes; of an expression that of its metrics
	Returns    bool
}

// alarm is an Alarm at work.
type alarm struct {
	Alarm
	period   int // minutes
	returned *Query
	math     *expression // nil for a metric
	rule     *rule       // of a composite alarm

	state   State
	reason  string
	changed time.Time // of the state
	made    time.Time
}

func newAlarm(a Alarm) (*alarm, error) {
	kept := &alarm{Alarm: a, state: InsufficientData, reason: "Unchecked: Initial alarm creation"}
	var err error
	if a.Rule != "" {
		kept.rule, err = parseRule(a.Rule)
	} else {
		err = kept.check()
	}
	if err == nil && a.Name == "" {
		err = errors.New("cloudwatch: an alarm needs a name")
	}
	if err != nil {
		return nil, fmt.Errorf("cloudwatch: alarm %s: %w", a.Name, err)
	}
	return kept, nil
}

// check finds what an alarm that looks at metrics lacks.
func (a *alarm) check() error {
	if !slices.Contains([]string{"missing", "ignore", "breaching", "notBreaching"}, a.TreatMissing) {
		return fmt.Errorf("missing data can't be treated as %q", a.TreatMissing)
	}
	if breaches(a.Comparison) == nil {
		return fmt.Errorf("there is no comparison %q", a.Comparison)
	}
	if a.Periods < 1 || a.Datapoints < 1 || a.Datapoints > a.Periods {
		return fmt.Errorf("%d of %d periods can't breach", a.Datapoints, a.Periods)
	}
	return a.checkQueries()
}

func (a *alarm) checkQueries() error {
	known := map[string]*Query{}
	for i := range a.Queries {
		q := &a.Queries[i]
		if known[q.ID] != nil {
			return fmt.Errorf("the id %q is there twice", q.ID)
		}
		known[q.ID] = q
		if q.Returns && a.returned != nil {
			return errors.New("two of its metrics return data")
		}
		if q.Returns {
			a.returned = q
		}
		if err := a.checkQuery(q); err != nil {
			return err
		}
	}
	if a.returned == nil {
		return errors.New("none of its metrics returns data")
	}
	if a.math == nil {
		return nil
	}
	for _, id := range a.math.ids {
		if q := known[id]; q == nil || q.Expression != "" {
			return fmt.Errorf("its expression names %q, which is no metric of it", id)
		}
	}
	return nil
}

func (a *alarm) checkQuery(q *Query) (err error) {
	if q.Expression != "" {
		if !q.Returns {
			return errors.New("the embedded CloudWatch takes one expression, the one that returns data")
		}
		a.math, err = parseExpression(q.Expression)
		return err
	}
	minutes := int(q.Period / time.Minute)
	if minutes < 1 || q.Period%time.Minute != 0 || minutes*a.Periods > 24*60 {
		return fmt.Errorf("a period of %v must be of whole minutes, and all that is looked at no more than a day", q.Period)
	}
	if a.period != 0 && a.period != minutes {
		return errors.New("its metrics have different periods")
	}
	a.period = minutes
	return checkStat(q.Stat)
}

// breaches is how a comparison breaches, or nil for one that doesn't exist.
func breaches(comparison string) func(value, threshold float64) bool {
	switch comparison {
	case "GreaterThanThreshold":
		return func(v, t float64) bool { return v > t }
	case "GreaterThanOrEqualToThreshold":
		return func(v, t float64) bool { return v >= t }
	case "LessThanThreshold":
		return func(v, t float64) bool { return v < t }
	case "LessThanOrEqualToThreshold":
		return func(v, t float64) bool { return v <= t }
	}
	return nil
}

// metrics are those that the alarm looks at.
func (a *alarm) metrics() []Query {
	var all []Query
	for _, q := range a.Queries {
		if q.Expression == "" {
			all = append(all, q)
		}
	}
	return all
}
