package preset

import (
	"sealreel/pkg/job"
	"sealreel/pkg/rational"
)

// autoArtwork is a MaxWidth or MaxHeight of auto, in pixels (API: Artwork).
const autoArtwork = 600

// ArtworkSizeFor is how a picture of width x height pixels becomes an album's:
// scaled, cropped and padded as SizeFor does with video, but to any number of
// pixels. What the job leaves open is shrunk to fit, and not padded.
func ArtworkSizeFor(a job.Artwork, width, height int) Geometry {
	b := box{w: number(a.MaxWidth), h: number(a.MaxHeight), policy: a.SizingPolicy, pad: a.PaddingPolicy == "Pad"}
	if b.w == 0 {
		b.w = autoArtwork
	}
	if b.h == 0 {
		b.h = autoArtwork
	}
	if b.policy == "" {
		b.policy = "ShrinkToFit"
	}
	src := picture{w: rational.Int(int64(max(width, 1))), h: rational.Int(int64(max(height, 1)))}
	g := Geometry{ScaleW: b.w, ScaleH: b.h, SAR: rational.Int(1)}
	if factor, stretch := b.factor(src); !stretch {
		g.ScaleW, g.ScaleH = min(pixels(src.w.Mul(factor)), maxScaled), min(pixels(src.h.Mul(factor)), maxScaled)
	}
	g.CropW, g.CropH = min(g.ScaleW, b.w), min(g.ScaleH, b.h)
	g.CropX, g.CropY = (g.ScaleW-g.CropW)/2, (g.ScaleH-g.CropH)/2
	g.PadW, g.PadH = g.CropW, g.CropH
	if b.pad {
		g.PadW, g.PadH = b.w, b.h
	}
	g.PadX, g.PadY = (g.PadW-g.CropW)/2, (g.PadH-g.CropH)/2
	return g
}
