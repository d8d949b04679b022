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
// ffmpeg and us: the one that has a place for its codec.
func soundCodec(s plan.Sound) []string {
	var args []string
	format, bits := "mp4", strconv.Itoa(s.BitDepth)
	switch {
	case s.Codec == plan.PCM && s.BitDepth == 8: // WAV has no other of 8 bits
		args, format = []string{"-c:a", "pcm_u8"}, "mov"
	case s.Codec == plan.PCM:
		args, format = []string{"-c:a", "pcm_s" + bits + "le"}, "mov"
	case s.Codec == plan.FLAC:
		args = []string{"-c:a", "flac", "-bits_per_raw_sample", bits, "-strict", "experimental"}
	default:
		args = []string{"-c:a", encoders[s.Codec]}
	}
	if s.BitRate > 0 {
		args = append(args, "-b:a", strconv.Itoa(s.BitRate))
	}
	return append(args,
		"-f", format, "-movflags", "empty_moov+default_base_moof", "-frag_duration", "1000000",
		"-map_metadata", "-1", "-map_chapters", "-1")
}

// encoders are those of ffmpeg for the codecs with a bit rate.
var encoders = map[string]string{plan.AAC: "aac", plan.MP3: "libmp3lame", plan.MP2: "mp2", plan.Vorbis: "libvorbis"}

// mp2Delay is how many samples ffmpeg's encoder of layer II puts before the
// first, and keeps back of the last.
const mp2Delay = 481

// Delay is how many samples an encoder puts before the first of the sound. first
// is how long the first packet lasts.
func Delay(s plan.Sound, first int64) int64 {
	switch s.Codec {
	case plan.AAC:
		return 1024
	case plan.MP3:
		return 576 + 529 // LAME's own, and that of every decoder
	case plan.MP2:
		return mp2Delay
	case plan.Vorbis: // the first packet only prepares the next: nothing is heard of it
		return first
	}
	return 0
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
		graph += fmt.Sprintf(";[in%d]%s,%s[out%d]", i, samplesOf(take, p.Sounds[place]), ending(p, place), i)
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
	graph := fmt.Sprintf("[0:%d]asetpts=%s", t.Audio.Stream, zero)
	if len(t.Audio.Tracks) > 0 {
		graph = tracks(t.Audio, zero)
	}
	graph += fmt.Sprintf(",asplit=%d", n)
	for i := range n {
		graph += fmt.Sprintf("[in%d]", i)
	}
	return graph
}

// tracks puts the channels together that have streams of their own. They last as
// long as the first of them, which is the one that was looked at.
func tracks(a *plan.Audio, zero string) string {
	const filled = "aresample=async=1:first_pts=0"
	graph := fmt.Sprintf("[0:%d]asetpts=%s,%s[track0];", a.Stream, zero, filled)
	joined := "[track0]"
	for i, stream := range a.Tracks {
		graph += fmt.Sprintf("[0:%d]asetpts=%s,%s,apad[track%d];", stream, zero, filled, i+1)
		joined += fmt.Sprintf("[track%d]", i+1)
	}
	n := len(a.Tracks) + 1
	return graph + fmt.Sprintf("%sjoin=inputs=%d:channel_layout=%s", joined, n, layout(plan.Sound{Channels: n}))
}

// firstTwo makes one or two channels of more than two tracks: the first two are
// the programme, where the others are languages, effects or silence.
func firstTwo(a *plan.Audio, channels int) string {
	switch {
	case len(a.Tracks) < 2 || channels > 2:
		return ""
	case channels == 1:
		return "pan=mono|c0=0.5*c0+0.5*c1,"
	}
	return "pan=stereo|c0=c0|c1=c1,"
}

// samplesOf makes a take's sound into samples of an encoding, from its time zero
// on: what is missing is filled with silence, before the first sample and where
// the input has a hole, and what is too much is cut off. A take that has an end
// has exactly so many samples.
func samplesOf(t plan.Take, s plan.Sound) string {
	chain := fmt.Sprintf("%saresample=%d:async=1:first_pts=0,aformat=channel_layouts=%s", firstTwo(t.Audio, s.Channels), s.SampleRate, layout(s))
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

// ending makes samples into what the encoder at the place takes, up to the end of
// the picture that they go with. That of layer II keeps back what it has at the
// end: silence brings it out.
func ending(p *plan.Plan, place int) string {
	s := p.Sounds[place]
	chain := fmt.Sprintf("apad=whole_len=%d", pictureSamples(p, place))
	if s.Lossless() {
		format := map[int]string{8: "u8", 16: "s16", 24: "s32", 32: "s32"}[s.BitDepth]
		chain = fmt.Sprintf("aformat=sample_fmts=%s,%s", format, chain)
	}
	if s.Codec == plan.MP2 {
		chain += fmt.Sprintf(",apad=pad_len=%d", mp2Delay)
	}
	return chain
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

// layout is ffmpeg's name of the usual layout of a sound's channels: four of them
// are two in front with the centre and the back in AAC, and a pair behind the
// pair in front elsewhere.
func layout(s plan.Sound) string {
	names := []string{"mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"}
	if s.Codec == plan.AAC {
		names[3] = "4.0"
	}
	return names[min(max(s.Channels, 1), len(names))-1]
}
