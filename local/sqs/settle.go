package sqs

import (
	"bytes"
	"context"
	"time"

	"sealreel/local/internal/awsjson"
)

// Delete deletes the message of a receipt handle from the queue of a name.
// As on AWS a handle stays good after its visibility timeout until the
// message is received again; an outdated one, or that of a message already
// deleted, succeeds and deletes nothing.
func (s *Server) Delete(queue, receiptHandle string) error {
	err := s.deleteOne(queue, receiptHandle)
	s.reportDirect("DeleteMessage", queue, err)
	return err
}

// ChangeVisibility lets a message in flight show again at d from now, 0 to
// 12 h and no later than 12 h after it was received. It is an error for one
// that was deleted or received again, and changes nothing for one whose
// visibility timeout is already over.
func (s *Server) ChangeVisibility(queue, receiptHandle string, d time.Duration) error {
	err := s.changeOne(queue, receiptHandle, d)
	s.reportDirect("ChangeMessageVisibility", queue, err)
	return err
}

// Elapse lets time pass for the messages in a queue that are hidden: they show
// again as much sooner. It is no request of AWS's, and for tests that can't wait.
func (s *Server) Elapse(name string, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(name)
	if err != nil {
		return err
	}
	var records []record
	for _, m := range q.hidden { // the order among them stays
		m.Delivery.Until = m.Delivery.Until.Add(-d)
		if m.Delivery.InFlight {
			records = append(records, record{Delivered: m.deliveryRecord()})
		}
	}
	q.wake()
	return s.commit(records...)
}

// settle does something about one handle's message, with the queue locked,
// and journals what that returns.
func (s *Server) settle(name, handle string, do func(q *queue, handle string, now time.Time) ([]record, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(name)
	if err != nil {
		return err
	}
	now := time.Now()
	q.surface(now)
	records, err := do(q, handle, now)
	if err != nil {
		return err
	}
	return s.commit(records...)
}

func (s *Server) deleteOne(name, handle string) error {
	return s.settle(name, handle, (*queue).deleteHandle)
}

func (s *Server) changeOne(name, handle string, d time.Duration) error {
	if err := checkVisibility(int(d.Seconds())); err != nil {
		return err
	}
	return s.settle(name, handle, func(q *queue, handle string, now time.Time) ([]record, error) {
		return q.changeHandle(handle, d, now)
	})
}

func (q *queue) deleteHandle(handle string, _ time.Time) ([]record, error) {
	id, token, err := parseHandle(handle, q.arn)
	if err != nil {
		return nil, err
	}
	m := q.messages[id]
	if m == nil || !bytes.Equal(m.Delivery.Token, token) {
		return nil, nil
	}
	q.remove(m)
	q.traffic.deleted++
	return []record{{Delete: &messageRef{q.name, id}}}, nil
}

func (q *queue) changeHandle(handle string, d time.Duration, now time.Time) ([]record, error) {
	id, token, err := parseHandle(handle, q.arn)
	if err != nil {
		return nil, err
	}
	m := q.messages[id]
	if m == nil || !bytes.Equal(m.Delivery.Token, token) {
		return nil, notAvailable(handle)
	}
	if !m.Delivery.InFlight {
		return nil, nil
	}
	if now.Add(d).Sub(m.Delivery.Last) > maxVisibility*time.Second {
		return nil, invalid("Value %d for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].", int(d.Seconds()))
	}
	q.hide(m, now.Add(d))
	q.wake()
	return []record{{Delivered: m.deliveryRecord()}}, nil
}

type handleInput struct {
	QueueUrl          string
	ReceiptHandle     string
	VisibilityTimeout *int // of ChangeMessageVisibility
}

func (in handleInput) check(s *Server, call *awsjson.Call) (string, error) {
	name, err := s.nameOf(call, in.QueueUrl)
	if err == nil && in.ReceiptHandle == "" {
		err = missing("ReceiptHandle")
	}
	return name, err
}

func (s *Server) deleteMessage(_ context.Context, call *awsjson.Call, in handleInput) (any, error) {
	name, err := in.check(s, call)
	if err != nil {
		return nil, err
	}
	return nil, s.deleteOne(name, in.ReceiptHandle)
}

func (s *Server) changeMessageVisibility(_ context.Context, call *awsjson.Call, in handleInput) (any, error) {
	name, err := in.check(s, call)
	if err != nil {
		return nil, err
	}
	if in.VisibilityTimeout == nil {
		return nil, missing("VisibilityTimeout")
	}
	return nil, s.changeOne(name, in.ReceiptHandle, *seconds(in.VisibilityTimeout))
}

type handleEntry struct {
	Id                string
	ReceiptHandle     string
	VisibilityTimeout *int
}

type handleBatchInput struct {
	QueueUrl string
	Entries  []handleEntry
}

type handleBatchOutput struct {
	Successful []doneEntry
	Failed     []failedEntry `json:",omitempty"`
}

func (s *Server) deleteMessageBatch(_ context.Context, call *awsjson.Call, in handleBatchInput) (any, error) {
	return s.settleBatch(call, in, "DeleteMessage", func(name string, e handleEntry) error {
		return s.deleteOne(name, e.ReceiptHandle)
	})
}

func (s *Server) changeMessageVisibilityBatch(_ context.Context, call *awsjson.Call, in handleBatchInput) (any, error) {
	return s.settleBatch(call, in, "ChangeMessageVisibility", func(name string, e handleEntry) error {
		if e.VisibilityTimeout == nil {
			return missing("VisibilityTimeout")
		}
		return s.changeOne(name, e.ReceiptHandle, *seconds(e.VisibilityTimeout))
	})
}

// settleBatch does each entry on its own: one that fails stops no other.
func (s *Server) settleBatch(call *awsjson.Call, in handleBatchInput, action string, do func(string, handleEntry) error) (any, error) {
	name, err := s.nameOf(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(action, in.Entries, func(e handleEntry) string { return e.Id }); err != nil {
		return nil, err
	}
	if err := s.exists(name); err != nil {
		return nil, err
	}
	out := handleBatchOutput{Successful: []doneEntry{}}
	for _, e := range in.Entries {
		if err := do(name, e); err != nil {
			out.Failed = append(out.Failed, failed(e.Id, err))
			continue
		}
		out.Successful = append(out.Successful, doneEntry{e.Id})
	}
	return out, nil
}
