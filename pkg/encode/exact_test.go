package encode_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sealreel/pkg/encode"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// TestChunksAreExactlyTheWhole encodes sources without loss, once whole and
// once in chunks, and compares every decoded frame (invariant 7).
func TestChunksAreExactlyTheWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	picture := func(size, rate string, seconds int) string {
		return fmt.Sprintf("testsrc2=s=%s:r=%s:d=%d", size, rate, seconds)
	}
	for _, c := range []struct {
		name string
		file string
		make []string
		rate rational.Rational
		vp9  bool
	}{
		{"constant rate", "cfr.mp4", []string{"-f", "lavfi", "-i", picture("160x96", "25", 12), "-c:v", "libx264", "-g", "60"}, rational.Int(25), false},
		{"ntsc in a transport stream, open GOPs, late start", "ntsc.ts", []string{"-f", "lavfi", "-i", picture("160x96", "30000/1001", 12), "-c:v", "libx264", "-g", "45", "-bf", "3", "-x264-params", "open-gop=1", "-output_ts_offset", "7"}, rational.New(30000, 1001), false},
		{"film in matroska's milliseconds", "film.mkv", []string{"-f", "lavfi", "-i", picture("160x96", "24000/1001", 12), "-c:v", "libx264", "-g", "50", "-output_ts_offset", "3.3"}, rational.New(24000, 1001), false},
		{"variable rate", "vfr.mp4", []string{"-f", "lavfi", "-i", picture("160x96", "25", 14), "-vf", "select='not(mod(n,3))+not(mod(n,7))'", "-fps_mode", "vfr", "-c:v", "libx264", "-g", "40"}, rational.Int(25), false},
		{"another rate than the source's", "conv.mp4", []string{"-f", "lavfi", "-i", picture("160x96", "25", 12), "-c:v", "libx264"}, rational.New(30000, 1001), false},
		{"mpeg-2 in a programme stream", "ps.mpg", []string{"-f", "lavfi", "-i", picture("160x96", "25", 12), "-c:v", "mpeg2video", "-q:v", "3", "-bf", "2", "-g", "15"}, rational.Int(25), false},
		{"vp9", "vp9.mp4", []string{"-f", "lavfi", "-i", picture("160x96", "30000/1001", 12), "-c:v", "libx264", "-g", "60"}, rational.New(30000, 1001), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(dir, c.file)
			run(t, append(append([]string{"-y"}, c.make...), file)...)
			p := planFor(t, file, c.rate, c.vp9)
			whole := *p
			whole.Groups = slices.Clone(p.Groups)
			whole.Groups[0].Chunks = []plan.Chunk{wholeChunk(p.Groups[0].Frames, true)}
			want := frames(t, &whole, file, filepath.Join(dir, c.file+".whole.mp4"))
			got := frames(t, p, file, filepath.Join(dir, c.file+".chunk.mp4"))
			if n := len(p.Groups[0].Chunks); n < 3 {
				t.Fatalf("only %d chunks", n)
			}
			if int64(len(want)) != p.Groups[0].Frames {
				t.Errorf("the whole has %d frames, planned were %d", len(want), p.Groups[0].Frames)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d frames in chunks, %d in the whole; first difference at %d", len(got), len(want), firstDifference(got, want))
			}
		})
	}
}

// wholeChunk is the first frames of a file as one chunk.
func wholeChunk(frames int64, hold bool) plan.Chunk {
	return plan.Chunk{End: frames, Reads: []plan.Read{{To: frames, FromStart: true, Hold: hold}}}
}

func firstDifference(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// planFor plans one lossless output of the file at the rate, in short chunks.
func planFor(t *testing.T, file string, rate rational.Rational, vp9 bool) *plan.Plan {
	t.Helper()
	codec := plan.H264
	if vp9 {
		codec = plan.VP9
	}
	timeline := scan(t, file)
	return plan.Make(plan.Source{Picture: &plan.SourcePicture{Timeline: timeline, Rate: rate, Width: 160, Height: 96}},
		[]plan.Wish{losslessWish(rate, codec)}, plan.Options{ChunkSeconds: 3})
}

// losslessWish is an output of 160x96 pixels.
func losslessWish(rate rational.Rational, codec string) plan.Wish {
	return plan.Wish{Output: job.Output{ID: "1"}, Preset: &preset.Preset{Container: "mp4", Video: &preset.Video{
		Codec: codec, KeyframesMaxDist: "48", FrameRate: name(rate), FixedGOP: "true", MaxWidth: "160", MaxHeight: "96",
		Sealreel: &preset.Additions{RateFactor: "0"}}}}
}

func name(rate rational.Rational) string {
	switch rate {
	case rational.New(30000, 1001):
		return "29.97"
	case rational.New(24000, 1001):
		return "23.97"
	}
	return rate.String()
}

// frames encodes the plan's chunks and returns the hashes of the frames that
// are kept.
func frames(t *testing.T, p *plan.Plan, file, out string) []string {
	t.Helper()
	var kept []string
	for i, c := range p.Groups[0].Chunks {
		args := encode.Pictures(p, 0, c, []int{0}, [][]string{{"-i", file}}, nil, [][]string{{out}}, encode.Settings{X264Preset: "ultrafast"})
		run(t, append([]string{"-y"}, args...)...)
		lines := run(t, "-i", out, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-")
		var hashes []string
		for line := range strings.Lines(lines) {
			if !strings.HasPrefix(line, "#") {
				fields := strings.Split(line, ",")
				hashes = append(hashes, strings.TrimSpace(fields[len(fields)-1]))
			}
		}
		if want := c.End - c.Lead; int64(len(hashes)) != want {
			t.Fatalf("chunk %d %+v has %d frames, want %d", i, c, len(hashes), want)
		}
		kept = append(kept, hashes[c.First-c.Lead:]...)
	}
	return kept
}

// scan reads a timeline as the probe does, from ffprobe's packets.
func scan(t *testing.T, file string) plan.Timeline {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v:0",
		"-show_entries", "packet=pts,duration,flags:stream=time_base", "-of", "compact=p=0:nk=0", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	tl := plan.Timeline{Seekable: true, Indexed: strings.HasSuffix(file, ".mp4") || strings.HasSuffix(file, ".mkv")}
	duration := int64(0)
	for line := range strings.Lines(string(out)) {
		values := map[string]string{}
		for field := range strings.SplitSeq(strings.TrimSpace(line), "|") {
			k, v, _ := strings.Cut(field, "=")
			values[k] = v
		}
		if tb := values["time_base"]; tb != "" {
			tl.TimeBase, err = rational.Parse(tb)
			if err != nil {
				t.Fatal(err)
			}
		}
		pts, err := strconv.ParseInt(values["pts"], 10, 64)
		if err != nil {
			continue
		}
		tl.PTS = append(tl.PTS, pts)
		if strings.HasPrefix(values["flags"], "K") {
			tl.Keyframes = append(tl.Keyframes, pts)
		}
		duration, _ = strconv.ParseInt(values["duration"], 10, 64)
	}
	slices.Sort(tl.PTS)
	slices.Sort(tl.Keyframes)
	tl.Start = tl.PTS[0]
	tl.End = tl.PTS[len(tl.PTS)-1] + duration
	return tl
}

func run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("ffmpeg", append([]string{"-v", "error", "-nostdin"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
