package encode

import (
	"fmt"
	"strconv"

	"sealreel/pkg/plan"
)

// The sound of a programme with several takes is decoded take by take and encoded
// at a stretch: an encoder that began anew would be heard at each join. Between
// the two it is bare samples.

// BytesPerSample is the size of a bare sample of all channels.
func BytesPerSample(s plan.Sound) int64 { return 4 * int64(s.Channels) }

// bare is ffmpeg's name of bare samples: floating point of 32 bits, which holds
// every value of 24 bits, and whole numbers where an encoding has more.
func bare(s plan.Sound) string {
	if s.BitDepth > 24 {
		return "s32le"
	}
	return "f32le"
}

// TakeSound are the arguments that decode a take's sound into bare samples for
// the encodings at the places; outputs[i] is how those for the encoding at
// places[i] are written, its URL last.
func TakeSound(p *plan.Plan, t plan.Take, places []int, input []string, outputs [][]string) []string {
	args := append(heard(t), input...)
	graph := soundOf(t, len(places))
	for i, place := range places {
		graph += fmt.Sprintf(";[in%d]%s[out%d]", i, samplesOf(t, p.Sounds[place]), i)
	}
	args = append(args, "-filter_complex", graph)
	for i, place := range places {
		format := bare(p.Sounds[place])
		args = append(args, "-map", fmt.Sprintf("[out%d]", i), "-c:a", "pcm_"+format, "-f", format)
		args = append(args, outputs[i]...)
	}
	return args
}

// Bare is how bare samples for an encoding are opened: the format, and the
// options that say what no header does.
func Bare(s plan.Sound) (format string, options []string) {
	return bare(s), []string{"-ar", strconv.Itoa(s.SampleRate), "-ch_layout", layout(s)}
}

// JoinedSound are the arguments that encode bare samples, opened as input says,
// into the encoding at the place.
func JoinedSound(p *plan.Plan, place int, input, output []string) []string {
	args := append(input, "-filter_complex", fmt.Sprintf("[0:0]%s[out0]", ending(p, place)), "-map", "[out0]")
	args = append(args, soundCodec(p.Sounds[place])...)
	return append(args, output...)
}
