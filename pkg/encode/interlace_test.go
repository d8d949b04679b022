package encode_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sealreel/pkg/encode"
	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
)

// weave makes a source of fields out of twice as many frames.
const weave = "tinterlace=mode=interleave_top,setfield=tff"

// TestInterlaced encodes sources of frames and of fields without loss, whole and
// in chunks, to frames and to fields.
func TestInterlaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		name, file      string
		rate, filters   string // of the source
		codec           []string
		fields          string // of the source
		deinterlace     string
		mode            string // of the output
		want, wantOrder string // filters that make what is wanted of the source
	}{
		{"fields become frames", "a.ts", "50", weave, []string{"-c:v", "mpeg2video", "-q:v", "2", "-g", "12", "-bf", "2", "-flags", "+ilme+ildct"}, plan.TopFirst, plan.Flagged, "", "bwdif=mode=send_frame:deint=interlaced", "progressive"},
		{"fields become frames, said by the job alone", "b.mp4", "50", weave, []string{"-c:v", "libx264", "-g", "30"}, plan.TopFirst, plan.All, "", "bwdif=mode=send_frame:deint=all", "progressive"},
		{"fields stay as they are", "c.mp4", "50", weave, []string{"-c:v", "libx264", "-g", "30", "-flags", "+ilme+ildct"}, plan.TopFirst, plan.Flagged, "TopFirst", "null", "tt"},
		{"fields in the other order", "d.mp4", "50", "tinterlace=mode=interleave_bottom,setfield=bff", []string{"-c:v", "libx264", "-g", "30", "-flags", "+ilme+ildct"}, plan.BottomFirst, plan.Flagged, "Auto", "null", "bb"},
		{"twice as many frames become fields", "e.mp4", "50", "null", []string{"-c:v", "libx264", "-g", "50"}, "", "", "TopFirst", "tinterlace=mode=interleave_top", "tt"},
		{"twice as many frames, the bottom first", "f.mp4", "50", "null", []string{"-c:v", "libx264", "-g", "50"}, "", "", "BottomFirst", "tinterlace=mode=interleave_bottom", "bb"},
		{"frames have both fields of one time", "g.mp4", "25", "null", []string{"-c:v", "libx264", "-g", "50"}, "", "", "TopFirst", "null", "tt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(dir, c.file)
			run(t, slices.Concat([]string{"-y", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=" + c.rate + ":d=12", "-vf", c.filters}, c.codec, []string{file})...)
			p := fieldsPlan(t, c.mode, plan.SourcePicture{Timeline: scan(t, file), Rate: rational.Int(25), Fields: c.fields, Deinterlace: c.deinterlace})
			whole := *p
			whole.Groups = slices.Clone(p.Groups)
			whole.Groups[0].Chunks = []plan.Chunk{{End: p.Groups[0].Frames, Reads: []plan.Read{{To: p.Groups[0].Frames * per(p), FromStart: true, Hold: true}}}}
			want := frames(t, &whole, file, filepath.Join(dir, c.file+".whole.mp4"))
			got := frames(t, p, file, filepath.Join(dir, c.file+".chunk.mp4"))
			if len(p.Groups[0].Chunks) < 3 || p.Groups[0].Frames != 300 {
				t.Fatalf("%d chunks of %d frames", len(p.Groups[0].Chunks), p.Groups[0].Frames)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d frames in chunks, %d in the whole; first difference at %d", len(got), len(want), firstDifference(got, want))
			}
			if source := decodedBy(t, file, c.want); !slices.Equal(want, source) {
				t.Errorf("%d frames, want %d; first difference at %d", len(want), len(source), firstDifference(want, source))
			}
			if order := fieldOrder(t, filepath.Join(dir, c.file+".chunk.mp4")); order != c.wantOrder {
				t.Errorf("the fields are said to be %q, want %q", order, c.wantOrder)
			}
		})
	}
}

func per(p *plan.Plan) int64 {
	if p.Groups[0].Fields {
		return 2
	}
	return 1
}

// fieldsPlan plans one lossless output of 25 pictures a second.
func fieldsPlan(t *testing.T, mode string, sources ...plan.SourcePicture) *plan.Plan {
	t.Helper()
	w := losslessWish(rational.Int(25), plan.H264)
	if mode != "" {
		w.Preset.Video.CodecOptions = map[string]string{"InterlacedMode": mode}
	}
	var scenes []plan.Scene
	for i := range sources {
		sources[i].Width, sources[i].Height = 160, 96
		scenes = append(scenes, plan.Scene{Input: i, Source: plan.Source{Picture: &sources[i]}})
	}
	p, err := plan.Stitch(scenes, []plan.Wish{w}, plan.Options{ChunkSeconds: 3})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// decodedBy are the hashes of a file's frames after filters.
func decodedBy(t *testing.T, file, filters string) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(run(t, "-i", file, "-map", "0:v", "-vf", filters+",format=yuv420p", "-fps_mode", "passthrough", "-f", "framemd5", "-")) {
		if !strings.HasPrefix(line, "#") {
			fields := strings.Split(line, ",")
			all = append(all, strings.TrimSpace(fields[len(fields)-1]))
		}
	}
	return all
}

func fieldOrder(t *testing.T, file string) string {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "stream=field_order", "-of", "csv=p=0", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// TestFramesAndFieldsJoined joins a film of frames and one of fields, as fields
// and as frames, chunks across the join included.
func TestFramesAndFieldsJoined(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := filepath.Join(dir, "frames.mp4"), filepath.Join(dir, "fields.mp4")
	run(t, "-y", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=50:d=4.4", "-c:v", "libx264", "-g", "50", first)
	run(t, "-y", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=50:d=5,hue=h=90", "-vf", weave, "-c:v", "libx264", "-g", "30", "-flags", "+ilme+ildct", second)
	for _, c := range []struct{ mode, first, second string }{
		{"TopFirst", "tinterlace=mode=interleave_top", "null"},
		{"", "fps=25:start_time=0", "bwdif=mode=send_frame:deint=interlaced"},
	} {
		p := fieldsPlan(t, c.mode,
			plan.SourcePicture{Timeline: scan(t, first), Rate: rational.Int(25)},
			plan.SourcePicture{Timeline: scan(t, second), Rate: rational.Int(25), Fields: plan.TopFirst, Deinterlace: plan.Flagged})
		want := slices.Concat(decodedBy(t, first, c.first), decodedBy(t, second, c.second))
		var got []string
		joins := 0
		for _, chunk := range p.Groups[0].Chunks {
			var inputs [][]string
			for _, r := range chunk.Reads {
				inputs = append(inputs, []string{"-i", []string{first, second}[r.Take]})
			}
			if len(inputs) > 1 {
				joins++
			}
			out := filepath.Join(dir, "out.mp4")
			run(t, append([]string{"-y"}, encode.Pictures(p, 0, chunk, []int{0}, inputs, nil, [][]string{{out}}, encode.Settings{X264Preset: "ultrafast"})...)...)
			got = append(got, decodedBy(t, out, "null")[chunk.First-chunk.Lead:]...)
		}
		if joins == 0 || !slices.Equal(got, want) {
			t.Errorf("%q: %d frames with %d chunks across the join, want %d; first difference at %d", c.mode, len(got), joins, len(want), firstDifference(got, want))
		}
	}
}

// TestLateSeekShows: frames that a seek missed are not taken for others, be they of
// fields or not: the first that is encoded has another place than the lead-in's.
func TestLateSeekShows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "in.mp4")
	run(t, "-y", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=50:d=12", "-c:v", "libx264", "-g", "25", file)
	for _, mode := range []string{"", "TopFirst"} {
		p := fieldsPlan(t, mode, plan.SourcePicture{Timeline: scan(t, file), Rate: rational.Int(25)})
		c := p.Groups[0].Chunks[2]
		for late, want := range map[int64]bool{0: true, -2: false} {
			out := filepath.Join(dir, "out.mp4")
			chunk := c.Earlier(p.Programmes[0], late)
			run(t, append([]string{"-y"}, encode.Pictures(p, 0, chunk, []int{0}, [][]string{{"-i", file}}, nil, [][]string{{out}}, encode.Settings{X264Preset: "ultrafast"})...)...)
			said, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "packet=pts", "-read_intervals", "%+#1", "-of", "csv=p=0", out).Output()
			if err != nil {
				t.Fatal(err)
			}
			place := strings.Trim(string(said), ",\n")
			if got := place == strconv.FormatInt(c.Lead*encode.Timescale(rational.Int(25))/25, 10); got != want {
				t.Errorf("%q, %d s later: the first frame is at %s, the lead-in at %d frames", mode, -late, place, c.Lead)
			}
		}
	}
}
