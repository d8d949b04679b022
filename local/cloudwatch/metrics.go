package cloudwatch

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Metric names a series of values: with another set of dimensions it is
// another metric.
type Metric struct {
	Namespace, Name string
	Dimensions      map[string]string
}

// Datum is a value of a metric at a time, or several of one minute.
type Datum struct {
	Metric
	Unit   string // one of AWS's units; "" stands for None
	Time   time.Time
	Values []float64
}

func (m Metric) String() string {
	var b strings.Builder
	b.WriteString(m.Namespace + " " + m.Name)
	for _, name := range slices.Sorted(maps.Keys(m.Dimensions)) {
		fmt.Fprintf(&b, " %s=%s", name, m.Dimensions[name])
	}
	return b.String()
}

// kept is for how long data are kept: what the longest alarm looks at, and the
// longest graph of a day.
const kept = 25 * time.Hour

// minute is the time of a datum in whole minutes since 1970.
type minute int64

func minuteOf(t time.Time) minute { return minute(t.Unix() / 60) }

// bucket holds what came of one metric in one minute, in one unit.
type bucket struct {
	values map[float64]int // how often each was there
}

// series is a metric with its data.
type series struct {
	Metric
	units map[string]map[minute]*bucket
}

// store holds every metric.
type store struct {
	mu     sync.Mutex
	series map[string]*series // by Metric.String
	oldest minute             // buckets before it are gone
}

func newStore() *store { return &store{series: map[string]*series{}} }

// put adds a datum.
func (s *store) put(d Datum) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := d.String()
	found := s.series[key]
	if found == nil {
		found = &series{Metric: d.Metric, units: map[string]map[minute]*bucket{}}
		s.series[key] = found
	}
	unit := cmp.Or(d.Unit, "None")
	if found.units[unit] == nil {
		found.units[unit] = map[minute]*bucket{}
	}
	at := minuteOf(d.Time)
	b := found.units[unit][at]
	if b == nil {
		b = &bucket{values: map[float64]int{}}
		found.units[unit][at] = b
	}
	for _, v := range d.Values {
		b.values[v]++
	}
}

// forget drops the data before a time.
func (s *store) forget(before time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := minuteOf(before)
	if first <= s.oldest {
		return
	}
	s.oldest = first
	for _, one := range s.series {
		for _, buckets := range one.units {
			maps.DeleteFunc(buckets, func(at minute, _ *bucket) bool { return at < first })
		}
	}
}

// statistic is one of a metric over the minutes from, inclusive, to until,
// exclusive. It is false where there are no data in the unit; "" stands for any
// unit, as it does in an alarm.
func (s *store) statistic(m Metric, unit, stat string, from, until minute) (float64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.series[m.String()]
	if found == nil {
		return 0, false
	}
	values := map[float64]int{}
	for name, buckets := range found.units {
		if unit != "" && unit != name {
			continue
		}
		for at := from; at < until; at++ {
			if b := buckets[at]; b != nil {
				for v, n := range b.values {
					values[v] += n
				}
			}
		}
	}
	if len(values) == 0 {
		return 0, false
	}
	return summary(values).of(stat), true
}

// summary is how often each value is there.
type summary map[float64]int

// of is a statistic that checkStat takes.
func (values summary) of(stat string) float64 {
	sum, count := 0.0, 0
	for v, n := range values {
		sum, count = sum+v*float64(n), count+n
	}
	switch stat {
	case "Sum":
		return sum
	case "SampleCount":
		return float64(count)
	case "Average":
		return sum / float64(count)
	}
	sorted := slices.Sorted(maps.Keys(values))
	switch stat {
	case "Minimum":
		return sorted[0]
	case "Maximum":
		return sorted[len(sorted)-1]
	}
	share, _ := percentile(stat)
	rank := max(int(math.Ceil(share/100*float64(count))), 1)
	for _, v := range sorted {
		if rank -= values[v]; rank <= 0 {
			return v
		}
	}
	return sorted[len(sorted)-1]
}

// percentile reads p99.9 and the like.
func percentile(stat string) (float64, bool) {
	text, ok := strings.CutPrefix(stat, "p")
	share, err := strconv.ParseFloat(text, 64)
	return share, ok && err == nil && share >= 0 && share <= 100
}

func checkStat(stat string) error {
	switch stat {
	case "Sum", "SampleCount", "Average", "Minimum", "Maximum":
		return nil
	}
	if _, ok := percentile(stat); ok {
		return nil
	}
	return fmt.Errorf("cloudwatch: there is no statistic %q; there are Sum, SampleCount, Average, Minimum, Maximum and percentiles such as p99", stat)
}

// Listed is a metric that has data, with the units that it came in.
type Listed struct {
	Metric
	Units []string
}

// all are the metrics in order.
func (s *store) all() []Listed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Listed
	for _, key := range slices.Sorted(maps.Keys(s.series)) {
		one := s.series[key]
		list = append(list, Listed{one.Metric, slices.Sorted(maps.Keys(one.units))})
	}
	return list
}
