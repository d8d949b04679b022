package e2e

import (
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// withOptions is a picture without loss, with options of its codec.
func withOptions(rate string, options map[string]string) *preset.Video {
	v := lossless(rate)
	v.CodecOptions = options
	return v
}

// dropWith drops a file with what the job says of it, and outputs of presets.
func dropWith(t *testing.T, file string, in job.Input, outputs ...job.Output) *running {
	t.Helper()
	in.Key, in.Encryption = unique(t), wrapped(t)
	upload(t, in.Key, file, in.Encryption)
	for i := range outputs {
		outputs[i].Encryption = &job.Encryption{Mode: job.ModeSSEC}
	}
	return &running{prefix: in.Key + "/", id: submit(t, job.Request{Inputs: []job.Input{in}, OutputKeyPrefix: in.Key + "/", Outputs: outputs})}
}

// TestFields makes pictures of two fields and of frames out of either, whole files
// and segments, and compares all frames.
func TestFields(t *testing.T) {
	const weave = "tinterlace=mode=interleave_top,setfield=tff"
	frames := clip(t, "frames.mp4", join(pattern("160x96", "50", "9"), []string{"-c:v", "libx264", "-g", "60"})...)
	fields := clip(t, "fields.ts", join(pattern("160x96", "50", "9"), []string{"-vf", weave, "-c:v", "libx264", "-g", "60", "-flags", "+ilme+ildct"})...)
	silent := clip(t, "silent.mp4", join(pattern("160x96", "50", "9"), []string{"-vf", weave, "-c:v", "libx264", "-g", "60"})...)
	for _, c := range []struct {
		name, file, interlaced, mode, want, order string
	}{
		{"frames become fields", frames, "auto", "TopFirst", "tinterlace=mode=interleave_top", "tt"},
		{"fields stay", fields, "", "Auto", "null", "tt"},
		{"fields become frames", fields, "", "Progressive", "bwdif=mode=send_frame:deint=interlaced", "progressive"},
		{"fields that only the job tells", silent, "true", "Progressive", "bwdif=mode=send_frame:deint=all", "progressive"},
		{"fields that the job denies", fields, "false", "", "null", "progressive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			options := map[string]string{}
			if c.mode != "" {
				options["InterlacedMode"] = c.mode
			}
			single := customPreset(t, preset.Preset{Container: "mp4", Video: withOptions("25", options)})
			segmented := customPreset(t, preset.Preset{Container: "ts", Video: withOptions("25", options)})
			r := dropWith(t, c.file, job.Input{Interlaced: c.interlaced},
				job.Output{Key: "one.mp4", PresetID: single}, job.Output{Key: "hls", PresetID: segmented, SegmentDuration: "2"})
			r.wait(t)
			want := hashes(t, c.file, c.want+",format=yuv420p")
			one := r.checkFile(t, 0)
			sameFrames(t, hashes(t, one, ""), want)
			sameFrames(t, hashes(t, r.checkSegments(t, 1, 2).joined(t), ""), want)
			if order := first(ffprobe(t, "-select_streams", "v:0", "-show_entries", "stream=field_order", "-of", "csv=p=0", one)); order != c.order {
				t.Errorf("the fields are said to be %q, want %q", order, c.order)
			}
			if n := len(planOf(t, r.id).Groups[0].Chunks); n < 2 {
				t.Errorf("%d chunks", n)
			}
		})
	}
}

// TestInterlacedSystemPresets makes the files of broadcasters.
func TestInterlacedSystemPresets(t *testing.T) {
	file := clip(t, "in.mov", join(pattern("1920x1080", "25", "3"), tone("48000", "3"), []string{"-vf", "setfield=tff", "-c:v", "libx264", "-preset", "ultrafast", "-flags", "+ilme+ildct", "-c:a", "pcm_s16le"})...)
	presets := []struct{ id, key, codec, conversion string }{
		{"100170", "pal.mpg", "mpeg2video", "Bt709ToBt601"}, {"100190", "hd.mp4", "h264", "None"}, {"100230", "hd.mxf", "mpeg2video", "None"}, {"100210", "web.flv", "h264", "None"},
	}
	var outputs []job.Output
	for _, p := range presets {
		outputs = append(outputs, job.Output{Key: p.key, PresetID: systemPreset + p.id})
	}
	r := dropWith(t, file, job.Input{}, outputs...)
	r.wait(t)
	for i, p := range presets {
		out := r.file(t, i)
		said := ffprobe(t, "-select_streams", "v:0", "-show_entries", "stream=codec_name:frame=interlaced_frame,top_field_first", "-read_intervals", "%+#5", "-of", "csv", out)
		if !strings.Contains(said, "stream,"+p.codec) || strings.Count(said, "frame,1,1") < 5 {
			t.Errorf("%s: %s", p.key, said)
		}
		if got := r.rec.Job.Outputs[i].AppliedColorSpaceConversion; got != p.conversion {
			t.Errorf("%s: the conversion is said to be %q, want %q", p.key, got, p.conversion)
		}
	}
}

// TestColoursAreConverted: the same colour is another number in the other matrix,
// and the file says which it is.
func TestColoursAreConverted(t *testing.T) {
	file := clip(t, "in.mp4", "-f", "lavfi", "-i", "color=c=0xC03020:s=160x96:r=25:d=5", "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-c:v", "libx264", "-colorspace", "bt709", "-qp", "0")
	single := customPreset(t, preset.Preset{Container: "mp4", Video: withOptions("auto", map[string]string{"ColorSpaceConversionMode": "Bt709ToBt601"})})
	r := dropWith(t, file, job.Input{}, job.Output{Key: "one.mp4", PresetID: single})
	r.wait(t)
	one := r.checkFile(t, 0)
	if got := r.rec.Job.Outputs[0].AppliedColorSpaceConversion; got != "Bt709ToBt601" {
		t.Errorf("the conversion is said to be %q", got)
	}
	if matrix := first(ffprobe(t, "-select_streams", "v:0", "-show_entries", "stream=color_space", "-of", "csv=p=0", one)); matrix != "smpte170m" {
		t.Errorf("the matrix is said to be %q", matrix)
	}
	rgb := ffmpeg(t, "-i", one, "-vf", "scale=in_color_matrix=bt601:flags=accurate_rnd+full_chroma_int,format=rgb24", "-frames:v", "1", "-f", "rawvideo", "-")
	for i, want := range []int{0xC0, 0x30, 0x20} {
		if off := int(rgb[i]) - want; off < -4 || off > 4 {
			t.Errorf("the colour is %x, want c03020", rgb[:3])
			break
		}
	}
}

// TestOverrides: what the job says of its input and its output's turn.
func TestOverrides(t *testing.T) {
	file := clip(t, "in.mkv", join(pattern("160x96", "25", "5"), []string{"-c:v", "ffv1", "-g", "10"})...)
	single := customPreset(t, preset.Preset{Container: "mp4", Video: lossless("auto")})
	rated := dropWith(t, file, job.Input{FrameRate: "10", Container: "mov"}, job.Output{Key: "one.mp4", PresetID: single})
	shaped := dropWith(t, file, job.Input{AspectRatio: "4:3"}, job.Output{Key: "one.mp4", PresetID: single})
	turned := dropWith(t, file, job.Input{}, job.Output{Key: "90.mp4", PresetID: single, Rotate: "90"}, job.Output{Key: "180.mp4", PresetID: single, Rotate: "180"}, job.Output{Key: "270.mp4", PresetID: single, Rotate: "270"})

	rated.wait(t)
	source := decode(t, file, "format=yuv420p")
	sameFrames(t, hashes(t, rated.checkFile(t, 0), ""), source.held(rational.Int(10), source.pts[0]))
	shaped.wait(t)
	if v := describe(t, shaped.checkFile(t, 0)).stream("video"); v.Width != 160 || v.Height != 120 {
		t.Errorf("4:3 is %d x %d", v.Width, v.Height)
	}
	turned.wait(t)
	for i, filters := range []string{"transpose=clock", "hflip,vflip", "transpose=cclock"} {
		sameFrames(t, hashes(t, turned.checkFile(t, i), ""), hashes(t, file, filters+",format=yuv420p"))
	}
}
