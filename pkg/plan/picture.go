package plan

import (
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// Picture is how the frames of an output are made. Bit rates are in bits a
// second, BufferSize is in bits, GOP in frames.
type Picture struct {
	Geometry   preset.Geometry `json:"geometry"`
	Profile    string          `json:"profile,omitempty"`
	Level      string          `json:"level,omitempty"`
	References int             `json:"references,omitempty"`
	BitRate    int64           `json:"bitRate,omitempty"`
	MaxBitRate int64           `json:"maxBitRate,omitempty"`
	BufferSize int64           `json:"bufferSize,omitempty"`
	RateFactor string          `json:"rateFactor,omitempty"` // in place of a bit rate
	GOP        int             `json:"gop"`
	FixedGOP   bool            `json:"fixedGop,omitempty"`
}

const kilobit = 1000

// pictureOf derives the picture from a preset.
func pictureOf(v *preset.Video, g preset.Geometry, gop preset.GOP) *Picture {
	references, _ := v.References()
	p := &Picture{
		Geometry:   g,
		Profile:    v.Profile(),
		Level:      v.Level(),
		References: references,
		BitRate:    int64(v.Kbps()) * kilobit,
		MaxBitRate: int64(v.MaxKbps()) * kilobit,
		BufferSize: int64(v.BufferKbit()) * kilobit,
		GOP:        gop.Frames,
		FixedGOP:   gop.Fixed,
	}
	p.RateFactor, _ = v.RateFactor()
	if v.Lossless() { // H.264 has lossless frames in one profile only
		p.Profile, p.Level = "", ""
	}
	return p
}

// leadFrames is how many frames are encoded and thrown away ahead of a chunk: a
// GOP, or what four seconds hold where a GOP is longer. By then the encoder
// spends bits as it would in the middle of a whole file.
func leadFrames(gop int, rate rational.Rational) int64 {
	const seconds = 4
	return min(int64(gop), rate.Ceil(seconds))
}
