package stack

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sealreel/local/cloudwatch"
	"sealreel/local/lambda"
	"sealreel/local/sqs"
	"sealreel/local/template"
)

// CloudWatch holds the metrics of the functions and services and the alarms of
// the template.
func (s *Stack) CloudWatch() *cloudwatch.Server { return s.watch }

// Throttle refuses every invocation of a function, by its logical id, from now
// on, or no longer: as no reserved concurrency does on AWS.
func (s *Stack) Throttle(function string, on bool) error { return s.host.Throttle(function, on) }

// watchOver starts CloudWatch with the alarms of the template.
func (s *Stack) watchOver() (err error) {
	v := s.services
	s.watch, err = cloudwatch.New(cloudwatch.Config{Region: Region, Account: Account, Publish: v.topics.Publish, Sample: s.sampleQueues,
		OnChange: s.config.OnAlarm, Known: v.known.has, Gate: v.gate, Log: s.config.Log})
	if err != nil {
		return fmt.Errorf("stack: start CloudWatch: %w", err)
	}
	for _, a := range s.template.Alarms {
		if err := s.watch.PutAlarm(alarmOf(a)); err != nil {
			return fmt.Errorf("stack: make alarm %s: %w", a.ID, err)
		}
	}
	if v.watchURL, err = v.serve(s.state, "cloudwatch", s.watch); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.watch.Run(ctx) })
	s.unwatch = func() { stop(); running.Wait() }
	return nil
}

// alarmOf is an alarm of the template as CloudWatch takes it.
func alarmOf(a template.Alarm) cloudwatch.Alarm {
	made := cloudwatch.Alarm{Name: a.Name, Description: a.Description, Rule: a.Rule, Comparison: a.Comparison, Threshold: a.Threshold,
		Periods: a.Periods, Datapoints: a.Datapoints, TreatMissing: a.TreatMissing,
		Actions: a.Actions, OKActions: a.OKActions, InsufficientActions: a.InsufficientActions}
	for _, q := range a.Queries {
		made.Queries = append(made.Queries, cloudwatch.Query{ID: q.ID, Expression: q.Expression, Returns: q.Returns,
			Metric: cloudwatch.Metric{Namespace: q.Metric.Namespace, Name: q.Metric.Name, Dimensions: q.Metric.Dimensions},
			Stat:   q.Metric.Stat, Unit: q.Metric.Unit, Period: q.Metric.Period})
	}
	return made
}

// takeLines lets CloudWatch have the log lines of functions, before next.
func (s *Stack) takeLines(next func(function, line string)) func(function, line string) {
	return func(function, line string) {
		s.watch.TakeLine(function, line)
		if next != nil {
			next(function, line)
		}
	}
}

// takeMetric tells CloudWatch what Lambda tells of a function.
func (s *Stack) takeMetric(m lambda.Metric) {
	name := m.Function
	for _, f := range s.template.Functions {
		if f.ID == m.Function {
			name = f.Name
		}
	}
	s.watch.Put(cloudwatch.Datum{Metric: cloudwatch.Metric{Namespace: "AWS/Lambda", Name: m.Name, Dimensions: map[string]string{"FunctionName": name}},
		Unit: m.Unit, Time: time.Now(), Values: []float64{m.Value}})
}

// sampleQueues is what SQS tells CloudWatch each minute (AWS: Available
// CloudWatch metrics for Amazon SQS).
func (s *Stack) sampleQueues(at time.Time) []cloudwatch.Datum {
	var all []cloudwatch.Datum
	for _, q := range s.services.queues.Samples(at) {
		all = append(all, queueData(q)...)
	}
	return all
}

func queueData(q sqs.Sample) []cloudwatch.Datum {
	datum := func(name, unit string, values ...float64) cloudwatch.Datum {
		return cloudwatch.Datum{Metric: cloudwatch.Metric{Namespace: "AWS/SQS", Name: name, Dimensions: map[string]string{"QueueName": q.Queue}}, Unit: unit, Values: values}
	}
	data := []cloudwatch.Datum{
		datum("ApproximateNumberOfMessagesVisible", "Count", float64(q.Visible)),
		datum("ApproximateNumberOfMessagesNotVisible", "Count", float64(q.NotVisible)),
		datum("ApproximateNumberOfMessagesDelayed", "Count", float64(q.Delayed)),
		datum("ApproximateAgeOfOldestMessage", "Seconds", q.Oldest.Seconds()),
		datum("NumberOfMessagesSent", "Count", float64(q.Sent)),
		datum("NumberOfMessagesReceived", "Count", float64(q.Received)),
		datum("NumberOfMessagesDeleted", "Count", float64(q.Deleted)),
		datum("NumberOfEmptyReceives", "Count", float64(q.EmptyReceives)),
	}
	if len(q.SentBytes) > 0 {
		sizes := datum("SentMessageSize", "Bytes")
		for _, n := range q.SentBytes {
			sizes.Values = append(sizes.Values, float64(n))
		}
		data = append(data, sizes)
	}
	return data
}
