// Package preset holds transcoding presets in Elastic Transcoder's shape: the
// system presets as data, the reader of custom ones, and the rules that derive
// an encode from a preset and a source (frame rate, size, groups of pictures).
//
// A preset returned by Parse or System keeps every rule of the API. What it asks
// for and this version can't do is told by Unsupported, and refused by Check, so
// that nothing is encoded other than asked for. What goes beyond the
// recommendations for H.264 and AAC is valid and told by Warning.
package preset

import (
	"strconv"
)

// Preset is how to encode an output (API: Preset). Scalars are strings, as on
// the wire.
type Preset struct {
	ID          string      `json:"Id"`
	Arn         string      `json:"Arn,omitempty"`
	Name        string      `json:"Name"`
	Description string      `json:"Description,omitempty"`
	Container   string      `json:"Container"`
	Audio       *Audio      `json:"Audio,omitempty"`
	Video       *Video      `json:"Video,omitempty"`
	Thumbnails  *Thumbnails `json:"Thumbnails,omitempty"`
	Type        string      `json:"Type"`
}

// Audio is how to encode the sound (API: AudioParameters). SampleRate is in
// Hz, BitRate in kbit/s; flac and pcm have no use for a BitRate.
type Audio struct {
	Codec            string        `json:"Codec"`
	SampleRate       string        `json:"SampleRate,omitempty"`
	BitRate          string        `json:"BitRate,omitempty"`
	Channels         string        `json:"Channels,omitempty"`
	AudioPackingMode string        `json:"AudioPackingMode,omitempty"`
	CodecOptions     *AudioOptions `json:"CodecOptions,omitempty"`
}

// AudioOptions belong to a codec (API: AudioCodecOptions): Profile to AAC,
// BitDepth in bits a sample to flac and pcm, BitOrder and Signed to pcm.
type AudioOptions struct {
	Profile  string `json:"Profile,omitempty"`
	BitDepth string `json:"BitDepth,omitempty"`
	BitOrder string `json:"BitOrder,omitempty"`
	Signed   string `json:"Signed,omitempty"`
}

// Video is how to encode the picture (API: VideoParameters). BitRate is in
// kbit/s, KeyframesMaxDist in frames. Which CodecOptions there are depends on
// the codec; their BufferSize is in kbit.
type Video struct {
	Codec              string            `json:"Codec"`
	CodecOptions       map[string]string `json:"CodecOptions,omitzero"`
	KeyframesMaxDist   string            `json:"KeyframesMaxDist,omitempty"`
	FixedGOP           string            `json:"FixedGOP,omitempty"`
	BitRate            string            `json:"BitRate,omitempty"`
	FrameRate          string            `json:"FrameRate,omitempty"`
	MaxFrameRate       string            `json:"MaxFrameRate,omitempty"`
	Resolution         string            `json:"Resolution,omitempty"`
	AspectRatio        string            `json:"AspectRatio,omitempty"`
	MaxWidth           string            `json:"MaxWidth,omitempty"`
	MaxHeight          string            `json:"MaxHeight,omitempty"`
	DisplayAspectRatio string            `json:"DisplayAspectRatio,omitempty"`
	SizingPolicy       string            `json:"SizingPolicy,omitempty"`
	PaddingPolicy      string            `json:"PaddingPolicy,omitempty"`
	Watermarks         []Watermark       `json:"Watermarks,omitempty"`
	Sealreel           *Additions        `json:"Sealreel,omitempty"`
}

// Additions are members of Video that Elastic Transcoder did not have.
type Additions struct {
	// RateFactor asks for constant quality in place of a bit rate, of H.264 and vp9: from
	// "0", lossless, to "51".
	RateFactor string `json:"RateFactor,omitempty"`
}

// Thumbnails is how to make still pictures, which an output gets only when it
// has a ThumbnailPattern (API: Thumbnails). Interval is in seconds.
type Thumbnails struct {
	Format        string `json:"Format,omitempty"`
	Interval      string `json:"Interval,omitempty"`
	Resolution    string `json:"Resolution,omitempty"`
	AspectRatio   string `json:"AspectRatio,omitempty"`
	MaxWidth      string `json:"MaxWidth,omitempty"`
	MaxHeight     string `json:"MaxHeight,omitempty"`
	SizingPolicy  string `json:"SizingPolicy,omitempty"`
	PaddingPolicy string `json:"PaddingPolicy,omitempty"`
}

// Seconds is the time from one thumbnail to the next.
func (t *Thumbnails) Seconds() int { return number(t.Interval) }

// HasVideo says whether outputs of the preset have a picture.
func (p *Preset) HasVideo() bool { return p.Video != nil }

// HasAudio says whether outputs of the preset have sound: an Audio with
// Channels "0" asks for none.
func (p *Preset) HasAudio() bool { return p.Audio != nil && p.Audio.Channels != "0" }

// Kbps is the audio's bit rate in kbit/s.
func (a *Audio) Kbps() int { return number(a.BitRate) }

// Hz is the audio's sample rate, 0 for the source's.
func (a *Audio) Hz() int { return number(a.SampleRate) }

// defaultBits is the depth of samples of presets that name none.
const defaultBits = 16

// Bits is the depth of the samples of flac and pcm.
func (a *Audio) Bits() int {
	if a.CodecOptions != nil && a.CodecOptions.BitDepth != "" {
		return number(a.CodecOptions.BitDepth)
	}
	return defaultBits
}

// ChannelCount is the number of channels, 0 for the source's.
func (a *Audio) ChannelCount() int { return number(a.Channels) }

// defaultKeyframes is what all system presets with a free size have.
const defaultKeyframes = 90

// KeyframeDistance is the most frames from one keyframe to the next.
func (v *Video) KeyframeDistance() int {
	if n := number(v.KeyframesMaxDist); n > 0 {
		return n
	}
	return defaultKeyframes
}

// Fixed says whether keyframes come at KeyframeDistance exactly, and not
// earlier at cuts.
func (v *Video) Fixed() bool { return v.FixedGOP == "true" }

// Kbps is the average bit rate in kbit/s, 0 when the preset leaves it to the
// encoder ("auto") or asks for constant quality.
func (v *Video) Kbps() int { return number(v.BitRate) }

// RateFactor is the constant quality asked for in place of a bit rate.
func (v *Video) RateFactor() (factor string, ok bool) {
	if v.Sealreel == nil || v.Sealreel.RateFactor == "" {
		return "", false
	}
	return v.Sealreel.RateFactor, true
}

// Lossless says whether the preset asks for a rate factor of 0.
func (v *Video) Lossless() bool {
	factor, ok := v.RateFactor()
	f, err := strconv.ParseFloat(factor, 64)
	return ok && err == nil && f == 0
}

// Profile is the codec's: baseline, main or high for H.264, 0 to 3 for vp8 and
// vp9, or "" for the encoder's choice.
func (v *Video) Profile() string { return v.CodecOptions["Profile"] }

// Level is the H.264 level, such as "3.1", or "" for the encoder's choice.
func (v *Video) Level() string { return v.CodecOptions["Level"] }

// ColorSpaceConversion is the ColorSpaceConversionMode: None, Bt709ToBt601,
// Bt601ToBt709 or Auto.
func (v *Video) ColorSpaceConversion() string {
	if mode := v.CodecOptions["ColorSpaceConversionMode"]; mode != "" {
		return mode
	}
	return "None"
}

// References is the number of reference frames, and false for the encoder's
// choice.
func (v *Video) References() (n int, ok bool) {
	text, ok := v.CodecOptions["MaxReferenceFrames"]
	return number(text), ok
}

// MaxKbps is the highest bit rate in kbit/s within a buffer of BufferKbit, 0
// without a bound.
func (v *Video) MaxKbps() int { return number(v.CodecOptions["MaxBitRate"]) }

// BufferKbit is the size of the rate control's buffer in kbit: BufferSize, or
// ten times MaxBitRate; 0 when neither is set (API: CodecOptions).
func (v *Video) BufferKbit() int {
	if n := number(v.CodecOptions["BufferSize"]); n > 0 {
		return n
	}
	return 10 * v.MaxKbps()
}

// number reads a count that Parse has checked; 0 for "auto" and "".
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
