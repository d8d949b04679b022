package encode_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"sealreel/pkg/encode"
	"sealreel/pkg/fragment"
	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
)

// TestDelayIsTheEncoders: less the delay, each encoding has as many samples as
// the source, or for layer II whole frames of them.
func TestDelayIsTheEncoders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "in.wav")
	const heard = 100001
	run(t, "-f", "lavfi", "-i", fmt.Sprintf("anoisesrc=r=48000:d=4:a=0.2,atrim=end_sample=%d", heard), "-ac", "2", file)
	p := &plan.Plan{Programmes: [][]plan.Take{{{Audio: &plan.Audio{Start: rational.Int(0)}}}}, Sounds: []plan.Sound{
		{Codec: plan.AAC, BitRate: 128000, SampleRate: 48000, Channels: 2},
		{Codec: plan.MP3, BitRate: 128000, SampleRate: 48000, Channels: 1},
		{Codec: plan.MP2, BitRate: 192000, SampleRate: 48000, Channels: 2},
		{Codec: plan.Vorbis, BitRate: 128000, SampleRate: 48000, Channels: 2},
		{Codec: plan.FLAC, SampleRate: 48000, Channels: 2, BitDepth: 16},
		{Codec: plan.FLAC, SampleRate: 48000, Channels: 4, BitDepth: 24},
		{Codec: plan.PCM, SampleRate: 48000, Channels: 2, BitDepth: 8},
		{Codec: plan.PCM, SampleRate: 48000, Channels: 2, BitDepth: 16},
		{Codec: plan.PCM, SampleRate: 48000, Channels: 8, BitDepth: 24},
		{Codec: plan.PCM, SampleRate: 48000, Channels: 2, BitDepth: 32},
	}}
	outputs, files, places := make([][]string, len(p.Sounds)), make([]string, len(p.Sounds)), make([]int, len(p.Sounds))
	for i := range files {
		files[i] = filepath.Join(dir, fmt.Sprintf("%d.mp4", i))
		outputs[i], places[i] = []string{files[i]}, i
	}
	run(t, encode.Sounds(p, places, []string{"-i", file}, outputs)...)
	for i, s := range p.Sounds {
		stream, err := os.ReadFile(files[i])
		if err != nil {
			t.Fatal(err)
		}
		r := fragment.NewReader(bytes.NewReader(stream))
		var first, end int64
		for {
			f, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if end == 0 {
				first = f.Samples[0].Duration
			}
			end = f.End()
		}
		track, err := r.Track()
		if err != nil {
			t.Fatal(err)
		}
		if track.BitDepth != s.BitDepth || track.SampleRate != s.SampleRate || track.Channels != s.Channels && track.Coding != fragment.MPEGAudio {
			t.Errorf("%+v: the track is %+v", s, track)
		}
		more := end - encode.Delay(s, first) - heard
		if more != 0 && s.Codec != plan.MP2 || more < 0 || more >= s.Frame() {
			t.Errorf("%+v: %d samples more than were encoded", s, more)
		}
	}
}
