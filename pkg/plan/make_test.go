package plan

import (
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

func systemPreset(t *testing.T, id string) *preset.Preset {
	t.Helper()
	p, ok := preset.System("1351620000001-" + id)
	if !ok {
		t.Fatalf("no system preset %s", id)
	}
	return p
}

func source(rate rational.Rational, seconds int, picture, hasSound bool) Source {
	var s Source
	if picture {
		s.Picture = &SourcePicture{Width: 1280, Height: 720, Rate: rate,
			Timeline: constant(rate, rational.New(1, 90000), int(rate.Round(int64(seconds))), 0, 48, true)}
	}
	if hasSound {
		s.Sound = &SourceSound{Stream: 1, SampleRate: 48000, Channels: 2, Ends: time.Duration(seconds) * time.Second}
	}
	return s
}

func wish(t *testing.T, id, presetID, segment string) Wish {
	return Wish{Output: job.Output{ID: id, Key: "k" + id, PresetID: presetID, SegmentDuration: segment}, Preset: systemPreset(t, presetID), Bucket: "out", Key: "k" + id}
}

func TestLadderSharesOneDecodeAndOneSound(t *testing.T) {
	p := Make(source(rational.Int(25), 120, true, true), []Wish{
		wish(t, "1", "200010", "10"), wish(t, "2", "200030", "10"), wish(t, "3", "200050", "10"),
	}, Options{ChunkSeconds: 30})
	if len(p.Groups) != 1 || len(p.Groups[0].Outputs) != 3 || len(p.Sounds) != 1 {
		t.Fatalf("%d groups with %v, %d sounds", len(p.Groups), p.Groups, len(p.Sounds))
	}
	// FixedGOP of 90 frames at 25 a second: two GOPs fit in ten seconds.
	if s := p.Outputs[0].SegmentFrames; s != 180 {
		t.Errorf("segments of %d frames, want 180", s)
	}
	for _, c := range p.Groups[0].Chunks {
		if c.First%180 != 0 {
			t.Errorf("a chunk begins at %d, within a segment", c.First)
		}
	}
	if len(p.SoundsOf(0)) != 1 || p.Programmes[0][0].Audio == nil || p.Programmes[0][0].Video == nil {
		t.Error("streams are missing")
	}
}

func TestOutputsTakeTheStreamsThatAreThere(t *testing.T) {
	for _, c := range []struct {
		name           string
		picture, sound bool
		wantPicture    bool
		wantSound      bool
		wantFailure    job.Code
	}{
		{"both", true, true, true, true, 0},
		{"no sound", true, false, true, false, 0},
		{"no picture", false, true, false, true, 0},
		{"nothing", false, false, false, false, job.CodePresetMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Make(source(rational.New(30000, 1001), 30, c.picture, c.sound), []Wish{wish(t, "1", "200040", "6")}, Options{ChunkSeconds: 10})
			o := p.Outputs[0]
			if (o.Picture != nil) != c.wantPicture || (o.Sound >= 0) != c.wantSound {
				t.Errorf("picture %v, sound %d", o.Picture, o.Sound)
			}
			if c.wantFailure == 0 {
				if o.Failure != nil || o.SegmentFrames == 0 || len(p.Groups[o.Group].Chunks) == 0 {
					t.Errorf("planned as %+v", o)
				}
			} else if o.Failure == nil || o.Failure.Code != c.wantFailure {
				t.Errorf("failure %v, want %d", o.Failure, c.wantFailure)
			}
		})
	}
}

// TestCodecsAndContainers: outputs of different codecs share a decode where they
// share a rate, but for GIF, which is made in one piece; a file of fragments has
// them as long as its SegmentDuration lets it, and MPEG-2 the rates that it has.
func TestCodecsAndContainers(t *testing.T) {
	p := Make(source(rational.Int(28), 60, true, false), []Wish{
		wish(t, "1", "400010", "5"), wish(t, "2", "100200", ""), wish(t, "3", "100170", ""), wish(t, "4", "100250", ""), wish(t, "5", "400020", ""),
	}, Options{ChunkSeconds: 10})
	for i, want := range []struct {
		codec     string
		rate      int64
		chunks    int
		fragments int64
		unit      int64
	}{
		{H264, 30, 6, 120, 120}, {GIF, 15, 1, 0, 0}, {MPEG2, 25, 6, 0, 12}, {VP9, 30, 6, 0, 120}, {H264, 30, 6, 0, 120},
	} {
		o := p.Outputs[i]
		g := p.Groups[o.Group]
		if o.Picture.Coded() != want.codec || g.Rate != rational.Int(want.rate) || len(g.Chunks) != want.chunks || o.FragmentFrames != want.fragments || o.SegmentFrames != 0 {
			t.Errorf("output %d: %s at %v in %d chunks, fragments of %d", i+1, o.Picture.Coded(), g.Rate, len(g.Chunks), o.FragmentFrames)
		}
		for _, c := range g.Chunks[:len(g.Chunks)-1] {
			if c.End%want.unit != 0 {
				t.Errorf("output %d: a chunk ends at %d", i+1, c.End)
			}
		}
	}
	if has := p.Outputs[1].Picture.LoopCount; has != "Infinite" {
		t.Errorf("the GIF is repeated %q", has)
	}
	p = Make(source(rational.Int(25), 10, false, true), []Wish{wish(t, "1", "100230", "")}, Options{ChunkSeconds: 10})
	if f := p.Outputs[0].Failure; f == nil || f.Code != job.CodePresetMismatch || len(p.Sounds) != 0 {
		t.Errorf("MXF without a picture: %+v", f)
	}
}

func TestRatesAreApart(t *testing.T) {
	p := Make(source(rational.Int(25), 60, true, true), []Wish{
		wish(t, "1", "200010", "10"), wish(t, "2", "000010", ""),
	}, Options{ChunkSeconds: 30})
	if len(p.Groups) != 2 {
		t.Fatalf("%d groups, want one of 25 and one of 29.97 frames a second", len(p.Groups))
	}
	if p.Groups[1].Rate != rational.New(30000, 1001) || p.Groups[1].Frames != 1798 {
		t.Errorf("%v with %d frames", p.Groups[1].Rate, p.Groups[1].Frames)
	}
}

func TestSegmentsWithoutCommonMultipleArePlannedApart(t *testing.T) {
	p := Make(source(rational.Int(25), 300, true, false), []Wish{
		wish(t, "1", "200040", "11"), wish(t, "2", "200050", "19"), wish(t, "3", "200050", "11"),
	}, Options{ChunkSeconds: 20})
	if len(p.Groups) != 2 || len(p.Groups[0].Outputs) != 2 {
		t.Fatalf("groups %+v", p.Groups)
	}
}

func TestFramesEndWithTheStream(t *testing.T) {
	for _, c := range []struct {
		name string
		t    Timeline
		rate rational.Rational
		want int64
	}{
		{"half the rate, an even number", constant(rational.Int(50), rational.New(1, 50), 500, 0, 50, true), rational.Int(25), 250},
		{"half the rate, an odd number", constant(rational.Int(50), rational.New(1, 50), 501, 0, 50, true), rational.Int(25), 251},
		{"a higher rate", constant(rational.Int(25), rational.New(1, 25), 250, 0, 50, true), rational.New(30000, 1001), 300},
		{"shorter than a frame", Timeline{TimeBase: rational.New(1, 1000), PTS: []int64{0}, End: 3}, rational.Int(25), 1},
		{"nothing", Timeline{TimeBase: rational.New(1, 1000)}, rational.Int(25), 0},
	} {
		if got := c.t.Frames(c.rate); got != c.want {
			t.Errorf("%s: %d frames, want %d", c.name, got, c.want)
		}
	}
}
