package plan

import (
	"sort"

	"sealreel/pkg/rational"
)

// Timeline is when the frames of one video stream are shown, as a scan of its
// packets found. Times are in units of TimeBase.
type Timeline struct {
	TimeBase  rational.Rational
	Start     int64   // the input's time zero: the earliest start of its video and audio
	PTS       []int64 // presentation times, ascending
	End       int64   // when the last frame ends
	Keyframes []int64 // presentation times of frames that decode on their own, ascending
	Indexed   bool    // the container has an index: a seek lands on a keyframe at or before its target
	Seekable  bool    // times after a seek are those of reading from the start
}

// Index is the place on the output grid of a frame shown at pts: the nearest
// multiple of 1/rate after Start, halves away from zero, which is how ffmpeg's
// settb and fps filters round.
func (t Timeline) Index(pts int64, rate rational.Rational) int64 {
	return t.TimeBase.Mul(rate).Round(pts - t.Start)
}

// Frames is the number of frames that the stream fills at a constant rate, from
// Start to its end, and at least one: gaps are held, so that sound stays with
// the picture. As with ffmpeg's fps filter a last frame is not shown when its
// nearest place lies behind the end, such as the last of an even number that
// becomes half as many.
func (t Timeline) Frames(rate rational.Rational) int64 {
	if len(t.PTS) == 0 {
		return 0
	}
	return max(t.Index(t.End, rate), 1)
}

// shownAt is the presentation time of the source frame that grid place n shows:
// the last whose own place is not after n.
func (t Timeline) shownAt(n int64, rate rational.Rational) int64 {
	i := sort.Search(len(t.PTS), func(i int) bool { return t.Index(t.PTS[i], rate) > n })
	return t.PTS[max(i-1, 0)]
}

// keyframeBefore is the last keyframe at or before pts, and false when there is
// none, so that decoding has to begin at the beginning.
func (t Timeline) keyframeBefore(pts int64) (int64, bool) {
	i := sort.Search(len(t.Keyframes), func(i int) bool { return t.Keyframes[i] > pts })
	if i == 0 {
		return 0, false
	}
	return t.Keyframes[i-1], true
}
