package encode

import (
	"fmt"
	"strconv"

	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
)

// Sounds are the arguments that encode an input's sound once, from its time
// zero to its end, into each encoding of the plan; outputs[i] is how the
// fragmented MP4 of p.Sounds[i] is written, its URL last.
func Sounds(p *plan.Plan, input []string, outputs [][]string) []string {
	args := append(clock(p.Audio.Reset), input...)
	args = append(args, "-filter_complex", soundGraph(p))
	for i, s := range p.Sounds {
		args = append(args, "-map", fmt.Sprintf("[out%d]", i), "-c:a", "aac")
		if s.BitRate > 0 {
			args = append(args, "-b:a", strconv.Itoa(s.BitRate))
		}
		args = append(args,
			"-f", "mp4", "-movflags", "empty_moov+default_base_moof", "-frag_duration", "1000000",
			"-map_metadata", "-1", "-map_chapters", "-1")
		args = append(args, outputs[i]...)
	}
	return args
}

// soundGraph moves the sound to the input's time zero, fills what is missing
// with silence (before the first sample, where the input has a hole, and as long
// as a picture goes on), and feeds every encoding from one decode.
func soundGraph(p *plan.Plan) string {
	zero := fmt.Sprintf("PTS-(%s)/TB", fraction(p.Audio.Start))
	if p.Audio.Reset {
		zero = fmt.Sprintf("PTS-STARTPTS+%.9f/TB", p.Audio.Begins.Seconds())
	}
	graph := fmt.Sprintf("[0:%d]asetpts=%s,asplit=%d", p.Audio.Stream, zero, len(p.Sounds))
	for i := range p.Sounds {
		graph += fmt.Sprintf("[in%d]", i)
	}
	for i, s := range p.Sounds {
		graph += fmt.Sprintf(";[in%d]aresample=%d:async=1:first_pts=0,aformat=channel_layouts=%s,apad=whole_len=%d[out%d]",
			i, s.SampleRate, layout(s.Channels), pictureSamples(p, i), i)
	}
	return graph
}

// pictureSamples is how many samples of an encoding the longest picture takes
// that it goes with. Without sound to its end a player would wait for more: the
// segments say that they have some.
func pictureSamples(p *plan.Plan, sound int) int64 {
	longest := int64(0)
	for _, o := range p.Outputs {
		if o.Sound == sound && o.Picture != nil && o.Group >= 0 {
			g := p.Groups[o.Group]
			longest = max(longest, rational.Int(int64(p.Sounds[sound].SampleRate)).Div(g.Rate).Ceil(g.Frames))
		}
	}
	return longest
}

func fraction(r rational.Rational) string {
	return fmt.Sprintf("%d/%d", r.Num, max(r.Den, 1))
}

// layout is ffmpeg's name of the usual layout of n channels.
func layout(n int) string {
	names := []string{"mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1"}
	return names[min(max(n, 1), len(names))-1]
}
