package price

import "slices"

// Output is an output as others price it.
type Output struct {
	ID      string  `json:"id"`
	Key     string  `json:"key"`
	Minutes float64 `json:"minutes"`
	Class   Class   `json:"class"`
	// What they would have charged for it; nil where they don't make it, or have no
	// published price for it.
	ElasticTranscoder *float64 `json:"elasticTranscoder"`
	MediaConvert      *float64 `json:"mediaConvert"`
}

// Class is what a minute of output is priced as.
type Class string

// The classes: sound alone; pictures of less than 720 lines, of up to 1080, and
// of more.
const (
	Audio Class = "audio"
	SD    Class = "SD"
	HD    Class = "HD"
	UHD   Class = "UHD"
)

// Made is what an output is. Width and Height are 0 where it has no picture; so
// is Rate, in frames a second. Codec is that of the picture, as presets name it.
type Made struct {
	ID, Key       string
	Seconds       float64
	Width, Height int
	Rate          float64
	Codec         string
}

// basicCodecs are the picture codecs of MediaConvert's basic tier.
var basicCodecs = []string{"H.264", "vp8", "vp9"}

// Price says what others would have charged for an output.
func (l List) Price(m Made) Output {
	o := Output{ID: m.ID, Key: m.Key, Minutes: m.Seconds / 60, Class: classOf(m)}
	if each, ok := map[Class]float64{Audio: l.ElasticTranscoder.Audio, SD: l.ElasticTranscoder.SD, HD: l.ElasticTranscoder.HD, UHD: l.ElasticTranscoder.HD}[o.Class]; ok {
		charge := o.Minutes * each
		o.ElasticTranscoder = &charge
	}
	if o.Class != Audio && !slices.Contains(basicCodecs, m.Codec) {
		return o
	}
	c := l.MediaConvert
	normalized := map[Class]float64{Audio: c.Audio, SD: c.SD, HD: c.HD, UHD: c.UHD}[o.Class]
	if m.Rate > 30 {
		normalized *= c.Above30
	}
	charge := max(m.Seconds, c.ShortestSeconds) / 60 * normalized * c.Minute
	o.MediaConvert = &charge
	return o
}

// classOf goes by the shorter side, so that an upright picture is priced as the
// same one lying.
func classOf(m Made) Class {
	switch lines := min(m.Width, m.Height); {
	case lines == 0:
		return Audio
	case lines < 720:
		return SD
	case lines <= 1080:
		return HD
	}
	return UHD
}
