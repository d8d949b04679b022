package account

import "math/rand/v2"

// concurrency is the account's: how many functions may run at once.
type concurrency struct {
	limit   int
	running int
	peak    int
	area    float64 // of running over time, in seconds
	since   float64
	refused int
	// reserved is set aside for one function, which can't have more.
	reserved map[string]int
	own      map[string]int // running, by function
}

func newConcurrency(limit int, reserved map[string]int) *concurrency {
	c := &concurrency{limit: limit, reserved: reserved, own: map[string]int{}}
	for _, n := range reserved {
		c.limit -= n
	}
	return c
}

// take starts a function, unless that would be one too many.
func (c *concurrency) take(now float64, function string) bool {
	if n, ok := c.reserved[function]; ok {
		if c.own[function] >= n {
			c.refused++
			return false
		}
	} else {
		if c.running >= c.limit {
			c.refused++
			return false
		}
		c.count(now, 1)
	}
	c.own[function]++
	return true
}

func (c *concurrency) give(now float64, function string) {
	c.own[function]--
	if _, ok := c.reserved[function]; !ok {
		c.count(now, -1)
	}
}

func (c *concurrency) count(now float64, n int) {
	c.area += float64(c.running) * (now - c.since)
	c.since = now
	c.running += n
	c.peak = max(c.peak, c.running)
}

// What Lambda does with asynchronous events that it has no room for: it tries
// again, later each time, and gives up when they are too old.
const (
	firstPause = 1.0
	lastPause  = 300.0
	maxAge     = 21600.0 // MaximumEventAgeInSeconds of the template
)

// async invokes a function asynchronously. do starts it and calls its argument
// when it ends; lost is called instead when the event became too old.
func (s *simulation) async(function string, do func(end func()), lost func()) {
	accepted, pause := s.now, firstPause
	var try func()
	try = func() {
		switch {
		case s.lambda.take(s.now, function):
			s.asyncWait = max(s.asyncWait, s.now-accepted)
			do(func() { s.lambda.give(s.now, function); s.dispatch() })
		case s.now-accepted > maxAge:
			lost()
		default:
			s.after(pause*(0.5+s.random.Float64()), try)
			pause = min(2*pause, lastPause)
		}
	}
	try()
}

// mapping is the event source mapping from the queue to transcode.
type mapping struct {
	maximum int
	busy    int // pollers with a message, be it that the function runs or is refused
	began   float64
}

// How a mapping grows: to five at once, then 300 more each minute.
const (
	firstPollers = 5
	pollersMore  = 5.0 // a second
)

func (m *mapping) room(now float64) int {
	return min(m.maximum, firstPollers+int(pollersMore*(now-m.began))) - m.busy
}

// dispatch hands messages to free pollers.
func (s *simulation) dispatch() {
	for s.mapping.room(s.now) > 0 {
		m := s.queue.take(s.now)
		if m == nil {
			return
		}
		s.mapping.busy++
		s.deliver(m, s.now)
	}
	if s.queue.visible > 0 && s.mapping.busy < s.mapping.maximum && !s.growing {
		s.growing = true
		s.after(1, func() { s.growing = false; s.dispatch() })
	}
}

// deliver runs the function for a message. While the account has no room the
// poller holds the message, until it becomes visible again; what comes so often
// goes to the dead letters.
func (s *simulation) deliver(m *message, held float64) {
	switch {
	case s.lambda.take(s.now, transcode):
		s.work(m)
		return
	case s.now-held <= s.Rules.Visibility:
		s.after(5+5*s.random.Float64(), func() { s.deliver(m, held) })
		return
	}
	s.mapping.busy--
	s.queue.settle(s.now, m)
	if m.receives >= attempts {
		s.dead++
		s.end(m.title, failed)
	} else {
		s.queue.put(*m)
	}
	s.dispatch()
}

// attempts is the queue's maxReceiveCount.
const attempts = 5

const (
	ingest    = "ingest"
	transcode = "transcode"
	assemble  = "assemble"
)

// about is a time that varies by a sixth.
func about(r *rand.Rand, seconds float64) float64 { return seconds * (5 + 2*r.Float64()) / 6 }
