package metric

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Limits of the embedded metric format.
const (
	maxMetrics = 100 // of one directive
	maxValues  = 100 // of one metric in one line
)

// order is the place of each metric in a line.
var order = func() map[string]int {
	places := map[string]int{}
	for i, m := range All() {
		places[m.Name] = i
	}
	return places
}()

// labelled are the samples of a series.
type labelled struct {
	*samples
	label string
}

// directive is an element of CloudWatchMetrics.
type directive struct {
	Namespace  string       `json:"Namespace"`
	Dimensions [][]string   `json:"Dimensions"`
	Metrics    []definition `json:"Metrics"`
}

type definition struct {
	Name string `json:"Name"`
	Unit string `json:"Unit"`
}

// line is one line in the making: its metadata and its other members.
type line struct {
	directives []directive
	members    map[string]any
}

// Write writes what was counted since the last call, as of a time, a line at a
// time. The properties are further members of each line, for whoever searches
// the logs; no metric is made of them.
func (r *Recorder) Write(w io.Writer, at time.Time, properties map[string]string) error {
	if r.stack == "" {
		return nil
	}
	for _, l := range r.lines() {
		for name, value := range properties {
			if _, taken := l.members[name]; !taken {
				l.members[name] = value
			}
		}
		l.members["_aws"] = map[string]any{"Timestamp": at.UnixMilli(), "CloudWatchMetrics": l.directives}
		text, err := json.Marshal(l.members)
		if err != nil {
			return fmt.Errorf("making a line of metrics: %w", err)
		}
		if _, err := w.Write(append(text, '\n')); err != nil {
			return fmt.Errorf("writing a line of metrics: %w", err)
		}
	}
	return nil
}

// lines lays out what was counted: each series on the first line where its
// metric and its label have no other value.
func (r *Recorder) lines() []*line {
	var lines []*line
	for _, s := range r.take() {
		for rest := s.values; len(rest) > 0; {
			n := min(len(rest), maxValues)
			part := labelled{&samples{metric: s.metric, values: rest[:n]}, s.label}
			rest = rest[n:]
			i := slices.IndexFunc(lines, func(l *line) bool { return l.takes(part) })
			if i < 0 {
				i = len(lines)
				lines = append(lines, &line{members: map[string]any{Stack: r.stack, Function: r.function}})
			}
			lines[i].add(part)
		}
	}
	return lines
}

func (l *line) takes(s labelled) bool {
	if _, taken := l.members[s.metric.Name]; taken {
		return false
	}
	label, ok := l.members[s.metric.label()]
	return s.label == "" || !ok || label == s.label
}

func (l *line) add(s labelled) {
	if s.label != "" {
		l.members[s.metric.label()] = s.label
	}
	if len(s.values) == 1 {
		l.members[s.metric.Name] = s.values[0]
	} else {
		l.members[s.metric.Name] = s.values
	}
	sets := make([][]string, len(s.metric.Sets))
	for i, set := range s.metric.Sets {
		sets[i] = append([]string{Stack}, set...)
	}
	defined := definition{s.metric.Name, s.metric.Unit}
	same := func(d directive) bool {
		return len(d.Metrics) < maxMetrics && slices.EqualFunc(d.Dimensions, sets, slices.Equal[[]string])
	}
	if i := slices.IndexFunc(l.directives, same); i >= 0 {
		l.directives[i].Metrics = append(l.directives[i].Metrics, defined)
		return
	}
	l.directives = append(l.directives, directive{Namespace, sets, []definition{defined}})
}
