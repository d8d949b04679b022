package account

import (
	"cmp"
	"slices"
)

// Use is how much of something that is limited was used.
type Use struct {
	Name    string
	Limit   float64
	Mean    float64 // over the whole run
	Peak    float64 // in one second; of functions at one moment
	Delayed float64 // seconds that all work together stood in line for it
}

// Share is the part of the limit that was used in the mean.
func (u Use) Share() float64 { return u.Mean / u.Limit }

// Turn is how long the titles of one batch took, from drop to end, in seconds.
type Turn struct {
	Titles, Complete, Failed int
	Median, Longest          float64
}

// Result is what a run came to. Times are in seconds.
type Result struct {
	Name      string
	Took      float64 // until the last title ended, or nobody waited any more
	Turns     []Turn  // by batch
	Complete  int
	Failed    int
	Unended   int
	MediaHour float64 // hours of media in an hour
	Uses      []Use   // that of which the most is used first
	// Bottleneck is what held the others up.
	Bottleneck string

	LongestWait  float64 // of a message
	EventWait    float64 // of an asynchronous event for room
	Refused      int     // starts of functions that the account had no room for
	Repeated     int     // messages for what was done
	Wasted       float64 // part of transcode's time for what was made twice
	Expired      int     // messages
	WorkExpired  int     // titles whose work files had expired
	DeadLetters  int
	EventsLost   int // asynchronous events that became too old
	TimedOut     int // functions
	Restarted    int // times that reconcile set a job going again
	Resumed      int // and that it took up one without a plan
	RoundsCut    int // rounds of reconcile that did not get through
	Rounds       int
	LongestBlind float64 // that reconcile didn't look at a job
}

func (s *simulation) result() Result {
	r := Result{Name: s.Name, Took: s.now, Turns: make([]Turn, len(s.Batches)),
		LongestWait: s.queue.waited, EventWait: s.asyncWait, Refused: s.lambda.refused, Repeated: s.repeated,
		Expired: s.queue.expired, WorkExpired: s.gone, DeadLetters: s.dead, EventsLost: s.lost, TimedOut: s.slow,
		Restarted: s.reconcile.restarted, Resumed: s.reconcile.resumed, RoundsCut: s.reconcile.cut, Rounds: s.reconcile.rounds, LongestBlind: s.reconcile.unseen}
	if s.worked > 0 {
		r.Wasted = s.wasted / s.worked
	}
	media := s.turns(&r)
	if r.Took > 0 {
		r.MediaHour = media / r.Took
	}
	s.uses(&r)
	return r
}

// turns sorts the titles by their ends and returns how much media is done, in
// seconds.
func (s *simulation) turns(r *Result) (media float64) {
	took := make([][]float64, len(s.Batches))
	for _, t := range s.titles {
		turn := &r.Turns[t.batch]
		turn.Titles++
		switch t.outcome {
		case underWay:
			r.Unended++
			continue
		case failed:
			r.Failed++
			turn.Failed++
		case complete:
			r.Complete++
			turn.Complete++
			media += t.seconds
		}
		took[t.batch] = append(took[t.batch], t.ended-t.dropped)
	}
	for b, all := range took {
		if len(all) > 0 {
			slices.Sort(all)
			r.Turns[b].Median, r.Turns[b].Longest = all[len(all)/2], all[len(all)-1]
		}
	}
	return media
}

func (s *simulation) uses(r *Result) {
	s.lambda.count(s.now, 0)
	r.Uses = append(r.Uses,
		Use{Name: "Lambda: functions at once", Limit: float64(s.lambda.limit), Mean: s.lambda.area / s.now, Peak: float64(s.lambda.peak)},
		Use{Name: "MaximumConcurrency", Limit: float64(s.Rules.MaximumConcurrency), Mean: min(s.worked/s.now, float64(s.Rules.MaximumConcurrency)), Peak: float64(s.Rules.MaximumConcurrency)})
	for _, q := range s.services {
		r.Uses = append(r.Uses, Use{Name: q.name + " a second", Limit: q.limit, Mean: q.total / s.now, Peak: q.peak, Delayed: q.delayed})
	}
	slices.SortFunc(r.Uses, func(a, b Use) int { return cmp.Or(cmp.Compare(b.Share(), a.Share()), cmp.Compare(a.Name, b.Name)) })
	r.Bottleneck = r.Uses[0].Name
}
