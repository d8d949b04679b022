package plan

import (
	"testing"

	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// TestConversions: Auto converts interlaced files between the sizes of standard
// and of high definition, and nothing else.
func TestConversions(t *testing.T) {
	hd, pal, ntsc, odd := [2]int{1920, 1080}, [2]int{720, 576}, [2]int{720, 480}, [2]int{640, 360}
	for _, c := range []struct {
		name, mode, interlaced string
		from, to               [2]int
		rate                   rational.Rational
		segment                string
		want                   string
	}{
		{"nothing asked", "", "TopFirst", hd, pal, rational.Int(25), "", "None"},
		{"none", "None", "TopFirst", hd, pal, rational.Int(25), "", "None"},
		{"fixed", "Bt709ToBt601", "", odd, odd, rational.Int(15), "10", "Bt709ToBt601"},
		{"the other way", "Bt601ToBt709", "", odd, odd, rational.Int(15), "", "Bt601ToBt709"},
		{"down to PAL", "Auto", "TopFirst", hd, pal, rational.Int(25), "", "Bt709ToBt601"},
		{"down to NTSC", "Auto", "Auto", hd, ntsc, rational.New(30000, 1001), "", "Bt709ToBt601"},
		{"up from PAL", "Auto", "BottomFirst", pal, hd, rational.Int(50), "", "Bt601ToBt709"},
		{"up from NTSC", "Auto", "TopFirst", ntsc, hd, rational.New(24000, 1001), "", "Bt601ToBt709"},
		{"of whole frames", "Auto", "Progressive", hd, pal, rational.Int(25), "", "None"},
		{"of another rate", "Auto", "TopFirst", hd, pal, rational.Int(30), "", "None"},
		{"of segments", "Auto", "TopFirst", hd, pal, rational.Int(25), "10", "None"},
		{"of another size", "Auto", "TopFirst", odd, hd, rational.Int(25), "", "None"},
		{"of the same size", "Auto", "TopFirst", hd, hd, rational.Int(25), "", "None"},
	} {
		v := &preset.Video{CodecOptions: map[string]string{"ColorSpaceConversionMode": c.mode, "InterlacedMode": c.interlaced}}
		src := &SourcePicture{Width: c.from[0], Height: c.from[1]}
		p := &Picture{Geometry: preset.Geometry{PadW: c.to[0], PadH: c.to[1]}, Fields: fieldsOf(v, src)}
		if got := conversionOf(v, p, src, c.rate, c.segment != ""); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestFieldOrders(t *testing.T) {
	for _, c := range []struct{ mode, source, want string }{
		{"", TopFirst, ""}, {"Progressive", BottomFirst, ""}, {"TopFirst", BottomFirst, TopFirst}, {"BottomFirst", "", BottomFirst},
		{"Auto", "", TopFirst}, {"Auto", TopFirst, TopFirst}, {"Auto", BottomFirst, BottomFirst},
	} {
		v := &preset.Video{CodecOptions: map[string]string{"InterlacedMode": c.mode}}
		if got := fieldsOf(v, &SourcePicture{Fields: c.source}); got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.mode, c.source, got, c.want)
		}
	}
}

// TestFieldsNeedWholeLines: pictures of two fields have a multiple of four lines,
// and all of their content within.
func TestFieldsNeedWholeLines(t *testing.T) {
	for h := 2; h < 1100; h += 2 {
		for _, bars := range []int{0, 2, 20} {
			g := inFields(preset.Geometry{ScaleW: 64, ScaleH: h, CropW: 64, CropH: h, PadW: 64, PadH: h + 2*bars, PadY: bars})
			if g.PadH%4 != 0 || g.PadH < 4 || g.PadY%2 != 0 || g.CropH%2 != 0 || g.PadY+g.CropH > g.PadH || g.CropH > h || h-g.CropH > 2 && h > 4 {
				t.Fatalf("%d lines with bars of %d: %+v", h, bars, g)
			}
		}
	}
}

// TestGroupsOfFields: outputs of fields and of frames don't share a decode, and
// reads of fields have two places a frame.
func TestGroupsOfFields(t *testing.T) {
	fields := wish(t, "1", "200010", "2")
	interlaced := *fields.Preset
	video := *interlaced.Video
	video.CodecOptions = map[string]string{"Profile": "main", "Level": "3.1", "InterlacedMode": "TopFirst"}
	interlaced.Video = &video
	fields.Preset = &interlaced
	src := reel(rational.Int(25), 250, 10*second)
	src.Picture.Fields, src.Picture.Deinterlace = TopFirst, Flagged
	p := stitch(t, []Scene{{Source: src, Span: Span{4 * second, 4 * second}}}, fields, wish(t, "2", "200030", "2"))
	if len(p.Groups) != 2 || !p.Groups[0].Fields || p.Groups[1].Fields {
		t.Fatalf("groups %+v", p.Groups)
	}
	for i, per := range []int64{2, 1} {
		g := p.Groups[i]
		for n, c := range g.Chunks {
			r := c.Reads[0]
			if r.From != (100+c.Lead)*per || r.To != (100+c.End)*per {
				t.Errorf("group %d, chunk %d: %+v of %+v", i, n, r, c)
			}
			// The frame before is decoded, too: its fields help to fill in lines.
			if before := p.Programmes[0][0].Video.TimeBase.Inv().Round(r.From/per-1) / 25; r.Seek > before {
				t.Errorf("group %d, chunk %d looks for its frames at %d, after %d", i, n, r.Seek, before)
			}
		}
	}
}
