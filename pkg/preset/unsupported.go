package preset

import (
	"errors"
	"fmt"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

// Unsupported says what a valid preset asks for and this version can't do: nil
// or a *document.ValidationError with every such member. Together with
// unsupportedUse it is the one place that knows; a feature that is added takes
// its line away here. What a request alone asks for is known to job.Unsupported.
func Unsupported(p *Preset) error {
	problems := &document.Problems{}
	if v := p.Video; v != nil {
		if mode := v.CodecOptions["InterlacedMode"]; mode != "" && mode != "Progressive" && v.Profile() == "baseline" {
			problems.Add("video.codecOptions.interlacedMode", mode, "H.264 has no interlaced pictures in its profile baseline: choose main or high, or Progressive")
		}
	}
	if p.HasAudio() {
		unsupportedAudio(problems, p.Container, p.Audio)
	}
	return problems.Err()
}

// fastestVorbis is the highest sample rate in Hz for which the encoder of Vorbis
// keeps to a bit rate.
const fastestVorbis = 48000

func unsupportedAudio(problems *document.Problems, container string, a *Audio) {
	if a.Codec == "vorbis" && a.Hz() > fastestVorbis {
		problems.Add("audio.sampleRate", a.SampleRate,
			fmt.Sprintf("the encoder of Vorbis keeps to no BitRate above %d Hz: choose %d, or auto, which goes no higher", fastestVorbis, fastestVorbis))
	}
	o := a.CodecOptions
	if o == nil {
		return
	}
	if o.Profile == "HE-AAC" || o.Profile == "HE-AACv2" {
		problems.Add("audio.codecOptions.profile", o.Profile,
			"Sealreel's encoder makes AAC-LC alone: choose AAC-LC, or auto, which makes it at every BitRate")
	}
	if container == "mxf" && a.Bits() != 16 && a.Bits() != 24 {
		problems.Add("audio.codecOptions.bitDepth", o.BitDepth, "samples are written into mxf with 16 or 24 bits: choose one of them")
	}
	if a.Codec == "pcm" && o.Signed == "Unsigned" && a.Bits() > 8 {
		problems.Add("audio.codecOptions.signed", o.Signed,
			fmt.Sprintf("samples of %d bits are always signed in the containers of pcm, and only those of 8 bits are not: choose Signed, or the BitDepth 8", a.Bits()))
	}
}

// unsupportedUse says at an output what it asks for by its preset.
func unsupportedUse(problems *document.Problems, path string, o job.Output, p *Preset) {
	var invalid *document.ValidationError
	if errors.As(Unsupported(p), &invalid) {
		for _, q := range invalid.Problems {
			problems.Add(path+".presetId", o.PresetID, fmt.Sprintf("%s, which '%s' of the preset asks for", q.Message, q.Path))
		}
	}
}
