package preset

import (
	"fmt"
	"strconv"
	"strings"

	"sealreel/pkg/document"
)

// Watermark is a place for a picture over the video (API: PresetWatermark).
// Lengths are pixels, "16px", or a part of the picture, "10%"; Opacity is a
// percentage.
type Watermark struct {
	ID               string `json:"Id"`
	MaxWidth         string `json:"MaxWidth,omitempty"`
	MaxHeight        string `json:"MaxHeight,omitempty"`
	SizingPolicy     string `json:"SizingPolicy,omitempty"`
	HorizontalAlign  string `json:"HorizontalAlign,omitempty"`
	HorizontalOffset string `json:"HorizontalOffset,omitempty"`
	VerticalAlign    string `json:"VerticalAlign,omitempty"`
	VerticalOffset   string `json:"VerticalOffset,omitempty"`
	Opacity          string `json:"Opacity,omitempty"`
	Target           string `json:"Target,omitempty"`
}

const (
	maxWatermarks  = 4
	leastWatermark = 16 // pixels
)

// readWatermarks reads the places in a picture that is no larger than the box.
func readWatermarks(video *document.Object, b box) []Watermark {
	var watermarks []Watermark
	first := map[string]string{}
	for _, o := range video.Objects("Watermarks", maxWatermarks) {
		w := Watermark{
			ID:               o.Required("Id", document.Length(1, 40)),
			MaxWidth:         o.String("MaxWidth", pixelsOrPercent, lengthWithin(leastWatermark, b.w)),
			MaxHeight:        o.String("MaxHeight", pixelsOrPercent, lengthWithin(leastWatermark, b.h)),
			SizingPolicy:     o.String("SizingPolicy", document.OneOf("Fit", "Stretch", "ShrinkToFit")),
			HorizontalAlign:  o.String("HorizontalAlign", document.OneOf("Left", "Right", "Center")),
			HorizontalOffset: o.String("HorizontalOffset", pixelsOrPercent, lengthWithin(0, b.w)),
			VerticalAlign:    o.String("VerticalAlign", document.OneOf("Top", "Bottom", "Center")),
			VerticalOffset:   o.String("VerticalOffset", pixelsOrPercent, lengthWithin(0, b.h)),
			Opacity:          o.String("Opacity", opacity, percentage),
			Target:           o.String("Target", document.OneOf("Content", "Frame")),
		}
		checkCentred(o, "Horizontal", w.HorizontalAlign, w.HorizontalOffset, "Left or Right")
		checkCentred(o, "Vertical", w.VerticalAlign, w.VerticalOffset, "Top or Bottom")
		if other, twice := first[w.ID]; twice && w.ID != "" {
			o.Problems().Add(o.Path("Id"), w.ID, fmt.Sprintf("Member must differ from the id of '%s'", other))
		}
		first[w.ID] = o.Path("")
		o.Close()
		watermarks = append(watermarks, w)
	}
	return watermarks
}

// lengthWithin bounds a length in pixels; a percentage is one of the picture.
func lengthWithin(least, most int) document.Rule {
	return func(value string) string {
		if percent, ok := strings.CutSuffix(value, "%"); ok {
			return percentage(percent)
		}
		if n := number(strings.TrimSuffix(value, "px")); n < least || n > most {
			return fmt.Sprintf("Member must be from %dpx to %dpx, the size of the video, or a percentage", least, most)
		}
		return ""
	}
}

func percentage(value string) string {
	if f, err := strconv.ParseFloat(value, 64); err != nil || f > 100 {
		return "Member must be from 0 to 100 percent"
	}
	return ""
}

// checkCentred: what is centred has no edge that an offset counts from.
func checkCentred(o *document.Object, direction, align, offset, edges string) {
	if align == "Center" && strings.ContainsAny(offset, "123456789") {
		name := direction + "Offset"
		o.Problems().Add(o.Path(name), offset, fmt.Sprintf("Member must be 0 unless %sAlign is %s", direction, edges))
	}
}
