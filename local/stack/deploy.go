package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"time"

	"sealreel/local/fault"
	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/gate"
	"sealreel/local/lambda"
	"sealreel/local/s3"
	"sealreel/local/sqs"
	"sealreel/local/template"
)

// deploy starts the functions and connects them to what drives them.
func (s *Stack) deploy() (err error) {
	config := s.config.Lambda
	config.Dir, config.Region, config.Account = s.config.Dir, Region, Account
	config.Destination, config.Authorize = destination{s.services.queues}, s.authorizeLogs
	if s.faults != nil {
		s.disturb(&config)
	}
	config.OnLine, config.OnMetric = s.takeLines(config.OnLine), s.takeMetric
	if s.host, err = lambda.Open(config); err != nil {
		return err
	}
	for _, f := range s.template.Functions {
		if err := s.deployFunction(f); err != nil {
			return err
		}
	}
	if err := s.subscribe(); err != nil {
		return err
	}
	s.services.release()
	for _, f := range s.template.Functions {
		if err := s.connect(f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stack) deployFunction(f template.Function) error {
	credentials := functionCredentials(f.ID)
	if err := s.assume(f, credentials.AccessKeyID); err != nil {
		return err
	}
	s.services.known.add(credentials.AccessKeyID)
	s.services.objects.AddAccount(credentials.AccessKeyID, credentials.SecretAccessKey)
	environment := maps.Clone(f.Environment)
	maps.Copy(environment, s.programs)
	maps.Copy(environment, s.endpoints())
	maps.Copy(environment, s.config.Environment)
	return s.host.Deploy(lambda.Function{
		ID: f.ID, Name: f.Name, ARN: f.ARN, Program: s.program(f.ID),
		Environment: environment, Credentials: credentials, Issue: s.issue(f.ID),
		Timeout: f.Timeout, MemoryMB: f.MemoryMB, MaxEnvironments: s.environments(f),
		LogGroup: f.LogGroup, LogFormat: f.LogFormat, LogLevel: f.LogLevel,
		Async: lambda.Async{MaxAge: f.Invoke.MaxAge, MaxRetries: f.Invoke.MaxRetries, OnFailure: f.Invoke.OnFailure, OnSuccess: f.Invoke.OnSuccess},
	})
}

// environments returns how many environments a function may have: what its
// queues ask for, or 0 for the host's default.
func (s *Stack) environments(f template.Function) int {
	if f.Concurrency > 0 && s.config.Workers == 0 {
		return f.Concurrency
	}
	n := 0
	for _, q := range f.Queues {
		if s.config.Workers > 0 {
			n += s.config.Workers
		} else {
			n += q.MaxConcurrency
		}
	}
	return n
}

// subscribe passes the events of buckets to the functions.
func (s *Stack) subscribe() error {
	for _, b := range s.template.Buckets {
		for i, n := range b.Notifications {
			err := s.host.Subscribe(lambda.Notification{
				ID: fmt.Sprintf("%s-%d", b.ID, i), Bucket: b.Name, Function: n.FunctionARN, Event: n.Event, Prefix: n.Prefix, Suffix: n.Suffix,
			})
			if err != nil {
				return err
			}
		}
	}
	s.services.deliver = func(e s3.Event) {
		err := s.host.ObjectChanged(lambda.ObjectEvent{
			Name: e.Name, Time: e.Time, Bucket: e.Bucket, Key: e.Key, Size: e.Size, ETag: e.ETag,
			VersionID: e.VersionID, Sequencer: e.Sequencer, Caller: e.AccessKey,
		})
		if err != nil {
			s.config.Log.Error("an object event is lost", "bucket", e.Bucket, "key", e.Key, "error", err)
		}
	}
	return nil
}

// connect starts the mappings and schedules of a function.
func (s *Stack) connect(f template.Function) error {
	for _, q := range f.Queues {
		if q.Disabled {
			continue
		}
		concurrency := q.MaxConcurrency
		if s.config.Workers > 0 {
			concurrency = s.config.Workers
		}
		polled := queue{s.services.queues, s.services.queues.Agent(lambdaService, functionKeyPrefix+f.ID), sqs.QueueName(q.QueueARN), s.config.Log, s.faults}
		if _, err := polled.agent.Attributes(polled.name); err != nil {
			return fmt.Errorf("stack: connect %s to its queue: the function's role does not have permissions to poll: %w", f.ID, err)
		}
		err := s.host.Map(lambda.Mapping{
			Name: f.ID + "-" + q.ID, Function: f.ID, Queue: polled, QueueARN: q.QueueARN,
			BatchSize: q.BatchSize, Window: q.BatchWindow, Concurrency: concurrency, ReportsFailures: q.ReportsBatchFailures,
		})
		if err != nil {
			return err
		}
	}
	for _, schedule := range f.Schedules {
		if schedule.Disabled {
			continue
		}
		err := s.host.AddSchedule(lambda.Schedule{Name: s.ruleName(f.ID, schedule.ID), Function: f.ID, Rate: schedule.Rate, Input: schedule.Input})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Stack) ruleName(function, event string) string {
	return s.config.StackName + "-" + function + event
}

// authorizeLogs asks whether a function's role may do something with its
// logs.
func (s *Stack) authorizeLogs(function, action, resource string) error {
	var note gate.Record
	id := functionKeyPrefix + function
	err := s.services.gate.Admit(gate.Caller{AccessKeyID: id}, gate.Attempt{Action: action, Resource: resource}, &note)
	s.count(made(Request{Service: "logs", Operation: strings.TrimPrefix(action, "logs:"), Action: action, Resource: resource, Via: lambdaService}, note, id))
	if err != nil {
		s.config.Log.Error("a function's role may not write its log", "function", function, "error", err)
	}
	return err
}

// queue is a queue as an event source mapping uses it, in the name of the
// function's role.
type queue struct {
	server *sqs.Server
	agent  sqs.Agent
	name   string
	log    *slog.Logger
	faults *fault.Engine // nil: none
}

var _ lambda.Queue = queue{}

func (q queue) Receive(ctx context.Context, limit int, wait time.Duration) ([]lambda.Message, error) {
	received, err := q.agent.Receive(ctx, q.name, sqs.ReceiveOptions{Max: limit, Wait: &wait})
	if err != nil {
		if err = denied(err); errors.Is(err, lambda.ErrDenied) {
			q.log.Error("nothing is delivered: a function's role may not poll its queue", "queue", q.name, "error", err)
		}
		return nil, err
	}
	messages := make([]lambda.Message, len(received))
	for i, m := range received {
		if n, _ := strconv.Atoi(m.Attributes["ApproximateReceiveCount"]); q.faults != nil && q.faults.Received(q.name, m.Body, n) {
			// It is received once more while this receiver works on it, as SQS may do.
			if err := q.server.ChangeVisibility(q.name, m.ReceiptHandle, 0); err != nil {
				q.log.Error("a message can't be duplicated", "queue", q.name, "message", m.MessageId, "error", err)
			}
		}
		messages[i] = lambda.Message{ID: m.MessageId, ReceiptHandle: m.ReceiptHandle, Body: m.Body, BodyMD5: m.MD5OfBody,
			Attributes: m.Attributes, Custom: customAttributes(m), CustomMD5: m.MD5OfMessageAttributes}
	}
	return messages, nil
}

func customAttributes(m sqs.Message) map[string]lambda.MessageAttribute {
	custom := map[string]lambda.MessageAttribute{}
	for name, a := range m.MessageAttributes {
		custom[name] = lambda.MessageAttribute{StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: a.DataType,
			StringList: []string{}, BinaryList: [][]byte{}}
	}
	return custom
}

func (q queue) Delete(_ context.Context, receiptHandle string) error {
	return denied(q.agent.Delete(q.name, receiptHandle))
}

// denied lets package lambda know that a role was refused.
func denied(err error) error {
	var refusal *awsjson.Error
	if errors.As(err, &refusal) && refusal.Code() == "AccessDenied" {
		return fmt.Errorf("%w: %w", lambda.ErrDenied, err)
	}
	return err
}

// Release is no request of AWS's: it gives back what a host that ends had in
// work, and Lambda never ends.
func (q queue) Release(_ context.Context, receiptHandle string) error {
	return q.server.ChangeVisibility(q.name, receiptHandle, 0)
}

// destination takes the records of asynchronous invocations.
type destination struct{ server *sqs.Server }

var _ lambda.Destination = destination{}

func (d destination) Send(_ context.Context, function, queueARN, body string) error {
	agent := d.server.Agent(lambdaService, functionKeyPrefix+function)
	_, err := agent.Send(sqs.QueueName(queueARN), sqs.SendInput{MessageBody: body})
	return denied(err)
}
