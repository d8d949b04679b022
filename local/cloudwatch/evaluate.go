package cloudwatch

import (
	"fmt"
	"strings"
)

// extra is how many periods more than those that an alarm evaluates are looked
// at where some have no data (AWS: Using CloudWatch alarms, how alarm state is
// evaluated when data is missing; its tables show five for three).
const extra = 2

// point is what one period has.
type point struct {
	value    float64
	real     bool // else it is missing
	breaches bool
}

// points are those of an alarm's periods up to a minute, the oldest first.
func (a *alarm) points(s *store, until minute) []point {
	compare := breaches(a.Comparison)
	all := make([]point, a.Periods+extra)
	for i := range all {
		end := until - minute((len(all)-1-i)*a.period)
		p := &all[i]
		if p.value, p.real = a.value(s, end-minute(a.period), end); p.real {
			p.breaches = compare(p.value, a.Threshold)
		}
	}
	return all
}

// value is what the alarm compares of a period.
func (a *alarm) value(s *store, from, until minute) (float64, bool) {
	if a.math == nil {
		q := a.returned
		return s.statistic(q.Metric, q.Unit, q.Stat, from, until)
	}
	values := map[string]float64{}
	for _, q := range a.metrics() {
		if v, ok := s.statistic(q.Metric, q.Unit, q.Stat, from, until); ok {
			values[q.ID] = v
		}
	}
	return a.math.eval(values)
}

// judge finds the state from the periods looked at, as AWS describes it: where
// as many have data as are evaluated, the latest of these count; otherwise all
// that have data do, and the rest is treated as the alarm asks.
func (a *alarm) judge(all []point) (State, string) {
	recent := all[len(all)-a.Periods:]
	var found []point
	for _, p := range all {
		if p.real {
			found = append(found, p)
		}
	}
	if len(found) >= a.Periods && !complete(recent) {
		recent = found[len(found)-a.Periods:]
	}
	if complete(recent) {
		return a.verdict(recent, 0, a.Datapoints)
	}
	return a.fill(found)
}

func complete(points []point) bool {
	for _, p := range points {
		if !p.real {
			return false
		}
	}
	return true
}

// fill judges fewer data than periods.
func (a *alarm) fill(found []point) (State, string) {
	missing := a.Periods - len(found)
	switch {
	case a.TreatMissing == "breaching":
		return a.verdict(found, missing, a.Datapoints)
	case a.TreatMissing == "notBreaching":
		return a.verdict(found, 0, a.Datapoints)
	case len(found) == 0 && a.TreatMissing == "ignore":
		return a.state, a.reason
	case len(found) == 0:
		return InsufficientData, fmt.Sprintf("Insufficient Data: %d datapoints were unknown.", missing)
	case a.TreatMissing == "ignore" && breaching(found) == len(found) && len(found) < a.Datapoints:
		return a.state, a.reason
	}
	return a.verdict(found, 0, min(a.Datapoints, len(found)))
}

func breaching(points []point) int {
	n := 0
	for _, p := range points {
		if p.breaches {
			n++
		}
	}
	return n
}

// verdict compares how many periods breach, and as many as are assumed to, with
// how many must.
func (a *alarm) verdict(points []point, assumed, needed int) (State, string) {
	values := make([]string, len(points))
	for i, p := range points {
		values[i] = fmt.Sprint(p.value)
	}
	n := breaching(points) + assumed
	shown := fmt.Sprintf("%d of the last %d periods breach the threshold (%s %v): [%s]", n, a.Periods, a.Comparison, a.Threshold, strings.Join(values, ", "))
	if missing := a.Periods - len(points); missing > 0 {
		shown += fmt.Sprintf(", %d missing and treated as %s", missing, a.TreatMissing)
	}
	if n >= needed {
		return Alarming, "Threshold Crossed: " + shown + "."
	}
	return OK, "Threshold not crossed: " + shown + "."
}

// compose judges a composite alarm.
func (a *alarm) compose(state func(name string) State) (State, string) {
	if !a.rule.holds(state) {
		return OK, "the rule does not hold: " + a.Rule
	}
	var alarming []string
	for _, name := range a.rule.alarms {
		if state(name) == Alarming {
			alarming = append(alarming, name)
		}
	}
	return Alarming, "in ALARM: " + strings.Join(alarming, ", ")
}
