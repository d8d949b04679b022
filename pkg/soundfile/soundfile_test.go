package soundfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/part"
	"sealreel/pkg/soundfile"
)

// encoding is a sound in parts, as workers store it.
type encoding struct {
	sequence *part.Sequence
	parts    [][]byte
}

// encode encodes a sound and cuts it into three parts. delay is how many samples
// the encoder puts first, -1 for the length of the first packet.
func encode(t testing.TB, encoder string, delay int64, source string, args ...string) encoding {
	t.Helper()
	track, samples := fragmenttest.Samples(t, fragmenttest.Sound(t, encoder, source, args...))
	if delay < 0 {
		delay = samples[0].Duration
	}
	f := fragment.Fragment{Samples: samples}
	f.Shift(-delay)
	return join(t, track, samples[:len(samples)/3], samples[len(samples)/3:len(samples)/2], samples[len(samples)/2:])
}

func join(t testing.TB, track *fragment.Track, parts ...[]fragment.Sample) encoding {
	t.Helper()
	var e encoding
	var indexes []*part.Index
	for _, samples := range parts {
		w := part.NewIndexWriter(track)
		var data []byte
		for _, s := range samples {
			if err := w.Add(s); err != nil {
				t.Fatal(err)
			}
			data = append(data, s.Data...)
		}
		x, err := part.ParseIndex(w.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		indexes, e.parts = append(indexes, x), append(e.parts, data)
	}
	var err error
	if e.sequence, err = part.Join(fragment.Audio, indexes); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e encoding) open(_ fragment.Kind, place int) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(e.parts[place])), nil
}

// file writes a file, and holds a second one against it.
func (e encoding) file(t testing.TB, plan func(*part.Sequence) (*soundfile.File, error)) []byte {
	t.Helper()
	f, err := plan(e.sequence)
	if err != nil {
		t.Fatal(err)
	}
	var one, two bytes.Buffer
	for _, b := range []*bytes.Buffer{&one, &two} {
		if err := f.Stream(b, e.open); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("the same sound gives other bytes")
	}
	return one.Bytes()
}

// saved is the file's name on disk: programs believe sizes only where they can
// see the end.
func saved(t testing.TB, file []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "sound")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// decode is the sound of a file, in samples of 32 bits.
func decode(t testing.TB, file []byte) []byte {
	t.Helper()
	out, log := fragmenttest.Run(t, nil, "ffmpeg", "-v", "error", "-xerror", "-err_detect", "crccheck+bitstream+buffer+explode", "-i", saved(t, file), "-f", "s32le", "pipe:1")
	if log != "" {
		t.Errorf("ffmpeg says: %s", log)
	}
	return out
}

// straight encodes a sound into a file by ffmpeg alone.
func straight(t testing.TB, encoder, format, source string, args ...string) []byte {
	t.Helper()
	all := append([]string{"-v", "error", "-f", "lavfi", "-i", source, "-c:a", encoder}, args...)
	out, _ := fragmenttest.Run(t, nil, "ffmpeg", append(all, "-f", format, "pipe:1")...)
	return out
}

func probe(t testing.TB, file []byte, entries string) string {
	t.Helper()
	out, _ := fragmenttest.Run(t, nil, "ffprobe", "-v", "error", "-show_entries", entries, "-of", "default=nw=1", saved(t, file))
	return string(out)
}

func noise(rate int, layout string, samples int) string {
	return fmt.Sprintf("anoisesrc=r=%d:d=8:a=0.2:seed=7,aformat=channel_layouts=%s,atrim=end_sample=%d", rate, layout, samples)
}

// TestLosslessFilesHoldTheSound: what is decoded is what was encoded, to the
// sample.
func TestLosslessFilesHoldTheSound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		encoder, layout string
		rate, samples   int
		plan            func(*part.Sequence) (*soundfile.File, error)
		args            []string
	}{
		{"pcm_u8", "mono", 22050, 50001, soundfile.WAV, nil}, // an odd number of bytes
		{"pcm_u8", "stereo", 44100, 100000, soundfile.WAV, nil},
		{"pcm_s16le", "stereo", 44100, 123457, soundfile.WAV, nil},
		{"pcm_s16le", "5.1", 48000, 50000, soundfile.WAV, nil},
		{"pcm_s24le", "quad", 96000, 50000, soundfile.WAV, nil},
		{"pcm_s32le", "mono", 192000, 50000, soundfile.WAV, nil},
		{"pcm_s16le", "6.1", 48000, 20000, soundfile.WAV, nil},
		{"pcm_s24le", "7.1", 48000, 20000, soundfile.WAV, nil},
		{"flac", "mono", 22050, 50001, soundfile.FLAC, []string{"-sample_fmt", "s16"}},
		{"flac", "stereo", 44100, 123457, soundfile.FLAC, []string{"-sample_fmt", "s16"}},
		{"flac", "5.1", 96000, 50000, soundfile.FLAC, []string{"-sample_fmt", "s32"}},
		{"flac", "stereo", 44100, 123457, soundfile.Ogg, []string{"-sample_fmt", "s16"}},
		{"flac", "7.1", 192000, 90000, soundfile.Ogg, []string{"-sample_fmt", "s32"}}, // frames longer than a page
	} {
		t.Run(fmt.Sprintf("%s %s %d", c.encoder, c.layout, c.rate), func(t *testing.T) {
			t.Parallel()
			source := noise(c.rate, c.layout, c.samples)
			got := encode(t, c.encoder, 0, source, c.args...).file(t, c.plan)
			format := "flac"
			if c.encoder != "flac" {
				format = "nut"
			}
			want := decode(t, straight(t, c.encoder, format, source, c.args...))
			if sound := decode(t, got); !bytes.Equal(sound, want) {
				t.Errorf("%d bytes of sound differ from the %d that were encoded", len(sound), len(want))
			}
			layout := c.layout
			if c.encoder != "flac" && !strings.Contains(c.layout, ".") && c.layout != "quad" && c.rate < 96000 {
				layout = "unknown" // mono and stereo go without saying
			}
			if c.encoder == "flac" && c.layout == "5.1" {
				layout = "5.1(side)" // FLAC has one place for either
			}
			described := fmt.Sprintf("sample_rate=%d\nchannel_layout=%s\nduration_ts=%d\n", c.rate, layout, c.samples)
			if shown := probe(t, got, "stream=sample_rate,channel_layout,duration_ts"); shown != described {
				t.Errorf("ffprobe says %q, want %q", shown, described)
			}
		})
	}
}

// TestLossyFilesHoldTheSound: what is decoded is what ffmpeg's own file of one
// encode has, to the sample, and as long as what was encoded.
func TestLossyFilesHoldTheSound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		encoder, format, layout string
		rate, samples           int
		delay                   int64
		plan                    func(*part.Sequence) (*soundfile.File, error)
		bits                    string
	}{
		{"libvorbis", "ogg", "stereo", 44100, 123457, -1, soundfile.Ogg, "128k"},
		{"libvorbis", "ogg", "mono", 22050, 50001, -1, soundfile.Ogg, "64k"},
		{"libvorbis", "ogg", "5.1", 48000, 50000, -1, soundfile.Ogg, "320k"},
		{"libvorbis", "ogg", "7.1", 48000, 50000, -1, soundfile.Ogg, "320k"},
		{"libvorbis", "ogg", "stereo", 48000, 100, -1, soundfile.Ogg, "128k"},
		{"libvorbis", "ogg", "stereo", 48000, 20000, -1, soundfile.Ogg, "128k"},
		{"libmp3lame", "mp3", "stereo", 44100, 123457, 1105, soundfile.MP3, "128k"},
		{"libmp3lame", "mp3", "mono", 48000, 48000, 1105, soundfile.MP3, "32k"},
		{"libmp3lame", "mp3", "stereo", 22050, 50001, 1105, soundfile.MP3, "64k"},
		{"libmp3lame", "mp3", "mono", 16000, 50001, 1105, soundfile.MP3, "16k"},
		{"libmp3lame", "mp3", "stereo", 32000, 100000, 1105, soundfile.MP3, "320k"},
		{"libmp3lame", "mp3", "stereo", 48000, 1000, 1105, soundfile.MP3, "128k"},
	} {
		t.Run(fmt.Sprintf("%s %s %d %d", c.encoder, c.layout, c.rate, c.samples), func(t *testing.T) {
			t.Parallel()
			source, args := noise(c.rate, c.layout, c.samples), []string{"-b:a", c.bits}
			got := decode(t, encode(t, c.encoder, c.delay, source, args...).file(t, c.plan))
			frame := 4 * map[string]int{"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8}[c.layout]
			if len(got) != c.samples*frame {
				t.Errorf("%d samples are heard, want %d", len(got)/frame, c.samples)
			}
			want := decode(t, straight(t, c.encoder, c.format, source, args...))
			if c.format == "mp3" { // through a pipe, ffmpeg's Info tag stays without numbers
				want = want[min(len(want), 1105*frame):]
			}
			if n := min(len(got), len(want)); n == 0 || !bytes.Equal(got[:n], want[:n]) {
				t.Errorf("of %d samples, some differ from those of one encode", n/frame)
			}
		})
	}
}

func TestRawLayerII(t *testing.T) {
	t.Parallel()
	source := noise(48000, "stereo", 50000)
	got := encode(t, "mp2", 481, source, "-b:a", "192k").file(t, soundfile.Raw)
	if !bytes.Equal(got, straight(t, "mp2", "mp2", source, "-b:a", "192k")) {
		t.Error("it is not ffmpeg's file")
	}
}

// TestSeekTableOfFLAC finds the frames where it says that they are.
func TestSeekTableOfFLAC(t *testing.T) {
	t.Parallel()
	e := encode(t, "flac", 0, "sine=r=8000:d=61", "-sample_fmt", "s16")
	file := e.file(t, soundfile.FLAC)
	b, frames, table := file[4:], []byte(nil), []byte(nil)
	for frames == nil {
		kind, n := b[0], int(b[1])<<16|int(b[2])<<8|int(b[3])
		if kind&0x7f == 3 {
			table = b[4 : 4+n]
		}
		b = b[4+n:]
		if kind&0x80 != 0 {
			frames = b
		}
	}
	if len(table) != 7*18 {
		t.Fatalf("the seek table has %d bytes", len(table))
	}
	for i := range 7 {
		at, offset := binary.BigEndian.Uint64(table[i*18:]), binary.BigEndian.Uint64(table[i*18+8:])
		if at < uint64(i)*80000 || at > uint64(i)*80000+4608 || binary.BigEndian.Uint16(frames[offset:])&0xfffe != 0xfff8 {
			t.Errorf("point %d is of sample %d at %d, where no frame begins", i, at, offset)
		}
	}
	if probe(t, file, "stream=duration_ts") != "duration_ts=488000\n" {
		t.Error(probe(t, file, "stream=duration_ts"))
	}
}

// TestContentsOfMP3 are where ffmpeg finds the frames of the time.
func TestContentsOfMP3(t *testing.T) {
	t.Parallel()
	file := encode(t, "libmp3lame", 1105, "sine=r=48000:d=60", "-b:a", "64k").file(t, soundfile.MP3)
	at := bytes.Index(file, []byte("Info"))
	toc := file[at+16:][:100]
	for i, v := range toc {
		if want := float64(i) * 2.56; float64(v) < want-2 || float64(v) > want+2 {
			t.Errorf("contents %d are %d, want %.0f", i, v, want)
		}
	}
	if n := binary.BigEndian.Uint32(file[at+12:]); n != uint32(len(file)) {
		t.Errorf("the tag tells %d bytes of %d", n, len(file))
	}
}

func TestTracksWithoutAPlace(t *testing.T) {
	t.Parallel()
	pcm := encode(t, "pcm_s16le", 0, "sine=r=48000:d=0.2").sequence
	aac := encode(t, "aac", 1024, "sine=r=48000:d=0.2").sequence
	for name, plan := range map[string]func(*part.Sequence) (*soundfile.File, error){
		"wav": soundfile.WAV, "flac": soundfile.FLAC, "ogg": soundfile.Ogg, "mp3": soundfile.MP3, "mp2": soundfile.Raw} {
		for _, q := range []*part.Sequence{pcm, aac, nil} {
			if q == pcm && name == "wav" {
				continue
			}
			if _, err := plan(q); !errors.Is(err, part.ErrParts) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	e := encode(t, "mp2", 481, "sine=r=48000:d=0.2") // the entry is that of layer III
	f, err := soundfile.MP3(e.sequence)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Stream(io.Discard, e.open); !errors.Is(err, part.ErrParts) {
		t.Errorf("layer II as layer III: %v", err)
	}
}
