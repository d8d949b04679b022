package part

import (
	"iter"

	"sealreel/pkg/rational"
)

// Merge yields the samples of all tracks in the order in which they are decoded,
// each with the place of its track. Where two are decoded at once, the track that
// was given first goes first.
func Merge(tracks ...*Sequence) iter.Seq2[int, Sample] {
	return func(yield func(int, Sample) bool) {
		heads := make([]head, len(tracks))
		for i, t := range tracks {
			var stop func()
			heads[i].next, stop = iter.Pull(t.All())
			heads[i].nanoseconds = rational.New(1_000_000_000, int64(t.Track.Timescale))
			defer stop()
			heads[i].advance()
		}
		for {
			first := -1
			for i, h := range heads {
				if h.has && (first < 0 || h.at < heads[first].at) {
					first = i
				}
			}
			if first < 0 || !yield(first, heads[first].sample) {
				return
			}
			heads[first].advance()
		}
	}
}

// head is the next sample of a track.
type head struct {
	next        func() (Sample, bool)
	nanoseconds rational.Rational // in a tick
	sample      Sample
	has         bool
	at          int64 // its DTS in nanoseconds
}

func (h *head) advance() {
	if h.sample, h.has = h.next(); h.has {
		h.at = h.nanoseconds.Floor(h.sample.DTS)
	}
}
