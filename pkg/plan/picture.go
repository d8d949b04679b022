package plan

import (
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// Picture is how the frames of an output are made. Bit rates are in bits a
// second, BufferSize is in bits, GOP in frames.
type Picture struct {
	Geometry preset.Geometry `json:"geometry"`
	// Others are the geometries of takes that need another one, by their place in
	// the programme: their pictures are of another shape, and come out as large.
	Others     map[int]preset.Geometry `json:"others,omitempty"`
	OtherMarks map[int][]Mark          `json:"otherMarks,omitempty"` // of those takes, where their places differ
	Codec      string                  `json:"codec,omitempty"`      // as presets name it; see Coded
	Profile    string                  `json:"profile,omitempty"`
	Level      string                  `json:"level,omitempty"`
	References int                     `json:"references,omitempty"`
	BitRate    int64                   `json:"bitRate,omitempty"`
	MaxBitRate int64                   `json:"maxBitRate,omitempty"`
	BufferSize int64                   `json:"bufferSize,omitempty"`
	RateFactor string                  `json:"rateFactor,omitempty"` // in place of a bit rate
	Lossless   bool                    `json:"lossless,omitempty"`
	GOP        int                     `json:"gop"`
	FixedGOP   bool                    `json:"fixedGop,omitempty"`
	// PixelFormat is ffmpeg's name of what is encoded, "" for yuv420p.
	Fields      string `json:"fields,omitempty"`     // TopFirst or BottomFirst, "" for whole frames
	Conversion  string `json:"conversion,omitempty"` // of colours: see Converted
	PixelFormat string `json:"pixelFormat,omitempty"`
	LoopCount   string `json:"loopCount,omitempty"` // of GIF: Infinite, or how often it is repeated
	Marks       []Mark `json:"marks,omitempty"`
	Matrix      string `json:"matrix,omitempty"` // of the colours of what is drawn, as ffmpeg names it
}

// The codecs of pictures, as presets name them.
const (
	H264  = "H.264"
	MPEG2 = "mpeg2"
	VP8   = "vp8"
	VP9   = "vp9"
	GIF   = "gif"
)

// Coded is the picture's codec: plans that name none are of H.264.
func (p *Picture) Coded() string {
	if p.Codec == "" {
		return H264
	}
	return p.Codec
}

// Whole says whether the picture is encoded in one piece: the frames of a GIF
// are described by what differs from the one before, all through the file.
func (p *Picture) Whole() bool { return p.Coded() == GIF }

// Of is the geometry of a take.
func (p *Picture) Of(take int) preset.Geometry {
	if g, other := p.Others[take]; other {
		return g
	}
	return p.Geometry
}

// MarksOf are the marks of a take.
func (p *Picture) MarksOf(take int) []Mark {
	if m, other := p.OtherMarks[take]; other {
		return m
	}
	return p.Marks
}

// fit notes the geometry of a take.
func (p *Picture) fit(take int, g preset.Geometry) {
	if g == p.Geometry {
		return
	}
	if p.Others == nil {
		p.Others = map[int]preset.Geometry{}
	}
	p.Others[take] = g
}

// otherMarks notes the marks of a take.
func (p *Picture) otherMarks(take int, marks []Mark) {
	if p.OtherMarks == nil {
		p.OtherMarks = map[int][]Mark{}
	}
	p.OtherMarks[take] = marks
}

const kilobit = 1000

// pictureOf derives the picture from a preset.
func pictureOf(v *preset.Video, g preset.Geometry, gop preset.GOP) *Picture {
	references, _ := v.References()
	p := &Picture{
		Geometry:   g,
		Codec:      v.Codec,
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
	p.Lossless = v.Lossless()
	if p.Lossless && p.Codec == H264 { // it has lossless frames in one profile only
		p.Profile, p.Level = "", ""
	}
	p.PixelFormat, p.LoopCount = pixelFormat(v), v.CodecOptions["LoopCount"]
	return p
}

// vp9Formats are those that the profiles of VP9 are for: more colour, more depth
// or both. VP8 has 4:2:0 in all of its own.
var vp9Formats = map[string]string{"1": "yuv444p", "2": "yuv420p10le", "3": "yuv444p10le"}

// pixelFormat is what the preset's codec is to encode, "" for 4:2:0 of 8 bits.
func pixelFormat(v *preset.Video) string {
	switch {
	case v.Codec == VP9:
		return vp9Formats[v.Profile()]
	case v.Codec == MPEG2 && v.CodecOptions["ChromaSubsampling"] == "yuv422p":
		return "yuv422p"
	}
	return ""
}

// leadFrames is how many frames are encoded and thrown away ahead of a chunk: a
// GOP, or what four seconds hold where a GOP is longer. By then the encoder
// spends bits as it would in the middle of a whole file.
func leadFrames(gop int, rate rational.Rational) int64 {
	const seconds = 4
	return min(int64(gop), rate.Ceil(seconds))
}
