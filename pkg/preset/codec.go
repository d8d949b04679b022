package preset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sealreel/pkg/document"
)

// H264 is the video codec that levels and profiles are about.
const H264 = "H.264"

// Packing modes of sound (API: AudioPackingMode).
const (
	SingleTrack           = "SingleTrack"
	OneChannelPerTrack    = "OneChannelPerTrack"
	OneChannelPerTrackOf8 = "OneChannelPerTrackWithMosTo8Tracks" // silent tracks fill up to eight
)

// containers says which codecs each container has (API: the texts of
// VideoParameters and AudioParameters). mp2 is known from the API's pattern
// only; it holds what its name says.
var containers = map[string]struct{ video, audio []string }{
	"flac": {nil, []string{"flac"}},
	"flv":  {[]string{H264}, []string{"AAC", "mp3"}},
	"fmp4": {[]string{H264}, []string{"AAC"}},
	"gif":  {[]string{"gif"}, nil},
	"mp2":  {nil, []string{"mp2"}},
	"mp3":  {nil, []string{"mp3"}},
	"mp4":  {[]string{H264}, []string{"AAC", "mp3"}},
	"mpg":  {[]string{"mpeg2"}, []string{"mp2"}},
	"mxf":  {[]string{"mpeg2"}, []string{"pcm"}},
	"oga":  {nil, []string{"flac", "vorbis"}},
	"ogg":  {nil, []string{"flac", "vorbis"}},
	"ts":   {[]string{H264}, []string{"AAC", "mp3"}},
	"wav":  {nil, []string{"pcm"}},
	"webm": {[]string{"vp8", "vp9"}, []string{"vorbis"}},
}

// checkContainer holds the rules between the container and what is in it.
func checkContainer(problems *document.Problems, p *Preset) {
	c, known := containers[p.Container]
	if !known {
		return // reported already
	}
	if v := p.Video; v != nil {
		checkCodec(problems, "video", v.Codec, c.video, p.Container)
		if p.Container == "fmp4" && !v.Fixed() {
			problems.Add("video.fixedGOP", v.FixedGOP, "Member must be true for the container fmp4")
		}
	}
	a := p.Audio
	if !p.HasAudio() {
		return
	}
	checkCodec(problems, "audio", a.Codec, c.audio, p.Container)
	if p.Container == "mxf" && a.SampleRate != "48000" {
		problems.Add("audio.sampleRate", a.SampleRate, "Member must be 48000 for the container mxf")
	}
	if p.Container != "mxf" && a.AudioPackingMode != "" && a.AudioPackingMode != SingleTrack {
		problems.Add("audio.audioPackingMode", a.AudioPackingMode, "Member must be SingleTrack for all containers but mxf")
	}
}

func checkCodec(problems *document.Problems, path, codec string, allowed []string, container string) {
	switch {
	case len(allowed) == 0:
		problems.Addf(path, "'%s' must be left out: the container %s has none.", path, container)
	case codec != "" && !slices.Contains(allowed, codec):
		problems.Add(path+".codec", codec, fmt.Sprintf("Member must be %s for the container %s", strings.Join(allowed, " or "), container))
	}
}

// options are the members of CodecOptions, each with its rule for every codec
// that has it.
type options map[string]map[string]document.Rule

// videoOptions are those of Video.
var videoOptions = options{
	"Profile": {H264: document.OneOf("baseline", "main", "high"), "vp8": document.OneOf("0", "1", "2", "3"), "vp9": document.OneOf("0", "1", "2", "3")},
	"Level": {H264: document.OneOf("1", "1b", "1.1", "1.2", "1.3", "2", "2.1", "2.2",
		"3", "3.1", "3.2", "4", "4.1")},
	"MaxReferenceFrames":       {H264: between(0, 16)},
	"MaxBitRate":               {H264: maxBitRate, "mpeg2": maxBitRate, "vp8": maxBitRate, "vp9": maxBitRate},
	"BufferSize":               {H264: bufferSize, "mpeg2": bufferSize, "vp8": bufferSize, "vp9": bufferSize},
	"InterlacedMode":           {H264: interlacedMode, "mpeg2": interlacedMode},
	"ColorSpaceConversionMode": {H264: colorSpaceMode, "mpeg2": colorSpaceMode},
	"ChromaSubsampling":        {H264: document.OneOf("yuv420p"), "mpeg2": document.OneOf("yuv420p", "yuv422p")},
	"LoopCount":                {"gif": loopCount},
}

var (
	maxBitRate     = between(16, 62500)
	bufferSize     = between(1, 2147483) // what encoders count in 31 bits
	interlacedMode = document.OneOf("Progressive", "TopFirst", "BottomFirst", "Auto")
	colorSpaceMode = document.OneOf("None", "Bt709ToBt601", "Bt601ToBt709", "Auto", "Bt709toBt601", "Bt601toBt709")
)

// settle gives the colour conversions, which the API's texts write with a small
// t in places, one spelling.
func settle(options map[string]string) {
	if mode, ok := options["ColorSpaceConversionMode"]; ok {
		options["ColorSpaceConversionMode"] = strings.Replace(mode, "toBt", "ToBt", 1)
	}
}

// audioOptions are those of Audio.
var audioOptions = options{
	"Profile":  {"AAC": document.OneOf("auto", "AAC-LC", "HE-AAC", "HE-AACv2")},
	"BitDepth": {"flac": document.OneOf("16", "24"), "pcm": document.OneOf("8", "16", "24", "32")},
	"BitOrder": {"pcm": document.OneOf("LittleEndian")},
	"Signed":   {"pcm": document.OneOf("Unsigned", "Signed")},
}

// readOptions reads what is set of the options of a codec; one that is "" is
// not set. Without a codec, which is reported already, any codec's will do.
func readOptions(o *document.Object, known options, codec string) map[string]string {
	read := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		rule, has := known[name][codec]
		switch {
		case codec == "":
			rule = document.Length(1, 255)
		case !has:
			rule = func(string) string {
				return fmt.Sprintf("Member is for the codec %s and not for %s: leave it out", strings.Join(slices.Sorted(maps.Keys(known[name])), ", "), codec)
			}
		}
		if value := o.String(name, document.BlankOr(rule)); value != "" {
			read[name] = value
		}
	}
	return read
}

func loopCount(value string) string {
	if value != "Infinite" && between(0, 100)(value) != "" {
		return "Member must be Infinite or a whole number from 0 to 100"
	}
	return ""
}

// fastestSound is the highest sample rate in Hz that a codec has, for those
// that don't have all of the API's (MPEG-1 and -2 layers II and III: ISO/IEC
// 13818-3; AAC: 14496-3).
var fastestSound = map[string]int{"mp2": 48000, "mp3": 48000, "AAC": 96000}

func sampleRateOf(codec string) document.Rule {
	return func(value string) string {
		if most, bounded := fastestSound[codec]; bounded && number(value) > most {
			return fmt.Sprintf("Member must be at most %d for the codec %s", most, codec)
		}
		return ""
	}
}
