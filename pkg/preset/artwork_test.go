package preset

import (
	"testing"

	"sealreel/pkg/job"
)

func TestArtworkSizeFor(t *testing.T) {
	for _, c := range []struct {
		policy, padding, maxW, maxH string
		w, h                        int
		want                        [6]int // scaled, cropped, padded
	}{
		// The developer guide's example: 200x200 into 300x400.
		{"Fit", "Pad", "300", "400", 200, 200, [6]int{300, 300, 300, 300, 300, 400}},
		{"Fit", "NoPad", "300", "400", 200, 200, [6]int{300, 300, 300, 300, 300, 300}},
		{"Fill", "Pad", "300", "400", 200, 200, [6]int{400, 400, 300, 400, 300, 400}},
		{"Stretch", "NoPad", "300", "400", 200, 200, [6]int{300, 400, 300, 400, 300, 400}},
		{"Keep", "NoPad", "300", "400", 200, 200, [6]int{200, 200, 200, 200, 200, 200}},
		{"Keep", "Pad", "300", "400", 200, 200, [6]int{200, 200, 200, 200, 300, 400}},
		{"Keep", "NoPad", "300", "400", 1000, 900, [6]int{1000, 900, 300, 400, 300, 400}},
		{"ShrinkToFit", "Pad", "300", "400", 200, 200, [6]int{200, 200, 200, 200, 300, 400}},
		{"ShrinkToFit", "NoPad", "300", "400", 1000, 1000, [6]int{300, 300, 300, 300, 300, 300}},
		{"ShrinkToFill", "NoPad", "300", "400", 1000, 1000, [6]int{400, 400, 300, 400, 300, 400}},
		{"ShrinkToFill", "Pad", "300", "400", 31, 17, [6]int{31, 17, 31, 17, 300, 400}},
		{"", "", "", "", 31, 17, [6]int{31, 17, 31, 17, 31, 17}},
		{"", "", "auto", "auto", 1200, 601, [6]int{600, 301, 600, 301, 600, 301}},
		{"Fill", "", "4096", "3072", 1, 3072, [6]int{4096, 16384, 4096, 3072, 4096, 3072}},
	} {
		g := ArtworkSizeFor(job.Artwork{MaxWidth: c.maxW, MaxHeight: c.maxH, SizingPolicy: c.policy, PaddingPolicy: c.padding}, c.w, c.h)
		if got := [6]int{g.ScaleW, g.ScaleH, g.CropW, g.CropH, g.PadW, g.PadH}; got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
		if g.CropX+g.CropW > g.ScaleW || g.CropY+g.CropH > g.ScaleH || g.PadX+g.CropW > g.PadW || g.PadY+g.CropH > g.PadH {
			t.Errorf("%+v: parts lie outside: %+v", c, g)
		}
	}
}
