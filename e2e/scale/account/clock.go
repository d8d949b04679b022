package account

import "container/heap"

// clock runs what is due, in the order of its time, and of equals in the order
// in which it was asked for: the same questions give the same answers.
type clock struct {
	now  float64 // seconds
	next uint64
	due  schedule
}

type entry struct {
	at    float64
	order uint64
	do    func()
}

// after asks for something in so many seconds.
func (c *clock) after(seconds float64, do func()) {
	c.next++
	heap.Push(&c.due, entry{c.now + max(seconds, 0), c.next, do})
}

// run goes on until nothing is due, done says so, or the time is over.
func (c *clock) run(until float64, done func() bool) {
	for len(c.due) > 0 && c.due[0].at <= until && !done() {
		e := heap.Pop(&c.due).(entry)
		c.now = e.at
		e.do()
	}
}

type schedule []entry

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	return s[i].at < s[j].at || s[i].at == s[j].at && s[i].order < s[j].order
}
func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *schedule) Push(x any)   { *s = append(*s, x.(entry)) }
func (s *schedule) Pop() any {
	last := len(*s) - 1
	e := (*s)[last]
	(*s)[last] = entry{}
	*s = (*s)[:last]
	return e
}
