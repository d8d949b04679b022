package encode_test

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"testing"

	_ "image/jpeg"
	_ "image/png"

	"sealreel/pkg/encode"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/still"
)

// TestArtworkIsMade: the right size and format, white where there are bars and,
// without transparency, where there was some; twice the same bytes.
func TestArtworkIsMade(t *testing.T) {
	t.Parallel()
	red, white, clear := color.NRGBA{255, 0, 0, 255}, color.NRGBA{255, 255, 255, 255}, color.NRGBA{}
	source := drawn(t, "a.png", 200, 100, asPNG) // red on the left, transparent on the right
	for _, c := range []struct {
		name    string
		artwork job.Artwork
		format  string
		size    image.Point
		pixels  map[image.Point]color.NRGBA
	}{
		{"padded png", job.Artwork{MaxWidth: "300", MaxHeight: "300", SizingPolicy: "Fit", PaddingPolicy: "Pad"}, still.PNG, image.Pt(300, 300),
			map[image.Point]color.NRGBA{{50, 150}: red, {250, 150}: clear, {50, 50}: white, {250, 250}: white}},
		{"padded jpg", job.Artwork{MaxWidth: "300", MaxHeight: "300", SizingPolicy: "Fit", PaddingPolicy: "Pad"}, still.JPEG, image.Pt(300, 300),
			map[image.Point]color.NRGBA{{50, 150}: red, {250, 150}: white, {50, 50}: white, {250, 250}: white}},
		{"cropped", job.Artwork{MaxWidth: "100", MaxHeight: "100", SizingPolicy: "Fill"}, still.JPEG, image.Pt(100, 100),
			map[image.Point]color.NRGBA{{20, 50}: red, {80, 50}: white}},
		{"odd", job.Artwork{MaxWidth: "34", MaxHeight: "600"}, still.JPEG, image.Pt(34, 17), map[image.Point]color.NRGBA{{5, 8}: red}},
		{"as it is", job.Artwork{}, still.PNG, image.Pt(200, 100), map[image.Point]color.NRGBA{{0, 0}: red, {98, 99}: red, {101, 0}: clear, {199, 99}: clear}},
		{"stretched", job.Artwork{MaxWidth: "32", MaxHeight: "200", SizingPolicy: "Stretch"}, still.PNG, image.Pt(32, 200), map[image.Point]color.NRGBA{{5, 190}: red}},
	} {
		a := plan.Artwork{Geometry: preset.ArtworkSizeFor(c.artwork, 200, 100), Info: still.Info{Format: c.format}}
		var files [2][]byte
		for i := range files {
			out := filepath.Join(t.TempDir(), "out")
			run(t, append([]string{"-y"}, encode.Artwork(a, nil, []string{"-f", "png_pipe", "-i", source}, []string{out})...)...)
			var err error
			if files[i], err = os.ReadFile(out); err != nil {
				t.Fatal(err)
			}
		}
		img, format, err := image.Decode(bytes.NewReader(files[0]))
		if err != nil || format != map[string]string{still.JPEG: "jpeg", still.PNG: "png"}[c.format] || img.Bounds().Size() != c.size || !bytes.Equal(files[0], files[1]) {
			t.Fatalf("%s: %s, %v, or not twice the same", c.name, format, err)
		}
		for at, want := range c.pixels {
			got := color.NRGBAModel.Convert(img.At(at.X, at.Y)).(color.NRGBA)
			if !close8(got.A, want.A) || want.A > 0 && (!close8(got.R, want.R) || !close8(got.G, want.G) || !close8(got.B, want.B)) {
				t.Errorf("%s: the pixel at %v is %v, want %v", c.name, at, got, want)
			}
		}
		if bytes.Contains(files[0], []byte("Lavc")) {
			t.Errorf("%s names the program that made it", c.name)
		}
	}
}

func close8(a, b uint8) bool { return math.Abs(float64(a)-float64(b)) <= 6 }

// TestEmbeddedArtworkIsCopied: byte for byte.
func TestEmbeddedArtworkIsCopied(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, still string
		picture     string
	}{{"a.m4a", still.PNG, drawn(t, "a.png", 64, 64, asPNG)}, {"b.mp3", still.JPEG, drawn(t, "b.jpg", 64, 64, asJPEG)}, {"c.flac", still.PNG, drawn(t, "c.png", 64, 64, asPNG)}} {
		file, out := filepath.Join(t.TempDir(), c.name), filepath.Join(t.TempDir(), "out")
		run(t, "-y", "-f", "lavfi", "-i", "sine=d=2", "-i", c.picture, "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic", file)
		run(t, append([]string{"-y"}, encode.Artwork(plan.Artwork{Embedded: true, Stream: 1, Info: still.Info{Format: c.still}}, []string{"-i", file}, nil, []string{out})...)...)
		want, err1 := os.ReadFile(c.picture)
		got, err2 := os.ReadFile(out)
		if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d; %v %v", c.name, len(got), len(want), err1, err2)
		}
	}
}
