package ts_test

import (
	"bytes"
	"errors"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/ts"
)

// TestSegmentsOfMP3 joins segments with MP3 and compares each frame, each sample
// and the times with those of the source.
func TestSegmentsOfMP3(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name, picture, sound string
		bits                 string
	}{
		{"with a picture", "testsrc2=s=320x180:r=25:d=6", "anoisesrc=r=44100:d=6:a=0.3:seed=1,aformat=channel_layouts=stereo", "128k"},
		{"alone", "", "anoisesrc=r=48000:d=9:a=0.3:seed=1", "320k"},
		{"of MPEG-2", "", "anoisesrc=r=22050:d=9:a=0.3:seed=1", "64k"},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			c := makeClip(t, k.picture, "", []string{"-g", "50", "-video_track_timescale", "25000"}, nil)
			c.audio, c.sounds = fragmenttest.Samples(t, fragmenttest.Sound(t, "libmp3lame", k.sound, "-b:a", k.bits))
			var plain []byte
			for i := range c.sounds {
				c.sounds[i].DTS -= 1105
				c.sounds[i].PTS -= 1105
				plain = append(plain, c.sounds[i].Data...)
			}
			whole := bytes.Join(c.segments(t), nil)
			carried, _ := fragmenttest.Run(t, whole, "ffmpeg", "-v", "error", "-i", "-", "-vn", "-c", "copy", "-id3v2_version", "0", "-write_xing", "0", "-f", "mp3", "-")
			if !bytes.Equal(plain, carried) {
				t.Errorf("%d bytes of MP3, the source has %d, or they differ", len(carried), len(plain))
			}
			want, _ := fragmenttest.Run(t, plain, "ffmpeg", "-v", "error", "-f", "mp3", "-i", "-", "-f", "f32le", "-")
			got, log := fragmenttest.Run(t, whole, "ffmpeg", "-v", "warning", "-i", "-", "-vn", "-f", "f32le", "-")
			if !bytes.Equal(got, want) || log != "" {
				t.Errorf("%d bytes of sound, the source has %d, or they differ; %s", len(got), len(want), log)
			}
			if n := len(packets(t, whole, "a")); n != len(c.sounds) {
				t.Errorf("%d frames of sound, want %d", n, len(c.sounds))
			}
		})
	}
}

func TestSoundWithoutAPlaceInSegments(t *testing.T) {
	t.Parallel()
	track, _ := fragmenttest.Samples(t, fragmenttest.Sound(t, "flac", "sine=r=48000:d=0.2"))
	if _, err := ts.NewWriter(&bytes.Buffer{}, ts.Config{Audio: track}); !errors.Is(err, ts.ErrMalformed) {
		t.Errorf("FLAC: %v", err)
	}
	var samples []fragment.Sample
	track, samples = fragmenttest.Samples(t, fragmenttest.Sound(t, "mp2", "sine=r=48000:d=0.2"))
	w, err := ts.NewWriter(&bytes.Buffer{}, ts.Config{Audio: track})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteAudio(samples[0].Data, 0); !errors.Is(err, ts.ErrMalformed) {
		t.Errorf("layer II: %v", err)
	}
}
