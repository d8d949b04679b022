package account

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
)

// message asks for one task of a title: its sound (audio) or one chunk.
type message struct {
	title    *title
	chunk    int // audio for the sound
	sent     float64
	receives int
	order    uint64
}

const audio = -1

// group is a tenant of the queue: the messages of one MessageGroupId.
type group struct {
	ready    []message // first come first
	inFlight int
	busy     share   // of the consumers' time
	sent     float64 // when it last sent a message
	place    int     // in the heap, -1 while it is in none
}

// A group is noisy, as AWS's guide says of fair queues, while it holds more than
// a tenth of what is in flight and at least thirty messages, or while it took
// more than a tenth of the consumers' time lately; and no more once it has sent
// nothing for five minutes. For how long "lately" is AWS has no word.
const (
	noisyShare = 0.1
	noisyLeast = 30
	forgotten  = 300.0
	lately     = 60.0
)

// share is time that was spent, of which older seconds count for less.
type share struct {
	seconds float64
	at      float64
}

// spend lets the time pass in which n messages were in flight.
func (s *share) spend(now float64, n int) {
	fade := math.Exp((s.at - now) / lately)
	s.seconds = s.seconds*fade + float64(n)*lately*(1-fade)
	s.at = now
}

// noisy says whether a group is set back.
func (q *queue) noisy(g *group, now float64) bool {
	if !q.fair || now-g.sent > forgotten {
		return false
	}
	g.busy.spend(now, g.inFlight)
	q.busy.spend(now, q.inFlight)
	return g.inFlight >= noisyLeast && float64(g.inFlight) > noisyShare*float64(q.inFlight) || g.busy.seconds > noisyShare*q.busy.seconds
}

// queue is a standard queue. Fair says whether its messages have groups; else
// they come in the order in which they were sent.
type queue struct {
	fair      bool
	retention float64

	tenants  tenants
	visible  int
	inFlight int
	busy     share
	orders   uint64
	expired  int     // messages that nobody took in time
	waited   float64 // longest wait of a message that was taken
}

func (q *queue) send(now float64, t *title, chunk int) {
	q.groupOf(t).sent = now
	q.put(message{title: t, chunk: chunk, sent: now})
}

// put makes a message visible.
func (q *queue) put(m message) {
	q.orders++
	m.order = q.orders
	g := q.groupOf(m.title)
	g.ready = append(g.ready, m)
	q.visible++
	switch {
	case len(g.ready) > 1:
	case g.place < 0:
		heap.Push(&q.tenants, g)
	default:
		heap.Fix(&q.tenants, g.place)
	}
}

func (q *queue) groupOf(t *title) *group {
	if !q.fair {
		return q.common()
	}
	return &t.group
}

// common is the one group of a queue without groups.
func (q *queue) common() *group {
	if q.tenants.common == nil {
		q.tenants.common = &group{place: -1}
	}
	return q.tenants.common
}

// take hands out the next message, nil when there is none.
func (q *queue) take(now float64) *message {
	var aside []*group
	defer func() {
		for _, g := range aside {
			heap.Push(&q.tenants, g)
		}
	}()
	for q.tenants.Len() > 0 {
		g := q.tenants.all[0]
		if q.trim(g, now); len(g.ready) == 0 {
			heap.Remove(&q.tenants, g.place)
			continue
		}
		if q.noisy(g, now) {
			heap.Remove(&q.tenants, g.place)
			aside = append(aside, g)
			continue
		}
		return q.hand(g, now)
	}
	if len(aside) == 0 {
		return nil
	}
	// Nobody quieter waits: of the noisy ones that with the fewest in flight.
	least := slices.MinFunc(aside, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.inFlight, b.inFlight), cmp.Compare(a.ready[0].order, b.ready[0].order))
	})
	m := q.hand(least, now)
	aside = slices.DeleteFunc(aside, func(g *group) bool { return len(g.ready) == 0 })
	return m
}

func (q *queue) hand(g *group, now float64) *message {
	m := g.ready[0]
	g.ready = g.ready[1:]
	g.busy.spend(now, g.inFlight)
	q.busy.spend(now, q.inFlight)
	g.inFlight++
	q.visible--
	q.inFlight++
	q.waited = max(q.waited, now-m.sent)
	m.receives++
	if g.place >= 0 {
		heap.Fix(&q.tenants, g.place)
	}
	return &m
}

// trim drops what is older than the queue keeps messages.
func (q *queue) trim(g *group, now float64) {
	for len(g.ready) > 0 && now-g.ready[0].sent > q.retention {
		g.ready = g.ready[1:]
		q.visible--
		q.expired++
	}
}

// settle ends the delivery of a message.
func (q *queue) settle(now float64, m *message) {
	g := q.groupOf(m.title)
	g.busy.spend(now, g.inFlight)
	q.busy.spend(now, q.inFlight)
	g.inFlight--
	q.inFlight--
}

// tenants are the groups that have messages, that with the oldest first.
type tenants struct {
	all    []*group
	common *group
}

func (t *tenants) Len() int { return len(t.all) }
func (t *tenants) Less(i, j int) bool {
	a, b := t.all[i].ready, t.all[j].ready
	if len(a) == 0 || len(b) == 0 {
		return len(a) < len(b) // empty ones are met, and removed, first
	}
	return a[0].order < b[0].order
}
func (t *tenants) Swap(i, j int) {
	t.all[i], t.all[j] = t.all[j], t.all[i]
	t.all[i].place, t.all[j].place = i, j
}
func (t *tenants) Push(x any) {
	g := x.(*group)
	g.place = len(t.all)
	t.all = append(t.all, g)
}
func (t *tenants) Pop() any {
	last := len(t.all) - 1
	g := t.all[last]
	t.all[last] = nil
	t.all = t.all[:last]
	g.place = -1
	return g
}
