package plan

import (
	"slices"

	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// Field orders of interlaced pictures, as ffmpeg names them.
const (
	TopFirst    = "tff"
	BottomFirst = "bff"
)

// Deinterlacing of a source's pictures: of those that say that they are of two
// fields, or of all.
const (
	Flagged = "interlaced"
	All     = "all"
)

// fieldsOf is the field order of the pictures that a preset asks for, "" for
// whole frames. Auto means interlaced: as the source is, else the top field first.
func fieldsOf(v *preset.Video, src *SourcePicture) string {
	switch v.CodecOptions["InterlacedMode"] {
	case "TopFirst":
		return TopFirst
	case "BottomFirst":
		return BottomFirst
	case "Auto":
		if src.Fields == BottomFirst {
			return BottomFirst
		}
		return TopFirst
	}
	return ""
}

// inFields makes a geometry fit for two fields: each of an even number of lines,
// as planes of half resolution need it. Lines are taken away at the bottom.
func inFields(g preset.Geometry) preset.Geometry {
	g.PadH = max(g.PadH&^3, 4)
	g.PadY = min(g.PadY, max(g.PadH-2, 0))
	if over := g.PadY + g.CropH - g.PadH; over > 0 {
		g.CropH = max(g.CropH-over, 2)
	}
	return g
}

// Conversions of the colour matrix, as presets name them.
const (
	noConversion = "None"
	toBT601      = "Bt709ToBt601"
	toBT709      = "Bt601ToBt709"
)

// conversionOf is the conversion of colours that an output gets: what the preset
// says, or for Auto what the API's text says of interlaced pictures in the sizes
// of standard and of high definition. segmented is whether the output has a
// SegmentDuration.
func conversionOf(v *preset.Video, p *Picture, src *SourcePicture, rate rational.Rational, segmented bool) string {
	mode := v.ColorSpaceConversion()
	if mode != "Auto" {
		return mode
	}
	if p.Fields == "" || segmented || !slices.Contains(autoRates, rate) {
		return noConversion
	}
	from, to := size(src.Width, src.Height), size(p.Geometry.Width(), p.Geometry.Height())
	switch {
	case slices.Contains(standard, from) && to == high:
		return toBT709
	case from == high && slices.Contains(standard, to):
		return toBT601
	}
	return noConversion
}

// The rates and sizes for which there are automatic conversions.
var (
	autoRates = []rational.Rational{rational.New(24000, 1001), rational.Int(24), rational.Int(25), rational.New(30000, 1001), rational.Int(50), rational.Int(60)}
	standard  = []string{"720x480", "720x576"}
	high      = "1920x1080"
)

// Converted are the matrices of a picture's conversion as ffmpeg names them, and
// false where there is none.
func (p *Picture) Converted() (from, to string, ok bool) {
	switch p.Conversion {
	case toBT601:
		return "bt709", "bt601", true
	case toBT709:
		return "bt601", "bt709", true
	}
	return "", "", false
}
