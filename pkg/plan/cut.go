package plan

import "sealreel/pkg/rational"

// Chunk is a run of frames that one task encodes: the grid places First up to
// and without End. Encoding begins at Lead, so that rate control has settled at
// First; the frames before First are thrown away.
//
// Seek is where to look for the input in units of the timeline's TimeBase; with
// FromStart it is not used and decoding begins at the first packet.
type Chunk struct {
	First     int64 `json:"first"`
	End       int64 `json:"end"`
	Lead      int64 `json:"lead"`
	Seek      int64 `json:"seek,omitempty"`
	FromStart bool  `json:"fromStart,omitempty"`
}

// Frames is the number of frames the chunk keeps.
func (c Chunk) Frames() int64 { return c.End - c.First }

// Grid says how to cut: Frames places of 1/Rate seconds into chunks of about
// Target frames, each but the last a whole number of Units (a segment, or a
// GOP), with Lead frames encoded ahead of each but the first.
type Grid struct {
	Rate   rational.Rational
	Frames int64
	Unit   int64
	Target int64
	Lead   int64
}

// seekBack is how far before a keyframe to look for it in a container without
// an index, where a seek by time lands on any packet: one second is more than
// the interleaving of transport streams allows between decoding and showing.
const seekBack = 1

// Cut divides the grid. Chunks are of even length, moved by at most a quarter
// so that a chunk's encoding begins close after a keyframe of the source: what
// lies between is decoded for nothing.
func Cut(t Timeline, g Grid) []Chunk {
	if g.Frames <= 0 {
		return nil
	}
	unit := max(g.Unit, 1)
	target := max(g.Target, unit)
	count := max((g.Frames+target/2)/target, 1)
	chunks := make([]Chunk, 0, count)
	first := int64(0)
	for i := int64(1); i <= count && first < g.Frames; i++ {
		end := g.Frames
		if i < count {
			end = boundary(t, g, unit, first, g.Frames*i/count, target/4)
		}
		if end <= first {
			continue
		}
		chunks = append(chunks, chunkAt(t, g, first, end))
		first = end
	}
	return chunks
}

// boundary chooses the multiple of unit within slack of nominal at which the
// least is decoded for nothing, the nearest to nominal among equals.
func boundary(t Timeline, g Grid, unit, first, nominal, slack int64) int64 {
	nearest := (nominal + unit/2) / unit * unit
	best, bestWaste, bestOff := nearest, int64(-1), int64(0)
	low := (max(nominal-slack, first+unit) + unit - 1) / unit * unit
	for b := low; b <= min(nominal+slack, g.Frames-1); b += unit {
		waste, off := wasted(t, g, b), abs(b-nominal)
		if bestWaste < 0 || waste < bestWaste || waste == bestWaste && off < bestOff {
			best, bestWaste, bestOff = b, waste, off
		}
	}
	return min(best, g.Frames)
}

// wasted counts the frames between the keyframe where decoding would begin and
// the first frame that a chunk beginning at b encodes.
func wasted(t Timeline, g Grid, b int64) int64 {
	lead := max(b-g.Lead, 0)
	key, ok := t.keyframeBefore(t.shownAt(lead, g.Rate))
	if !ok {
		return lead
	}
	return lead - t.Index(key, g.Rate)
}

func chunkAt(t Timeline, g Grid, first, end int64) Chunk {
	c := Chunk{First: first, End: end, Lead: max(first-g.Lead, 0)}
	if c.Lead == 0 || !t.Seekable {
		c.FromStart = true
		return c
	}
	shown := t.shownAt(c.Lead, g.Rate)
	key, ok := t.keyframeBefore(shown)
	switch {
	case !ok:
		c.FromStart = true
	case t.Indexed:
		c.Seek = shown
	default:
		c.Seek = key - t.TimeBase.Inv().Ceil(seekBack)
		c.FromStart = c.Seek <= t.PTS[0]
	}
	if c.FromStart {
		c.Seek = 0
	}
	return c
}

// Earlier is the same chunk with a seek further back, for a container in which
// the planned one landed too late.
func (c Chunk) Earlier(t rational.Rational, seconds int64) Chunk {
	c.Seek -= t.Inv().Ceil(seconds)
	return c
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
