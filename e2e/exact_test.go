package e2e

import (
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// exactCase is a source whose frames must all come out, each at its place.
type exactCase struct {
	name, file string
	make       func(t *testing.T, c exactCase) string // nil: by args
	args       []string
	rate       string // of the preset
	want       rational.Rational
	same       bool   // the output has exactly the source's frames
	filters    string // what the output's size does to a picture
}

// pattern is a moving picture in which no two frames are alike.
func pattern(size, rate, seconds string) []string {
	return []string{"-f", "lavfi", "-i", "testsrc2=s=" + size + ":r=" + rate + ":d=" + seconds}
}

func with(head []string, more ...string) []string {
	return append(append([]string{}, head...), more...)
}

var (
	ntsc   = rational.New(30000, 1001)
	cinema = rational.New(24000, 1001)
)

var exactCases = []exactCase{
	{name: "25 frames a second", file: "in.mp4", args: with(pattern("160x96", "25", "11"), "-c:v", "libx264", "-g", "60"), want: rational.Int(25), same: true},
	{name: "29.97 in mp4", file: "in.mp4", args: with(pattern("160x96", "30000/1001", "11"), "-c:v", "libx264", "-g", "70"), want: ntsc, same: true},
	{name: "23.976 in matroska's milliseconds", file: "in.mkv", args: with(pattern("160x96", "24000/1001", "11"), "-c:v", "libx264", "-g", "50"), want: cinema, same: true},
	{name: "frames left out", file: "in.mp4", args: with(pattern("160x96", "25", "13"), "-vf", "select='not(mod(n,3))+not(mod(n,7))'", "-fps_mode", "vfr", "-c:v", "libx264", "-g", "40"), want: rational.Int(25)},
	{name: "jittered frames", file: "in.mkv", args: with(pattern("160x96", "30", "12"), "-vf", "settb=1/1000,setpts='PTS+mod(N*7,23)'", "-fps_mode", "passthrough", "-enc_time_base", "1/1000", "-c:v", "libx264", "-g", "45"), rate: "30", want: rational.Int(30)},
	{name: "a pause of three seconds", file: "in.mp4", args: with(pattern("160x96", "25", "12"), "-vf", "select='lt(t,4)+gt(t,7)'", "-fps_mode", "vfr", "-c:v", "libx264", "-g", "40"), want: rational.Int(25)},
	{name: "open GOPs in a transport stream that begins late", file: "in.ts", args: with(pattern("160x96", "25", "11"), "-c:v", "libx264", "-g", "40", "-bf", "3", "-x264-params", "open-gop=1", "-output_ts_offset", "7.3"), want: rational.Int(25), same: true},
	{name: "matroska that begins late", file: "in.mkv", args: with(pattern("160x96", "25", "11"), "-c:v", "libx264", "-g", "40", "-output_ts_offset", "3.3"), want: rational.Int(25), same: true},
	{name: "an edit list", file: "in.mov", make: trimmed, want: rational.Int(25)},
	{name: "odd sizes", file: "in.mkv", args: with(pattern("160x96", "25", "9"), "-vf", "format=yuv444p,pad=161:97", "-c:v", "ffv1", "-g", "10"), want: rational.Int(25), same: true, filters: "scale=161:97,crop=160:96:0:0,"},
	{name: "anamorphic", file: "in.mp4", args: with(pattern("180x144", "25", "9"), "-vf", "setsar=16/15", "-c:v", "libx264", "-g", "40"), want: rational.Int(25), same: true, filters: "scale=192:144,"},
	{name: "a phone held upright", file: "in.mp4", make: turned, want: ntsc, same: true},
	{name: "50 becomes 25", file: "in.mp4", args: with(pattern("160x96", "50", "10"), "-c:v", "libx264", "-g", "60"), want: rational.Int(25)},
	{name: "25 becomes 29.97", file: "in.mp4", args: with(pattern("160x96", "25", "10"), "-c:v", "libx264", "-g", "60"), rate: "29.97", want: ntsc},
}

// trimmed cuts into a group of pictures without encoding: what lies before the
// cut is still in the file, and an edit list hides it.
func trimmed(t *testing.T, c exactCase) string {
	long := clip(t, "long.mov", with(pattern("160x96", "25", "12"), "-c:v", "libx264", "-g", "50", "-bf", "2")...)
	return clip(t, c.file, "-ss", "1.32", "-i", long, "-c", "copy")
}

// turned is what a phone makes: a picture that lies on its side, and a matrix.
func turned(t *testing.T, c exactCase) string {
	flat := clip(t, "flat.mp4", with(pattern("160x96", "30000/1001", "9"), "-c:v", "libx264", "-g", "30")...)
	return clip(t, c.file, "-i", flat, "-c", "copy", "-metadata:s:v", "rotate=90")
}

// TestFramesAreExactlyTheSources makes lossless outputs, whole files and
// segments, in chunks of about four seconds, and compares all frames with those
// of the source (invariant 7).
func TestFramesAreExactlyTheSources(t *testing.T) {
	files, jobs := make([]string, len(exactCases)), make([]*running, len(exactCases))
	for i, c := range exactCases {
		if c.make == nil {
			files[i] = clip(t, c.file, c.args...)
		} else {
			files[i] = c.make(t, c)
		}
		rate := c.rate
		if rate == "" {
			rate = "auto"
		}
		single := customPreset(t, preset.Preset{Container: "mp4", Video: lossless(rate)})
		segmented := customPreset(t, preset.Preset{Container: "ts", Video: lossless(rate)})
		jobs[i] = drop(t, files[i], []job.Output{{Key: "one.mp4", PresetID: single}, {Key: "hls", PresetID: segmented, SegmentDuration: "2"}})
	}
	for i, c := range exactCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := jobs[i]
			r.wait(t)
			for _, g := range planOf(t, r.id).Groups {
				if len(g.Chunks) < 2 || g.Rate != c.want {
					t.Errorf("%d chunks at a rate of %v, want some at %v", len(g.Chunks), g.Rate, c.want)
				}
			}
			source := decode(t, files[i], c.filters+"format=yuv420p")
			want := source.held(c.want, source.pts[0])
			if c.same && len(want) != len(source.hashes) {
				t.Fatalf("a rate of %v makes %d frames of the source's %d", c.want, len(want), len(source.hashes))
			}
			one := r.checkFile(t, 0)
			sameFrames(t, decode(t, one, "").hashes, want)
			all := r.checkSegments(t, 1, 2)
			film := decode(t, all.joined(t), "")
			sameFrames(t, film.hashes, want)
			film.onGrid(t, c.want)
		})
	}
}
