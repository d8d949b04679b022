package preset

import "sealreel/pkg/rational"

// GOP says where keyframes and segments of an output lie, in frames.
type GOP struct {
	// Frames is the longest distance of keyframes, and with Fixed the only one
	// within a segment.
	Frames int
	Fixed  bool
	// SegmentFrames is the length of every segment but the last, which starts
	// with a keyframe; 0 when the output is not segmented.
	SegmentFrames int
}

// GOPFrames derives the groups of pictures from the preset, the output's frame
// rate and its SegmentDuration in seconds (zero for a single file).
//
// No group is longer than a segment and no segment longer than the
// SegmentDuration. With FixedGOP a segment is the largest whole number of
// groups that fits; otherwise it is as long as fits, and a keyframe is forced
// at its start.
func GOPFrames(v *Video, rate, segment rational.Rational) GOP {
	g := GOP{Frames: v.KeyframeDistance(), Fixed: v.Fixed()}
	if segment.Sign() <= 0 {
		return g
	}
	fits := max(1, int(segment.Mul(rate).Floor(1)))
	g.Frames = min(g.Frames, fits)
	g.SegmentFrames = fits
	if g.Fixed {
		g.SegmentFrames = fits / g.Frames * g.Frames
	}
	return g
}
