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
	if p.Container != "mp4" && p.Container != "ts" {
		problems.NotYet("container", p.Container, "the container "+p.Container)
	}
	if v := p.Video; v != nil {
		if v.Codec != H264 {
			problems.NotYet("video.codec", v.Codec, "video in the codec "+v.Codec)
		}
		if mode := v.CodecOptions["InterlacedMode"]; mode != "" && mode != "Progressive" {
			problems.NotYet("video.codecOptions.interlacedMode", mode, "the InterlacedMode "+mode)
		}
		if mode := v.ColorSpaceConversion(); mode != "None" {
			problems.NotYet("video.codecOptions.colorSpaceConversionMode", mode, "the ColorSpaceConversionMode "+mode)
		}
	}
	if p.HasAudio() {
		unsupportedAudio(problems, p.Audio)
	}
	return problems.Err()
}

func unsupportedAudio(problems *document.Problems, a *Audio) {
	if a.Codec != "AAC" {
		problems.NotYet("audio.codec", a.Codec, "audio in the codec "+a.Codec)
	}
	if a.AudioPackingMode != "" && a.AudioPackingMode != SingleTrack {
		problems.NotYet("audio.audioPackingMode", a.AudioPackingMode, "the AudioPackingMode "+a.AudioPackingMode)
	}
	if a.CodecOptions == nil {
		return
	}
	switch profile := a.CodecOptions.Profile; profile {
	case "HE-AAC", "HE-AACv2":
		problems.NotYet("audio.codecOptions.profile", profile, "the AAC profile "+profile)
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
	if o.AlbumArt != nil && p.Container != "mp4" {
		problems.NotYet(path+".albumArt", p.Container, "album art in the container "+p.Container)
	}
	if _, segmented := o.SegmentSeconds(); !segmented && p.Container == "ts" {
		problems.Addf(path+".segmentDuration", "Output '%s' must have a SegmentDuration: this version of Sealreel can't write a single ts file yet, "+
			"which preset %s without a SegmentDuration asks for.", o.Key, p.ID)
	}
}
