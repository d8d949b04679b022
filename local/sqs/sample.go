package sqs

import (
	"maps"
	"slices"
	"time"
)

// Sample is what SQS tells CloudWatch of a queue each minute.
type Sample struct {
	Queue                        string
	Visible, NotVisible, Delayed int
	// Oldest is the age of the oldest message that is not deleted. As on AWS one
	// that was received more than three times is passed over, since it may be
	// poison; but not in a dead-letter queue.
	Oldest time.Duration

	// Since the sample before. What moves to a dead-letter queue is not sent.
	Sent, Received, Deleted, EmptyReceives int
	SentBytes                              []int // of each message sent
}

// traffic is what a queue did since its last sample.
type traffic struct {
	sent                             []int // bytes
	received, deleted, emptyReceives int
}

// poisonous is the number of receives up to which a message counts for Oldest.
const poisonous = 3

// Samples returns one of each queue at a time, in order of their names, and
// begins a new count.
func (s *Server) Samples(at time.Time) []Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Sample
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		all = append(all, s.queues[name].sample(at))
	}
	return all
}

func (q *queue) sample(at time.Time) Sample {
	q.surface(time.Now())
	t := q.traffic
	q.traffic = traffic{}
	one := Sample{Queue: q.name, Visible: len(q.messages) - len(q.hidden), NotVisible: q.inFlight, Delayed: len(q.hidden) - q.inFlight,
		Sent: len(t.sent), SentBytes: t.sent, Received: t.received, Deleted: t.deleted, EmptyReceives: t.emptyReceives}
	for _, m := range q.messages {
		if m.Delivery.Count <= poisonous || m.Source != "" {
			one.Oldest = max(one.Oldest, at.Sub(m.Sent))
		}
	}
	return one
}
