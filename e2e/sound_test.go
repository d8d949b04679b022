package e2e

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// soundCase is a source with a tone of 1 kHz between two times, in seconds from
// when its picture or its sound begins, whichever is first.
type soundCase struct {
	name, file string
	args       []string
	rate       int // that comes out, in Hz
	from, to   float64
}

// tone is a sine of 1 kHz: ten milliseconds of it always have the same power.
func tone(rate, seconds string) []string {
	return []string{"-f", "lavfi", "-i", "sine=f=1000:r=" + rate + ":d=" + seconds}
}

const surround = "pan=5.1|c0=.5*c0|c1=.5*c0|c2=.3*c0|c3=0*c0|c4=.2*c0|c5=.2*c0"

var soundCases = []soundCase{
	{"48 kHz in stereo", "in.mov", slices.Concat(pattern("128x96", "25", "11"), tone("48000", "11"), []string{"-c:v", "libx264", "-c:a", "pcm_s16le", "-ac", "2"}), 48000, 0, 11},
	{"44.1 kHz in mono", "in.mp4", slices.Concat(pattern("128x96", "30000/1001", "11"), tone("44100", "11"), []string{"-c:v", "libx264", "-c:a", "aac"}), 44100, 0, 11},
	{"six channels", "in.ts", slices.Concat(pattern("128x96", "25", "9"), tone("48000", "9"), []string{"-c:v", "libx264", "-af", surround, "-c:a", "ac3"}), 48000, 0, 9},
	{"sound that begins late", "in.mkv", slices.Concat(pattern("128x96", "25", "9"), []string{"-itsoffset", "0.7"}, tone("48000", "8"), []string{"-c:v", "libx264", "-c:a", "flac"}), 48000, 0.7, 8.7},
	{"sound that begins late behind an edit list", "in.mp4", slices.Concat(pattern("128x96", "25", "9"), []string{"-itsoffset", "0.7"}, tone("44100", "8"), []string{"-c:v", "libx264", "-c:a", "aac"}), 44100, 0.7, 8.7},
	{"a picture that begins late", "in.mp4", slices.Concat([]string{"-itsoffset", "0.7"}, pattern("128x96", "25", "9"), tone("48000", "9.5"), []string{"-c:v", "libx264", "-c:a", "aac"}), 48000, 0, 9.5},
	{"a picture that begins late in a transport stream", "in.ts", slices.Concat([]string{"-itsoffset", "0.7"}, pattern("128x96", "25", "9"), tone("48000", "9.5"), []string{"-c:v", "libx264", "-c:a", "mp2"}), 48000, 0, 9.5},
	{"sound that goes on for long", "in.mkv", slices.Concat(pattern("128x96", "25", "6"), tone("48000", "31"), []string{"-c:v", "libx264", "-c:a", "flac"}), 48000, 0, 31},
	{"sound that ends early", "in.mkv", slices.Concat(pattern("128x96", "25", "13"), tone("48000", "5"), []string{"-c:v", "libx264", "-c:a", "flac"}), 48000, 0, 5},
}

// TestSoundIsThatOfOneEncode compares the decoded sound of whole files and of
// segments with that of one encode of the source, sample for sample, and looks
// for holes and drift in a tone (invariant 7).
func TestSoundIsThatOfOneEncode(t *testing.T) {
	jobs, files := make([]*running, len(soundCases)), make([]string, len(soundCases))
	audio := &preset.Audio{Codec: "AAC", BitRate: "128", SampleRate: "auto", Channels: "2"}
	single := customPreset(t, preset.Preset{Container: "mp4", Video: lossless("auto"), Audio: audio})
	segmented := customPreset(t, preset.Preset{Container: "ts", Video: lossless("auto"), Audio: audio})
	for i, c := range soundCases {
		files[i] = clip(t, c.file, c.args...)
		jobs[i] = drop(t, files[i], []job.Output{{Key: "one.mp4", PresetID: single}, {Key: "hls", PresetID: segmented, SegmentDuration: "2"}})
	}
	for i, c := range soundCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := jobs[i]
			r.wait(t)
			one := r.checkFile(t, 0)
			all := r.checkSegments(t, 1, 2)
			joined := all.joined(t)
			g := planOf(t, r.id).Groups[0]
			packed, plain := encodeWhole(t, files[i], c.rate, float64(g.Frames)/g.Rate.Float64())
			sameSound(t, "file", samples(t, one), samples(t, packed))
			sameSound(t, "segments", samples(t, joined), samples(t, plain))
			c.sounds(t, samples(t, one))
			c.sounds(t, samples(t, joined)[4*1024:]) // less the encoder's delay
			inStep(t, joined, c.rate)
		})
	}
}

// encodeWhole encodes the sound of a file at once, from when its picture or its
// sound begins to when the later of them ends, the picture after so many
// seconds: in MP4, which hides the encoder's delay, and bare.
func encodeWhole(t *testing.T, file string, rate int, picture float64) (packed, plain string) {
	t.Helper()
	zero := rational.Rational{}
	for i, s := range describe(t, file).Streams {
		if start := parse(t, s.TimeBase).Mul(rational.Int(s.StartPTS)); i == 0 || start.Less(zero) {
			zero = start
		}
	}
	filters := fmt.Sprintf("asetpts=PTS-(%d/%d)/TB,aresample=%d:async=1:first_pts=0,aformat=channel_layouts=stereo,apad=whole_len=%.0f",
		zero.Num, max(zero.Den, 1), rate, math.Ceil(picture*float64(rate)-0.001))
	packed = clip(t, "whole.m4a", "-copyts", "-i", file, "-vn", "-af", filters, "-c:a", "aac", "-b:a", "128k")
	return packed, clip(t, "whole.aac", "-i", packed, "-c", "copy")
}

// sameSound compares samples of two channels.
func sameSound(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d samples, one encode has %d", what, len(got)/4, len(want)/4)
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s: the first different sample is %d of %d", what, i/4, len(want)/4)
			return
		}
	}
}

// sounds complains where the tone is missing, changes, or is heard when it
// should not be.
func (c soundCase) sounds(t *testing.T, pcm []byte) {
	t.Helper()
	const margin = 0.06 // the encoder's blocks blur an edge
	window := c.rate / 100 * 4
	full := power(pcm[int((c.from+0.5)*100)*window:][:window])
	if full < 300 {
		t.Fatalf("there is no tone half a second after its beginning: %v", full)
	}
	for n := 0; (n+1)*window <= len(pcm); n++ {
		at, is := float64(n)/100, power(pcm[n*window:][:window])
		inside := at >= c.from+margin && at+0.01 <= c.to-margin
		outside := at+0.01 <= c.from-margin || at >= c.to+margin
		if inside && math.Abs(is/full-1) > 0.08 || outside && is > 0.02*full {
			t.Errorf("at %.2f s the sound has %.0f, the tone from %v to %v s has %.0f", at, is, c.from, c.to, full)
			return
		}
	}
	if lasts := float64(len(pcm)) / float64(4*c.rate); lasts < c.to-0.001 {
		t.Errorf("the sound lasts %v s, want %v", lasts, c.to)
	}
}

// power is the root of the mean square of the left channel.
func power(pcm []byte) float64 {
	sum := 0.0
	for i := 0; i < len(pcm); i += 4 {
		v := float64(int16(binary.LittleEndian.Uint16(pcm[i:])))
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(pcm)/4))
}

// inStep complains unless each frame of sound in joined segments is timed by
// the number of samples before it, from the time of the first picture on.
func inStep(t *testing.T, file string, rate int) {
	t.Helper()
	zero := integer(t, first(ffprobe(t, "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp", "-of", "csv=p=0", file)))
	perSample := rational.New(90000, int64(rate))
	for n, line := range strings.Fields(ffprobe(t, "-select_streams", "a:0", "-show_entries", "packet=pts", "-of", "csv=p=0", file)) {
		want := zero + perSample.Round(int64(n-1)*1024)
		if pts := integer(t, strings.TrimRight(line, ",")); pts < want-1 || pts > want+1 {
			t.Errorf("frame %d of the sound is at %d, want %d", n, pts, want)
			return
		}
	}
}

func first(lines string) string {
	line, _, _ := strings.Cut(lines, "\n")
	return strings.TrimRight(strings.TrimSpace(line), ",")
}
