package e2e

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/pkg/encode"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// moving is a picture that is about as hard to encode as a natural one, and
// about as hard at any time, so that bit rates can be compared: soft shapes that
// grow, turn and fade, with film grain. It is the same in every run.
func moving(size, rate, seconds string) []string {
	return []string{"-f", "lavfi", "-i", "life=s=160x90:mold=20:r=12.5:ratio=0.3:seed=5:death_color=#303080:life_color=#f0e0a0:mold_color=#208040," +
		"scale=" + size + ",gblur=sigma=3,fps=" + rate + ",noise=alls=6:allf=t:all_seed=7,format=yuv420p,trim=duration=" + seconds}
}

// TestSeamsCannotBeSeen encodes at an average bit rate, once in chunks and once
// at a stretch with the same settings, and compares how close to the source the
// pictures after each seam come (invariant 7).
func TestSeamsCannotBeSeen(t *testing.T) {
	file := clip(t, "in.mp4", append(moving("480x270", "25", "32"), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "8")...)
	single := customPreset(t, preset.Preset{Container: "mp4", Video: &preset.Video{
		Codec: "H.264", CodecOptions: map[string]string{"Profile": "main", "Level": "3.1", "MaxReferenceFrames": "3"},
		KeyframesMaxDist: "90", FixedGOP: "false", BitRate: "600", FrameRate: "auto", MaxWidth: "640", MaxHeight: "360"}})
	outputs := []job.Output{{Key: "one.mp4", PresetID: single}, {Key: "hls", PresetID: systemPreset + "200040", SegmentDuration: "8"}}
	r := drop(t, file, outputs)
	r.wait(t)
	p := planOf(t, r.id)
	for i, chunked := range []string{r.checkFile(t, 0), r.checkSegments(t, 1, 8).joined(t)} {
		g := p.Groups[p.Outputs[i].Group]
		whole := encodeAtAStretch(t, p, i, file, pictureBytes(t, chunked))
		got, want := psnr(t, chunked, file), psnr(t, whole, file)
		if int64(len(got)) != g.Frames || len(want) != len(got) {
			t.Fatalf("%d frames in chunks, %d at a stretch, planned were %d", len(got), len(want), g.Frames)
		}
		lost, seams := 0.0, 0.0
		for _, c := range g.Chunks[1:] {
			end := min(c.First+int64(p.Outputs[i].Picture.GOP), g.Frames)
			a, b := mean(got[c.First:end]), mean(want[c.First:end])
			t.Logf("%s: seam at frame %d: %.3f dB in chunks, %.3f dB at a stretch", outputs[i].Key, c.First, a, b)
			lost, seams = lost+b-a, seams+1
		}
		t.Logf("%s: after seams %+.3f dB, overall %.3f dB against %.3f dB; %d bytes against %d", outputs[i].Key, -lost/seams, mean(got), mean(want), pictureBytes(t, chunked), pictureBytes(t, whole))
		if lost/seams > 0.1 {
			t.Errorf("%s: after seams the picture is %.3f dB worse", outputs[i].Key, lost/seams)
		}
	}
}

// encodeAtAStretch encodes the picture of an output in one chunk, at the bit
// rate that the chunks came to: in short ones rate control stays some per cent
// below what it was asked for, which is not what seams are about.
func encodeAtAStretch(t *testing.T, p *plan.Plan, output int, file string, bytes int64) string {
	t.Helper()
	whole := *p
	group := p.Outputs[output].Group
	whole.Groups = append([]plan.Group{}, p.Groups...)
	one := plan.Chunk{End: p.Groups[group].Frames, Reads: []plan.Read{{To: p.Groups[group].Frames, FromStart: true, Hold: true}}}
	whole.Groups[group].Chunks = []plan.Chunk{one}
	whole.Outputs = append([]plan.Output{}, p.Outputs...)
	picture := *p.Outputs[output].Picture
	whole.Outputs[output].Picture = &picture
	out := filepath.Join(t.TempDir(), "whole.mp4")
	picture.BitRate = p.Groups[group].Rate.Div(rational.Int(one.End)).Round(8 * bytes)
	for range 3 {
		ffmpeg(t, append([]string{"-y"}, encode.Pictures(&whole, group, one, []int{output}, [][]string{{"-i", file}}, nil, [][]string{{out}}, encode.Settings{X264Preset: "veryfast"})...)...)
		is := pictureBytes(t, out)
		if math.Abs(float64(is)/float64(bytes)-1) < 0.01 {
			break
		}
		picture.BitRate = picture.BitRate * bytes / is
	}
	return out
}

// psnr is how close each frame of a file comes to the source's, in decibels.
func psnr(t *testing.T, file, source string) []float64 {
	t.Helper()
	told := program(t, "ffmpeg", "-v", "error", "-nostdin", "-i", file, "-i", source,
		"-lavfi", "[0:v]settb=1/25,setpts=N[a];[1:v]settb=1/25,setpts=N,format=yuv420p[b];[a][b]psnr=stats_file=-", "-f", "null", "-")
	var all []float64
	for line := range strings.Lines(told) {
		if _, after, ok := strings.Cut(line, "psnr_avg:"); ok {
			all = append(all, seconds(t, after))
		}
	}
	return all
}

// pictureBytes is the size of the picture without its container.
func pictureBytes(t *testing.T, file string) int64 {
	t.Helper()
	sum := int64(0)
	for _, size := range strings.Fields(ffprobe(t, "-select_streams", "v:0", "-show_entries", "packet=size", "-of", "csv=p=0", file)) {
		sum += integer(t, strings.TrimRight(size, ","))
	}
	return sum
}

func mean(all []float64) float64 {
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all))
}

func size(t *testing.T, file string) int { return len(read(t, file)) }
