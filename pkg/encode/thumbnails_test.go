package encode_test

import (
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/pkg/encode"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// TestThumbnailsAreTheFramesOfTheirTimes encodes sources without loss in chunks,
// with thumbnails of the same size and without loss either. Their places must be
// those of the plan, and each must be the very frame that the whole shows there:
// no border of chunks loses or doubles one.
func TestThumbnailsAreTheFramesOfTheirTimes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		name, file, source string
		make               []string
		rate               rational.Rational
		interval           string
	}{
		{"constant rate", "cfr.mp4", "25", []string{"-g", "60"}, rational.Int(25), "1"},
		{"borders between thumbnails", "five.mp4", "25", []string{"-g", "60"}, rational.Int(25), "5"},
		{"one for all", "sixty.mp4", "25", []string{"-g", "60"}, rational.Int(25), "60"},
		{"ntsc in a transport stream, late start", "ntsc.ts", "30000/1001", []string{"-g", "45", "-bf", "3", "-output_ts_offset", "7"}, rational.New(30000, 1001), "1"},
		{"film in matroska's milliseconds", "film.mkv", "24000/1001", []string{"-g", "50", "-output_ts_offset", "3.3"}, rational.New(24000, 1001), "2"},
		{"variable rate", "vfr.mp4", "25", []string{"-vf", "select='not(mod(n,3))+not(mod(n,7))'", "-fps_mode", "vfr", "-g", "40"}, rational.Int(25), "1"},
		{"another rate than the source's", "conv.mp4", "25", nil, rational.New(30000, 1001), "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(dir, c.file)
			made := append([]string{"-y", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=" + c.source + ":d=12", "-c:v", "libx264"}, c.make...)
			run(t, append(made, file)...)
			p := planFor(t, file, c.rate, false)
			withThumbnails(p, c.interval)
			g := p.Groups[0]
			whole := chunkStills(t, p, wholeChunk(g.Frames, true), dir, file)
			want := stillsOf(p, whole.frames)
			var got []string
			for _, chunk := range g.Chunks {
				got = append(got, chunkStills(t, p, chunk, dir, file).stills...)
			}
			if len(g.Chunks) < 3 || strings.Join(got, "\n") != strings.Join(want, "\n") || strings.Join(whole.stills, "\n") != strings.Join(want, "\n") {
				t.Errorf("in %d chunks\n%q, in one\n%q, want\n%q", len(g.Chunks), got, whole.stills, want)
			}
		})
	}
}

// TestThumbnailsAcrossJoins: of three films that chunks join, the frames at the
// thumbnails' times of all of them together.
func TestThumbnailsAcrossJoins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var files, shown []string
	var scenes []plan.Scene
	for i, seconds := range []string{"4.2", "1.48", "5.4"} {
		file := filepath.Join(dir, fmt.Sprint(i, ".mp4"))
		run(t, "-y", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=25:d="+seconds+fmt.Sprintf(",hue=h=%d", 90*i), "-c:v", "libx264", "-g", "30", file)
		for _, line := range hashes(t, file) {
			_, hash, _ := strings.Cut(line, " ")
			shown = append(shown, hash)
		}
		files = append(files, file)
		scenes = append(scenes, plan.Scene{Input: i, Source: plan.Source{Picture: &plan.SourcePicture{Timeline: scan(t, file), Rate: rational.Int(25), Width: 160, Height: 96}}})
	}
	p, err := plan.Stitch(scenes, []plan.Wish{losslessWish(rational.Int(25), plan.H264)}, plan.Options{ChunkSeconds: 3})
	if err != nil {
		t.Fatal(err)
	}
	withThumbnails(p, "1")
	var got []string
	joins := 0
	for _, chunk := range p.Groups[0].Chunks {
		if len(chunk.Reads) > 1 {
			joins++
		}
		got = append(got, chunkStills(t, p, chunk, dir, files...).stills...)
	}
	if want := stillsOf(p, shown); joins < 1 || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("with %d chunks across joins\n%q, want\n%q", joins, got, want)
	}
}

// stillsOf are the times and hashes that the thumbnails of the first output should
// have, of all its frames.
func stillsOf(p *plan.Plan, frames []string) []string {
	rate, stills := p.Groups[0].Rate, p.Outputs[0].Thumbnails
	var all []string
	for n := int64(1); stills.Place(n, rate) < int64(len(frames)); n++ {
		place := stills.Place(n, rate)
		all = append(all, fmt.Sprint(place*encode.Timescale(rate)/rate.Num*rate.Den, " ", frames[place]))
	}
	return all
}

// withThumbnails asks for thumbnails of the first output in the size of the
// source.
func withThumbnails(p *plan.Plan, interval string) {
	th := preset.Thumbnails{Format: "png", Interval: interval, MaxWidth: "160", MaxHeight: "96"}
	p.Outputs[0].Thumbnails = &plan.Thumbnails{
		Names:   job.OutputThumbnails("", job.Output{ThumbnailPattern: "{count}"}, "png", 160, 96),
		Seconds: int64(th.Seconds()),
		Fit:     plan.Fit{Geometry: preset.ThumbnailSizeFor(&th, 160, 96, rational.Int(1), 0), Matrix: "bt601"},
	}
}

// encoded are the hashes of the frames that a chunk encodes, and the times and
// hashes of its thumbnails.
type encoded struct{ frames, stills []string }

// chunkStills encodes a chunk of the files, which are the plan's inputs.
func chunkStills(t *testing.T, p *plan.Plan, c plan.Chunk, dir string, files ...string) encoded {
	t.Helper()
	var inputs [][]string
	for _, r := range c.Reads {
		inputs = append(inputs, []string{"-i", files[p.Programmes[0][r.Take].Input]})
	}
	base := filepath.Join(dir, fmt.Sprintf("%s-%d-%d", filepath.Base(files[0]), c.First, c.End))
	outputs := [][]string{{base + ".mp4"}, {base + ".stills.mp4"}}
	has := len(encode.Thumbnailed(p, 0, c, []int{0})) > 0
	if !has {
		outputs = outputs[:1]
	}
	run(t, append([]string{"-y"}, encode.Pictures(p, 0, c, []int{0}, inputs, nil, outputs, encode.Settings{X264Preset: "ultrafast"})...)...)
	var e encoded
	for _, line := range hashes(t, outputs[0][0]) {
		_, hash, _ := strings.Cut(line, " ")
		e.frames = append(e.frames, hash)
	}
	if has {
		e.stills = hashes(t, outputs[1][0])
	}
	return e
}

// hashes are the times and hashes of a file's frames, in the same format.
func hashes(t *testing.T, file string) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(run(t, "-copyts", "-i", file, "-map", "0:v", "-vf", "format=rgb24", "-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "framemd5", "-")) {
		if !strings.HasPrefix(line, "#") {
			fields := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), " ", ""), ",")
			all = append(all, fields[2]+" "+fields[5])
		}
	}
	return all
}

// TestThumbnailColours: those of the source, be it of BT.601 or BT.709, in either
// format, with black around them.
func TestThumbnailColours(t *testing.T) {
	dir := t.TempDir()
	for _, matrix := range []string{"bt601", "bt709"} {
		for format, decode := range map[string]func(io.Reader) (image.Image, error){"png": png.Decode, "jpg": jpeg.Decode} {
			file := filepath.Join(dir, matrix+".mp4")
			run(t, "-y", "-f", "lavfi", "-i", "color=c=0xC03020:s=160x96:r=25:d=4", "-vf", "scale=out_color_matrix="+matrix+":out_range=tv,format=yuv420p",
				"-c:v", "libx264", "-qp", "0", file)
			p := planFor(t, file, rational.Int(25), false)
			withThumbnails(p, "60")
			th := p.Outputs[0].Thumbnails
			th.Fit.Matrix, th.Names.Format = matrix, format
			th.Fit.Geometry = preset.ThumbnailSizeFor(&preset.Thumbnails{MaxWidth: "96", MaxHeight: "96", SizingPolicy: "Fit", PaddingPolicy: "Pad"}, 160, 96, rational.Int(1), 0)
			out := filepath.Join(dir, matrix+format+".mp4")
			run(t, append([]string{"-y"}, encode.Pictures(p, 0, p.Groups[0].Chunks[0], []int{0}, [][]string{{"-i", file}}, nil,
				[][]string{{filepath.Join(dir, "v.mp4")}, {out}}, encode.Settings{X264Preset: "ultrafast"})...)...)
			m, err := decode(strings.NewReader(run(t, "-i", out, "-c", "copy", "-f", "image2pipe", "-")))
			if err != nil {
				t.Fatal(err)
			}
			for at, want := range map[image.Point][3]int{{48, 48}: {0xC0, 0x30, 0x20}, {48, 4}: {}, {48, 92}: {}} {
				r, g, b, _ := m.At(at.X, at.Y).RGBA()
				for i, got := range []uint32{r >> 8, g >> 8, b >> 8} {
					if off := int(got) - want[i]; off < -5 || off > 5 {
						t.Errorf("%s as %s at %v: %02x %02x %02x, want %02x", matrix, format, at, r>>8, g>>8, b>>8, want)
						break
					}
				}
			}
		}
	}
}
