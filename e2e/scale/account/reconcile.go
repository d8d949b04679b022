package account

// Reconcile are the rules of the reconcile function; times in seconds.
type Reconcile struct {
	Parallel int     // jobs that are looked at together
	Resumes  bool    // it plans jobs itself that have no plan, and not ingest
	Goes     bool    // on where the last round ended
	Lost     float64 // after this long it takes a job without a plan for lost
	Stalled  float64 // without a receipt, the first time
	Patient  bool    // the time without a receipt counts only while no messages wait
}

const (
	reconcilePeriod = 300.0
	reconcileMax    = 200.0 // of the function's 240 s
	restarts        = 4
	requestsOfAJob  = 7.0 // to look at one that moves
)

// watch is what reconcile last saw of a job.
type watch struct {
	receipts int
	since    float64
	restarts int
	seen     bool
}

// round is what reconcile keeps between rounds, and has done.
type round struct {
	next      int     // title to begin with
	idleSince float64 // of the queue, negative while messages wait
	restarted int
	resumed   int
	cut       int // rounds that did not get through
	rounds    int
	unseen    float64 // longest time that a job under way was not looked at
	looked    []float64
}

// round does one round: as many jobs as its time allows.
func (s *simulation) round() {
	r := &s.reconcile
	s.after(reconcilePeriod, s.round)
	r.rounds++
	if r.looked == nil {
		r.looked = make([]float64, len(s.titles))
	}
	switch {
	case s.queue.visible > 0:
		r.idleSince = -1
	case r.idleSince < 0:
		r.idleSince = s.now
	}
	spent, first := 0.0, 0
	if s.Rules.Reconcile.Goes {
		first = r.next
	}
	for n := range s.titles {
		t := s.titles[(first+n)%len(s.titles)]
		if t.recorded == 0 || t.outcome != underWay {
			continue
		}
		if spent > reconcileMax {
			r.next = t.number
			r.cut++
			return
		}
		r.unseen = max(r.unseen, s.now-max(r.looked[t.number], t.recorded))
		r.looked[t.number] = s.now
		spent += s.look(t)
	}
	r.next = 0
}

// look looks at one job and returns what it takes of the round.
func (s *simulation) look(t *title) float64 {
	rules, r := s.Rules.Reconcile, &s.reconcile
	spent := requestsOfAJob * oneRequest / float64(rules.Parallel)
	receipts := t.pieces + t.count + t.assembled
	switch {
	case !t.planned && s.now-t.dropped > rules.Lost:
		r.resumed++
		if rules.Resumes {
			return spent + s.resume(t)
		}
		s.async(ingest, func(end func()) { s.ingesting(t, 1, end) }, func() {})
	case !t.planned:
	case !t.watch.seen || t.watch.receipts != receipts:
		t.watch = watch{receipts: receipts, since: s.now, seen: true}
	case s.stalled(t):
		if t.watch.restarts >= restarts {
			s.end(t, failed)
			return spent
		}
		t.watch.since, t.watch.restarts = s.now, t.watch.restarts+1
		s.restart(t)
	}
	return spent
}

// stalled says whether a job has been silent for too long.
func (s *simulation) stalled(t *title) bool {
	since, limit := t.watch.since, s.Rules.Reconcile.Stalled*float64(int(1)<<t.watch.restarts)
	if !s.Rules.Reconcile.Patient {
		return s.now-since >= limit
	}
	if s.reconcile.idleSince < 0 {
		return s.now-since > s.Rules.Retention
	}
	return s.now-max(since, s.reconcile.idleSince) >= limit
}

// restart asks again for all that has no receipt.
func (s *simulation) restart(t *title) {
	s.reconcile.restarted++
	if t.pieces < t.chunks {
		s.queue.send(s.now, t, audio)
	}
	for c := range t.chunks {
		if t.piece[c] > 0 && !t.done[c] {
			s.queue.send(s.now, t, c)
		}
	}
	if t.count == t.chunks {
		for range s.kind.Count - t.assembled {
			s.assemble(t)
		}
	}
	s.dispatch()
}

// resume plans a job within the round, if the round is long enough for it.
func (s *simulation) resume(t *title) float64 {
	seconds := s.ingestSeconds(t)
	if seconds > reconcileMax {
		return reconcileMax
	}
	s.after(seconds, func() {
		if !t.planned && t.outcome == underWay {
			t.planned = true
			s.queue.send(s.now, t, audio)
			s.dispatch()
		}
	})
	return seconds
}
