package preset

import (
	"strconv"
	"strings"

	"sealreel/pkg/rational"
)

// Geometry is how a decoded picture becomes the output's, in this order:
// rotate, scale, crop, pad. Sizes are pixels; those of the output are even.
type Geometry struct {
	Rotate                     int // degrees clockwise: 0, 90, 180 or 270
	ScaleW, ScaleH             int // the whole rotated picture is scaled to this
	CropX, CropY, CropW, CropH int // the part of it that is kept
	PadX, PadY, PadW, PadH     int // the frame, and where in it the part lies
	SAR                        rational.Rational
}

// Width is the output's, in pixels.
func (g Geometry) Width() int { return g.PadW }

// Height is the output's, in pixels.
func (g Geometry) Height() int { return g.PadH }

const (
	autoWidth  = 1920 // MaxWidth auto
	autoHeight = 1080 // MaxHeight auto
	// maxScaled bounds the intermediate picture of Fill for a source that is a
	// thin line; such a picture is distorted rather than blown up.
	maxScaled = 16384
)

// SizeFor is the geometry of the output for a source of srcW x srcH pixels of
// the sample aspect ratio srcSAR (zero for unknown, taken as 1:1), turned
// clockwise by rotate degrees.
//
// Sizes count square pixels: an anamorphic source is widened or heightened
// first. Fit, Fill, Stretch, Keep, ShrinkToFit and ShrinkToFill are the
// developer guide's policies (page "aspect ratios"); without one it is
// ShrinkToFit, as in the system presets. A Resolution, the older way, is filled
// by Fit and Pad. DisplayAspectRatio changes no pixel, it only sets SAR.
func SizeFor(v *Video, srcW, srcH int, srcSAR rational.Rational, rotate int) Geometry {
	return v.box().geometry(srcW, srcH, srcSAR, rotate)
}

// ThumbnailSizeFor is the geometry of the thumbnails of a source, as SizeFor is
// that of its video: they are made of what the source shows, whatever size the
// video has.
func ThumbnailSizeFor(t *Thumbnails, srcW, srcH int, srcSAR rational.Rational, rotate int) Geometry {
	sized := Video{Resolution: t.Resolution, AspectRatio: t.AspectRatio, MaxWidth: t.MaxWidth, MaxHeight: t.MaxHeight,
		SizingPolicy: t.SizingPolicy, PaddingPolicy: t.PaddingPolicy}
	return sized.box().geometry(srcW, srcH, srcSAR, rotate)
}

// geometry is that of a source that is put into the box.
func (b box) geometry(srcW, srcH int, srcSAR rational.Rational, rotate int) Geometry {
	if rotate%180 != 0 {
		srcW, srcH = srcH, srcW
		if srcSAR.Sign() > 0 {
			srcSAR = srcSAR.Inv()
		}
	}
	src := squared(srcW, srcH, srcSAR)
	factor, stretch := b.factor(src)
	g := Geometry{Rotate: rotate}
	switch {
	case stretch:
		g.ScaleW, g.ScaleH = b.w, b.h
	case factor == rational.Int(1) && src.unscaled:
		g.ScaleW, g.ScaleH = max(srcW, 2), max(srcH, 2)
	default:
		g.ScaleW, g.ScaleH = even(src.w.Mul(factor)), even(src.h.Mul(factor))
	}
	g.CropW, g.CropH = cropped(g.ScaleW, b.w), cropped(g.ScaleH, b.h)
	g.CropX, g.CropY = centred(g.ScaleW, g.CropW), centred(g.ScaleH, g.CropH)
	g.PadW, g.PadH = g.CropW, g.CropH
	if b.pad {
		g.PadW, g.PadH = b.w, b.h
	}
	g.PadX, g.PadY = centred(g.PadW, g.CropW), centred(g.PadH, g.CropH)
	g.SAR = rational.Int(1)
	if b.display != "" && b.display != "auto" {
		dar, err := rational.Parse(b.display)
		if err != nil {
			panic("preset: aspect ratio " + b.display + " was not checked by Parse")
		}
		g.SAR = dar.Mul(rational.New(int64(g.PadH), int64(g.PadW)))
	}
	return g
}

// picture is a source's size in square pixels.
type picture struct {
	w, h     rational.Rational
	unscaled bool // its pixels are square already
}

// squared widens or heightens a picture of oblong pixels, so that no line of
// it is lost. Aspects beyond any real camera's are mistakes and ignored.
func squared(w, h int, sar rational.Rational) picture {
	p := picture{w: rational.Int(int64(max(w, 1))), h: rational.Int(int64(max(h, 1)))}
	const oddest = 16
	if sar.Sign() <= 0 || sar.Equal(rational.Int(1)) || sar.Less(rational.New(1, oddest)) || rational.Int(oddest).Less(sar) {
		p.unscaled = true
		return p
	}
	if rational.Int(1).Less(sar) {
		p.w = p.w.Mul(sar)
	} else {
		p.h = p.h.Div(sar)
	}
	return p
}

// box is what the preset wants the picture to be put into.
type box struct {
	w, h    int
	policy  string
	pad     bool
	display string
}

func (v *Video) box() box {
	if v.older() && v.Resolution == "" {
		return resolutionBox("auto", v.AspectRatio)
	}
	if v.Resolution != "" {
		return resolutionBox(v.Resolution, v.AspectRatio)
	}
	b := box{w: number(v.MaxWidth), h: number(v.MaxHeight), policy: v.SizingPolicy, pad: v.PaddingPolicy == "Pad", display: v.DisplayAspectRatio}
	if b.w == 0 {
		b.w = autoWidth
	}
	if b.h == 0 {
		b.h = autoHeight
	}
	if b.policy == "" {
		b.policy = "ShrinkToFit"
	}
	return b
}

// older says whether the size is said in the API's older members alone.
func (v *Video) older() bool {
	return v.MaxWidth == "" && v.MaxHeight == "" && v.SizingPolicy == "" && (v.Resolution != "" || v.AspectRatio != "")
}

// resolutionBox is that of the older members. A resolution of auto is the
// source's own, within the largest that a preset can ask for.
func resolutionBox(size, display string) box {
	if w, h, ok := splitResolution(size); ok {
		return box{w: w, h: h, policy: "Fit", pad: true, display: display}
	}
	return box{w: sizeLimits.mostWidth, h: sizeLimits.mostHeight, policy: "ShrinkToFit", display: display}
}

// factor is by how much a picture is scaled for the box; stretch says that
// width and height go their own ways.
func (b box) factor(src picture) (factor rational.Rational, stretch bool) {
	horizontal := rational.Int(int64(b.w)).Div(src.w)
	vertical := rational.Int(int64(b.h)).Div(src.h)
	one := rational.Int(1)
	switch b.policy {
	case "Fit":
		return horizontal.Min(vertical), false
	case "Fill":
		return horizontal.Max(vertical), false
	case "Stretch":
		return one, true
	case "Keep":
		return one, false
	case "ShrinkToFit":
		return one.Min(horizontal.Min(vertical)), false
	case "ShrinkToFill":
		return one.Min(horizontal.Max(vertical)), false
	}
	panic("preset: sizing policy " + b.policy + " was not checked by Parse")
}

// even rounds to the nearest even number of pixels, at least 2.
func even(x rational.Rational) int {
	return int(min(max(2*x.Div(rational.Int(2)).Round(1), 2), maxScaled))
}

// cropped is the even part of a length that fits the limit.
func cropped(length, limit int) int { return max(min(length, limit)&^1, 2) }

// centred is where a part begins in a whole, on an even pixel, as planes of
// half resolution need it.
func centred(whole, part int) int { return max(whole-part, 0) / 2 &^ 1 }

func splitResolution(s string) (w, h int, ok bool) {
	ws, hs, found := strings.Cut(s, "x")
	w, err1 := strconv.Atoi(ws)
	h, err2 := strconv.Atoi(hs)
	return w, h, found && err1 == nil && err2 == nil
}
