package template

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// QueueEvent is an SQS event source mapping.
type QueueEvent struct {
	ID                   string // name of the event in the template
	QueueARN             string
	BatchSize            int
	BatchWindow          time.Duration
	MaxConcurrency       int // 0 when the mapping has no limit of its own
	ReportsBatchFailures bool
	Disabled             bool
	place                *Value
}

// Schedule invokes a function at a fixed rate.
type Schedule struct {
	ID       string
	Rate     time.Duration
	Input    string // constant JSON input, or "" for EventBridge's event
	Disabled bool
}

// bucketEvent is a SAM S3 event until the buckets are known.
type bucketEvent struct {
	bucket        string
	notifications []Notification
	place         *Value
}

func (r *resolver) readEvents(d *reader, f *Function, events *Value) {
	for _, id := range events.Keys() {
		event := events.Get(id)
		p := event.Get("Properties")
		switch kind := event.Get("Type").Text(); kind {
		case "S3":
			f.notifications = append(f.notifications, readBucketEvent(d, f.ARN, event, p))
		case "SQS":
			f.Queues = append(f.Queues, readQueueEvent(d, id, event, p))
		case "Schedule":
			f.Schedules = append(f.Schedules, readSchedule(d, id, event, p))
		default:
			d.fault(event, "the embedded AWS has the event types S3, SQS and Schedule, not "+strconv.Quote(kind))
		}
	}
}

func readBucketEvent(d *reader, arn string, event, p *Value) bucketEvent {
	d.only(p, "Bucket", "Events", "Filter")
	e := bucketEvent{bucket: d.text(p.Get("Bucket"), ""), place: event}
	prefix, suffix := readKeyFilter(d, p.Get("Filter", "S3Key", "Rules"))
	for _, name := range d.texts(p.Get("Events")) {
		d.checkEvent(p.Get("Events"), event, name)
		e.notifications = append(e.notifications,
			Notification{FunctionARN: arn, Event: name, Prefix: prefix, Suffix: suffix, fromSAM: true, place: event})
	}
	if len(e.notifications) == 0 {
		d.fault(event, "needs Events")
	}
	return e
}

func readQueueEvent(d *reader, id string, event, p *Value) QueueEvent {
	d.only(p, "Queue", "BatchSize", "MaximumBatchingWindowInSeconds", "ScalingConfig", "FunctionResponseTypes", "Enabled", "MetricsConfig")
	e := QueueEvent{
		ID:             id,
		QueueARN:       d.text(p.Get("Queue"), ""),
		BatchSize:      d.integer(p.Get("BatchSize"), 10, 1, 10000),
		BatchWindow:    time.Duration(d.integer(p.Get("MaximumBatchingWindowInSeconds"), 0, 0, 300)) * time.Second,
		MaxConcurrency: d.integer(p.Get("ScalingConfig", "MaximumConcurrency"), 0, 2, 1000),
		Disabled:       !d.boolean(p.Get("Enabled"), true),
		place:          event,
	}
	for _, kind := range p.Get("FunctionResponseTypes").Items() {
		e.ReportsBatchFailures = d.oneOf(kind, "ReportBatchItemFailures") != ""
	}
	if e.BatchSize > 10 && e.BatchWindow == 0 {
		d.fault(event, "a BatchSize above 10 needs MaximumBatchingWindowInSeconds of 1 or more")
	}
	return e
}

func readSchedule(d *reader, id string, event, p *Value) Schedule {
	d.only(p, "Schedule", "Name", "Description", "Enabled", "State", "Input", "RetryPolicy", "DeadLetterConfig")
	s := Schedule{
		ID:       id,
		Input:    d.text(p.Get("Input"), ""),
		Disabled: !d.boolean(p.Get("Enabled"), true) || d.oneOf(p.Get("State"), "ENABLED", "DISABLED") == "DISABLED",
	}
	var err error
	if s.Rate, err = parseRate(p.Get("Schedule").Text()); err != nil {
		d.fault(event, err.Error())
	}
	return s
}

// parseRate reads EventBridge's rate(value unit).
func parseRate(text string) (time.Duration, error) {
	inner, ok := strings.CutPrefix(text, "rate(")
	inner, closed := strings.CutSuffix(inner, ")")
	number, unit, two := strings.Cut(inner, " ")
	if !ok || !closed || !two {
		return 0, fmt.Errorf("the embedded AWS has schedules like rate(5 minutes), not %q", text)
	}
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 100000 {
		return 0, fmt.Errorf("the value in %q must be a whole number of 1 or more", text)
	}
	single, plural := strings.CutSuffix(unit, "s")
	if units[single] == 0 || plural == (n == 1) {
		return 0, fmt.Errorf("the unit in %q must be minute, hour or day, with an s unless the value is 1", text)
	}
	return time.Duration(n) * units[single], nil
}
