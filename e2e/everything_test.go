package e2e

import (
	"bytes"
	"image"
	"image/color"
	"os"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/caption"
	"sealreel/pkg/job"
	"sealreel/pkg/preset"
)

// TestEverythingAtOnce is one job with every feature and another encryption on
// every object: joined inputs of which one is a clip, captions, a watermark and
// an artwork that come in each its own mode, and a file with thumbnails and
// captions, segments with a playlist, and sound with its album that go out so.
// Everything is opened by what the job and the objects say, and looked at.
func TestEverythingAtOnce(t *testing.T) {
	name := unique(t)
	first, err := os.ReadFile(clip(t, "a.mp4", "-f", "lavfi", "-i", "color=0x808080:s=320x180:r=25:d=6", "-f", "lavfi", "-i", "sine=f=440:r=44100:d=6",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(clip(t, "b.ts", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=30:d=8", "-f", "lavfi", "-i", "sine=f=880:r=48000:d=8",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-pix_fmt", "yuv420p", "-c:a", "aac"))
	if err != nil {
		t.Fatal(err)
	}
	cover := color.NRGBA{G: 200, B: 40, A: 255}
	input := func(key, mode string, plain []byte) job.Input {
		return job.Input{Key: name + "/" + key, Encryption: uploadIn(t, name+"/"+key, mode, plain)}
	}
	a, b := input("a.mp4", job.ModeGCM, first), input("b.ts", job.ModeCBC, second)
	b.TimeSpan = &job.TimeSpan{StartTime: "2", Duration: "4"}
	a.InputCaptions = &job.InputCaptions{MergePolicy: "MergeOverride", CaptionSources: []job.CaptionSource{{Key: name + "/de.srt", Language: "deu", Label: "Deutsch",
		Encryption: uploadIn(t, name+"/de.srt", job.ModeCTR, captionDocument(t, caption.SRT, said("German")[:2]))}}}
	b.InputCaptions = &job.InputCaptions{MergePolicy: "MergeOverride", CaptionSources: []job.CaptionSource{{Key: name + "/de.vtt", Language: "deu", Label: "Deutsch", TimeOffset: "1.5",
		Encryption: uploadIn(t, name+"/de.vtt", job.ModeSSEC, captionDocument(t, caption.WebVTT, said("German")[:1]))}}}
	video := &preset.Video{Codec: "H.264", BitRate: "300", FrameRate: "25", KeyframesMaxDist: "50", FixedGOP: "true", MaxWidth: "320", MaxHeight: "180",
		SizingPolicy: "Fit", PaddingPolicy: "Pad", DisplayAspectRatio: "auto", CodecOptions: options("Profile", "main", "Level", "3.1", "MaxReferenceFrames", "3"),
		Watermarks: []preset.Watermark{{ID: "logo", MaxWidth: "40px", MaxHeight: "40px", SizingPolicy: "Stretch", HorizontalAlign: "Left", HorizontalOffset: "10px", VerticalAlign: "Top", VerticalOffset: "10px", Target: "Frame"}}}
	mp4 := customPreset(t, preset.Preset{Container: "mp4", Video: video, Audio: aacSound,
		Thumbnails: &preset.Thumbnails{Format: "png", Interval: "4", MaxWidth: "80", MaxHeight: "auto", SizingPolicy: "Fit", PaddingPolicy: "NoPad"}})
	ts := customPreset(t, preset.Preset{Container: "ts", Video: video, Audio: aacSound})
	logo := job.Watermark{PresetWatermarkID: "logo", InputKey: name + "/logo.png", Encryption: uploadIn(t, name+"/logo.png", job.ModeS3EC, filled(t, "logo.png", 40, 40, color.NRGBA{R: 255, A: 255}))}
	sleeve := job.Artwork{InputKey: name + "/sleeve.jpg", MaxWidth: "64", MaxHeight: "64", SizingPolicy: "Fit", PaddingPolicy: "NoPad", AlbumArtFormat: "png",
		Encryption: uploadIn(t, name+"/sleeve.jpg", job.ModeGCM, filled(t, "sleeve.jpg", 128, 128, cover))}
	supplied, suppliedKey, _ := cipherKey(t, job.ModeCBC, 256, 16)
	still, stillKey, _ := cipherKey(t, job.ModeCTR, 192, 16)
	rec := completed(t, submit(t, job.Request{
		Inputs: []job.Input{a, b}, OutputKeyPrefix: name + "/out/", UserMetadata: map[string]string{"title": "everything"},
		Outputs: []job.Output{
			{Key: "film.mp4", PresetID: mp4, Encryption: supplied, ThumbnailPattern: "still-{count}-{resolution}", ThumbnailEncryption: still, Watermarks: []job.Watermark{logo},
				Captions: &job.Captions{CaptionFormats: []job.CaptionFormat{{Format: "mov-text"}, {Format: "webvtt", Pattern: "film-{language}", Encryption: &job.Encryption{Mode: job.ModeGCM}}}}},
			{Key: "hls", PresetID: ts, SegmentDuration: "4", Encryption: &job.Encryption{Mode: job.ModeCTR}, Watermarks: []job.Watermark{logo}},
			{Key: "song.mp3", PresetID: soundPreset(t, "mp3"), Encryption: &job.Encryption{Mode: job.ModeS3EC}, AlbumArt: &job.AlbumArt{MergePolicy: "Replace", Artwork: []job.Artwork{sleeve}}},
		},
		Playlists: []job.Playlist{{Name: "all", Format: "HLSv3", OutputKeys: []string{"hls"}}},
	}))
	out := name + "/out/"

	// The file: ten seconds, the mark on both inputs, and the captions in it and beside it.
	sealed, metadata := stored(t, out+"film.mp4")
	film := save(t, "film.mp4", crypt(t, true, job.ModeCBC, suppliedKey, []byte(decoded(t, metadata["sealreel-iv"])), sealed))
	shown := pictures(t, film, 320, 180)
	if len(shown) != 250 {
		t.Fatalf("%d frames, want 250", len(shown))
	}
	for _, frame := range []int{0, 100, 149, 150, 200, 249} {
		at := (25*320 + 25) * 3
		if p := shown[frame][at : at+3]; p[0] < 200 || p[1] > 60 || p[2] > 60 {
			t.Errorf("frame %d has %v where the mark should be", frame, p)
		}
	}
	want := append(said("German")[:2:2], shifted(said("German")[0], 6, 2, 1.5))
	if languages, tracks := textTracks(t, film); len(tracks) != 1 || languages[0] != "deu" {
		t.Errorf("tracks of text in %q", languages)
	} else {
		sameCues(t, "within the file", tracks[0], want)
	}
	format, cues := captionFile(t, rec.Job.Outputs[0].Captions.CaptionFormats[1].Encryption, out+"film-deu.vtt", map[string]string{})
	if sameCues(t, "beside the file", cues, want); format != caption.WebVTT {
		t.Errorf("captions are %s", format)
	}
	for _, number := range []string{"00001", "00002", "00003"} {
		body := thumbnail(t, rec, 0, out+"still-"+number+"-80x46.png", stillKey)
		if m, kind, err := image.Decode(bytes.NewReader(body)); err != nil || kind != "png" || m.Bounds().Dx() != 80 {
			t.Errorf("thumbnail %s: %s, %v", number, kind, err)
		}
	}

	// The segments, each by its own IV, and the playlists in the clear.
	var segments [][]byte
	for _, key := range keys(t, out+"hls") {
		if strings.HasSuffix(key, ".ts") {
			segments = append(segments, openMedia(t, rec, 1, key))
		}
	}
	if n := len(frames(t, save(t, "hls.ts", segments...))); n != 250 || len(segments) != 3 {
		t.Errorf("%d segments have %d frames", len(segments), n)
	}
	if list, _ := stored(t, out+"all.m3u8"); !bytes.Contains(list, []byte("hls.m3u8")) {
		t.Errorf("the playlist is %s", list)
	}

	// The song and its album.
	body, _ := opened(t, out+"song.mp3")
	song := save(t, "song.mp3", body)
	if heard := len(samples(t, song, "-ar", "44100")) / 4; heard < 44100*98/10 || heard > 44100*102/10 {
		t.Errorf("the song has %d samples, want ten seconds of 44100", heard)
	}
	if covers := album(t, song); len(covers) != 1 {
		t.Errorf("%d pictures in the album", len(covers))
	} else {
		checkPicture(t, "the album", covers[0], "png", image.Pt(64, 64), cover)
	}
	if rec.Job.UserMetadata["title"] != "everything" {
		t.Errorf("metadata %v", rec.Job.UserMetadata)
	}
}

// shifted is a cue of an input that is shown from begin on, of which a clip from
// start is taken and whose captions are late by offset seconds.
func shifted(c caption.Cue, begin, start, offset float64) caption.Cue {
	by := time.Duration((begin - start + offset) * float64(time.Second))
	return caption.Cue{Start: c.Start + by, End: c.End + by, Text: c.Text}
}
