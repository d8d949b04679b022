package e2e

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// matrixCase is one way to encode and to wrap a picture, and what it must come
// to. The source has 11 seconds of 25 frames a second, so that each chunked
// output is made of three chunks.
type matrixCase struct {
	name, container string
	video           preset.Video
	sound           *preset.Audio
	segment         string
	want            string // codec, pixel format and sound, as ffprobe names them
	rate            rational.Rational
	same            bool // without loss: every frame is the source's
	keys            int  // frames from each keyframe to the next exactly, 0: at most the preset's
}

var (
	aacSound    = &preset.Audio{Codec: "AAC", SampleRate: "44100", BitRate: "96", Channels: "2"}
	mp3Sound    = &preset.Audio{Codec: "mp3", SampleRate: "44100", BitRate: "96", Channels: "2"}
	mp2Sound    = &preset.Audio{Codec: "mp2", SampleRate: "48000", BitRate: "192", Channels: "2"}
	vorbisSound = &preset.Audio{Codec: "vorbis", SampleRate: "44100", BitRate: "128", Channels: "2"}
	pcmSound    = &preset.Audio{Codec: "pcm", SampleRate: "48000", Channels: "2", CodecOptions: &preset.AudioOptions{BitDepth: "24", BitOrder: "LittleEndian", Signed: "Signed"}}
)

func options(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

var matrix = []matrixCase{
	{name: "vp8", container: "webm", sound: vorbisSound, want: "vp8 yuv420p vorbis", rate: rational.Int(25),
		video: preset.Video{Codec: "vp8", BitRate: "300", FrameRate: "auto", KeyframesMaxDist: "40", FixedGOP: "false", CodecOptions: options("Profile", "0", "MaxBitRate", "600", "BufferSize", "1200")}},
	{name: "vp8 of another profile, as good as can be, at 29.97", container: "webm", want: "vp8 yuv420p", rate: ntsc,
		video: preset.Video{Codec: "vp8", BitRate: "auto", FrameRate: "29.97", KeyframesMaxDist: "30", FixedGOP: "true", CodecOptions: options("Profile", "3")}, keys: 30},
	{name: "vp9 without loss", container: "webm", want: "vp9 yuv420p", rate: rational.Int(25), same: true,
		video: preset.Video{Codec: "vp9", FrameRate: "auto", KeyframesMaxDist: "50", FixedGOP: "false", Sealreel: &preset.Additions{RateFactor: "0"}}},
	{name: "vp9 at a rate", container: "webm", sound: vorbisSound, want: "vp9 yuv420p vorbis", rate: rational.Int(25),
		video: preset.Video{Codec: "vp9", BitRate: "200", FrameRate: "auto", KeyframesMaxDist: "25", FixedGOP: "true", CodecOptions: options("MaxBitRate", "400")}, keys: 25},
	{name: "vp9 of ten bits", container: "webm", want: "vp9 yuv420p10le", rate: rational.Int(15),
		video: preset.Video{Codec: "vp9", BitRate: "auto", FrameRate: "15", KeyframesMaxDist: "30", FixedGOP: "false", CodecOptions: options("Profile", "2")}},
	{name: "vp9 with all colour", container: "webm", want: "vp9 yuv444p", rate: rational.Int(10),
		video: preset.Video{Codec: "vp9", BitRate: "400", FrameRate: "10", KeyframesMaxDist: "30", FixedGOP: "false", CodecOptions: options("Profile", "1")}},
	{name: "mpeg-2 in a programme stream", container: "mpg", sound: mp2Sound, want: "mpeg2video yuv420p mp2", rate: rational.Int(25),
		video: preset.Video{Codec: "mpeg2", BitRate: "1500", FrameRate: "25", KeyframesMaxDist: "12", FixedGOP: "true", CodecOptions: options("MaxBitRate", "2000", "BufferSize", "4000")}, keys: 12},
	{name: "mpeg-2 at 15 a second, as good as fits", container: "mpg", want: "mpeg2video yuv420p", rate: rational.Int(15),
		video: preset.Video{Codec: "mpeg2", BitRate: "auto", FrameRate: "15", KeyframesMaxDist: "15", FixedGOP: "false", CodecOptions: options("MaxBitRate", "2000")}},
	{name: "mpeg-2 in MXF", container: "mxf", sound: pcmSound, want: "mpeg2video yuv422p pcm_s24le", rate: ntsc,
		video: preset.Video{Codec: "mpeg2", BitRate: "5000", FrameRate: "29.97", KeyframesMaxDist: "15", FixedGOP: "true", CodecOptions: options("ChromaSubsampling", "yuv422p", "MaxBitRate", "5000", "BufferSize", "10000")}, keys: 15},
	{name: "mpeg-2 as good as can be", container: "mxf", want: "mpeg2video yuv420p", rate: rational.Int(25),
		video: preset.Video{Codec: "mpeg2", BitRate: "auto", FrameRate: "auto", KeyframesMaxDist: "1", FixedGOP: "false"}, keys: 1},
	{name: "h.264 in flash video", container: "flv", sound: aacSound, want: "h264 yuv420p aac", rate: rational.Int(25), same: true,
		video: preset.Video{Codec: "H.264", FrameRate: "auto", KeyframesMaxDist: "50", FixedGOP: "false", Sealreel: &preset.Additions{RateFactor: "0"}}},
	{name: "h.264 and mp3 in flash video", container: "flv", sound: mp3Sound, want: "h264 yuv420p mp3", rate: rational.Int(25),
		video: preset.Video{Codec: "H.264", BitRate: "300", FrameRate: "auto", KeyframesMaxDist: "50", FixedGOP: "true", CodecOptions: options("Profile", "main", "Level", "3")}, keys: 50},
	{name: "h.264 in one transport stream", container: "ts", sound: aacSound, want: "h264 yuv420p aac", rate: rational.Int(25), same: true,
		video: preset.Video{Codec: "H.264", FrameRate: "auto", KeyframesMaxDist: "50", FixedGOP: "true", Sealreel: &preset.Additions{RateFactor: "0"}}, keys: 50},
	{name: "h.264 in fragments", container: "fmp4", sound: aacSound, segment: "4", want: "h264 yuv420p aac", rate: rational.Int(25), same: true,
		video: preset.Video{Codec: "H.264", FrameRate: "auto", KeyframesMaxDist: "50", FixedGOP: "true", Sealreel: &preset.Additions{RateFactor: "0"}}, keys: 50},
	{name: "fragments of a group each", container: "fmp4", want: "h264 yuv420p", rate: rational.Int(25),
		video: preset.Video{Codec: "H.264", BitRate: "300", FrameRate: "auto", KeyframesMaxDist: "25", FixedGOP: "true", CodecOptions: options("Profile", "main", "Level", "3")}, keys: 25},
	{name: "gif", container: "gif", want: "gif bgra", rate: rational.Int(10),
		video: preset.Video{Codec: "gif", BitRate: "400", FrameRate: "10", CodecOptions: options("LoopCount", "3")}},
}

// extension is what files of a container are called.
func (c matrixCase) extension() string {
	if c.container == "fmp4" {
		return "mp4"
	}
	return c.container
}

// TestMatrix makes every codec in every container in one job each output of which
// is sealed, and measures what came out by another program.
func TestMatrix(t *testing.T) {
	source := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=25:d=11", "-f", "lavfi", "-i", "sine=r=44100:d=6,volume=4,apad=whole_dur=11",
		"-c:v", "libx264", "-g", "60", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2")
	want := decode(t, source, "")
	outputs := make([]job.Output, len(matrix))
	for i, c := range matrix {
		v := c.video
		v.MaxWidth, v.MaxHeight, v.SizingPolicy, v.PaddingPolicy, v.DisplayAspectRatio = "auto", "auto", "ShrinkToFit", "NoPad", "auto"
		id := customPreset(t, preset.Preset{Container: c.container, Video: &v, Audio: c.sound})
		outputs[i] = job.Output{Key: fmt.Sprintf("out%02d.%s", i, c.extension()), PresetID: id, SegmentDuration: c.segment}
	}
	r := drop(t, source, outputs)
	r.wait(t)
	for i, c := range matrix {
		t.Run(c.name, func(t *testing.T) {
			r.checkMatrix(t, i, c, want)
		})
	}
}

func (r *running) checkMatrix(t *testing.T, output int, c matrixCase, want film) {
	file := r.file(t, output)
	plan := planOf(t, r.id)
	o := plan.Outputs[output]
	g := plan.Groups[o.Group]
	if chunks := len(g.Chunks); (chunks == 1) != (c.container == "gif") || g.Rate != c.rate {
		t.Errorf("planned in %d chunks at %v frames a second", chunks, g.Rate)
	}
	told := describe(t, file)
	var got []string
	for _, s := range told.Streams {
		got = append(got, strings.TrimSpace(s.Codec+" "+s.Pixels))
	}
	if text := strings.Join(got, " "); text != c.want {
		t.Errorf("the file holds %s, want %s", text, c.want)
	}
	v := told.stream("video")
	if v.Width != 160 || v.Height != 96 {
		t.Errorf("the picture is %d x %d", v.Width, v.Height)
	}
	lasts := float64(g.Frames) / g.Rate.Float64()
	if sound := told.stream("audio"); c.sound != nil && (sound.SampleRate != c.sound.SampleRate || sound.Channels != 2) {
		t.Errorf("the sound is %+v", sound)
	}
	if c.sound != nil {
		checkBeep(t, file)
	}
	if d := seconds(t, told.Format.Duration); math.Abs(d-lasts) > 0.15 {
		t.Errorf("the file says that it lasts %v s, want %.3f", d, lasts)
	}
	if said := r.rec.Job.Outputs[output]; math.Abs(float64(said.DurationMillis)/1000-lasts) > 0.1 || said.Width != 160 || said.FrameRate != c.rate.Decimal() {
		t.Errorf("the job says %+v", said)
	}
	film := decode(t, file, "")
	if int64(len(film.hashes)) != g.Frames {
		t.Errorf("%d frames, planned were %d", len(film.hashes), g.Frames)
	}
	film.onGrid(t, g.Rate)
	if c.same {
		sameFrames(t, film.hashes, want.hashes)
	}
	if c.container != "gif" {
		checkKeyframes(t, file, c, g.Frames)
	}
}

// checkBeep: the sound falls silent where the source's does, after six seconds.
func checkBeep(t *testing.T, file string) {
	t.Helper()
	const rate, silence, off = 48000, 6 * 48000, 48000 / 20
	heard := samples(t, file, "-ar", fmt.Sprint(rate), "-ac", "1", "-af", "aresample=async=1:first_pts=0")
	last := 0
	for i := 0; i+1 < len(heard); i += 2 {
		if level := int16(binary.LittleEndian.Uint16(heard[i:])); level > 1000 || level < -1000 {
			last = i / 2
		}
	}
	if last < silence-off || last > silence+off {
		t.Errorf("the sound falls silent after %.3f s, want 6", float64(last)/rate)
	}
}

// checkKeyframes: they are as far apart as the preset says.
func checkKeyframes(t *testing.T, file string, c matrixCase, frames int64) {
	t.Helper()
	var keys []int
	n := 0
	for line := range strings.Lines(ffprobe(t, "-select_streams", "v:0", "-show_entries", "packet=flags", "-of", "csv=p=0", file)) {
		switch {
		case strings.HasPrefix(line, "K"):
			keys = append(keys, n)
		case strings.TrimSpace(line) == "": // side data, of a transport stream
			continue
		}
		n++
	}
	if int64(n) != frames || len(keys) == 0 || keys[0] != 0 {
		t.Fatalf("%d packets with keyframes at %v", n, keys)
	}
	for i, next := range append(keys[1:], n) {
		distance, last := next-keys[i], next == n
		if distance > c.video.KeyframeDistance() || c.keys > 0 && distance != c.keys && !last {
			t.Errorf("keyframes at %v", keys)
			return
		}
	}
}

// TestMatrixOfSystemPresets makes what the service's own presets of these
// containers ask for, as far as sound lets it.
func TestMatrixOfSystemPresets(t *testing.T) {
	source := clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3", "-f", "lavfi", "-i", "sine=r=44100:d=3",
		"-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2")
	presets := []string{"400070", "500050", "100200", "100260"}
	var outputs []job.Output
	for _, p := range presets {
		outputs = append(outputs, job.Output{Key: p, PresetID: systemPreset + p})
	}
	r := drop(t, source, outputs)
	r.wait(t)
	for i, p := range presets {
		told := describe(t, r.file(t, i))
		want := map[string]string{"400070": "h264 aac", "500050": "h264", "100200": "gif", "100260": "vp9 vorbis"}[p]
		var codecs []string
		for _, s := range told.Streams {
			codecs = append(codecs, s.Codec)
		}
		if got := strings.Join(codecs, " "); got != want {
			t.Errorf("preset %s makes %s, want %s", p, got, want)
		}
	}
}
