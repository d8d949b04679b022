package preset

import (
	"fmt"
	"strings"
	"testing"

	"sealreel/pkg/rational"
)

// sized is a preset's video with a box, a policy and a padding.
func sized(w, h, policy, padding string) *Video {
	return &Video{MaxWidth: w, MaxHeight: h, SizingPolicy: policy, PaddingPolicy: padding}
}

// show writes a geometry as scale > crop > pad, leaving out what changes
// nothing.
func show(g Geometry) string {
	s := fmt.Sprintf("%dx%d", g.ScaleW, g.ScaleH)
	if g.CropW != g.ScaleW || g.CropH != g.ScaleH {
		s += fmt.Sprintf(" > %dx%d+%d+%d", g.CropW, g.CropH, g.CropX, g.CropY)
	}
	if g.PadW != g.CropW || g.PadH != g.CropH {
		s += fmt.Sprintf(" in %dx%d+%d+%d", g.PadW, g.PadH, g.PadX, g.PadY)
	}
	if g.SAR != rational.Int(1) {
		s += " sar " + g.SAR.String()
	}
	return s
}

func TestSizeFor(t *testing.T) {
	const auto, pad, no = "auto", "Pad", "NoPad"
	for _, c := range []struct {
		name   string
		video  *Video
		w, h   int
		sar    string
		rotate int
		want   string
	}{
		// The developer guide's example.
		{"fit, guide", sized("300", "400", "Fit", pad), 200, 200, "1", 0, "300x300 in 300x400+0+50"},
		{"fit up", sized("1280", "720", "Fit", no), 640, 360, "1", 0, "1280x720"},
		{"fit down", sized("1280", "720", "Fit", no), 1920, 1080, "1", 0, "1280x720"},
		{"fit wide", sized("1280", "720", "Fit", no), 1920, 800, "1", 0, "1280x534"},
		{"fit wide padded", sized("1280", "720", "Fit", pad), 1920, 800, "1", 0, "1280x534 in 1280x720+0+92"},
		{"fill up", sized("300", "400", "Fill", no), 200, 200, "1", 0, "400x400 > 300x400+50+0"},
		{"fill down", sized("640", "480", "Fill", pad), 1920, 1080, "1", 0, "854x480 > 640x480+106+0"},
		{"stretch up", sized("300", "400", "Stretch", no), 200, 200, "1", 0, "300x400"},
		{"stretch down", sized("640", "480", "Stretch", pad), 1920, 1080, "1", 0, "640x480"},
		{"keep small", sized("640", "480", "Keep", no), 320, 240, "1", 0, "320x240"},
		{"keep small padded", sized("640", "480", "Keep", pad), 320, 240, "1", 0, "320x240 in 640x480+160+120"},
		{"keep large", sized("640", "480", "Keep", no), 1920, 1080, "1", 0, "1920x1080 > 640x480+640+300"},
		{"keep one larger", sized("640", "480", "Keep", pad), 1920, 240, "1", 0, "1920x240 > 640x240+640+0 in 640x480+0+120"},
		{"shrink to fit small", sized("640", "480", "ShrinkToFit", no), 320, 240, "1", 0, "320x240"},
		{"shrink to fit small padded", sized("640", "480", "ShrinkToFit", pad), 320, 240, "1", 0, "320x240 in 640x480+160+120"},
		{"shrink to fit large", sized("640", "480", "ShrinkToFit", no), 1920, 1080, "1", 0, "640x360"},
		{"shrink to fill small", sized("640", "480", "ShrinkToFill", no), 320, 240, "1", 0, "320x240"},
		{"shrink to fill small padded", sized("640", "480", "ShrinkToFill", pad), 320, 240, "1", 0, "320x240 in 640x480+160+120"},
		{"shrink to fill large", sized("640", "480", "ShrinkToFill", pad), 1920, 1080, "1", 0, "854x480 > 640x480+106+0"},
		{"shrink to fill one larger", sized("640", "480", "ShrinkToFill", no), 1920, 240, "1", 0, "1920x240 > 640x240+640+0"},
		{"HLS 2M of 1080p", sized("1024", "768", "ShrinkToFit", no), 1920, 1080, "1", 0, "1024x576"},
		{"HLS 1M of 1080p", sized("640", "432", "ShrinkToFit", no), 1920, 1080, "1", 0, "640x360"},
		{"HLS 400k of 1080p", sized("400", "288", "ShrinkToFit", no), 1920, 1080, "1", 0, "400x226"},
		{"auto is 1920x1080", sized(auto, auto, "ShrinkToFit", no), 3840, 2160, "1", 0, "1920x1080"},
		{"no members at all", &Video{}, 3840, 1600, "1", 0, "1920x800"},
		{"auto width", sized(auto, "480", "ShrinkToFit", no), 3840, 2160, "1", 0, "854x480"},
		{"odd source kept", sized(auto, auto, "ShrinkToFit", no), 853, 481, "1", 0, "853x481 > 852x480+0+0"},
		{"odd source scaled", sized("426", "240", "Fit", no), 853, 481, "1", 0, "426x240"},
		{"unknown aspect", sized(auto, auto, "Keep", no), 720, 576, "", 0, "720x576"},
		{"PAL wide", sized(auto, auto, "ShrinkToFit", no), 720, 576, "64/45", 0, "1024x576"},
		{"PAL wide padded", sized("1280", "720", "Fit", pad), 720, 576, "64/45", 0, "1280x720"},
		{"NTSC", sized(auto, auto, "ShrinkToFit", no), 720, 480, "8/9", 0, "720x540"},
		{"keep of oblong pixels", sized("640", "480", "Keep", no), 720, 576, "16/15", 0, "768x576 > 640x480+64+48"},
		{"absurd aspect", sized(auto, auto, "ShrinkToFit", no), 640, 360, "1000/1", 0, "640x360"},
		{"turned", sized("1280", "720", "ShrinkToFit", no), 1920, 1080, "1", 90, "406x720"},
		{"turned back", sized("1280", "720", "Fit", pad), 1920, 1080, "1", 270, "406x720 in 1280x720+436+0"},
		{"upside down", sized("1280", "720", "ShrinkToFit", no), 1920, 1080, "1", 180, "1280x720"},
		{"turned, oblong pixels", sized(auto, auto, "ShrinkToFit", no), 720, 576, "64/45", 90, "576x1024"},
		{"thin line", sized("640", "480", "Fill", no), 2, 10000, "1", 0, "640x16384 > 640x480+0+7952"},
		{"one pixel", sized("640", "480", "Keep", pad), 1, 1, "1", 0, "2x2 in 640x480+318+238"},
		{"no pixel", sized("640", "480", "Fit", no), 0, 0, "1", 0, "480x480"},
		{"display aspect", &Video{MaxWidth: "720", MaxHeight: "576", SizingPolicy: "Stretch", DisplayAspectRatio: "16:9"}, 1920, 1080, "1", 0, "720x576 sar 64/45"},
		{"display aspect auto", &Video{MaxWidth: "720", MaxHeight: "576", SizingPolicy: "Stretch", DisplayAspectRatio: "auto"}, 1920, 1080, "1", 0, "720x576"},
		{"1080p preset with AspectRatio", &Video{MaxWidth: "1920", MaxHeight: "1080", AspectRatio: "16:9", DisplayAspectRatio: "auto", SizingPolicy: "ShrinkToFit", PaddingPolicy: no}, 640, 480, "1", 0, "640x480"},
		{"resolution", &Video{Resolution: "640x480", AspectRatio: "4:3"}, 1920, 1080, "1", 0, "640x360 in 640x480+0+60"},
		{"resolution, wide pixels", &Video{Resolution: "640x480", AspectRatio: "16:9"}, 320, 240, "1", 0, "640x480 sar 4/3"},
		{"resolution auto", &Video{Resolution: "auto", AspectRatio: "auto"}, 641, 361, "1", 0, "641x361 > 640x360+0+0"},
		{"resolution auto, huge", &Video{Resolution: "auto"}, 8192, 4320, "1", 0, "4096x2160"},
		{"aspect ratio alone", &Video{AspectRatio: "16:9"}, 2560, 1440, "1", 0, "2560x1440"},
	} {
		sar := rational.Rational{}
		if c.sar != "" {
			sar = mustRate(t, c.sar)
		}
		g := SizeFor(c.video, c.w, c.h, sar, c.rotate)
		if got := show(g); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if g.Rotate != c.rotate {
			t.Errorf("%s: rotated by %d", c.name, g.Rotate)
		}
	}
}

// TestSizeForHolds checks what must be true of every geometry over a grid of
// sources, boxes and policies.
func TestSizeForHolds(t *testing.T) {
	sides := []int{1, 2, 3, 95, 240, 241, 720, 1079, 1920, 4095, 8192}
	sars := []rational.Rational{{}, rational.Int(1), rational.New(64, 45), rational.New(8, 9), rational.New(2147483647, 2147483646)}
	for _, policy := range []string{"Fit", "Fill", "Stretch", "Keep", "ShrinkToFit", "ShrinkToFill"} {
		for _, padding := range []string{"Pad", "NoPad"} {
			for _, box := range [][2]int{{128, 96}, {640, 480}, {1920, 1080}, {426, 3072}} {
				v := sized(fmt.Sprint(box[0]), fmt.Sprint(box[1]), policy, padding)
				for _, w := range sides {
					for _, h := range sides {
						for _, sar := range sars {
							for _, rotate := range []int{0, 90} {
								if fault := faults(SizeFor(v, w, h, sar, rotate), policy, padding, box); fault != "" {
									t.Fatalf("%s %s %v of %dx%d sar %v turned by %d: %s", policy, padding, box, w, h, sar, rotate, fault)
								}
							}
						}
					}
				}
			}
		}
	}
}

func faults(g Geometry, policy, padding string, box [2]int) string {
	var f []string
	check := func(what string, ok bool) {
		if !ok {
			f = append(f, what)
		}
	}
	check("output is odd", g.Width()%2 == 0 && g.Height()%2 == 0 && g.CropW%2 == 0 && g.CropH%2 == 0)
	check("output is beyond the box", g.Width() <= box[0] && g.Height() <= box[1] && g.Width() >= 2 && g.Height() >= 2)
	check("crop leaves the picture", g.CropX >= 0 && g.CropY >= 0 && g.CropX+g.CropW <= g.ScaleW && g.CropY+g.CropH <= g.ScaleH)
	check("pad leaves the frame", g.PadX >= 0 && g.PadY >= 0 && g.PadX+g.CropW <= g.PadW && g.PadY+g.CropH <= g.PadH)
	check("an offset is odd", (g.CropX|g.CropY|g.PadX|g.PadY)%2 == 0)
	check("scaled out of all bounds", g.ScaleW <= maxScaled && g.ScaleH <= maxScaled)
	check("not the whole box", padding != "Pad" && policy != "Stretch" && policy != "Fill" || g.Width() == box[0] && g.Height() == box[1])
	check("Fit crops more than an odd line", policy != "Fit" || g.ScaleW-g.CropW <= 1 && g.ScaleH-g.CropH <= 1)
	check("pixels are not square", g.SAR == rational.Int(1))
	return strings.Join(f, ", ")
}

// TestThumbnailSizes: as for videos, down to their own smallest size, with the
// older members too.
func TestThumbnailSizes(t *testing.T) {
	for _, c := range []struct {
		name   string
		th     Thumbnails
		w, h   int
		sar    rational.Rational
		rotate int
		want   string
	}{
		{"system preset", Thumbnails{MaxWidth: "192", MaxHeight: "108", SizingPolicy: "ShrinkToFit", PaddingPolicy: "NoPad"}, 1280, 720, rational.Int(1), 0, "192x108"},
		{"of a small source", Thumbnails{MaxWidth: "192", MaxHeight: "108", SizingPolicy: "ShrinkToFit", PaddingPolicy: "NoPad"}, 96, 54, rational.Int(1), 0, "96x54"},
		{"padded", Thumbnails{MaxWidth: "32", MaxHeight: "32", SizingPolicy: "Fit", PaddingPolicy: "Pad"}, 1280, 720, rational.Int(1), 0, "32x18 in 32x32+0+6"},
		{"filled", Thumbnails{MaxWidth: "64", MaxHeight: "64", SizingPolicy: "Fill", PaddingPolicy: "NoPad"}, 160, 90, rational.Int(1), 0, "114x64 > 64x64+24+0"},
		{"turned", Thumbnails{MaxWidth: "192", MaxHeight: "192", SizingPolicy: "Fit", PaddingPolicy: "NoPad"}, 1280, 720, rational.Int(1), 90, "108x192"},
		{"of oblong pixels", Thumbnails{MaxWidth: "auto", MaxHeight: "auto", SizingPolicy: "ShrinkToFit", PaddingPolicy: "NoPad"}, 720, 576, rational.New(16, 15), 0, "768x576"},
		{"auto", Thumbnails{MaxWidth: "auto", MaxHeight: "auto"}, 3840, 2160, rational.Int(1), 0, "1920x1080"},
		{"nothing said", Thumbnails{}, 3840, 2160, rational.Int(1), 0, "1920x1080"},
		{"older size", Thumbnails{Resolution: "64x64", AspectRatio: "auto"}, 160, 90, rational.Int(1), 0, "64x36 in 64x64+0+14"},
		{"older size and aspect", Thumbnails{Resolution: "64x64", AspectRatio: "4:3"}, 160, 90, rational.Int(1), 0, "64x36 in 64x64+0+14 sar 4/3"},
	} {
		if got := show(ThumbnailSizeFor(&c.th, c.w, c.h, c.sar, c.rotate)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
