package sqs

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sealreel/local/internal/awsjson"
)

// ReceiveOptions say how to receive.
type ReceiveOptions struct {
	Max        int            // messages, 1 to 10; 0 means 1
	Wait       *time.Duration // for the first message, 0 to 20 s; the queue's when nil
	Visibility *time.Duration // 0 to 12 h in whole seconds; the queue's when nil
}

// Message is a received message, with the names it has on the wire.
type Message struct {
	MessageId              string
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	Attributes             map[string]string         `json:",omitempty"` // the system's
	MessageAttributes      map[string]AttributeValue `json:",omitempty"` // the sender's
	MD5OfMessageAttributes string                    `json:",omitempty"`
}

// Receive takes up to Max messages off the queue of a name, with all their
// attributes, and waits for a first one. They show again once their
// visibility timeout is over, unless they are deleted before. No message is
// not an error; the end of ctx is.
func (s *Server) Receive(ctx context.Context, queue string, opt ReceiveOptions) ([]Message, error) {
	messages, err := s.receive(ctx, queue, opt)
	s.reportDirect("ReceiveMessage", queue, err)
	return messages, err
}

func (s *Server) receive(ctx context.Context, name string, opt ReceiveOptions) ([]Message, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	start := time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		got, wait, err := s.poll(name, opt, start)
		if err != nil || len(got) > 0 || wait.until.IsZero() {
			return got, err
		}
		timer := time.NewTimer(time.Until(wait.until))
		select {
		case <-wait.changed:
		case <-timer.C:
		case <-s.closed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (o *ReceiveOptions) check() error {
	if o.Max == 0 {
		o.Max = 1
	}
	if o.Max < 1 || o.Max > maxBatch {
		return outOfRange(o.Max, "MaxNumberOfMessages", "Must be between 1 and 10, if provided")
	}
	if o.Wait != nil && (*o.Wait < 0 || *o.Wait > 20*time.Second) {
		return outOfRange(int(o.Wait.Seconds()), "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided")
	}
	if o.Visibility != nil {
		return checkVisibility(int(o.Visibility.Seconds()))
	}
	return nil
}

func checkVisibility(seconds int) error {
	if seconds < 0 || seconds > maxVisibility {
		return outOfRange(seconds, "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided")
	}
	return nil
}

// waiting says what a receiver that got nothing waits for: a change of the
// queue, or a time. A zero time means that it waits no longer.
type waiting struct {
	changed <-chan struct{}
	until   time.Time
}

// poll receives what there is now, for a receiver that began at start.
func (s *Server) poll(name string, opt ReceiveOptions, start time.Time) ([]Message, waiting, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(name)
	if err != nil {
		return nil, waiting{}, err
	}
	now := time.Now()
	got, err := s.take(q, opt, now)
	if err != nil || len(got) > 0 {
		return got, waiting{}, err
	}
	wait := q.settings.wait
	if opt.Wait != nil {
		wait = *opt.Wait
	}
	end := start.Add(wait)
	if !end.After(now) {
		q.traffic.emptyReceives++
		return nil, waiting{}, nil
	}
	if len(q.hidden) > 0 && q.hidden[0].Delivery.Until.Before(end) {
		end = q.hidden[0].Delivery.Until
	}
	return nil, waiting{q.changed, end}, nil
}

// take receives up to opt.Max messages that show, and moves those on to the
// dead-letter queue that were received often enough.
func (s *Server) take(q *queue, opt ReceiveOptions, now time.Time) ([]Message, error) {
	q.surface(now)
	if q.inFlight >= maxInFlight {
		return nil, overLimit()
	}
	visibility := q.settings.visibility
	if opt.Visibility != nil {
		visibility = *opt.Visibility
	}
	var taken []*message
	var records []record
	for len(taken) < opt.Max {
		m := q.next()
		if m == nil {
			break
		}
		if dead := s.deadLetters(q); dead != nil && m.Delivery.Count >= q.settings.redrive.maxReceives {
			records = append(records, q.move(m, dead, now)...)
			continue
		}
		q.deliver(m, now)
		taken = append(taken, m)
	}
	got := make([]Message, 0, len(taken))
	for _, m := range taken {
		// Only now, so that a timeout of 0 hands nothing out twice at once.
		q.hide(m, now.Add(visibility))
		records = append(records, record{Delivered: m.deliveryRecord()})
		got = append(got, m.received(q.arn))
	}
	q.traffic.received += len(got)
	return got, s.commit(records...)
}

// deadLetters returns the queue that messages move to, nil if there is none
// (any more).
func (s *Server) deadLetters(q *queue) *queue {
	if q.settings.redrive == nil {
		return nil
	}
	return s.queues[QueueName(q.settings.redrive.target)]
}

// move takes a message to the dead-letter queue, where it shows at once. It
// keeps its id, its age and its count, as on AWS.
func (q *queue) move(m *message, dead *queue, now time.Time) []record {
	q.remove(m)
	moved := *m
	moved.Source, moved.Delivery.Token, moved.Delivery.Until = q.arn, nil, now
	moved.index = notHidden
	dead.add(&moved)
	// In this order, so that a torn journal has it twice rather than not.
	return []record{{Put: &moved}, {Delete: &messageRef{q.name, m.ID}}}
}

// deliver notes that a message is handed out, under a receipt of its own.
func (q *queue) deliver(m *message, now time.Time) {
	d := &m.Delivery
	d.Count++
	if d.First.IsZero() {
		d.First = now
	}
	d.Last, d.InFlight = now, true
	d.Token = make([]byte, tokenSize)
	rand.Read(d.Token)
	q.count(m, 1)
}

func (m *message) deliveryRecord() *deliveryRecord {
	return &deliveryRecord{messageRef{m.Queue, m.ID}, m.Delivery}
}

// received shows a message to the receiver that just took it.
func (m *message) received(queueARN string) Message {
	millis := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	system := map[string]string{
		"SenderId":                         m.Sender,
		"SentTimestamp":                    millis(m.Sent),
		"ApproximateReceiveCount":          strconv.Itoa(m.Delivery.Count),
		"ApproximateFirstReceiveTimestamp": millis(m.Delivery.First),
	}
	optional := map[string]string{"MessageGroupId": m.Group, "AWSTraceHeader": m.Trace, "DeadLetterQueueSourceArn": m.Source}
	for name, value := range optional {
		if value != "" {
			system[name] = value
		}
	}
	return Message{MessageId: m.ID, ReceiptHandle: handleOf(m, queueARN), Body: m.Body, MD5OfBody: bodyMD5(m.Body),
		Attributes: system, MessageAttributes: m.Attributes, MD5OfMessageAttributes: attributesMD5(m.Attributes)}
}

// systemAttributes are those that a receiver may ask for.
var systemAttributes = []string{"All", "SenderId", "SentTimestamp", "ApproximateReceiveCount",
	"ApproximateFirstReceiveTimestamp", "SequenceNumber", "MessageDeduplicationId", "MessageGroupId",
	"AWSTraceHeader", "DeadLetterQueueSourceArn"}

type receiveInput struct {
	QueueUrl                    string
	AttributeNames              []string // the former name of the next
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
}

type receiveOutput struct {
	Messages []Message `json:",omitempty"`
}

func (s *Server) receiveMessage(ctx context.Context, call *awsjson.Call, in receiveInput) (any, error) {
	name, err := s.nameOf(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	system := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
	for _, asked := range system {
		if !slices.Contains(systemAttributes, asked) {
			return nil, unknownAttribute(asked)
		}
	}
	opt := ReceiveOptions{Wait: seconds(in.WaitTimeSeconds), Visibility: seconds(in.VisibilityTimeout)}
	if in.MaxNumberOfMessages != nil {
		if opt.Max = *in.MaxNumberOfMessages; opt.Max == 0 {
			return nil, outOfRange(0, "MaxNumberOfMessages", "Must be between 1 and 10, if provided")
		}
	}
	got, err := s.receive(ctx, name, opt)
	if err != nil {
		return nil, err
	}
	for i := range got {
		got[i].filter(system, in.MessageAttributeNames)
	}
	return receiveOutput{got}, nil
}

func seconds(n *int) *time.Duration {
	if n == nil {
		return nil
	}
	d := time.Duration(*n) * time.Second
	return &d
}

// filter keeps the attributes that the receiver asked for; the digest is of
// those.
func (m *Message) filter(system, attributes []string) {
	if !slices.Contains(system, "All") {
		maps.DeleteFunc(m.Attributes, func(name, _ string) bool { return !slices.Contains(system, name) })
	}
	m.MessageAttributes = maps.Clone(m.MessageAttributes) // the queue's own until here
	maps.DeleteFunc(m.MessageAttributes, func(name string, _ AttributeValue) bool {
		return !slices.ContainsFunc(attributes, func(asked string) bool { return asks(asked, name) })
	})
	m.MD5OfMessageAttributes = attributesMD5(m.MessageAttributes)
}

// asks reports whether a receiver that asked for an attribute, for "All", or
// for a prefix written as "prefix.*" means the one of a name.
func asks(asked, name string) bool {
	if asked == "All" || asked == name {
		return true
	}
	prefix, isPrefix := strings.CutSuffix(asked, ".*")
	return isPrefix && strings.HasPrefix(name, prefix)
}
