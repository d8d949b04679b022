package sqs

import (
	"context"
	"time"

	"sealreel/local/internal/awsjson"
)

// SendInput is a message to send, with the names it has on the wire.
type SendInput struct {
	MessageBody             string
	DelaySeconds            *int // the queue's when nil
	MessageAttributes       map[string]AttributeValue
	MessageSystemAttributes map[string]AttributeValue // AWSTraceHeader
	MessageGroupId          string
	MessageDeduplicationId  string // refused: for FIFO queues
}

// Sent is what became of it.
type Sent struct {
	MessageId                    string
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string `json:",omitempty"`
	MD5OfMessageSystemAttributes string `json:",omitempty"`
}

// Send puts a message on the queue of a name.
func (s *Server) Send(queue string, in SendInput) (Sent, error) {
	sent, err := s.send(queue, s.config.Account, in)
	s.reportDirect("SendMessage", queue, err)
	return sent, err
}

func (s *Server) send(name, sender string, in SendInput) (Sent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(name)
	if err != nil {
		return Sent{}, err
	}
	m, err := q.prepare(in, sender, time.Now())
	if err != nil {
		return Sent{}, err
	}
	return m.sent(in), s.commit(s.put(q, m)...)
}

// put puts a message on its queue, unless it gets lost, and returns what to
// journal.
func (s *Server) put(q *queue, m *message) []record {
	q.traffic.sent = append(q.traffic.sent, size(m.Body, m.Attributes))
	if s.config.Arrivals != nil {
		delay, lost := s.config.Arrivals(q.name, m.Body, m.Sender)
		if lost {
			return nil
		}
		m.Delivery.Until = m.Delivery.Until.Add(delay)
	}
	q.add(m)
	return []record{{Put: m}}
}

// prepare checks an input and makes the message of it.
func (q *queue) prepare(in SendInput, sender string, now time.Time) (*message, error) {
	if in.MessageBody == "" {
		return nil, missing("MessageBody")
	}
	if err := checkAttributes(in.MessageAttributes); err != nil {
		return nil, err
	}
	if size(in.MessageBody, in.MessageAttributes) > q.settings.maxSize {
		return nil, invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.settings.maxSize)
	}
	if !validText(in.MessageBody) {
		return nil, badContents()
	}
	if !validGroup(in.MessageGroupId) {
		return nil, invalid("Value %s for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.", in.MessageGroupId)
	}
	if in.MessageDeduplicationId != "" {
		return nil, invalid("The request include parameter MessageDeduplicationId which is not valid for this queue type")
	}
	trace, err := traceHeader(in.MessageSystemAttributes)
	if err != nil {
		return nil, err
	}
	delay := q.settings.delay
	if in.DelaySeconds != nil {
		if *in.DelaySeconds < 0 || *in.DelaySeconds > 900 {
			return nil, outOfRange(*in.DelaySeconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900")
		}
		delay = time.Duration(*in.DelaySeconds) * time.Second
	}
	return &message{ID: awsjson.UUID(), Body: in.MessageBody, Attributes: in.MessageAttributes, Group: in.MessageGroupId,
		Trace: trace, Sender: sender, Sent: now, Delivery: delivery{Until: now.Add(delay)}}, nil
}

// traceHeader returns the one system attribute that a sender may set.
func traceHeader(attributes map[string]AttributeValue) (string, error) {
	for name, value := range attributes {
		if name != "AWSTraceHeader" {
			return "", invalid("Message system attribute name '%s' is invalid. The only one that can be sent is AWSTraceHeader.", name)
		}
		if err := value.check(name); err != nil {
			return "", err
		}
		if value.DataType != "String" {
			return "", invalid("The message system attribute 'AWSTraceHeader' must have the type String.")
		}
		return *value.StringValue, nil
	}
	return "", nil
}

func (m *message) sent(in SendInput) Sent {
	return Sent{MessageId: m.ID, MD5OfMessageBody: bodyMD5(m.Body),
		MD5OfMessageAttributes:       attributesMD5(m.Attributes),
		MD5OfMessageSystemAttributes: attributesMD5(in.MessageSystemAttributes)}
}

type sendMessageInput struct {
	QueueUrl string
	SendInput
}

func (s *Server) sendMessage(_ context.Context, call *awsjson.Call, in sendMessageInput) (any, error) {
	name, err := s.nameOf(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return s.send(name, call.AccessKeyID, in.SendInput)
}

type sendEntry struct {
	Id string
	SendInput
}

type sendBatchInput struct {
	QueueUrl string
	Entries  []sendEntry
}

type sendBatchOutput struct {
	Successful []sentEntry
	Failed     []failedEntry `json:",omitempty"`
}

type sentEntry struct {
	Id string
	Sent
}

func (s *Server) sendMessageBatch(_ context.Context, call *awsjson.Call, in sendBatchInput) (any, error) {
	name, err := s.nameOf(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("SendMessage", in.Entries, func(e sendEntry) string { return e.Id }); err != nil {
		return nil, err
	}
	total := 0
	for _, e := range in.Entries {
		total += size(e.MessageBody, e.MessageAttributes)
	}
	if total > maxMessage {
		return nil, badBatch("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessage, total)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(name)
	if err != nil {
		return nil, err
	}
	out := sendBatchOutput{Successful: []sentEntry{}}
	var records []record
	now := time.Now()
	for _, e := range in.Entries {
		m, err := q.prepare(e.SendInput, call.AccessKeyID, now)
		if err != nil {
			out.Failed = append(out.Failed, failed(e.Id, err))
			continue
		}
		records = append(records, s.put(q, m)...)
		out.Successful = append(out.Successful, sentEntry{e.Id, m.sent(e.SendInput)})
	}
	return out, s.commit(records...)
}
