package sqs

import (
	"cmp"
	"container/heap"
	"time"
)

const (
	maxInFlight   = 120_000 // messages of a standard queue (SQS quotas)
	maxVisibility = 43_200  // seconds from a receive on
	notHidden     = -1      // message.index
)

// queue holds the messages of one queue. Server.mu guards it.
type queue struct {
	name, arn         string
	attributes        map[string]string // as set
	settings          settings          // what they mean
	created, modified time.Time
	purged            time.Time

	messages map[string]*message // by id
	hidden   hidden              // those in flight or delayed, earliest to surface first
	groups   map[string]*group   // those that have messages to hand out or in flight
	inFlight int
	arrivals uint64    // messages that ever arrived, for message.order
	turns    uint64    // times a group was served
	expires  time.Time // nothing expires before; zero when nothing can
	traffic  traffic   // since the last sample

	changed chan struct{} // closed and replaced when a waiting receiver should look again
}

func newQueue(name, arn string) *queue {
	return &queue{name: name, arn: arn, messages: make(map[string]*message), groups: make(map[string]*group),
		changed: make(chan struct{})}
}

// wake lets every waiting receiver look again.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// add puts a message into the queue, hidden until its time.
func (q *queue) add(m *message) {
	q.arrivals++
	m.Queue, m.order = q.name, q.arrivals
	q.messages[m.ID] = m
	if m.Delivery.InFlight {
		q.count(m, 1)
	}
	heap.Push(&q.hidden, m)
	if end := m.Sent.Add(q.settings.retention); q.expires.IsZero() || end.Before(q.expires) {
		q.expires = end
	}
	q.wake()
}

// remove takes a message out of the queue, wherever it is. One that a group
// has ready is only forgotten there when its turn comes.
func (q *queue) remove(m *message) {
	delete(q.messages, m.ID)
	if m.index != notHidden {
		heap.Remove(&q.hidden, m.index)
	}
	if m.Delivery.InFlight {
		m.Delivery.InFlight = false
		q.count(m, -1)
	}
}

// count notes that a message came into flight (1) or left it (-1).
func (q *queue) count(m *message, change int) {
	q.inFlight += change
	g := q.group(m.Group)
	g.inFlight += change
	q.dropIdle(g)
}

// surface lets the messages show whose time has come, in that order, and
// forgets those older than the retention period.
func (q *queue) surface(now time.Time) {
	q.expire(now)
	for len(q.hidden) > 0 && !q.hidden[0].Delivery.Until.After(now) {
		m := heap.Pop(&q.hidden).(*message)
		q.group(m.Group).ready = append(q.group(m.Group).ready, m)
		if m.Delivery.InFlight {
			m.Delivery.InFlight = false
			q.count(m, -1)
		}
	}
}

// expire forgets messages older than the retention period. It is not
// journalled: a restart finds them as old as they are.
func (q *queue) expire(now time.Time) {
	if q.expires.IsZero() || now.Before(q.expires) {
		return
	}
	q.expires = time.Time{}
	for _, m := range q.messages {
		end := m.Sent.Add(q.settings.retention)
		switch {
		case !end.After(now):
			q.remove(m)
		case q.expires.IsZero() || end.Before(q.expires):
			q.expires = end
		}
	}
}

// hide takes a message out of sight until a time: after a receive, or when a
// receiver changes its mind.
func (q *queue) hide(m *message, until time.Time) {
	m.Delivery.Until = until
	if m.index == notHidden {
		heap.Push(&q.hidden, m)
	} else {
		heap.Fix(&q.hidden, m.index)
	}
}

// hidden is a heap of messages by the time at which they show.
type hidden []*message

func (h hidden) Len() int { return len(h) }

func (h hidden) Less(i, j int) bool {
	return cmp.Or(h[i].Delivery.Until.Compare(h[j].Delivery.Until), cmp.Compare(h[i].order, h[j].order)) < 0
}

func (h hidden) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *hidden) Push(x any) {
	m := x.(*message)
	m.index = len(*h)
	*h = append(*h, m)
}

func (h *hidden) Pop() any {
	old := *h
	m := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	m.index = notHidden
	return m
}
