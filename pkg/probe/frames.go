package probe

import (
	"slices"

	"sealreel/pkg/job"
	"sealreel/pkg/rational"
)

// picture completes a video stream with what its packets say.
func (t *track) picture(v *Video) error {
	times := t.times(v)
	if v.PTS = times[max(t.decodable, 0):]; len(v.PTS) == 0 {
		return job.Fail(job.CodeBadInput, "the input's video stream %d has no frame that can be decoded; the file may be cut short", t.Index)
	}
	v.Keyframes = t.hiddenKeys
	for _, k := range t.keys {
		if v.Source == FromDTS && t.pts[k] != noTime {
			v.Keyframes = append(v.Keyframes, t.pts[k])
			continue
		}
		v.Keyframes = append(v.Keyframes, times[k])
	}
	slices.Sort(v.Keyframes)
	slices.Sort(v.PTS)
	v.Jumps = t.clock.jumps
	v.Rate, v.Constant = frameRate(v.PTS, v.TimeBase, t.commonLength, v.NominalRate, v.AverageRate)
	v.End = v.PTS[len(v.PTS)-1] + t.lastLength(v)
	return nil
}

// lastLength is how long the last frame is shown, in ticks: what its packet
// says, else what the rate says.
func (t *track) lastLength(v *Video) int64 {
	length := t.byPTS.length
	switch v.Source {
	case FromDTS:
		length = t.byDTS.length
	case FromIndex:
		length = t.commonLength
	}
	if length == 0 {
		length = max(ticks(v.Rate, v.TimeBase).Round(1), 1)
	}
	return length
}

// times returns when each packet is presented, in the order of the file, and
// sets v.Source. It reuses the track's memory.
func (t *track) times(v *Video) []int64 {
	switch {
	case t.noPTS == 0:
		v.Source = FromPTS
		return t.pts
	case t.noDTS == 0:
		v.Source = FromDTS
		t.delay()
		return t.dts
	}
	v.Source = FromIndex
	step := rational.Int(max(t.commonLength, 1))
	if t.commonLength == 0 && plausible(v.AverageRate) {
		step = ticks(v.AverageRate, v.TimeBase)
	}
	for i := range t.pts {
		t.pts[i] = step.Round(int64(i))
	}
	return t.pts
}

// delay moves decoding times to presentation times. In order, these follow
// those at a constant distance: the first frame's, if its packet has both
// times, else that of the packet whose decoding makes a decoder with this many
// frames to reorder give out the first.
func (t *track) delay() {
	first := max(t.decodable, 0)
	if first+t.reorder >= len(t.dts) {
		return
	}
	delay := t.dts[first+t.reorder] - t.dts[first]
	if t.pts[first] != noTime {
		delay = t.pts[first] - t.dts[first]
	}
	for i := range t.dts {
		t.dts[i] += delay
	}
}

// sound completes an audio stream, and says whether there is any sound.
func (t *track) sound(a *Audio) bool {
	span := t.byPTS
	if !span.known {
		span = t.byDTS
	}
	if t.count == 0 || !span.known {
		return false
	}
	a.Packets = t.count
	a.First, a.End = span.first, span.last+span.length
	if t.start != noTime && t.clock.jumps == 0 {
		a.First = t.start // after the codec's warming up, which packets do not tell
	}
	return true
}
