package probe

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/ffmpeg"
	"sealreel/pkg/job"
	"sealreel/pkg/loopback"
	"sealreel/pkg/rational"
)

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestUnusableInputs(t *testing.T) {
	clip := read(t, makeClip(t, "a.mp4", both+x264))
	noise := bytes.Repeat([]byte("no media at all "), 5000)
	for name, c := range map[string]struct {
		data []byte
		p    Prober
		want job.Code
	}{
		"empty":               {nil, Prober{}, job.CodeBadInput},
		"one byte":            {[]byte{0}, Prober{}, job.CodeBadInput},
		"text":                {noise, Prober{}, job.CodeBadInput},
		"index cut off":       {clip[:len(clip)/2], Prober{}, job.CodeBadInput},
		"HLS playlist":        {[]byte("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n"), Prober{}, job.CodeFormatUnsupported},
		"ffconcat":            {[]byte("ffconcat version 1.0\nfile '/etc/passwd'\n"), Prober{}, job.CodeFormatUnsupported},
		"picture":             {read(t, makeClip(t, "a.png", picture+"-frames:v 1")), Prober{}, job.CodeFormatUnsupported},
		"subtitles":           {[]byte("1\n00:00:01,000 --> 00:00:02,000\nhello\n"), Prober{}, job.CodeFormatUnsupported},
		"header alone":        {read(t, makeClip(t, "a.mkv", both+"-t 0.01 -c:v mpeg4 -an -frames:v 0")), Prober{}, job.CodeBadInput},
		"picture too large":   {clip, Prober{MaxPixels: 96*64 - 1}, job.CodeInputDimensions},
		"too many frames":     {clip, Prober{MaxFrames: 99}, job.CodeInputTooLarge},
		"too long":            {clip, Prober{MaxDuration: 3 * time.Second}, job.CodeInputTooLarge},
		"frames a year apart": {yearApart(t), Prober{}, job.CodeInputTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := probeBytes(t, c.p, c.data)
			f := (*job.Failure)(nil)
			if !errors.As(err, &f) || f.Code != c.want || f.Detail == "" {
				t.Errorf("got %+v, %v; want code %d", r, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("the error shows the URL: %v", err)
			}
		})
	}
	for name, p := range map[string]Prober{
		"just small enough": {MaxPixels: 96 * 64}, "just few enough": {MaxFrames: 201}, "just short enough": {MaxDuration: 4100 * time.Millisecond},
	} {
		if _, err := probeBytes(t, p, clip); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func yearApart(t *testing.T) []byte {
	return read(t, makeClip(t, "a.mkv", picture+"-vf setpts=N*365*86400/TB -frames:v 2 -vsync vfr -c:v mjpeg"))
}

func TestSoundAlone(t *testing.T) {
	cover := " -f lavfi -i testsrc2=s=64x64:d=0.04 -map 0 -map 1 -c:v mjpeg -disposition:v attached_pic"
	for name, c := range map[string]struct{ file, args, first, last string }{
		"mp3":            {"a.mp3", sound, "221/9600", "4.032"}, // 1105 samples of warming up
		"mp3 with cover": {"a.mp3", sound + cover, "221/9600", "4.032"},
		"m4a with cover": {"a.m4a", sound + cover, "0", "4"},
		"wav":            {"a.wav", sound, "0", "4"},
		"flac":           {"a.flac", sound, "0", "4"},
		"adts":           {"a.aac", sound, "0", "4.01"},
		"ogg":            {"a.ogg", sound + "-c:a flac", "0", "4"},
		"ts":             {"a.ts", sound + "-c:a mp2 -muxpreload 0 -muxdelay 0 -output_ts_offset 10", "10", "14"},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustProbe(t, makeClip(t, c.file, c.args))
			a := r.Audio
			if r.Video != nil || a == nil {
				t.Fatalf("video %v, audio %v", r.Video, a)
			}
			near := func(got rational.Rational, want string) bool {
				w, err := rational.Parse(want)
				return err == nil && between(got, w).Abs() < 30*time.Millisecond
			}
			if !near(a.Start(), c.first) || !near(a.Stop(), c.last) || !a.Start().Equal(r.Start) {
				t.Errorf("sound from %v to %v, start %v", a.Start(), a.Stop(), r.Start)
			}
			if a.SampleRate != 48000 || a.Channels != 1 || a.Packets == 0 || r.Duration != between(a.Start(), a.Stop()) {
				t.Errorf("got %+v, duration %v", a, r.Duration)
			}
		})
	}
}

// The start is that of whichever stream begins first, to the tick.
func TestStartIsTheEarliest(t *testing.T) {
	for name, c := range map[string]struct{ file, args string }{
		"video first":     {"a.mkv", picture + "-itsoffset 0.5 " + sound + x264},
		"audio first":     {"a.mkv", sound + "-itsoffset 0.5 " + picture + x264 + "-map 0 -map 1"},
		"ts, audio first": {"a.ts", sound + "-itsoffset 0.52 " + picture + x264 + "-map 0 -map 1"},
		"mp4":             {"a.mp4", sound + "-itsoffset 0.52 " + picture + x264 + "-vsync vfr"},
	} {
		t.Run(name, func(t *testing.T) {
			path := makeClip(t, c.file, c.args)
			r := mustProbe(t, path)
			want := r.Video.Start()
			if audioFirst := strings.Contains(name, "audio") || name == "mp4"; audioFirst {
				want = r.Audio.Start()
				if gap := between(want, r.Video.Start()); gap < 400*time.Millisecond {
					t.Errorf("the video begins only %v later", gap)
				}
			} else if gap := between(want, r.Audio.Start()); gap < 400*time.Millisecond {
				t.Errorf("the audio begins only %v later", gap)
			}
			if !r.Start.Equal(want) {
				t.Errorf("start %v, want %v", r.Start, want)
			}
			if r.Duration < 4400*time.Millisecond || r.Duration > 4700*time.Millisecond {
				t.Errorf("duration %v", r.Duration)
			}
			if a := r.Audio; decodedTimes(t, path, a.Index)[0] != a.First {
				t.Errorf("the sound begins at %d, decoded %d", a.First, decodedTimes(t, path, a.Index)[0])
			}
		})
	}
}

// An edit list that begins between keyframes hides frames, but decoding
// begins with them.
func TestEditList(t *testing.T) {
	whole := makeClip(t, "a.mp4", both+x264)
	path := makeClip(t, "cut.mp4", "-ss 1.5 -i "+whole+" -c copy -map 0")
	r := mustProbe(t, path)
	if got, want := r.Video.PTS, decodedTimes(t, path, 0); !slices.Equal(got, want) {
		t.Errorf("times\n%v, decoded\n%v", got, want)
	}
	if k := r.Video.Keyframes; len(k) == 0 || k[0] >= r.Video.PTS[0] {
		t.Errorf("keyframes %v, first frame %d", k, r.Video.PTS[0])
	}
	if !r.Video.Constant {
		t.Error("the rate is not constant")
	}
}

// A recording that was switched on between keyframes, and stopped anywhere.
func TestTransportStreamCutAnywhere(t *testing.T) {
	for name, args := range map[string]string{
		"closed": both + x264, "mpeg2": both + "-c:v mpeg2video -bf 2 -g 25 -c:a mp2",
		"open": picture + "-c:v libx264 -bf 3 -g 25 -x264-params open-gop=1",
	} {
		t.Run(name, func(t *testing.T) {
			data := read(t, makeClip(t, "a.ts", args))
			third := len(data) / 3 / 188 * 188
			path := makeClip(t, "cut.ts", "-f lavfi -i sine=d=0.1") // for its path
			if err := os.WriteFile(path, data[third:len(data)-third/2-77], 0o600); err != nil {
				t.Fatal(err)
			}
			v := mustProbe(t, path).Video
			decoded := decodedTimes(t, path, v.Index)
			// An open GOP's first frames, shown before its keyframe, cannot be
			// decoded either, but only the decoder knows.
			leading := slices.Index(v.PTS, v.Keyframes[0])
			if len(v.PTS) < 30 || leading > 2 || leading > 0 && name != "mpeg2" {
				t.Errorf("%d frames from %d, keyframes %v", len(v.PTS), v.PTS[0], v.Keyframes)
			}
			if !slices.Equal(v.PTS[leading:], decoded) {
				t.Errorf("times\n%v, decoded\n%v", v.PTS, decoded)
			}
		})
	}
}

func TestTruncatedMediaIsBelievedAsFarAsItGoes(t *testing.T) {
	data := read(t, makeClip(t, "a.mp4", both+x264+"-movflags +faststart"))
	r, err := probeBytes(t, Prober{}, data[:len(data)*2/3])
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Video.PTS); n < 30 || n > 80 || r.Duration > 3500*time.Millisecond {
		t.Errorf("%d frames, duration %v", n, r.Duration)
	}
}

// The container claims an hour.
func TestLyingContainer(t *testing.T) {
	data := read(t, makeClip(t, "a.flv", both+x264+"-ar 44100"))
	at := bytes.Index(data, []byte("duration\x00"))
	if at < 0 {
		t.Fatal("no duration to falsify")
	}
	copy(data[at+9:], "\x40\xac\x20\x00\x00\x00\x00\x00") // 3600 as a double
	r, err := probeBytes(t, Prober{}, data)
	if err != nil || r.Duration > 4200*time.Millisecond {
		t.Errorf("duration %v, %v", r.Duration, err)
	}
}

func TestJoinedTransportStreams(t *testing.T) {
	data := read(t, makeClip(t, "a.ts", both+x264))
	later := read(t, makeClip(t, "b.ts", both+x264+"-output_ts_offset 1000"))
	for name, whole := range map[string][]byte{
		"back": slices.Concat(data, data), "ahead": slices.Concat(data, later), "far back": slices.Concat(later, data),
	} {
		r, err := probeBytes(t, Prober{}, whole)
		if err != nil {
			t.Fatal(err)
		}
		v := r.Video
		if len(v.PTS) != 200 || v.Jumps != 1 || v.Indexed || r.Duration < 8*time.Second || r.Duration > 8200*time.Millisecond {
			t.Errorf("%s: %d frames, %d jumps, duration %v", name, len(v.PTS), v.Jumps, r.Duration)
		}
	}
}

func TestChoiceOfStreams(t *testing.T) {
	three := "-f lavfi -i testsrc2=s=32x32:d=1 -f lavfi -i testsrc2=s=64x64:d=1 " +
		"-f lavfi -i sine=r=8000:d=1 -f lavfi -i sine=r=16000:d=1 -map 0 -map 1 -map 2 -map 3 -c:v mpeg4 -c:a pcm_s16le "
	for name, c := range map[string]struct {
		args   string
		vi, ai int
	}{
		"first":   {"-disposition 0", 0, 2},
		"default": {"-disposition:v:0 0 -disposition:v:1 default -disposition:a:0 0 -disposition:a:1 default -metadata:s:a:1 language=fre", 1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustProbe(t, makeClip(t, "a.mkv", three+c.args))
			if r.Video.Index != c.vi || r.Audio.Index != c.ai || len(r.Streams) != 4 {
				t.Errorf("video %d, audio %d of %+v", r.Video.Index, r.Audio.Index, r.Streams)
			}
			if name == "default" && r.Audio.Language != "fre" {
				t.Errorf("language %q", r.Audio.Language)
			}
		})
	}
}

func TestStreamFields(t *testing.T) {
	r := mustProbe(t, makeClip(t, "a.mp4", both+x264+"-vf setsar=4/3 -pix_fmt yuv420p -ac 2 -b:a 96k"))
	v, a := r.Video.Stream, r.Audio.Stream
	if v.Kind != "video" || v.Codec != "h264" || v.Width != 96 || v.Height != 64 || !v.SAR.Equal(rational.New(4, 3)) ||
		v.PixelFormat != "yuv420p" || v.FieldOrder != "progressive" || v.BitRate == 0 || !v.Default || v.Rotation != 0 ||
		!v.NominalRate.Equal(rational.Int(25)) || !v.AverageRate.Equal(rational.Int(25)) || !v.TimeBase.Equal(rational.New(1, 12800)) {
		t.Errorf("video %+v", v)
	}
	if a.Kind != "audio" || a.Codec != "aac" || a.SampleRate != 48000 || a.Channels != 2 || !a.TimeBase.Equal(rational.New(1, 48000)) {
		t.Errorf("audio %+v", a)
	}
	if !strings.HasPrefix(r.Format, "mov,") {
		t.Errorf("format %q", r.Format)
	}
}

// Rotation is the turn that ffmpeg itself makes.
func TestRotation(t *testing.T) {
	frame := func(path, filter string, auto bool) []byte {
		args := []string{"-v", "error"}
		if !auto {
			args = append(args, "-noautorotate")
		}
		args = append(args, "-i", path, "-vf", filter, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-")
		out, err := exec.Command(program(t, "ffmpeg"), args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	turn := map[int]string{90: "transpose=clock", 180: "hflip,vflip", 270: "transpose=cclock"}
	plain := makeClip(t, "a.mp4", picture+x264)
	for _, tag := range []string{"90", "180", "270"} {
		path := makeClip(t, "r.mp4", "-i "+plain+" -c copy -metadata:s:v rotate="+tag)
		v := mustProbe(t, path).Video
		if turn[v.Rotation] == "" || !bytes.Equal(frame(path, turn[v.Rotation], false), frame(path, "null", true)) {
			t.Errorf("tag %s: rotation %d is not what ffmpeg does", tag, v.Rotation)
		}
	}
}

// brokenReader is an input whose storage fails from an offset on.
type brokenReader struct {
	*bytes.Reader
	from int64
	err  error
}

func (b brokenReader) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.from {
		return 0, b.err
	}
	return b.Reader.ReadAt(p, off)
}

func TestStorageErrorIsNoBadInput(t *testing.T) {
	data := read(t, makeClip(t, "a.ts", both+x264))
	storage := errors.New("storage is down")
	for _, from := range []int{0, len(data) / 2, len(data) - 1} {
		s, err := loopback.New(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		in := loopback.Input{ReaderAt: brokenReader{bytes.NewReader(data), int64(from), storage}, Size: int64(len(data))}
		_, err = Probe(s.Context(), Prober{Path: program(t, "ffprobe")}, s.Serve("input", in))
		if err := s.Finish(err); !errors.Is(err, storage) {
			t.Errorf("from %d: %v", from, err)
		}
	}
}

func TestOtherErrorsAreNoFailures(t *testing.T) {
	f := (*job.Failure)(nil)
	_, err := Probe(t.Context(), Prober{Path: "/nonexistent/ffprobe"}, "http://127.0.0.1:9/x")
	if !errors.Is(err, os.ErrNotExist) || errors.As(err, &f) {
		t.Errorf("got %v", err)
	}
	s, err := loopback.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	url := s.Serve("input", loopback.Input{ReaderAt: slowReader{}, Size: 1 << 20})
	_, err = Probe(t.Context(), Prober{Path: program(t, "ffprobe"), Wall: 300 * time.Millisecond}, url)
	if !errors.Is(err, ffmpeg.ErrTimeout) || errors.As(err, &f) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("deadline")
	cancel(why)
	if _, err = Probe(ctx, Prober{Path: program(t, "ffprobe")}, url); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}

type slowReader struct{}

func (slowReader) ReadAt(p []byte, _ int64) (int, error) {
	time.Sleep(time.Second)
	clear(p)
	return len(p), nil
}
