package encode

import (
	"fmt"
	"strconv"
	"time"

	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
)

// Sounds are the arguments that encode the sound of a programme with one take
// once, from its beginning to its end, into the encodings at the places of the
// plan; outputs[i] is how the fragmented MP4 of that at places[i] is written, its
// URL last.
func Sounds(p *plan.Plan, places []int, input []string, outputs [][]string) []string {
	take := p.Programmes[p.Sounds[places[0]].Programme][0]
	args := append(heard(take), input...)
	args = append(args, "-filter_complex", soundGraph(p, take, places))
	for i, place := range places {
		args = append(args, "-map", fmt.Sprintf("[out%d]", i))
		args = append(args, soundCodec(p.Sounds[place])...)
		args = append(args, outputs[i]...)
	}
	return args
}

// soundCodec are the settings of one encoding, and of its container between
// ffmpeg and us.
func soundCodec(s plan.Sound) []string {
	args := []string{"-c:a", "aac"}
	if s.BitRate > 0 {
		args = append(args, "-b:a", strconv.Itoa(s.BitRate))
	}
	return append(args,
		"-f", "mp4", "-movflags", "empty_moov+default_base_moof", "-frag_duration", "1000000",
		"-map_metadata", "-1", "-map_chapters", "-1")
}

// heard says where in an input a take's sound is looked for.
func heard(t plan.Take) []string {
	args := clock(t.Audio.Reset)
	if t.Audio.Seek != nil {
		at := t.Audio.Start.Floor(int64(time.Second)) + int64(*t.Audio.Seek)
		args = append(args, "-noaccurate_seek", "-seek_timestamp", "1", "-ss", seconds(at, rational.New(1, int64(time.Second))))
	}
	return args
}

// soundGraph feeds every encoding from one decode.
func soundGraph(p *plan.Plan, take plan.Take, places []int) string {
	graph := soundOf(take, len(places))
	for i, place := range places {
		s := p.Sounds[place]
		graph += fmt.Sprintf(";[in%d]%s,apad=whole_len=%d[out%d]", i, samplesOf(take, s), pictureSamples(p, place), i)
	}
	return graph
}

// soundOf moves a take's sound to its time zero, for n users.
func soundOf(t plan.Take, n int) string {
	zero := fmt.Sprintf("PTS-(%s)/TB", fraction(t.Audio.Start))
	if t.Audio.Reset {
		zero = fmt.Sprintf("PTS-STARTPTS+%.9f/TB", t.Audio.Begins.Seconds())
	}
	if t.From > 0 {
		zero = fmt.Sprintf("round(%s-%.9f/TB)", zero, t.From.Seconds())
	}
	graph := fmt.Sprintf("[0:%d]asetpts=%s,asplit=%d", t.Audio.Stream, zero, n)
	for i := range n {
		graph += fmt.Sprintf("[in%d]", i)
	}
	return graph
}

// samplesOf makes a take's sound into samples of an encoding, from its time zero
// on: what is missing is filled with silence, before the first sample and where
// the input has a hole, and what is too much is cut off. A take that has an end
// has exactly so many samples.
func samplesOf(t plan.Take, s plan.Sound) string {
	chain := fmt.Sprintf("aresample=%d:async=1:first_pts=0,aformat=channel_layouts=%s", s.SampleRate, layout(s.Channels))
	if n := Samples(t, s); n > 0 {
		chain += fmt.Sprintf(",apad=whole_len=%d,atrim=end_sample=%d", n, n)
	}
	return chain
}

// Samples is how many samples of an encoding a take fills, and 0 where it plays
// what there is: from that nearest to its beginning to that nearest to its end,
// so that no fraction of a sample adds up.
func Samples(t plan.Take, s plan.Sound) int64 {
	ends, closed := t.Ends()
	if !closed {
		return 0
	}
	rate := rational.Int(int64(s.SampleRate))
	return plan.Place(ends, rate) - plan.Place(t.Begins, rate)
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
