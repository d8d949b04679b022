package encode_test

import (
	"fmt"
	"math"
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

// TestSeamsOfEachCodec encodes at an average bit rate, once in chunks and once at
// a stretch, and compares how close to the source the pictures after each seam
// come (invariant 7). The picture is about as hard to encode at any time: soft
// shapes that grow and fade, with grain, from when they are many. H.264 is measured by whole jobs.
func TestSeamsOfEachCodec(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "in.mp4")
	run(t, "-y", "-f", "lavfi", "-i", "life=s=120x68:mold=20:r=12.5:ratio=0.3:seed=5:death_color=#303080:life_color=#f0e0a0:mold_color=#208040,"+
		"scale=240x136,gblur=sigma=2,fps=25,noise=alls=6:allf=t:all_seed=7,format=yuv420p,trim=start=20:duration=16,setpts=PTS-STARTPTS", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "8", file)
	timeline := scan(t, file)
	for _, v := range []*preset.Video{
		{Codec: plan.VP8, KeyframesMaxDist: "50", BitRate: "250"},
		{Codec: plan.VP9, KeyframesMaxDist: "50", BitRate: "150"},
		{Codec: plan.MPEG2, KeyframesMaxDist: "12", BitRate: "700", CodecOptions: map[string]string{"MaxBitRate": "1000", "BufferSize": "2000"}},
	} {
		t.Run(v.Codec, func(t *testing.T) {
			t.Parallel()
			v.FrameRate, v.MaxWidth, v.MaxHeight, v.FixedGOP = "25", "240", "136", "false"
			p := plan.Make(plan.Source{Picture: &plan.SourcePicture{Timeline: timeline, Rate: rational.Int(25), Width: 240, Height: 136}},
				[]plan.Wish{{Output: job.Output{ID: "1"}, Preset: &preset.Preset{Container: "webm", Video: v}}}, plan.Options{ChunkSeconds: 4})
			g := p.Groups[0]
			var got []float64
			bytes := int64(0)
			for _, c := range g.Chunks {
				near, sizes := closeness(t, p, file, c)
				got, bytes = append(got, near...), bytes+sizes
			}
			want, size := []float64(nil), int64(0)
			for range 3 { // short chunks stay some per cent off the rate, which is not what seams are about
				want, size = closeness(t, p, file, wholeChunk(g.Frames, true))
				if math.Abs(float64(size)/float64(bytes)-1) < 0.01 {
					break
				}
				p.Outputs[0].Picture.BitRate = p.Outputs[0].Picture.BitRate * bytes / size
			}
			lost := 0.0
			for _, c := range g.Chunks[1:] {
				end := min(c.First+int64(p.Outputs[0].Picture.GOP), g.Frames)
				a, b := mean(got[c.First:end]), mean(want[c.First:end])
				t.Logf("seam at frame %d: %.3f dB in chunks, %.3f dB at a stretch", c.First, a, b)
				lost += b - a
			}
			lost /= float64(len(g.Chunks) - 1)
			t.Logf("after seams %+.3f dB, overall %.3f dB against %.3f dB; %d bytes against %d", -lost, mean(got), mean(want), bytes, size)
			if lost > 0.1 || len(g.Chunks) < 4 {
				t.Errorf("after %d seams the picture is %.3f dB worse", len(g.Chunks)-1, lost)
			}
		})
	}
}

// closeness encodes a chunk and returns how close each of its kept frames comes to
// the source's, in decibels, and the bytes of these.
func closeness(t *testing.T, p *plan.Plan, file string, c plan.Chunk) (near []float64, bytes int64) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	run(t, append([]string{"-y"}, encode.Pictures(p, 0, c, []int{0}, [][]string{{"-i", file}}, nil, [][]string{{out}}, encode.Settings{X264Preset: "veryfast"})...)...)
	told := run(t, "-i", out, "-i", file, "-lavfi", fmt.Sprintf(
		"[0:v]settb=1/25,setpts=N[a];[1:v]settb=1/25,setpts=N,trim=start_frame=%d:end_frame=%d,setpts=N,format=yuv420p[b];[a][b]psnr=stats_file=-", c.Lead, c.End), "-f", "null", "-")
	for line := range strings.Lines(told) {
		if _, after, ok := strings.Cut(line, "psnr_avg:"); ok {
			f, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			near = append(near, f)
		}
	}
	if int64(len(near)) != c.End-c.Lead {
		t.Fatalf("%d frames of %d", len(near), c.End-c.Lead)
	}
	sizes, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "packet=size", "-of", "csv=p=0", out).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strings.Fields(string(sizes))[c.First-c.Lead:] {
		n, err := strconv.ParseInt(strings.TrimRight(s, ","), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		bytes += n
	}
	return slices.Clone(near[c.First-c.Lead:]), bytes
}

func mean(all []float64) float64 {
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all))
}
