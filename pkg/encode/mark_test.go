package encode_test

import (
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/encode"
	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// drawn makes a picture file: red on the left, and on the right transparent
// with a colour that must not be seen.
func drawn(t *testing.T, name string, width, height int, encode func(*os.File, image.Image) error) string {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			c := color.NRGBA{R: 255, A: 255}
			if x >= width/2 {
				c = color.NRGBA{G: 255}
			}
			img.Set(x, y, c)
		}
	}
	f, err := os.Create(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := encode(f, img); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

func asPNG(f *os.File, img image.Image) error { return png.Encode(f, img) }

func asJPEG(f *os.File, img image.Image) error {
	return jpeg.Encode(f, img.(*image.NRGBA).SubImage(image.Rect(0, 0, img.Bounds().Dx()/2, img.Bounds().Dy())), nil)
}

// marked plans a grey film with marks.
func marked(t *testing.T, matrix string, marks ...preset.Overlay) (*plan.Plan, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "grey.mp4")
	run(t, "-y", "-f", "lavfi", "-i", "color=0x808080:s=160x96:r=30000/1001:d=8", "-c:v", "libx264", "-g", "30", "-pix_fmt", "yuv420p", file)
	p := planFor(t, file, rational.New(30000, 1001), false)
	for i, o := range marks {
		p.Outputs[0].Picture.Marks = append(p.Outputs[0].Picture.Marks, plan.Mark{Still: i, Overlay: o})
	}
	p.Outputs[0].Picture.Matrix = matrix
	return p, file
}

// kept encodes the chunks and gives the pictures that are kept, in RGB of the
// matrix.
func kept(t *testing.T, p *plan.Plan, file, matrix string, stills [][]string) [][]byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.mp4")
	var all [][]byte
	for i, c := range p.Groups[0].Chunks {
		run(t, append([]string{"-y"}, encode.Pictures(p, 0, c, []int{0}, [][]string{{"-i", file}}, stills, [][]string{{out}}, encode.Settings{X264Preset: "ultrafast"})...)...)
		raw := []byte(run(t, "-i", out, "-vf", "scale=in_color_matrix="+matrix+":flags=accurate_rnd+full_chroma_int,format=rgb24", "-fps_mode", "passthrough", "-f", "rawvideo", "-"))
		frames := slices.Collect(slices.Chunk(raw, 160*96*3))
		if want := c.End - c.Lead; int64(len(frames)) != want {
			t.Fatalf("chunk %d has %d frames, want %d", i, len(frames), want)
		}
		all = append(all, frames[c.First-c.Lead:]...)
	}
	return all
}

func near(t *testing.T, what string, frame []byte, x, y int, want [3]int) {
	t.Helper()
	for i, w := range want {
		if got := int(frame[(y*160+x)*3+i]); math.Abs(float64(got-w)) > 8 {
			t.Errorf("%s: the pixel at %d,%d is %v, want %v", what, x, y, frame[(y*160+x)*3:][:3], want)
			return
		}
	}
}

// TestMarksAreDrawn: where they should be, as opaque as they should be, one over
// the other, and the same in every frame of every chunk.
func TestMarksAreDrawn(t *testing.T) {
	t.Parallel()
	grey, red, half := [3]int{128, 128, 128}, [3]int{255, 0, 0}, [3]int{191, 64, 64}
	for _, matrix := range []string{"bt601", "bt709"} {
		p, file := marked(t, matrix,
			preset.Overlay{X: 10, Y: 10, W: 40, H: 20, Opacity: 1},
			preset.Overlay{X: 101, Y: 51, W: 20, H: 21, Opacity: 0.5},
			preset.Overlay{X: -10, Y: 86, W: 40, H: 20, Opacity: 1},
			preset.Overlay{X: 150, Y: 0, W: 40, H: 8, Opacity: 0})
		big := drawn(t, "big.png", 200, 100, asPNG)
		stills := [][]string{{"-f", "png_pipe", "-i", big}, {"-f", "jpeg_pipe", "-i", drawn(t, "a.jpg", 64, 64, asJPEG)}, {"-f", "png_pipe", "-i", big}, {"-f", "png_pipe", "-i", big}}
		frames := kept(t, p, file, matrix, stills)
		if len(p.Groups[0].Chunks) < 2 || int64(len(frames)) != p.Groups[0].Frames {
			t.Fatalf("%d frames in %d chunks", len(frames), len(p.Groups[0].Chunks))
		}
		for n, f := range frames {
			if !slices.Equal(f, frames[0]) {
				t.Fatalf("frame %d differs from the first", n)
			}
		}
		f := frames[0]
		for at, want := range map[[2]int][3]int{
			{14, 14}: red, {25, 26}: red, {4, 20}: grey, {20, 4}: grey, {20, 36}: grey,
			{33, 20}: grey, {47, 20}: grey, // transparent, and nothing of its green
			{105, 55}: half, {116, 67}: half, {95, 60}: grey, {127, 60}: grey, {110, 45}: grey, {110, 78}: grey,
			{2, 91}: red, {5, 94}: red, {16, 90}: grey, {2, 80}: grey, {155, 4}: grey,
		} {
			near(t, matrix, f, at[0], at[1], want)
		}
		for x := 29; x < 34; x++ { // the edge of the red
			if g := frames[0][(20*160+x)*3+1]; g > 140 {
				t.Errorf("green bleeds into the edge: %d at %d", g, x)
			}
		}
	}
}

// TestMarksOnEveryCanvas: in every codec and pixel format that outputs have.
func TestMarksOnEveryCanvas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ codec, format, file, pixels string }{
		{plan.H264, "", "a.mp4", "yuv420p"}, {plan.MPEG2, "yuv422p", "a.mp4", "yuv422p"}, {plan.VP8, "", "a.ivf", "yuv420p"},
		{plan.VP9, "yuv444p", "a.mp4", "yuv444p"}, {plan.VP9, "yuv420p10le", "a.mp4", "yuv420p10le"}, {plan.VP9, "yuv444p10le", "a.mp4", "yuv444p10le"},
		{plan.GIF, "", "a.gif", "bgra"},
	} {
		p, file := marked(t, "bt601", preset.Overlay{X: 10, Y: 10, W: 40, H: 20, Opacity: 1}, preset.Overlay{X: 100, Y: 50, W: 40, H: 20, Opacity: 0.5})
		o := p.Outputs[0].Picture
		o.Codec, o.PixelFormat, o.Profile, o.RateFactor, o.BitRate = c.codec, c.format, "", "", 4_000_000
		out := filepath.Join(t.TempDir(), c.file)
		still := []string{"-f", "png_pipe", "-i", drawn(t, "a.png", 200, 100, asPNG)}
		run(t, append([]string{"-y"}, encode.Pictures(p, 0, wholeChunk(4, false), []int{0}, [][]string{{"-i", file}}, [][]string{still, still}, [][]string{{out}}, encode.Settings{X264Preset: "ultrafast"})...)...)
		probed, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "stream=pix_fmt", "-of", "csv=p=0", out).Output()
		if err != nil || strings.Trim(string(probed), "\n,") != c.pixels {
			t.Errorf("%+v: encoded as %s, %v", c, probed, err)
		}
		raw := []byte(run(t, "-i", out, "-vf", "scale=in_color_matrix=bt601:flags=accurate_rnd+full_chroma_int,format=rgb24", "-frames:v", "1", "-f", "rawvideo", "-"))
		for at, want := range map[[2]int][3]int{{18, 20}: {255, 0, 0}, {42, 20}: {128, 128, 128}, {108, 60}: {191, 64, 64}, {80, 40}: {128, 128, 128}} {
			near(t, c.codec+" "+c.format, raw, at[0], at[1], want)
		}
	}
}

// TestMarksLeaveTheFramesAsTheyAre: chunks with a mark are those of the whole.
func TestMarksLeaveTheFramesAsTheyAre(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "vfr.mkv")
	run(t, "-y", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=24000/1001:d=10", "-vf", "select='not(mod(n,3))+not(mod(n,7))'", "-fps_mode", "vfr", "-c:v", "libx264", "-g", "40", "-output_ts_offset", "3.3", file)
	p := planFor(t, file, rational.New(24000, 1001), false)
	p.Outputs[0].Picture.Marks = []plan.Mark{{Overlay: preset.Overlay{X: 31, Y: 17, W: 50, H: 21, Opacity: 0.7}}}
	p.Outputs[0].Picture.Matrix = "bt601"
	stills := [][]string{{"-f", "png_pipe", "-i", drawn(t, "a.png", 64, 64, asPNG)}}
	whole := *p
	whole.Groups = slices.Clone(p.Groups)
	whole.Groups[0].Chunks = []plan.Chunk{wholeChunk(p.Groups[0].Frames, true)}
	want, got := kept(t, &whole, file, "bt601", stills), kept(t, p, file, "bt601", stills)
	if len(p.Groups[0].Chunks) < 3 || !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%d frames in %d chunks, %d in the whole, or another picture", len(got), len(p.Groups[0].Chunks), len(want))
	}
}

// TestStillsAreThoseOfTheOutputs: an input each, also when several draw it.
func TestStillsAreThoseOfTheOutputs(t *testing.T) {
	marks := func(stills ...int) plan.Output {
		o := plan.Output{Picture: &plan.Picture{}}
		for _, s := range stills {
			o.Picture.Marks = append(o.Picture.Marks, plan.Mark{Still: s})
		}
		return o
	}
	p := &plan.Plan{Outputs: []plan.Output{marks(2, 0), marks(1), marks(0, 3, 2)}}
	if got := encode.Stills(p, []int{0, 2}); !slices.Equal(got, []int{2, 0, 3}) {
		t.Errorf("got %v", got)
	}
}
