package sqs

// group is a tenant of a fair queue: the messages of one MessageGroupId.
type group struct {
	name     string
	ready    []*message // to hand out, first come first; may hold some that are gone
	inFlight int
	turn     uint64 // when it was last served
}

// group returns the group of a name, made if it is not there.
func (q *queue) group(name string) *group {
	g := q.groups[name]
	if g == nil {
		g = &group{name: name}
		q.groups[name] = g
	}
	return g
}

// dropIdle forgets a group that has nothing left, so that a queue which saw
// a million jobs is no slower for it.
func (q *queue) dropIdle(g *group) {
	if len(g.ready) == 0 && g.inFlight == 0 {
		delete(q.groups, g.name)
	}
}

// next takes out the message to hand out now, or returns nil. It comes from
// the group with the fewest in flight, of equals the one served longest ago,
// so that a group with a long backlog delays no other. AWS treats each
// message without a group as a tenant of its own; those have nothing else
// in flight and so count as zero.
//
// This is stricter than AWS, where a tenant is set back only once it holds
// a tenth of what is in flight and at least thirty messages.
func (q *queue) next() *message {
	var best *group
	for _, g := range q.groups {
		q.trim(g)
		if len(g.ready) == 0 {
			q.dropIdle(g)
			continue
		}
		if best == nil || g.load() < best.load() || g.load() == best.load() && g.before(best) {
			best = g
		}
	}
	if best == nil {
		return nil
	}
	m := best.ready[0]
	best.ready[0] = nil
	best.ready = best.ready[1:]
	q.turns++
	best.turn = q.turns
	return m
}

// before orders groups of equal load: by their last turn, then, for groups
// that never had one, by arrival.
func (g *group) before(other *group) bool {
	if g.turn != other.turn {
		return g.turn < other.turn
	}
	return g.ready[0].order < other.ready[0].order
}

func (g *group) load() int {
	if g.name == "" {
		return 0
	}
	return g.inFlight
}

// trim drops messages at the front that were deleted since they showed.
func (q *queue) trim(g *group) {
	for len(g.ready) > 0 && q.messages[g.ready[0].ID] != g.ready[0] {
		g.ready[0] = nil
		g.ready = g.ready[1:]
	}
}
