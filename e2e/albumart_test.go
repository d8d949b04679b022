package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/still"
)

var albumContainers = []string{"mp4", "mp3", "flac"}

// soundPreset is one of sound alone.
func soundPreset(t *testing.T, container string) string {
	t.Helper()
	audio := &preset.Audio{Codec: "AAC", SampleRate: "44100", BitRate: "96", Channels: "2", CodecOptions: &preset.AudioOptions{Profile: "AAC-LC"}}
	switch container {
	case "mp3":
		audio.Codec, audio.CodecOptions = "mp3", nil
	case "flac":
		audio.Codec, audio.BitRate, audio.CodecOptions = "flac", "", &preset.AudioOptions{BitDepth: "16"}
	}
	return customPreset(t, preset.Preset{Container: container, Audio: audio})
}

// album are the pictures of a file, as ffmpeg finds them.
func album(t *testing.T, file string) (pictures [][]byte) {
	t.Helper()
	count := strings.Count(ffprobe(t, "-select_streams", "v", "-show_entries", "stream_disposition=attached_pic", "-of", "csv=p=0", file), "1")
	for n := range count {
		pictures = append(pictures, []byte(ffmpeg(t, "-i", file, "-map", fmt.Sprintf("0:v:%d", n), "-c", "copy", "-frames:v", "1", "-f", "image2pipe", "-")))
	}
	return pictures
}

// TestAlbumArt: what the input embeds and the job gives, encrypted in every
// mode, is in the file as the MergePolicy says; sizes, bars and colours are
// right, embedded pictures are byte for byte, and the sound is whole.
func TestAlbumArt(t *testing.T) {
	t.Parallel()
	embedded := filled(t, "e.png", 50, 40, color.NRGBA{R: 10, G: 200, B: 30, A: 255})
	media := clip(t, "in.m4a", "-f", "lavfi", "-i", "sine=f=440:r=44100:d=5", "-i", save(t, "e.png", embedded), "-map", "0:a", "-map", "1:v",
		"-c:a", "aac", "-c:v", "copy", "-disposition:v", "attached_pic")
	name := unique(t)
	colours := map[string]color.NRGBA{
		job.ModeS3: {R: 255, A: 255}, job.ModeCBC: {G: 255, A: 255}, job.ModeCTR: {B: 255, A: 255},
		job.ModeGCM: {R: 255, G: 255, A: 255}, job.ModeSSEC: {R: 255, B: 255, A: 255}, job.ModeS3EC: {G: 255, B: 255, A: 255},
	}
	given := func(mode string, a job.Artwork) job.Artwork {
		a.InputKey = name + "/" + mode + ".png"
		if mode == job.ModeCTR {
			a.InputKey = name + "/" + mode + ".jpg"
		}
		a.Encryption = uploadIn(t, a.InputKey, mode, filled(t, a.InputKey, 400, 200, colours[mode]))
		return a
	}
	all := []job.Artwork{
		given(job.ModeS3, job.Artwork{MaxWidth: "100", MaxHeight: "100", SizingPolicy: "Fit", PaddingPolicy: "Pad", AlbumArtFormat: "jpg"}),
		given(job.ModeCBC, job.Artwork{MaxWidth: "100", MaxHeight: "100", SizingPolicy: "Fill", AlbumArtFormat: "png"}),
		given(job.ModeCTR, job.Artwork{}),
		given(job.ModeGCM, job.Artwork{MaxWidth: "200", AlbumArtFormat: "jpg"}),
		given(job.ModeSSEC, job.Artwork{MaxWidth: "100", MaxHeight: "100", SizingPolicy: "Stretch", AlbumArtFormat: "jpg"}),
		given(job.ModeS3EC, job.Artwork{MaxWidth: "100", MaxHeight: "100", SizingPolicy: "Keep"}),
	}
	sizes := []image.Point{{100, 100}, {100, 100}, {400, 200}, {200, 100}, {100, 100}, {100, 100}}
	formats := []string{"jpeg", "png", "jpeg", "jpeg", "jpeg", "png"}
	for _, container := range albumContainers {
		id := soundPreset(t, container)
		var outputs []job.Output
		cases := []struct {
			album *job.AlbumArt
			want  []int // places in all, -1 for the embedded
		}{
			{&job.AlbumArt{MergePolicy: "Append", Artwork: all}, []int{-1, 0, 1, 2, 3, 4, 5}},
			{&job.AlbumArt{MergePolicy: "Prepend", Artwork: all[1:2]}, []int{1, -1}},
			{&job.AlbumArt{MergePolicy: "Replace", Artwork: all[:1]}, []int{0}},
			{&job.AlbumArt{MergePolicy: "Fallback", Artwork: all}, []int{-1}},
			{&job.AlbumArt{MergePolicy: "Replace"}, nil},
			{nil, nil},
		}
		for n, c := range cases {
			outputs = append(outputs, job.Output{Key: fmt.Sprintf("%d.%s", n, container), PresetID: id, AlbumArt: c.album})
		}
		r := drop(t, media, outputs)
		r.wait(t)
		checkAlbumSealed(t, r.id)
		for n, c := range cases {
			file := r.file(t, n)
			pictures := album(t, file)
			if len(pictures) != len(c.want) {
				t.Errorf("%s %d: %d pictures, want %v", container, n, len(pictures), c.want)
				continue
			}
			for i, place := range c.want {
				if place < 0 {
					if !bytes.Equal(pictures[i], embedded) {
						t.Errorf("%s %d: the embedded picture came out as %d other bytes", container, n, len(pictures[i]))
					}
					continue
				}
				checkPicture(t, fmt.Sprintf("%s %d, picture %d", container, n, i), pictures[i], formats[place], sizes[place], colours[all[place].Encryption.Mode])
			}
			if n == 0 { // 100x50 of the first lie between white bars
				img, _, _ := image.Decode(bytes.NewReader(pictures[1]))
				if r, g, b, _ := img.At(50, 10).RGBA(); min(r, g, b) < 0xf000 {
					t.Errorf("the bars have the colour %x %x %x", r, g, b)
				}
			}
			if got := len(samples(t, file)); got < 4*44100*5 || got > 4*(44100*5+3000) {
				t.Errorf("%s %d: %d samples of sound, want five seconds", container, n, got/4)
			}
		}
	}
}

// checkAlbumSealed: what waits for assemble is no picture to whoever reads the
// work bucket.
func checkAlbumSealed(t *testing.T, id string) {
	t.Helper()
	count := 0
	for name, err := range site.store.Keys(t.Context(), site.work, id+"/artwork-") {
		if err != nil {
			t.Fatal(err)
		}
		stored, _, err := site.store.Get(t.Context(), site.work, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, mark := range []string{"PNG\r\n", "IHDR", "JFIF", "\xff\xd8\xff"} {
			if bytes.Contains(stored, []byte(mark)) && len(mark) > 3 || bytes.HasPrefix(stored, []byte(mark)) {
				t.Errorf("%s holds %q", name, mark)
			}
		}
		count++
	}
	if count < 11 {
		t.Errorf("%d pictures in the work bucket, want 11", count)
	}
}

func checkPicture(t *testing.T, what string, picture []byte, format string, size image.Point, c color.NRGBA) {
	t.Helper()
	img, got, err := image.Decode(bytes.NewReader(picture))
	if err != nil || got != format || img.Bounds().Size() != size {
		t.Errorf("%s: %s, %v, want %s of %v", what, got, err, format, size)
		return
	}
	r, g, b, _ := img.At(size.X/2, size.Y/2).RGBA()
	for _, d := range []int{int(r>>8) - int(c.R), int(g>>8) - int(c.G), int(b>>8) - int(c.B)} {
		if d < -8 || d > 8 {
			t.Errorf("%s: its middle is %d %d %d, want %v", what, r>>8, g>>8, b>>8, c)
			return
		}
	}
}

// TestAlbumArtRefusals: what can't be made fails its output alone.
func TestAlbumArtRefusals(t *testing.T) {
	t.Parallel()
	name := unique(t)
	big := filled(t, "big.png", still.MaxWidth+2, 2, color.NRGBA{A: 255})
	media := clip(t, "in.m4a", "-f", "lavfi", "-i", "sine=f=440:r=44100:d=1", "-i", save(t, "big.png", big), "-map", "0:a", "-map", "1:v",
		"-c:a", "aac", "-c:v", "copy", "-disposition:v", "attached_pic")
	for key, body := range map[string][]byte{"good.png": filled(t, "a.png", 40, 20, color.NRGBA{A: 255}), "noise.png": noise(5000), "big.png": big} {
		upload(t, name+"/"+key, save(t, "plain", body), nil)
	}
	id := soundPreset(t, "mp4")
	cases := []struct {
		policy, key string
		count       int
		code        string
	}{
		{"Replace", "good.png", 20, ""}, {"Replace", "noise.png", 1, "4010"}, {"Replace", "big.png", 1, "4012"}, {"Replace", "gone.png", 1, "3001"},
		{"Append", "good.png", 1, "4013"}, {"Append", "good.png", 20, "4009"},
	}
	var outputs []job.Output
	for i, c := range cases {
		o := job.Output{Key: fmt.Sprintf("%d.m4a", i), PresetID: id, AlbumArt: &job.AlbumArt{MergePolicy: c.policy}}
		for range c.count {
			o.AlbumArt.Artwork = append(o.AlbumArt.Artwork, job.Artwork{InputKey: name + "/" + c.key, MaxWidth: "32", MaxHeight: "32"})
		}
		outputs = append(outputs, o)
	}
	rec := ended(t, drop(t, media, outputs).id)
	for i, c := range cases {
		o := rec.Job.Outputs[i]
		if c.code == "" && o.Status != job.Complete || c.code != "" && (o.Status != job.Error || !strings.HasPrefix(o.StatusDetail, c.code+" ")) {
			t.Errorf("%s of %s: %s %q, want %s", c.policy, c.key, o.Status, o.StatusDetail, c.code)
		}
	}
}
