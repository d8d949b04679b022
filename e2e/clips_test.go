package e2e

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// piece is a stretch of a file that an output should play: frames of a rate and
// samples of 48 kHz, from the file's first on.
type piece struct {
	file        string
	first, end  int64 // frames
	from, until int   // samples; until 0 is the end of the sound
}

// second is a piece of a file with constant frames, between two of them.
func second(file string, rate rational.Rational, first, end int64) piece {
	sample := func(frame int64) int { return int(rational.Int(48000).Div(rate).Round(frame)) }
	return piece{file: file, first: first, end: end, from: sample(first), until: sample(end)}
}

// framesOf are the frames of pieces one after the other.
func framesOf(t *testing.T, filters string, pieces ...piece) []string {
	t.Helper()
	var all []string
	whole := map[string][]string{}
	for _, p := range pieces {
		if whole[p.file] == nil {
			whole[p.file] = hashes(t, p.file, filters)
		}
		all = append(all, whole[p.file][p.first:p.end]...)
	}
	return all
}

// soundOf is one encode of the sound of pieces one after the other.
func soundOf(t *testing.T, pieces ...piece) string {
	t.Helper()
	var joined bytes.Buffer
	const bytesPerSample = 2 * 4
	whole := map[string][]byte{}
	for _, p := range pieces {
		if whole[p.file] == nil {
			whole[p.file] = []byte(ffmpeg(t, "-i", p.file, "-map", "0:a:0", "-af", "aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo", "-c:a", "pcm_f32le", "-f", "f32le", "-"))
		}
		pcm := slices.Clone(whole[p.file])
		if p.until == 0 {
			p.until = len(pcm) / bytesPerSample
		}
		pcm = append(pcm, make([]byte, max(p.until*bytesPerSample-len(pcm), 0))...)
		joined.Write(pcm[p.from*bytesPerSample : p.until*bytesPerSample])
	}
	return clip(t, "joined.m4a", "-f", "f32le", "-ar", "48000", "-ch_layout", "stereo", "-i", save(t, "joined.pcm", joined.Bytes()), "-c:a", "aac", "-b:a", "128k")
}

// plays complains unless the outputs, a file and segments, are the pieces one
// after the other: each frame and each sample.
func (r *running) plays(t *testing.T, one, hls int, filters string, pieces ...piece) {
	t.Helper()
	file := r.checkFile(t, one)
	want := framesOf(t, filters, pieces...)
	sameFrames(t, hashes(t, file, ""), want)
	sameSound(t, "file", samples(t, file), samples(t, soundOf(t, pieces...)))
	if hls >= 0 {
		film := decode(t, r.checkSegments(t, hls, 2).joined(t), "")
		sameFrames(t, film.hashes, want)
		film.onGrid(t, planOf(t, r.id).Groups[0].Rate)
	}
}

// withSound are presets without loss in the picture.
func withSound(t *testing.T) (single, segmented string) {
	t.Helper()
	audio := &preset.Audio{Codec: "AAC", BitRate: "128", SampleRate: "48000", Channels: "2"}
	single = customPreset(t, preset.Preset{Container: "mp4", Video: lossless("auto"), Audio: audio})
	segmented = customPreset(t, preset.Preset{Container: "ts", Video: lossless("auto"), Audio: audio})
	return single, segmented
}

// TestClipsAreExact takes clips of files of several kinds, and compares them
// with what lies between the same frames of the whole file (invariant 7).
func TestClipsAreExact(t *testing.T) {
	single, segmented := withSound(t)
	sweep := []string{"-f", "lavfi", "-i", "aevalsrc=0.4*sin(2*PI*(300+40*t)*t):s=48000:d=14"}
	cases := []struct {
		name, file      string
		args            []string
		rate            rational.Rational
		start, duration string
		first, end      int64
		late            int64 // places that the picture begins after the sound
	}{
		{"in the middle", "in.mov", join(pattern("160x96", "25", "14"), sweep, []string{"-c:v", "libx264", "-g", "60", "-c:a", "pcm_s16le"}), rational.Int(25), "00:00:05.48", "6.2", 137, 292, 0},
		{"from the beginning", "in.mp4", join(pattern("160x96", "25", "14"), sweep, []string{"-c:v", "libx264", "-g", "60", "-c:a", "aac"}), rational.Int(25), "", "5", 0, 125, 0},
		{"to the end", "in.mov", join(pattern("160x96", "30000/1001", "14"), sweep, []string{"-c:v", "libx264", "-g", "60", "-c:a", "pcm_s16le", "-shortest"}), ntsc, "7.5", "", 225, 420, 0},
		{"of a transport stream that begins late", "in.ts", join(pattern("160x96", "25", "14"), sweep, []string{"-c:v", "libx264", "-g", "40", "-bf", "3", "-c:a", "aac", "-b:a", "192k", "-output_ts_offset", "7.3"}), rational.Int(25), "9", "3", 225, 300, 1},
		{"aac after a seek", "in.mp4", join(pattern("160x96", "25", "14"), sweep, []string{"-c:v", "libx264", "-g", "50", "-c:a", "aac", "-b:a", "192k"}), rational.Int(25), "8.04", "2.96", 201, 275, 0},
	}
	files, jobs := make([]string, len(cases)), make([]*running, len(cases))
	for i, c := range cases {
		files[i] = clip(t, c.file, c.args...)
		jobs[i] = dropClip(t, files[i], &job.TimeSpan{StartTime: c.start, Duration: c.duration}, single, segmented)
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			jobs[i].wait(t)
			p := second(files[i], c.rate, c.first, c.end)
			p.first, p.end = p.first-c.late, p.end-c.late
			if c.duration == "" {
				p.until = 0
			}
			jobs[i].plays(t, 0, 1, "format=yuv420p", p)
			if detail := jobs[i].rec.Job.Outputs[0].StatusDetail; detail != "" {
				t.Errorf("the job says %q", detail)
			}
		})
	}
}

// dropClip drops a sealed file and a job that takes a clip of it.
func dropClip(t *testing.T, file string, span *job.TimeSpan, single, segmented string) *running {
	t.Helper()
	name, key := unique(t), wrapped(t)
	upload(t, name, file, key)
	return stitched(t, name, single, segmented, job.Input{Key: name, Encryption: key, TimeSpan: span})
}

// stitched submits a job over inputs.
func stitched(t *testing.T, name, single, segmented string, inputs ...job.Input) *running {
	t.Helper()
	outputs := []job.Output{{Key: "one.mp4", PresetID: single}, {Key: "hls", PresetID: segmented, SegmentDuration: "2"}}
	for i := range outputs {
		outputs[i].Encryption = &job.Encryption{Mode: job.ModeSSEC}
	}
	return &running{prefix: name + "/", id: submit(t, job.Request{Inputs: inputs, OutputKeyPrefix: name + "/", Outputs: outputs})}
}

// TestClipsBeyondTheEnd: a clip that goes on after the end is cut short with a
// warning, one that begins there is an error: of the job where the input has it,
// of the output alone where that has it.
func TestClipsBeyondTheEnd(t *testing.T) {
	single, segmented := withSound(t)
	file := clip(t, "in.mp4", join(pattern("160x96", "25", "6"), tone("48000", "6"), []string{"-c:v", "libx264", "-c:a", "aac"})...)
	long := dropClip(t, file, &job.TimeSpan{StartTime: "4", Duration: "5"}, single, segmented)
	after := dropClip(t, file, &job.TimeSpan{StartTime: "6.5"}, single, segmented)
	name, key := unique(t), wrapped(t)
	upload(t, name, file, key)
	older := &running{prefix: name + "/", id: submit(t, job.Request{
		Inputs: []job.Input{{Key: name, Encryption: key}}, OutputKeyPrefix: name + "/",
		Outputs: []job.Output{
			{Key: "one.mp4", PresetID: single, Encryption: &job.Encryption{Mode: job.ModeSSEC}, Composition: []job.Clip{{TimeSpan: &job.TimeSpan{StartTime: "1", Duration: "2"}}}},
			{Key: "two.mp4", PresetID: single, Encryption: &job.Encryption{Mode: job.ModeSSEC}, Composition: []job.Clip{{TimeSpan: &job.TimeSpan{StartTime: "3.2"}}}},
			{Key: "none.mp4", PresetID: single, Encryption: &job.Encryption{Mode: job.ModeSSEC}, Composition: []job.Clip{{TimeSpan: &job.TimeSpan{StartTime: "00:01:00"}}}},
		},
	})}

	long.wait(t)
	p := second(file, rational.Int(25), 100, 150)
	p.until = 0
	long.plays(t, 0, 1, "format=yuv420p", p)
	for _, o := range long.rec.Job.Outputs {
		if o.StatusDetail != job.ClipCutShort {
			t.Errorf("output %s says %q", o.ID, o.StatusDetail)
		}
	}

	rec := ended(t, after.id)
	if rec.Job.Status != job.Error || !strings.HasPrefix(rec.Job.Outputs[1].StatusDetail, "4014 ") {
		t.Errorf("the job is %s: %s", rec.Job.Status, details(rec))
	}

	older.rec = ended(t, older.id)
	if o := older.rec.Job.Outputs[2]; o.Status != job.Error || !strings.HasPrefix(o.StatusDetail, "4014 ") {
		t.Errorf("the clip after the end is %s: %s", o.Status, o.StatusDetail)
	}
	older.plays(t, 0, -1, "format=yuv420p", second(file, rational.Int(25), 25, 75))
	p = second(file, rational.Int(25), 80, 150)
	p.until = 0
	older.plays(t, 1, -1, "format=yuv420p", p)
}

// TestStitching joins files of several containers, codecs and encryptions, and
// a clip of one of them again, and compares every frame and sample.
func TestStitching(t *testing.T) {
	single, segmented := withSound(t)
	first := clip(t, "a.mov", join(pattern("160x96", "25", "5.2"), tone("48000", "5.2"), []string{"-c:v", "libx264", "-g", "60", "-c:a", "pcm_s16le"})...)
	other := clip(t, "b.mkv", join([]string{"-f", "lavfi", "-i", "mandelbrot=s=160x96:r=25,format=yuv420p", "-t", "3.36"}, tone("44100", "3"), []string{"-c:v", "ffv1", "-c:a", "flac", "-t", "3.36"})...)
	third := clip(t, "c.ts", join(pattern("160x96", "25", "6"), tone("48000", "7"), []string{"-c:v", "libx264", "-g", "30", "-bf", "2", "-c:a", "mp2", "-output_ts_offset", "3"})...)
	name := unique(t)
	in := []job.Input{{Key: name + "-a", Encryption: wrapped(t)}, {Key: name + "-b"}, {Key: name + "-c"}}
	upload(t, in[0].Key, first, in[0].Encryption)
	for i, c := range []struct{ mode, file string }{{job.ModeGCM, other}, {job.ModeCBC, third}} {
		e, key, iv := cipherKey(t, c.mode, 256, 16)
		in[i+1].Encryption = e
		plain, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		upload(t, in[i+1].Key, save(t, "sealed", crypt(t, false, c.mode, key, iv, plain)), nil)
	}
	again := in[0]
	again.TimeSpan = &job.TimeSpan{StartTime: "3", Duration: "1.6"}
	r := stitched(t, name, single, segmented, in[0], in[1], again, in[2])
	r.wait(t)
	// The sound of the last goes on after its picture.
	last := piece{file: third, first: 0, end: 150}
	r.plays(t, 0, 1, "format=yuv420p", second(first, rational.Int(25), 0, 130), second(other, rational.Int(25), 0, 84), second(first, rational.Int(25), 75, 115), last)
	for i, in := range r.rec.Job.Inputs {
		if in.DetectedProperties == nil || in.DetectedProperties.Width != 160 {
			t.Errorf("input %d: %+v", i, in.DetectedProperties)
		}
	}
	if p := planOf(t, r.id); len(p.Inputs) != 3 || len(p.Programmes) != 1 || len(p.Programmes[0]) != 4 {
		t.Errorf("the plan has %d inputs, programmes %v", len(p.Inputs), p.Programmes)
	}
}

// TestTwoHundredInputs joins as many clips as a job may have, of three files. No
// process holds more memory for it than for a few.
func TestTwoHundredInputs(t *testing.T) {
	single, segmented := withSound(t)
	name := unique(t)
	var files []string
	var in []job.Input
	for i, picture := range []string{"testsrc2=s=160x96:r=25:d=20", "mandelbrot=s=160x96:r=25,format=yuv420p", "rgbtestsrc=s=160x96:r=25:d=20,hue=H=t,format=yuv420p"} {
		files = append(files, clip(t, "in.mov", join([]string{"-f", "lavfi", "-i", picture, "-t", "20"}, tone("48000", "20"), []string{"-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "pcm_s16le", "-t", "20"})...))
		in = append(in, job.Input{Key: fmt.Sprintf("%s-%d", name, i), Encryption: wrapped(t)})
		upload(t, in[i].Key, files[i], in[i].Encryption)
	}
	var inputs []job.Input
	var pieces []piece
	for n := range 200 {
		from, frames := int64(n*7%450), int64(8+n%7)
		take := in[n%3]
		take.TimeSpan = &job.TimeSpan{StartTime: fmt.Sprintf("%.3f", float64(from)/25), Duration: fmt.Sprintf("%.3f", float64(frames)/25)}
		inputs, pieces = append(inputs, take), append(pieces, second(files[n%3], rational.Int(25), from, from+frames))
	}
	r := stitched(t, name, single, segmented, inputs...)
	r.wait(t)
	plan := planOf(t, r.id)
	most := 0
	for _, c := range plan.Groups[0].Chunks {
		most = max(most, len(c.Reads))
	}
	t.Logf("%d chunks, of which one reads %d takes", len(plan.Groups[0].Chunks), most)
	r.plays(t, 0, 1, "format=yuv420p", pieces...)
}

// TestStitchingOtherShapes joins inputs of other sizes, rates, colours and turns:
// all are put into the preset's frame, and where that has no size of its own
// what does not fit is an error.
func TestStitchingOtherShapes(t *testing.T) {
	boxed := lossless("auto")
	boxed.MaxWidth, boxed.MaxHeight, boxed.SizingPolicy, boxed.PaddingPolicy = "160", "96", "Fit", "Pad"
	audio := &preset.Audio{Codec: "AAC", BitRate: "128", SampleRate: "48000", Channels: "2"}
	single := customPreset(t, preset.Preset{Container: "mp4", Video: boxed, Audio: audio})
	segmented := customPreset(t, preset.Preset{Container: "ts", Video: boxed, Audio: audio})
	bare := customPreset(t, preset.Preset{Container: "mp4", Video: lossless("auto"), Audio: audio})
	listen := customPreset(t, preset.Preset{Container: "mp4", Audio: audio})

	wide := clip(t, "a.mp4", join(pattern("160x96", "25", "3"), tone("48000", "3"), []string{"-c:v", "libx264", "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-c:a", "aac"})...)
	square := clip(t, "b.mkv", join(pattern("96x96", "30", "3"), tone("44100", "3"), []string{"-c:v", "libx264", "-color_primaries", "smpte170m", "-color_trc", "smpte170m", "-colorspace", "smpte170m", "-c:a", "flac"})...)
	flat := clip(t, "flat.mp4", join(pattern("160x96", "25", "3"), tone("48000", "3"), []string{"-c:v", "libx264", "-c:a", "aac"})...)
	upright := clip(t, "c.mp4", "-i", flat, "-c", "copy", "-metadata:s:v", "rotate=90")
	mute := clip(t, "d.mp4", join(pattern("160x96", "25", "3"), []string{"-c:v", "libx264"})...)
	blind := clip(t, "e.m4a", join(tone("48000", "3"), []string{"-c:a", "aac"})...)
	name := unique(t)
	var in []job.Input
	for i, file := range []string{wide, square, upright, mute, blind} {
		in = append(in, job.Input{Key: fmt.Sprintf("%s-%d", name, i), Encryption: wrapped(t)})
		upload(t, in[i].Key, file, in[i].Encryption)
	}
	r := stitched(t, name, single, segmented, in[0], in[1], in[2])
	misfits := map[string]*running{
		"4023 ": stitched(t, name+"-size", bare, segmented, in[0], in[1]),
		"4026 ": stitched(t, name+"-mute", bare, segmented, in[0], in[3]),
		"4025 ": stitched(t, name+"-blind", bare, segmented, in[0], in[4]),
	}
	outputs := []job.Output{{Key: "sound.m4a", PresetID: listen, Encryption: &job.Encryption{Mode: job.ModeSSEC}}}
	heard := &running{prefix: name + "-heard/", id: submit(t, job.Request{Inputs: []job.Input{in[4], in[0]}, OutputKeyPrefix: name + "-heard/", Outputs: outputs})}

	r.wait(t)
	rate := rational.Int(25)
	first := decode(t, wide, "format=yuv420p")
	film := decode(t, square, "scale=96:96,scale=in_color_matrix=bt601:out_color_matrix=bt709:flags=bicubic+accurate_rnd+full_chroma_int,pad=160:96:32:0,format=yuv420p")
	turned := decode(t, upright, "null")
	want := slices.Concat(first.held(rate, 0), film.held(rate, 0), turned.held(rate, 0))
	file := r.checkFile(t, 0)
	got := hashes(t, file, "")
	if len(got) != 225 || len(want) != 225 {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	sameFrames(t, got[:75], want[:75])
	closeTo(t, file, square, "trim=start_frame=75:end_frame=150", "fps=25,scale=96:96,pad=160:96:32:0,scale=in_color_matrix=bt601:out_color_matrix=bt709:flags=bicubic+accurate_rnd+full_chroma_int,format=yuv420p,trim=end_frame=75")
	closeTo(t, file, upright, "trim=start_frame=150:end_frame=225", "scale=58:96,pad=160:96:50:0,scale=in_color_matrix=bt601:out_color_matrix=bt709:flags=bicubic+accurate_rnd+full_chroma_int,format=yuv420p,trim=end_frame=75")
	sameFrames(t, hashes(t, r.checkSegments(t, 1, 2).joined(t), ""), got)

	for want, r := range misfits {
		if rec := ended(t, r.id); rec.Job.Status != job.Error || !strings.HasPrefix(rec.Job.Outputs[0].StatusDetail, want) {
			t.Errorf("want %s, the job is %s: %s", want, rec.Job.Status, details(rec))
		}
	}
	heard.wait(t)
	sameSound(t, "sound alone", samples(t, heard.file(t, 0)), samples(t, soundOf(t, piece{file: blind, until: 3 * 48000}, piece{file: wide})))
}

// closeTo complains unless two films show nearly the same after their filters.
func closeTo(t *testing.T, got, want, cutGot, cutWant string) {
	t.Helper()
	stats := ffmpeg(t, "-i", got, "-i", want, "-lavfi", "[0:v]"+cutGot+",settb=1/25,setpts=N[a];[1:v]"+cutWant+",settb=1/25,setpts=N[b];[a][b]psnr=stats_file=-", "-f", "null", "-")
	frames := 0
	for line := range strings.Lines(stats) {
		_, after, ok := strings.Cut(line, "psnr_avg:")
		if !ok {
			continue
		}
		frames++
		if value, _, _ := strings.Cut(after, " "); value != "inf" && seconds(t, value) < 40 {
			t.Errorf("%s: frame %d is like %s with %s dB only", cutGot, frames, cutWant, value)
			return
		}
	}
	if frames != 75 {
		t.Errorf("%s: %d frames", cutGot, frames)
	}
}
