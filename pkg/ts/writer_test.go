package ts_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/ts"
)

// clip is what segments are made of. Its times are ticks: the first picture is
// shown at 0, the first sound is the encoder's delay before it.
type clip struct {
	video, audio   *fragment.Track
	frames, sounds []fragment.Sample
	source, music  []byte
}

func makeClip(t testing.TB, picture, sound string, videoArgs, audioArgs []string) *clip {
	t.Helper()
	c := &clip{}
	if picture != "" {
		c.source = fragmenttest.Video(t, picture, videoArgs...)
		c.video, c.frames = fragmenttest.Samples(t, c.source)
		f := fragment.Fragment{Samples: c.frames}
		f.Shift(-c.frames[0].PTS)
	}
	if sound != "" {
		c.music = fragmenttest.Audio(t, sound, audioArgs...)
		c.audio, c.sounds = fragmenttest.Samples(t, c.music)
		f := fragment.Fragment{Samples: c.sounds}
		f.Shift(-1024)
	}
	return c
}

// segments cuts the clip at every keyframe (without video every 100 frames of
// sound).
func (c *clip) segments(t testing.TB) [][]byte {
	t.Helper()
	var all [][]byte
	frames, sounds := c.frames, c.sounds
	for len(frames)+len(sounds) > 0 {
		n := len(frames)
		if i := slices.IndexFunc(frames[min(1, n):], func(s fragment.Sample) bool { return s.Key }); i >= 0 {
			n = i + 1
		}
		m := len(sounds)
		if n < len(frames) {
			end := ts.Ticks(frames[n].PTS, c.video.Timescale)
			m = slices.IndexFunc(sounds, func(s fragment.Sample) bool { return ts.Ticks(s.PTS, c.audio.Timescale) >= end })
		} else if c.video == nil {
			m = min(m, 100)
		}
		if m < 0 {
			m = len(sounds)
		}
		all = append(all, c.segment(t, frames[:n], sounds[:m]))
		frames, sounds = frames[n:], sounds[m:]
	}
	return all
}

func (c *clip) segment(t testing.TB, frames, sounds []fragment.Sample) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := ts.NewWriter(&out, ts.Config{Video: c.video, Audio: c.audio})
	if err != nil {
		t.Fatal(err)
	}
	i := ts.NewInterleaver(w)
	for _, s := range sounds {
		i.Audio(s.Data, ts.Ticks(s.PTS, c.audio.Timescale))
	}
	for _, s := range frames {
		if err := i.Video(s, ts.Ticks(s.PTS, c.video.Timescale), ts.Ticks(s.DTS, c.video.Timescale)); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// payload is the size of the clip's samples.
func (c *clip) payload() int {
	n := 0
	for _, s := range slices.Concat(c.frames, c.sounds) {
		n += len(s.Data)
	}
	return n
}

var clips = []struct {
	name, picture, sound string
	videoArgs, audioArgs []string
}{
	{"ntsc with stereo", "testsrc2=s=320x180:r=30000/1001:d=6", "sine=r=48000:d=6,aformat=channel_layouts=stereo",
		[]string{"-g", "45", "-video_track_timescale", "30000"}, []string{"-b:a", "128k"}},
	{"film with 44100 mono", "testsrc2=s=320x180:r=24000/1001:d=5", "anoisesrc=r=44100:d=5:a=0.3:seed=1",
		[]string{"-g", "48", "-video_track_timescale", "24000"}, []string{"-b:a", "64k"}},
	{"60 frames with 5.1", "testsrc2=s=320x180:r=60:d=3", "anoisesrc=r=48000:d=3:a=0.3:seed=1,aformat=channel_layouts=5.1",
		[]string{"-g", "60", "-video_track_timescale", "60000"}, nil},
	{"no b-frames and silence", "testsrc2=s=320x180:r=25:d=3", "anullsrc=r=48000:cl=stereo:d=3",
		[]string{"-g", "10", "-bf", "0", "-video_track_timescale", "25000"}, nil},
	{"one frame a second", "testsrc2=s=320x180:r=1:d=8", "sine=r=48000:d=8",
		[]string{"-g", "4", "-bf", "2", "-video_track_timescale", "1000"}, nil},
	{"large frames", "color=gray:s=640x360:r=25:d=2,noise=alls=100:allf=t", "",
		[]string{"-g", "25", "-qp", "4", "-video_track_timescale", "25000"}, nil},
	{"video alone", "testsrc2=s=320x180:r=25:d=3", "", []string{"-g", "25", "-video_track_timescale", "25000"}, nil},
	{"audio alone", "", "anoisesrc=r=44100:d=9:a=0.3:seed=1", nil, []string{"-b:a", "96k"}},
	{"audio alone at 8 kHz", "", "anoisesrc=r=8000:d=9:a=0.3:seed=1", nil, nil},
}

// TestSegmentsDecodeToTheSource joins all segments of real encodes and compares
// each frame, its time and each sample of sound with those of the source.
func TestSegmentsDecodeToTheSource(t *testing.T) {
	t.Parallel()
	for _, k := range clips {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			c := makeClip(t, k.picture, k.sound, k.videoArgs, k.audioArgs)
			segments := c.segments(t)
			whole := bytes.Join(segments, nil)
			t.Logf("%d segments, %d bytes, %.2f %% overhead", len(segments), len(whole), 100*float64(len(whole)-c.payload())/float64(c.payload()))
			if c.video != nil {
				c.comparePictures(t, whole)
			}
			if c.audio != nil {
				c.compareSound(t, whole)
			}
			if _, log := fragmenttest.Run(t, whole, "ffmpeg", "-v", "warning", "-i", "-", "-f", "null", "-"); log != "" {
				t.Errorf("ffmpeg warns: %s", log)
			}
		})
	}
}

func (c *clip) comparePictures(t *testing.T, whole []byte) {
	t.Helper()
	want, got := hashes(t, c.source), hashes(t, whole)
	if len(want) != len(c.frames) || !slices.Equal(got, want) {
		t.Errorf("%d pictures, the source has %d, or they differ", len(got), len(want))
	}
	var times []string
	for _, s := range c.frames {
		pts, dts := ts.Start+ts.Ticks(s.PTS, c.video.Timescale), ts.Start+ts.Ticks(s.DTS, c.video.Timescale)
		times = append(times, fmt.Sprintf("%d,%d", pts, dts))
	}
	if probed := packets(t, whole, "v"); !slices.Equal(probed, times) {
		t.Errorf("times of pictures\n%v, want\n%v", probed, times)
	}
}

func (c *clip) compareSound(t *testing.T, whole []byte) {
	t.Helper()
	plain, _ := fragmenttest.Run(t, c.music, "ffmpeg", "-v", "error", "-i", "-", "-c", "copy", "-f", "adts", "-")
	carried, _ := fragmenttest.Run(t, whole, "ffmpeg", "-v", "error", "-i", "-", "-vn", "-c", "copy", "-f", "adts", "-")
	if !bytes.Equal(plain, carried) {
		t.Errorf("%d bytes of AAC, the source has %d, or they differ", len(carried), len(plain))
	}
	want, _ := fragmenttest.Run(t, plain, "ffmpeg", "-v", "error", "-f", "aac", "-i", "-", "-f", "f32le", "-")
	got, _ := fragmenttest.Run(t, whole, "ffmpeg", "-v", "error", "-i", "-", "-vn", "-f", "f32le", "-")
	if len(want) != 4*1024*c.audio.Channels*len(c.sounds) || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of sound, the source has %d, or they differ", len(got), len(want))
	}
	probed := packets(t, whole, "a")
	if len(probed) != len(c.sounds) {
		t.Fatalf("%d frames of sound, want %d", len(probed), len(c.sounds))
	}
	for i, s := range c.sounds {
		var pts, dts int64
		if _, err := fmt.Sscanf(probed[i], "%d,%d", &pts, &dts); err != nil {
			t.Fatal(err)
		}
		// Behind the first frame of a packet ffprobe adds a truncated duration.
		if d := pts - ts.Start - ts.Ticks(s.PTS, c.audio.Timescale); d < -17 || d > 1 {
			t.Errorf("sound %d at %d is off by %d ticks", i, pts, d)
		}
	}
}

// hashes are the MD5s of all pictures.
func hashes(t *testing.T, stream []byte) []string {
	t.Helper()
	out, _ := fragmenttest.Run(t, stream, "ffmpeg", "-v", "error", "-i", "-", "-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-")
	var all []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, line[strings.LastIndex(line, ",")+1:])
		}
	}
	return all
}

// packets are the times that ffprobe reads: "pts,dts" a packet.
func packets(t *testing.T, stream []byte, kind string) []string {
	t.Helper()
	out, _ := fragmenttest.Run(t, stream, "ffprobe", "-v", "error", "-select_streams", kind, "-show_entries", "packet=pts,dts", "-of", "csv=p=0", "-")
	var all []string
	for line := range strings.Lines(string(out)) {
		if line = strings.Trim(line, ",\n"); line != "" { // side data has a line of its own
			all = append(all, line)
		}
	}
	return all
}

func TestSameInputGivesSameBytes(t *testing.T) {
	t.Parallel()
	c := makeClip(t, "testsrc2=s=96x64:r=25:d=1", "sine=r=48000:d=1", nil, nil)
	if !bytes.Equal(c.segment(t, c.frames, c.sounds), c.segment(t, c.frames, c.sounds)) {
		t.Error("two segments of one input differ")
	}
}

func TestTimesWrap(t *testing.T) {
	t.Parallel()
	c := makeClip(t, "testsrc2=s=96x64:r=25:d=2", "sine=r=48000:d=2", []string{"-video_track_timescale", "90000"}, []string{"-ar", "48000"})
	const wrap = 1<<33 - ts.Start - ts.Clock // the wrap is one second into the clip
	var out bytes.Buffer
	w, err := ts.NewWriter(&out, ts.Config{Video: c.video, Audio: c.audio})
	if err != nil {
		t.Fatal(err)
	}
	i := ts.NewInterleaver(w)
	for _, s := range c.sounds {
		i.Audio(s.Data, wrap+ts.Ticks(s.PTS, c.audio.Timescale))
	}
	for _, s := range c.frames {
		if err := i.Video(s, wrap+s.PTS, wrap+s.DTS); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	probed := packets(t, out.Bytes(), "v")
	for n, s := range c.frames {
		// ffprobe unrolls the wrap downwards: what lies before it is negative.
		want := fmt.Sprintf("%d,%d", s.PTS-ts.Clock, s.DTS-ts.Clock)
		if probed[n] != want {
			t.Fatalf("frame %d at %s, want %s", n, probed[n], want)
		}
	}
	if got := hashes(t, out.Bytes()); len(got) != len(c.frames) {
		t.Errorf("%d pictures, want %d", len(got), len(c.frames))
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		t     int64
		scale uint32
		want  int64
	}{
		{0, 30000, 0}, {1001, 30000, 3003}, {-2002, 30000, -6006}, {1024, 44100, 2090}, {-1024, 44100, -2090},
		{1, 180000, 1}, {-1, 180000, 0}, {-3, 180000, -1}, {1, 90001, 1}, {1 << 50, 90000, 1 << 50}, {1<<32 - 1, 1<<32 - 1, 90000},
	} {
		if got := ts.Ticks(c.t, c.scale); got != c.want {
			t.Errorf("Ticks(%d, %d) = %d, want %d", c.t, c.scale, got, c.want)
		}
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	c := makeClip(t, "testsrc2=s=96x64:r=25:d=0.2", "sine=r=48000:d=0.2", nil, nil)
	strange := *c.audio
	strange.SampleRate = 12345
	main := *c.audio
	main.ObjectType = 1
	for name, config := range map[string]ts.Config{
		"nothing": {}, "sound as picture": {Video: c.audio}, "picture as sound": {Audio: c.video},
		"a rate without code": {Audio: &strange}, "another AAC": {Audio: &main},
	} {
		if _, err := ts.NewWriter(&bytes.Buffer{}, config); !errors.Is(err, ts.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	both := ts.Config{Video: c.video, Audio: c.audio}
	for _, k := range []struct {
		name   string
		config ts.Config
		write  func(w *ts.Writer) error
	}{
		{"no frame", both, func(w *ts.Writer) error { return nil }},
		{"a picture in sound", ts.Config{Audio: c.audio}, func(w *ts.Writer) error { return w.WriteVideo(c.frames[0], 0, 0) }},
		{"sound in a picture", ts.Config{Video: c.video}, func(w *ts.Writer) error { return w.WriteAudio(c.sounds[0].Data, 0) }},
		{"empty sound", both, func(w *ts.Writer) error { return w.WriteAudio(nil, 0) }},
		{"long sound", both, func(w *ts.Writer) error { return w.WriteAudio(make([]byte, 8185), 0) }},
		{"unit beyond the sample", both, func(w *ts.Writer) error {
			return w.WriteVideo(fragment.Sample{Data: []byte{0, 0, 0, 9, 1}}, 0, 0)
		}},
		{"empty unit", both, func(w *ts.Writer) error { return w.WriteVideo(fragment.Sample{Data: []byte{0, 0, 0, 0}}, 0, 0) }},
		{"rest", both, func(w *ts.Writer) error {
			return w.WriteVideo(fragment.Sample{Key: true, Data: []byte{0, 0, 0, 1, 1, 7}}, 0, 0)
		}},
	} {
		w, err := ts.NewWriter(&bytes.Buffer{}, k.config)
		if err != nil {
			t.Fatal(err)
		}
		if err = k.write(w); err == nil {
			err = w.Close()
		}
		if !errors.Is(err, ts.ErrMalformed) {
			t.Errorf("%s: %v", k.name, err)
		}
		if again := w.Close(); again != err {
			t.Errorf("%s: then %v", k.name, again)
		}
	}
}

type brokenWriter struct{ left int }

var errBroken = errors.New("broken")

func (b *brokenWriter) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestErrorsOfTheDestinationComeThrough(t *testing.T) {
	t.Parallel()
	c := makeClip(t, "testsrc2=s=320x180:r=25:d=1", "sine=r=48000:d=1", nil, nil)
	for _, n := range []int{0, 1000, 30000} {
		w, err := ts.NewWriter(&brokenWriter{n}, ts.Config{Video: c.video, Audio: c.audio})
		if err != nil {
			t.Fatal(err)
		}
		i := ts.NewInterleaver(w)
		for _, s := range c.frames {
			if err = i.Video(s, s.PTS, s.DTS); err != nil {
				break
			}
		}
		if err == nil {
			err = i.Close()
		}
		if !errors.Is(err, errBroken) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
