package preset

import (
	"fmt"
	"testing"

	"sealreel/pkg/rational"
)

// barred is a frame of 640x480 with a picture of 640x360 between black bars.
var barred = Geometry{ScaleW: 640, ScaleH: 360, CropW: 640, CropH: 360, PadY: 60, PadW: 640, PadH: 480, SAR: rational.Int(1)}

// TestOverEveryPlace draws a picture of 100x50 pixels at every alignment with
// every kind of offset, against both targets.
func TestOverEveryPlace(t *testing.T) {
	type axis struct{ align, offset string }
	across := map[axis]int{
		{"Left", ""}: 0, {"Left", "0px"}: 0, {"Left", "10px"}: 10, {"Left", "10%"}: 64, {"Left", "12.5%"}: 80, {"", "7px"}: 7,
		{"Right", ""}: 540, {"Right", "10px"}: 530, {"Right", "10%"}: 476, {"Right", "100%"}: -100,
		{"Center", ""}: 270, {"Center", "0%"}: 270, {"Left", "600px"}: 600,
	}
	down := map[axis]map[string]int{
		{"Top", ""}:       {"Content": 60, "": 60, "Frame": 0},
		{"", ""}:          {"Content": 60, "Frame": 0},
		{"Top", "10px"}:   {"Content": 70, "Frame": 10},
		{"Top", "10%"}:    {"Content": 96, "Frame": 48},
		{"Bottom", ""}:    {"Content": 370, "Frame": 430},
		{"Bottom", "1px"}: {"Content": 369, "Frame": 429},
		{"Bottom", "25%"}: {"Content": 280, "Frame": 310},
		{"Bottom", "0%"}:  {"Content": 370, "Frame": 430},
		{"Center", ""}:    {"Content": 215, "Frame": 215},
		{"Center", "0px"}: {"Content": 215, "Frame": 215},
	}
	for a, x := range across {
		for d, targets := range down {
			for target, y := range targets {
				w := Watermark{HorizontalAlign: a.align, HorizontalOffset: a.offset, VerticalAlign: d.align, VerticalOffset: d.offset, Target: target}
				got, seen := w.Over(barred, 100, 50)
				if want := (Overlay{X: x, Y: y, W: 100, H: 50, Opacity: 1}); !seen || got != want {
					t.Errorf("%+v: %+v, want %+v", w, got, want)
				}
			}
		}
	}
}

func TestOverEverySize(t *testing.T) {
	for _, c := range []struct {
		policy, maxW, maxH, target string
		w, h                       int // of the picture
		wantW, wantH               int
	}{
		{"Fit", "200px", "200px", "", 100, 50, 200, 100},
		{"Fit", "200px", "50px", "", 100, 50, 100, 50},
		{"Fit", "50px", "50px", "", 100, 50, 50, 25},
		{"Fit", "16px", "360px", "", 1000, 10, 16, 1}, // never less than a pixel
		{"Stretch", "200px", "200px", "", 100, 50, 200, 200},
		{"Stretch", "50%", "50%", "Content", 100, 50, 320, 180},
		{"Stretch", "50%", "50%", "Frame", 100, 50, 320, 240},
		{"ShrinkToFit", "200px", "200px", "", 100, 50, 100, 50},
		{"ShrinkToFit", "50px", "200px", "", 100, 50, 50, 25},
		{"ShrinkToFit", "10%", "10%", "Content", 1000, 1000, 36, 36},
		{"ShrinkToFit", "10%", "10%", "Frame", 1000, 1000, 48, 48},
		{"", "10%", "10%", "", 1000, 1000, 36, 36},
		{"", "", "", "", 100, 50, 100, 50},
		{"", "", "", "", 10000, 50, 640, 3},
		{"", "", "", "Frame", 1000, 1000, 480, 480},
		{"Fit", "12.5%", "100.%", "", 7, 1, 80, 11},
	} {
		w := Watermark{MaxWidth: c.maxW, MaxHeight: c.maxH, SizingPolicy: c.policy, Target: c.target}
		if got, seen := w.Over(barred, c.w, c.h); !seen || got.W != c.wantW || got.H != c.wantH {
			t.Errorf("%+v of %dx%d: %+v, want %dx%d", w, c.w, c.h, got, c.wantW, c.wantH)
		}
	}
}

func TestOverOpacity(t *testing.T) {
	for text, want := range map[string]float64{"": 1, "100": 1, "0": 0, "50": 0.5, "12.5": 0.125, "7.": 0.07} {
		if got, _ := (Watermark{Opacity: text}).Over(barred, 10, 10); got.Opacity != want {
			t.Errorf("%q: %v, want %v", text, got.Opacity, want)
		}
	}
}

func TestOverNothing(t *testing.T) {
	for _, w := range []Watermark{{MaxWidth: "0%"}, {MaxHeight: "0%", SizingPolicy: "Stretch"}} {
		if o, seen := w.Over(barred, 10, 10); seen {
			t.Errorf("%+v is drawn at %+v", w, o)
		}
	}
}

// TestOverSystemPresets: the places of the system presets lie within the
// picture, a tenth of it from each border.
func TestOverSystemPresets(t *testing.T) {
	p, known := System("1351620000001-000020")
	if !known || len(p.Video.Watermarks) != 4 {
		t.Fatal(p)
	}
	var got []string
	for _, w := range p.Video.Watermarks {
		o, _ := w.Over(barred, 400, 200)
		got = append(got, fmt.Sprintln(w.ID, o.X, o.Y, o.W, o.H))
	}
	want := []string{"TopLeft 64 96 64 32\n", "TopRight 512 96 64 32\n", "BottomLeft 64 352 64 32\n", "BottomRight 512 352 64 32\n"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", got, want)
	}
}
