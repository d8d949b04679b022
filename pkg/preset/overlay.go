package preset

import (
	"cmp"
	"strconv"
	"strings"

	"sealreel/pkg/rational"
)

// Overlay is where in the frame a picture is drawn, in pixels, and how much of
// what is behind it is covered: from 0 to 1. What lies outside the frame is cut
// off, so that X and Y may be negative.
type Overlay struct {
	X, Y, W, H int
	Opacity    float64
}

// Watermark is the place with the id.
func (v *Video) Watermark(id string) (Watermark, bool) {
	for _, w := range v.Watermarks {
		if w.ID == id {
			return w, true
		}
	}
	return Watermark{}, false
}

// span is one direction of the area that lengths count from: where it begins in
// the frame and how long it is, in pixels.
type span struct{ start, length int }

// Over is how a picture of width x height pixels is drawn into the frame of a
// geometry; false when nothing of it is to be seen, since its place is 0 % wide
// or high.
//
// The rules are those of the API (PresetWatermark): percentages and offsets
// count from the borders of the picture, or with the Target Frame from those of
// the frame, black bars included. What the preset leaves open is drawn as large
// as the picture fits, at the top left, and covers what is behind it. Sizes are
// rounded to whole pixels, at least one.
func (w Watermark) Over(g Geometry, width, height int) (Overlay, bool) {
	across, down := span{g.PadX, g.CropW}, span{g.PadY, g.CropH}
	if w.Target == "Frame" {
		across, down = span{0, g.PadW}, span{0, g.PadH}
	}
	maxW, maxH := across.part(cmp.Or(w.MaxWidth, "100%")), down.part(cmp.Or(w.MaxHeight, "100%"))
	if maxW.Sign() <= 0 || maxH.Sign() <= 0 {
		return Overlay{}, false
	}
	o := Overlay{Opacity: 1}
	o.W, o.H = w.size(rational.Int(int64(max(width, 1))), rational.Int(int64(max(height, 1))), maxW, maxH)
	o.X = across.place(w.HorizontalAlign, w.HorizontalOffset, o.W)
	o.Y = down.place(w.VerticalAlign, w.VerticalOffset, o.H)
	if percent, err := strconv.ParseFloat(w.Opacity, 64); err == nil {
		o.Opacity = percent / 100
	}
	return o, true
}

// size scales a picture for its place, as the sizing policy says.
func (w Watermark) size(width, height, maxW, maxH rational.Rational) (int, int) {
	if w.SizingPolicy == "Stretch" {
		return pixels(maxW), pixels(maxH)
	}
	factor := maxW.Div(width).Min(maxH.Div(height))
	if w.SizingPolicy != "Fit" {
		factor = factor.Min(rational.Int(1))
	}
	return pixels(width.Mul(factor)), pixels(height.Mul(factor))
}

func pixels(r rational.Rational) int { return int(max(r.Round(1), 1)) }

// part is how many pixels a length is, which Parse has checked: "16px" or a
// percentage of the span. Blank is none.
func (s span) part(length string) rational.Rational {
	if percent, ok := strings.CutSuffix(length, "%"); ok {
		r, _ := rational.Parse(percent)
		return r.Mul(rational.New(int64(s.length), 100))
	}
	return rational.Int(int64(number(strings.TrimSuffix(length, "px"))))
}

// place is where a picture of that size begins.
func (s span) place(align, offset string, size int) int {
	off := int(s.part(offset).Round(1))
	switch align {
	case "Right", "Bottom":
		return s.start + s.length - size - off
	case "Center":
		return s.start + (s.length-size)/2
	}
	return s.start + off
}
