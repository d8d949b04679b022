package plan

import (
	"testing"

	"sealreel/pkg/preset"
)

// TestSoundOf: what a preset leaves to the source, and what a codec lacks.
func TestSoundOf(t *testing.T) {
	audio := func(codec, kbps, hz, channels string) *preset.Audio {
		return &preset.Audio{Codec: codec, BitRate: kbps, SampleRate: hz, Channels: channels}
	}
	deep := &preset.Audio{Codec: FLAC, SampleRate: "auto", Channels: "auto", CodecOptions: &preset.AudioOptions{BitDepth: "24"}}
	for _, c := range []struct {
		name         string
		a            *preset.Audio
		hz, channels int // of the source
		want         Sound
	}{
		{"the preset's", audio(AAC, "128", "44100", "2"), 48000, 6, Sound{0, AAC, 128000, 44100, 2, 0}},
		{"the source's", audio(AAC, "128", "auto", "auto"), 96000, 6, Sound{0, AAC, 128000, 96000, 6, 0}},
		{"more channels than pass", audio(AAC, "128", "auto", "auto"), 48000, 16, Sound{0, AAC, 128000, 48000, 8, 0}},
		{"a rate that AAC has above the source's", audio(AAC, "128", "auto", "auto"), 11025, 1, Sound{0, AAC, 128000, 16000, 1, 0}},
		{"a rate above all", audio(AAC, "128", "auto", "auto"), 192000, 2, Sound{0, AAC, 128000, 96000, 2, 0}},
		{"mp3 of many channels", audio(MP3, "320", "auto", "auto"), 96000, 6, Sound{0, MP3, 320000, 48000, 2, 0}},
		{"mp3 between two bit rates", audio(MP3, "120", "auto", "auto"), 44100, 2, Sound{0, MP3, 128000, 44100, 2, 0}},
		{"mp3 below the lowest", audio(MP3, "16", "auto", "auto"), 44100, 2, Sound{0, MP3, 32000, 44100, 2, 0}},
		{"mp3 of MPEG-2", audio(MP3, "320", "22050", "2"), 48000, 2, Sound{0, MP3, 160000, 22050, 2, 0}},
		{"mp2 in stereo", audio(MP2, "80", "auto", "2"), 48000, 2, Sound{0, MP2, 96000, 48000, 2, 0}},
		{"mp2 in mono", audio(MP2, "320", "auto", "1"), 48000, 2, Sound{0, MP2, 192000, 48000, 1, 0}},
		{"mp2 of MPEG-2", audio(MP2, "256", "auto", "1"), 16000, 2, Sound{0, MP2, 160000, 16000, 1, 0}},
		{"vorbis", audio(Vorbis, "160", "44100", "2"), 48000, 2, Sound{0, Vorbis, 160000, 44100, 2, 0}},
		{"vorbis above its modes", audio(Vorbis, "320", "auto", "auto"), 22050, 1, Sound{0, Vorbis, 90000, 22050, 1, 0}},
		{"vorbis below its modes", audio(Vorbis, "64", "auto", "auto"), 48000, 8, Sound{0, Vorbis, 256000, 48000, 8, 0}},
		{"flac", deep, 192000, 8, Sound{0, FLAC, 0, 192000, 8, 24}},
		{"flac of an odd rate", deep, 11025, 1, Sound{0, FLAC, 0, 11025, 1, 24}},
		{"flac of a rate without code", deep, 100001, 1, Sound{0, FLAC, 0, 96000, 1, 24}},
		{"pcm", audio(PCM, "", "auto", "2"), 44100, 1, Sound{0, PCM, 0, 44100, 2, 16}},
		{"pcm of an absurd rate", audio(PCM, "64", "auto", "2"), 700000, 1, Sound{0, PCM, 0, 192000, 2, 16}},
	} {
		if got := soundOf(c.a, &SourceSound{SampleRate: c.hz, Channels: c.channels}); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestSoundAloneIsCutOnItsFrames: the grid of an output without a picture.
func TestSoundAloneIsCutOnItsFrames(t *testing.T) {
	for frame, s := range map[int64]Sound{1024: {Codec: AAC}, 1152: {Codec: MP3, SampleRate: 32000}, 576: {Codec: MP3, SampleRate: 24000}} {
		if s.Frame() != frame {
			t.Errorf("%+v has frames of %d", s, s.Frame())
		}
	}
}
