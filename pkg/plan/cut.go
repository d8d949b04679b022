package plan

import (
	"cmp"
	"slices"

	"sealreel/pkg/rational"
)

// Chunk is a run of frames that one task encodes: the grid places First up to
// and without End. Encoding begins at Lead, so that rate control has settled at
// First; the frames before First are thrown away.
type Chunk struct {
	First int64  `json:"first"`
	End   int64  `json:"end"`
	Lead  int64  `json:"lead"`
	Reads []Read `json:"reads,omitempty"` // in order, none without a picture
}

// Read is what a chunk shows of one take: the places From up to and without To
// of the grid that begins with the input's time zero.
//
// Seek is where to look for them in the input, in units of the video's TimeBase;
// with FromStart it is not used and decoding begins at the first packet.
type Read struct {
	Take      int   `json:"take,omitempty"`
	From      int64 `json:"from"`
	To        int64 `json:"to"`
	Seek      int64 `json:"seek,omitempty"`
	FromStart bool  `json:"fromStart,omitempty"`
	Hold      bool  `json:"hold,omitempty"` // the last frame of the input, where To lies after its end
}

// Frames is the number of frames the chunk keeps.
func (c Chunk) Frames() int64 { return c.End - c.First }

// Grid says how to cut: Frames places of 1/Rate seconds into chunks of about
// Target frames, each but the last a whole number of Units (a segment, or a
// GOP), with Lead frames encoded ahead of each but the first. Whole is one chunk.
type Grid struct {
	Rate   rational.Rational
	Frames int64
	Unit   int64
	Target int64
	Lead   int64
	Whole  bool
}

// seekBack is how far before a keyframe to look for it in a container without
// an index, where a seek by time lands on any packet: one second is more than
// the interleaving of transport streams allows between decoding and showing.
const seekBack = 1

// joinedSeekBack is seekBack for a chunk that joins takes: there a seek that
// lands too late shows only when all frames are counted, so it must not happen.
const joinedSeekBack = 15

// mostReads is how many takes a chunk reads at most, unless a single unit of its
// grid has more: each is decoded by a decoder of its own, which takes memory.
const mostReads = 8

// Cut divides the grid of a single input. Chunks are of even length, moved by at
// most a quarter so that a chunk's encoding begins close after a keyframe of the
// source: what lies between is decoded for nothing.
func Cut(t Timeline, g Grid) []Chunk {
	return cut([]stretch{{end: g.Frames, per: 1, rate: g.Rate, Timeline: t}}, g)
}

// cut divides the grid that the stretches fill.
func cut(all []stretch, g Grid) []Chunk {
	if g.Frames <= 0 {
		return nil
	}
	g.Unit = max(g.Unit, 1)
	target := max(g.Target, g.Unit)
	if g.Whole {
		target = g.Frames
	}
	count := max((g.Frames+target/2)/target, 1)
	chunks := make([]Chunk, 0, count)
	first := int64(0)
	for i := int64(1); i <= count && first < g.Frames; i++ {
		end := g.Frames
		if i < count {
			end = boundary(all, g, first, g.Frames*i/count, target/4)
		}
		for first < end {
			until := end
			if !g.Whole {
				until = fewReads(all, g, first, end)
			}
			chunks = append(chunks, chunkAt(all, g, first, until))
			first = until
		}
	}
	return chunks
}

// fewReads is the last multiple of the unit up to end before which a chunk that
// begins at first does not read too much.
func fewReads(all []stretch, g Grid, first, end int64) int64 {
	lead := max(first-g.Lead, 0)
	reads := 0
	for _, s := range all {
		if s.first >= end || s.end <= lead || s.end <= s.first {
			continue
		}
		if reads++; reads > mostReads {
			return min(max(s.first/g.Unit*g.Unit, first/g.Unit*g.Unit+g.Unit), end)
		}
	}
	return end
}

// boundary chooses the multiple of the unit within slack of nominal at which the
// least is decoded for nothing, the nearest to nominal among equals.
func boundary(all []stretch, g Grid, first, nominal, slack int64) int64 {
	nearest := (nominal + g.Unit/2) / g.Unit * g.Unit
	best, bestWaste, bestOff := nearest, int64(-1), int64(0)
	low := (max(nominal-slack, first+g.Unit) + g.Unit - 1) / g.Unit * g.Unit
	for b := low; b <= min(nominal+slack, g.Frames-1); b += g.Unit {
		waste, off := wasted(all, g, b), abs(b-nominal)
		if bestWaste < 0 || waste < bestWaste || waste == bestWaste && off < bestOff {
			best, bestWaste, bestOff = b, waste, off
		}
	}
	return min(best, g.Frames)
}

// wasted counts the frames between the keyframe where decoding would begin and
// the first frame that a chunk beginning at b encodes.
func wasted(all []stretch, g Grid, b int64) int64 {
	lead := max(b-g.Lead, 0)
	i, _ := slices.BinarySearchFunc(all, lead, func(s stretch, at int64) int { return cmp.Compare(s.end, at+1) })
	s := all[min(i, len(all)-1)]
	place := s.place(lead)
	key, ok := s.keyframeBefore(s.shownAt(place, s.rate))
	if !ok {
		return place
	}
	return place - s.Index(key, s.rate)
}

// stretch is what a take fills of a grid. The grid that begins with the input's
// time zero has rate places a second, per of them for each of the output's: the
// place first shows its place skip. What is decoded before a place for it to be
// right is before.
type stretch struct {
	take       int
	first, end int64
	skip       int64
	per        int64
	before     int64
	rate       rational.Rational
	Timeline
}

// place is that of the input's own grid which a place of the output's shows.
func (s stretch) place(n int64) int64 { return (n-s.first)*s.per + s.skip }

func chunkAt(all []stretch, g Grid, first, end int64) Chunk {
	c := Chunk{First: first, End: end, Lead: max(first-g.Lead, 0)}
	shown := func(s stretch) (from, to int64) { return max(s.first, c.Lead), min(s.end, end) }
	used := slices.DeleteFunc(slices.Clone(all), func(s stretch) bool {
		from, to := shown(s)
		return from >= to
	})
	back := int64(seekBack)
	if len(used) > 1 {
		back = joinedSeekBack
	}
	for _, s := range used {
		from, to := shown(s)
		c.Reads = append(c.Reads, s.read(from, to, back))
	}
	return c
}

// read plans how the places from up to to of the output's grid are found, back
// seconds ahead of their keyframe where the container has no index.
func (s stretch) read(from, to, back int64) Read {
	r := Read{Take: s.take, From: s.place(from), To: s.place(to), Hold: to == s.end}
	r.FromStart = !s.Seekable || r.From-s.before <= max(s.Index(s.PTS[0], s.rate), 0)
	if r.FromStart {
		return r
	}
	shown := s.shownAt(r.From-s.before, s.rate)
	key, ok := s.keyframeBefore(shown)
	switch {
	case !ok:
		r.FromStart = true
	case s.Indexed:
		r.Seek = shown
	default:
		r.Seek = key - s.TimeBase.Inv().Ceil(back)
		r.FromStart = r.Seek <= s.PTS[0]
	}
	if r.FromStart {
		r.Seek = 0
	}
	return r
}

// FromStart says whether every input is decoded from its first packet.
func (c Chunk) FromStart() bool {
	return !slices.ContainsFunc(c.Reads, func(r Read) bool { return !r.FromStart })
}

// Earlier is the same chunk with seeks further back, for a container in which a
// planned one landed too late; Start is that without any.
func (c Chunk) Earlier(takes []Take, seconds int64) Chunk {
	c.Reads = slices.Clone(c.Reads)
	for i := range c.Reads {
		r := &c.Reads[i]
		r.Seek -= takes[r.Take].Video.TimeBase.Inv().Ceil(seconds)
	}
	return c
}

// Start is the same chunk with every input decoded from its first packet.
func (c Chunk) Start() Chunk {
	c.Reads = slices.Clone(c.Reads)
	for i := range c.Reads {
		c.Reads[i].FromStart = true
	}
	return c
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
