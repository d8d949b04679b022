package fragment_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
)

// encoders are those of ffmpeg, with what their streams must say and the samples
// that they put before the first.
var encoders = []struct {
	name   string
	coding fragment.Coding
	codec  string
	bits   int
	rates  []int
	most   int // channels
	delay  int64
	whole  int64 // samples of a frame, where the last is not cut to what is heard
}{
	{"aac", fragment.AAC, "mp4a.40.2", 0, []int{96000}, 8, 1024, 0},
	{"libmp3lame", fragment.MPEGAudio, "mp4a.40.34", 0, []int{22050, 48000}, 2, 1105, 0},
	{"mp2", fragment.MPEGAudio, "mp4a.40.34", 0, []int{44100}, 2, 0, 1152},
	{"libvorbis", fragment.Vorbis, "vorbis", 0, []int{22050, 48000}, 8, 128, 0},
	{"flac", fragment.FLAC, "flac", 24, []int{44100, 192000}, 8, 0, 0},
	{"pcm_u8", fragment.PCM, "pcm", 8, []int{22050}, 8, 0, 0},
	{"pcm_s16le", fragment.PCM, "pcm", 16, []int{44100, 192000}, 8, 0, 0},
	{"pcm_s24le", fragment.PCM, "pcm", 24, []int{48000}, 8, 0, 0},
	{"pcm_s32le", fragment.PCM, "pcm", 32, []int{96000}, 8, 0, 0},
}

// TestSoundOfEachCodec: what a track says, and that the durations of its samples
// add up to what went in and the encoder's delay.
func TestSoundOfEachCodec(t *testing.T) {
	t.Parallel()
	for _, e := range encoders {
		for _, rate := range e.rates {
			for channels, layout := range map[int]string{1: "mono", 2: "stereo", e.most: map[int]string{2: "stereo", 8: "7.1"}[e.most]} {
				const heard = 12345
				stream := fragmenttest.Sound(t, e.name, fmt.Sprintf("anoisesrc=r=%d:d=1:a=0.1,aformat=channel_layouts=%s,atrim=end_sample=%d", rate, layout, heard))
				track, samples := fragmenttest.Samples(t, stream)
				what := fmt.Sprintf("%s, %d Hz, %d channels", e.name, rate, channels)
				if track.Kind != fragment.Audio || track.Coding != e.coding || track.Codec != e.codec || track.BitDepth != e.bits ||
					track.SampleRate != rate || track.Timescale != uint32(rate) || track.Channels != channels && e.coding != fragment.MPEGAudio {
					t.Errorf("%s: the track is %+v", what, track)
				}
				f := fragment.Fragment{Samples: samples}
				delay := e.delay
				if e.coding == fragment.Vorbis {
					delay = samples[0].Duration
				}
				want := delay + heard
				if e.whole > 0 {
					want = (heard + e.whole - 1) / e.whole * e.whole
				}
				if f.End() != want {
					t.Errorf("%s: %d samples, want %d", what, f.End(), want)
				}
				if again, err := fragment.NewTrack(track.Timescale, track.SampleEntry); err != nil || !again.Same(track) {
					t.Errorf("%s: read back: %+v, %v", what, again, err)
				}
			}
		}
	}
}

// TestSamplesOfPCM are those that a file of nothing else has.
func TestSamplesOfPCM(t *testing.T) {
	t.Parallel()
	for format, encoder := range map[string]string{"u8": "pcm_u8", "s16le": "pcm_s16le", "s24le": "pcm_s24le", "s32le": "pcm_s32le"} {
		const source = "sine=f=440:r=48000:d=1.234"
		_, samples := fragmenttest.Samples(t, fragmenttest.Sound(t, encoder, source, "-ac", "2"))
		var got []byte
		for _, s := range samples {
			got = append(got, s.Data...)
		}
		want, _ := fragmenttest.Run(t, nil, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-ac", "2", "-c:a", encoder, "-f", format, "pipe:1")
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes differ from the %d that were encoded", encoder, len(got), len(want))
		}
	}
}

func TestVorbisHeaders(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte{7}, 300)
	good := append([]byte{2, 1, 255, 45, 9}, append(bytes.Clone(long), 8, 8)...)
	headers, err := fragment.VorbisHeaders(good)
	if err != nil || !bytes.Equal(headers[0], []byte{9}) || !bytes.Equal(headers[1], long) || !bytes.Equal(headers[2], []byte{8, 8}) {
		t.Errorf("%v, %v", headers, err)
	}
	for _, bad := range [][]byte{nil, {1, 1, 1}, {2}, {2, 255}, {2, 1, 255}, {2, 5, 5, 1}, good[:200]} {
		if _, err := fragment.VorbisHeaders(bad); !errors.Is(err, fragment.ErrMalformed) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestSoundThatIsRefused(t *testing.T) {
	t.Parallel()
	entry := func(encoder, source string) (uint32, []byte) {
		track, _ := fragmenttest.Samples(t, fragmenttest.Sound(t, encoder, source))
		return track.Timescale, track.SampleEntry
	}
	patched := func(b []byte, name string, n int, v byte) []byte {
		b = bytes.Clone(b)
		b[bytes.Index(b, []byte(name))+len(name)+n] = v
		return b
	}
	scale, pcm := entry("pcm_s24le", "sine=r=48000:d=0.1")
	_, flac := entry("flac", "sine=r=48000:d=0.1")
	_, vorbis := entry("libvorbis", "sine=r=48000:d=0.1")
	_, mp3 := entry("libmp3lame", "sine=r=48000:d=0.1")
	for name, b := range map[string][]byte{
		"big-endian":          patched(pcm, "enda", 1, 0),
		"no channel":          patched(pcm, "in24", 17, 0),
		"too many channels":   patched(pcm, "in24", 17, 9),
		"another rate":        patched(pcm, "in24", 24, 1),
		"an unknown version":  patched(pcm, "in24", 9, 3),
		"other metadata":      patched(flac, "dfLa", 4, 0x84),
		"a rate of 0":         patched(patched(patched(flac, "dfLa", 18, 0), "dfLa", 19, 0), "dfLa", 20, 0),
		"no identification":   patched(vorbis, "vorbis", -1, 'V'),
		"vorbis of 0":         patched(vorbis, "vorbis", 4, 0),
		"mp3 of another rate": patched(mp3, "mp4a", 24, 10),
		"unknown object":      patched(mp3, "esds", 17, 0x6c),
		"cut":                 mp3[:40],
	} {
		if track, err := fragment.NewTrack(scale, b); !errors.Is(err, fragment.ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, track, err)
		}
	}
}

// FuzzVorbisHeaders: what is taken are three headers that lie one after the other
// in the configuration.
func FuzzVorbisHeaders(f *testing.F) {
	f.Add([]byte("\x02\x01\x01abc"))
	f.Add([]byte{2, 255, 255, 255, 1, 1})
	f.Add([]byte{2, 255})
	f.Fuzz(func(t *testing.T, config []byte) {
		headers, err := fragment.VorbisHeaders(config)
		if err != nil {
			if !errors.Is(err, fragment.ErrMalformed) {
				t.Errorf("%v", err)
			}
			return
		}
		if joined := bytes.Join(headers[:], nil); !bytes.HasSuffix(config, joined) {
			t.Errorf("%x gives %x", config, joined)
		}
	})
}
