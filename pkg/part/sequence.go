package part

import (
	"fmt"
	"iter"
	"math"

	"sealreel/pkg/fragment"
	"sealreel/pkg/rational"
)

// Sequence is a whole track: its parts, which continue each other to the tick
// and are of the same codec and parameters. Times are in units of the track's
// timescale.
type Sequence struct {
	Kind    fragment.Kind
	Track   *fragment.Track
	Samples int
	Bytes   int64 // of all samples
	Start   int64 // DTS of the first sample
	End     int64 // where the last ends that is decoded
	First   int64 // least PTS
	Last    int64 // greatest PTS with its duration

	parts []*Index // all of them, so that places are those that Join got
}

// Join makes a track of its parts, in order; parts without samples may be
// anywhere. It returns nil when there is no sample in any of them. Errors wrap
// ErrParts.
func Join(kind fragment.Kind, parts []*Index) (*Sequence, error) {
	var s *Sequence
	for i, p := range parts {
		if p.Samples == 0 {
			continue
		}
		if p.Track.Kind != kind {
			return nil, fmt.Errorf("%w: part %d of %v holds %v", ErrParts, i, kind, p.Track.Kind)
		}
		if s == nil {
			s = &Sequence{Kind: kind, Track: p.Track, Start: p.Start, End: p.Start, First: p.First, Last: p.Last, parts: parts}
		}
		if p.Start != s.End {
			return nil, fmt.Errorf("%w: part %d of %v starts at %d, the one before ends at %d", ErrParts, i, kind, p.Start, s.End)
		}
		if !p.Track.Same(s.Track) {
			return nil, fmt.Errorf("%w: part %d of %v has other parameters than those before: encode all with the same settings", ErrParts, i, kind)
		}
		if s.Samples > math.MaxInt32-p.Samples {
			return nil, fmt.Errorf("%w: more than %d samples of %v", ErrParts, math.MaxInt32, kind)
		}
		s.Samples, s.Bytes, s.End = s.Samples+p.Samples, s.Bytes+p.Bytes, p.End
		s.First, s.Last = min(s.First, p.First), max(s.Last, p.Last)
	}
	return s, nil
}

// All yields the samples of all parts in decode order.
func (s *Sequence) All() iter.Seq[Sample] {
	return func(yield func(Sample) bool) {
		for _, p := range s.parts {
			for sample := range p.All() {
				if !yield(sample) {
					return
				}
			}
		}
	}
}

// Peak is the highest bit rate of a second, in bits a second.
func (s *Sequence) Peak() float64 {
	second, bytes, most := int64(math.MinInt64), int64(0), int64(0)
	for sample := range s.All() {
		if at := rational.New(1, int64(s.Track.Timescale)).Floor(sample.DTS); at != second {
			second, bytes = at, 0
		}
		bytes += sample.Size
		most = max(most, bytes)
	}
	return float64(8 * most)
}
