package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/still"
)

// filled is a picture of one colour; a JPEG where the name says so.
func filled(t *testing.T, name string, width, height int, c color.NRGBA) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range len(img.Pix) / 4 {
		copy(img.Pix[4*i:], []byte{c.R, c.G, c.B, c.A})
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	if strings.HasSuffix(name, ".jpg") {
		b.Reset()
		err = jpeg.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// uploadIn stores a file in the ingest bucket under a mode, and returns the
// element that a job reads it with.
func uploadIn(t *testing.T, key, mode string, plain []byte) *job.Encryption {
	t.Helper()
	switch mode {
	case "":
		upload(t, key, save(t, "open", plain), nil)
		return nil
	case job.ModeS3:
		upload(t, key, save(t, "open", plain), nil)
		return &job.Encryption{Mode: mode}
	case job.ModeSSEC:
		e := wrapped(t)
		upload(t, key, save(t, "open", plain), e)
		return e
	case job.ModeS3EC:
		sealed, metadata := enveloped(t, plain)
		uploadEnveloped(t, key, sealed, metadata)
		return &job.Encryption{Mode: mode}
	}
	e, raw, iv := cipherKey(t, mode, 256, 16)
	upload(t, key, save(t, "sealed", crypt(t, false, mode, raw, iv, plain)), nil)
	return e
}

// pictures are the frames of a file in RGB, as players show those of its size.
func pictures(t *testing.T, file string, width, height int) [][]byte {
	t.Helper()
	raw := []byte(ffmpeg(t, "-i", file, "-map", "0:v", "-vf", "scale=in_color_matrix=bt601:flags=accurate_rnd+full_chroma_int,format=rgb24", "-fps_mode", "passthrough", "-f", "rawvideo", "-"))
	return slices.Collect(slices.Chunk(raw, width*height*3))
}

// TestWatermarksInEveryMode draws pictures that are encrypted in every mode over
// a grey film that is cut into chunks, and finds their colours in the frames of
// what comes out: at the places that the preset says, also where black bars are
// added, and the same on both sides of a chunk's border.
func TestWatermarksInEveryMode(t *testing.T) {
	t.Parallel()
	media := clip(t, "in.mp4", "-f", "lavfi", "-i", "color=0x808080:s=320x180:r=25:d=10", "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p")
	name := unique(t)
	colours := map[string]color.NRGBA{
		job.ModeS3: {R: 255, A: 255}, job.ModeCBC: {G: 255, A: 255}, job.ModeCTR: {B: 255, A: 255},
		job.ModeGCM: {R: 255, G: 255, A: 255}, job.ModeSSEC: {R: 255, B: 255, A: 255}, job.ModeS3EC: {G: 255, B: 255, A: 255},
	}
	mark := func(id, mode, extension string) job.Watermark {
		key := name + "/" + mode + extension
		return job.Watermark{PresetWatermarkID: id, InputKey: key, Encryption: uploadIn(t, key, mode, filled(t, key, 200, 100, colours[mode]))}
	}
	video := lossless("auto")
	video.MaxWidth, video.MaxHeight, video.PaddingPolicy, video.SizingPolicy = "320", "240", "Pad", "Fit" // 30 lines of black above and below
	video.Watermarks = []preset.Watermark{
		{ID: "a", MaxWidth: "40px", MaxHeight: "100%", SizingPolicy: "Fit", HorizontalAlign: "Left", HorizontalOffset: "10px", VerticalAlign: "Top", VerticalOffset: "10px", Target: "Content"},
		{ID: "b", MaxWidth: "20%", MaxHeight: "10%", SizingPolicy: "Stretch", HorizontalAlign: "Right", HorizontalOffset: "5%", VerticalAlign: "Bottom", VerticalOffset: "0px", Target: "Frame"},
		{ID: "c", MaxWidth: "64px", MaxHeight: "64px", HorizontalAlign: "Center", VerticalAlign: "Center", Opacity: "50"},
		{ID: "d", MaxWidth: "64px", MaxHeight: "64px", HorizontalAlign: "Left", HorizontalOffset: "0px", VerticalAlign: "Bottom", VerticalOffset: "0px", Target: "Content"},
	}
	id := customPreset(t, preset.Preset{Container: "mp4", Video: video})
	r := drop(t, media, []job.Output{
		{Key: "a.mp4", PresetID: id, Watermarks: []job.Watermark{mark("a", job.ModeCBC, ".png"), mark("b", job.ModeCTR, ".jpg"), mark("c", job.ModeGCM, ".png"), mark("d", job.ModeSSEC, ".png")}},
		{Key: "b.mp4", PresetID: id, Watermarks: []job.Watermark{mark("c", job.ModeS3, ".png"), mark("a", job.ModeS3EC, ".jpeg")}},
		{Key: "c.mp4", PresetID: id},
	})
	r.wait(t)
	const width, height = 320, 240
	half := func(c color.NRGBA) [3]int {
		return [3]int{(int(c.R) + 128) / 2, (int(c.G) + 128) / 2, (int(c.B) + 128) / 2}
	}
	full := func(c color.NRGBA) [3]int { return [3]int{int(c.R), int(c.G), int(c.B)} }
	grey, black := [3]int{128, 128, 128}, [3]int{}
	for n, expected := range []map[[2]int][3]int{
		{ // a is 40x20 at 10,40; b 64x24 at 240,216; c 64x32 at 128,104; d 64x32 at 0,178
			{14, 44}: full(colours[job.ModeCBC]), {45, 55}: full(colours[job.ModeCBC]), {4, 50}: grey, {56, 50}: grey, {30, 66}: grey, {30, 34}: grey,
			{246, 221}: full(colours[job.ModeCTR]), {299, 236}: full(colours[job.ModeCTR]), {234, 228}: black, {310, 228}: black, {270, 205}: grey,
			{132, 108}: half(colours[job.ModeGCM]), {187, 131}: half(colours[job.ModeGCM]), {122, 120}: grey, {198, 120}: grey,
			{4, 182}: full(colours[job.ModeSSEC]), {58, 206}: full(colours[job.ModeSSEC]), {30, 216}: black, {70, 190}: grey,
		},
		{{132, 108}: half(colours[job.ModeS3]), {187, 131}: half(colours[job.ModeS3]), {14, 44}: full(colours[job.ModeS3EC]), {246, 221}: black, {4, 182}: grey},
		{{132, 108}: grey, {14, 44}: grey, {246, 221}: black, {4, 182}: grey, {300, 20}: black},
	} {
		frames := pictures(t, r.file(t, n), width, height)
		if len(frames) != 250 {
			t.Errorf("output %d has %d frames, want 250", n, len(frames))
		}
		for at, want := range expected {
			for i := range 3 {
				if got := int(frames[0][(at[1]*width+at[0])*3+i]); math.Abs(float64(got-want[i])) > 6 {
					t.Errorf("output %d: the pixel at %v is %v, want %v", n, at, frames[0][(at[1]*width+at[0])*3:][:3], want)
					break
				}
			}
		}
		for i, f := range frames { // chunks end about every hundred frames
			if !bytes.Equal(f, frames[0]) {
				t.Errorf("output %d: frame %d differs from the first", n, i)
				break
			}
		}
	}
}

// TestWatermarkRefusals: a picture that can't be used fails its output alone.
func TestWatermarkRefusals(t *testing.T) {
	t.Parallel()
	name := unique(t)
	logo := filled(t, "logo.png", 64, 32, color.NRGBA{R: 255, A: 255})
	key := wrapped(t)
	upload(t, name+".mp4", brief(t), key)
	sealed, raw, iv := cipherKey(t, job.ModeGCM, 128, 16)
	forged := crypt(t, false, job.ModeGCM, raw, iv, logo)
	forged[len(forged)/2] ^= 1
	upload(t, name+"/forged.png", save(t, "forged", forged), nil)
	other, _, _ := cipherKey(t, job.ModeCTR, 256, 16)
	ssec := uploadIn(t, name+"/ssec.png", job.ModeSSEC, logo)
	for key, body := range map[string][]byte{"logo.png": logo, "noise.png": noise(5000), "cut.png": logo[:len(logo)-20], "empty.jpg": nil, "film.png": read(t, brief(t)),
		"big.png": filled(t, "big.png", still.MaxWidth+2, 2, color.NRGBA{A: 255})} {
		upload(t, name+"/"+key, save(t, "plain", body), nil)
	}
	uploadIn(t, name+"/ctr.png", job.ModeCTR, logo)
	cases := []struct {
		key  string
		e    *job.Encryption
		code string
	}{
		{"logo.png", nil, ""}, {"noise.png", nil, "4003"}, {"cut.png", nil, "4003"}, {"empty.jpg", nil, "4003"}, {"film.png", nil, "4003"}, {"big.png", nil, "4004"},
		{"gone.png", nil, "3001"}, {"forged.png", sealed, "4016"}, {"ctr.png", other, "4016"}, {"ssec.png", nil, "4016"}, {"ssec.png", wrapped(t), "4016"}, {"ssec.png", ssec, ""},
	}
	video := &preset.Video{Codec: "H.264", FrameRate: "auto", KeyframesMaxDist: "50", FixedGOP: "false", BitRate: "200", MaxWidth: "160", MaxHeight: "96",
		CodecOptions: map[string]string{"Profile": "baseline", "Level": "3", "MaxReferenceFrames": "1"},
		SizingPolicy: "ShrinkToFit", PaddingPolicy: "NoPad", DisplayAspectRatio: "auto", Watermarks: []preset.Watermark{{ID: "a"}}}
	id := customPreset(t, preset.Preset{Container: "mp4", Video: video})
	req := job.Request{Inputs: []job.Input{{Key: name + ".mp4", Encryption: key}}, OutputKeyPrefix: name + "/"}
	for i, c := range cases {
		req.Outputs = append(req.Outputs, job.Output{Key: strings.Repeat("x", i+1) + ".mp4", PresetID: id,
			Watermarks: []job.Watermark{{PresetWatermarkID: "a", InputKey: name + "/" + c.key, Encryption: c.e}}})
	}
	rec := ended(t, submit(t, req))
	for i, c := range cases {
		o := rec.Job.Outputs[i]
		if c.code == "" && o.Status != job.Complete || c.code != "" && (o.Status != job.Error || !strings.HasPrefix(o.StatusDetail, c.code+" ") || !strings.Contains(o.StatusDetail, c.key)) {
			t.Errorf("%s: %s %q, want %s", c.key, o.Status, o.StatusDetail, c.code)
		}
	}
	if got := keys(t, name+"/"); len(got) != 2 {
		t.Errorf("published: %v", got)
	}
}
