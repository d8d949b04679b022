package encode

import (
	"strconv"

	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
)

// Stream is the container between ffmpeg and us.
type Stream int

// The containers between ffmpeg and us: fragmented MP4 for all codecs that it
// has, IVF for VP8, and for GIF the finished file.
const (
	Fragmented Stream = iota
	IVF
	GIF
)

// StreamOf says in which container a picture comes from the encoder.
func StreamOf(p *plan.Picture) Stream {
	switch p.Coded() {
	case plan.VP8:
		return IVF
	case plan.GIF:
		return GIF
	}
	return Fragmented
}

// between are the arguments that write a stream. All keep the times of the grid,
// so that the reader sees which place the first frame has.
func between(s Stream, rate rational.Rational, p *plan.Picture) []string {
	common := []string{"-avoid_negative_ts", "disabled", "-map_metadata", "-1", "-map_chapters", "-1"}
	switch s {
	case IVF:
		return append(common, "-f", "ivf")
	case GIF:
		return append(common, "-f", "gif", "-loop", loop(p.LoopCount))
	}
	return append(common, fragmented(rate)...)
}

// loop is how ffmpeg says how often a GIF is repeated.
func loop(count string) string {
	switch count {
	case "0":
		return "-1"
	case "Infinite", "":
		return "0"
	}
	return count
}

// fragmented is MP4 with a fragment a keyframe.
func fragmented(rate rational.Rational) []string { return inFragments("frag_keyframe", rate) }

// inFragments is MP4 with a fragment where cut, a flag of the muxer, says, in
// ticks of which a frame has a whole number. Fragments keep the times of the grid
// (frag_discont): ffmpeg writes the first frame's place as its decode time.
func inFragments(cut string, rate rational.Rational) []string {
	return []string{
		"-f", "mp4", "-movflags", cut + "+empty_moov+default_base_moof+frag_discont",
		"-video_track_timescale", strconv.FormatInt(Timescale(rate), 10),
	}
}
