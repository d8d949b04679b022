package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sealreel/pkg/rational"
)

// constant is a timeline of frames at a rate, with a keyframe every gop frames.
func constant(rate, timeBase rational.Rational, frames int, start int64, gop int, indexed bool) Timeline {
	t := Timeline{TimeBase: timeBase, Start: start, Indexed: indexed, Seekable: true}
	ticks := timeBase.Inv().Div(rate)
	for i := range frames {
		pts := start + ticks.Round(int64(i))
		t.PTS = append(t.PTS, pts)
		if i%gop == 0 {
			t.Keyframes = append(t.Keyframes, pts)
		}
	}
	t.End = start + ticks.Round(int64(frames))
	return t
}

func TestFramesOfAConstantSource(t *testing.T) {
	ntsc, film := rational.New(30000, 1001), rational.New(24000, 1001)
	for _, c := range []struct {
		name     string
		src, out rational.Rational
		timeBase rational.Rational
		frames   int
		start    int64
		want     int64
	}{
		{"same rate", rational.Int(25), rational.Int(25), rational.New(1, 12800), 250, 0, 250},
		{"rounded milliseconds", ntsc, ntsc, rational.New(1, 1000), 299, 1470, 299},
		{"one frame", ntsc, ntsc, rational.New(1, 90000), 1, 126000, 1},
		{"film in transport stream ticks", film, film, rational.New(1, 90000), 1000, -4004, 1000},
		{"halved", rational.Int(50), rational.Int(25), rational.New(1, 90000), 501, 0, 251},
		{"to ntsc", rational.Int(25), ntsc, rational.New(1, 12800), 250, 0, 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := constant(c.src, c.timeBase, c.frames, c.start, 12, true).Frames(c.out); got != c.want {
				t.Errorf("%d frames, want %d", got, c.want)
			}
		})
	}
}

// TestGapsAreHeld: the grid covers time, not packets.
func TestGapsAreHeld(t *testing.T) {
	tl := Timeline{TimeBase: rational.New(1, 1000), PTS: []int64{0, 40, 5000}, End: 5040}
	if got := tl.Frames(rational.Int(25)); got != 126 {
		t.Errorf("%d frames, want 126", got)
	}
	for n, want := range map[int64]int64{0: 0, 1: 40, 2: 40, 124: 40, 125: 5000} {
		if got := tl.shownAt(n, rational.Int(25)); got != want {
			t.Errorf("place %d shows the frame at %d, want %d", n, got, want)
		}
	}
}

// TestCutCoversTheGrid draws many shapes and checks what must always hold.
func TestCutCoversTheGrid(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rates := []rational.Rational{rational.Int(25), rational.New(30000, 1001), rational.New(24000, 1001), rational.Int(60), rational.Int(10)}
	for range 2000 {
		rate := rates[r.IntN(len(rates))]
		frames := 1 + r.IntN(4000)
		tl := constant(rate, rational.New(1, 90000), frames, int64(r.IntN(1e6)-5e5), 1+r.IntN(400), r.IntN(2) == 0)
		g := Grid{Rate: rate, Frames: tl.Frames(rate), Unit: int64(1 + r.IntN(300)), Target: int64(1 + r.IntN(1200)), Lead: int64(r.IntN(90))}
		chunks := Cut(tl, g)
		if err := sound(tl, g, chunks); err != nil {
			t.Fatalf("%v\n%+v\n%+v", err, g, chunks)
		}
	}
}

func sound(tl Timeline, g Grid, chunks []Chunk) error {
	next := int64(0)
	for i, c := range chunks {
		last := i == len(chunks)-1
		if len(c.Reads) != 1 {
			return fmt.Errorf("chunk %d reads %v", i, c.Reads)
		}
		r := c.Reads[0]
		switch {
		case r.From != c.Lead || r.To != c.End || r.Hold != last:
			return fmt.Errorf("chunk %d reads %+v", i, r)
		case c.First != next || c.End <= c.First:
			return fmt.Errorf("chunk %d is [%d,%d) after %d", i, c.First, c.End, next)
		case !last && c.End%g.Unit != 0:
			return fmt.Errorf("chunk %d ends at %d, no multiple of %d", i, c.End, g.Unit)
		case c.Lead != max(0, c.First-g.Lead):
			return fmt.Errorf("chunk %d leads in at %d", i, c.Lead)
		case c.Lead == 0 && !r.FromStart:
			return fmt.Errorf("chunk %d seeks although it needs the first frame", i)
		case !r.FromStart && r.Seek > tl.shownAt(c.Lead, g.Rate):
			return fmt.Errorf("chunk %d seeks behind what it needs", i)
		case c.Frames() > 2*max(g.Target, g.Unit)+g.Unit:
			return fmt.Errorf("chunk %d has %d frames", i, c.Frames())
		}
		if key, ok := tl.keyframeBefore(tl.shownAt(c.Lead, g.Rate)); ok && !r.FromStart && !tl.Indexed {
			if before := float64(key-r.Seek) / 90000; before < 0.999 {
				return fmt.Errorf("chunk %d seeks %.3f s before its keyframe", i, before)
			}
		}
		next = c.End
	}
	if next != g.Frames {
		return fmt.Errorf("chunks end at %d of %d", next, g.Frames)
	}
	return nil
}

// TestCutNearKeyframes: of the boundaries in reach the one is taken behind
// which least is decoded for nothing.
func TestCutNearKeyframes(t *testing.T) {
	tl := constant(rational.Int(25), rational.New(1, 12800), 1500, 0, 330, true)
	chunks := Cut(tl, Grid{Rate: rational.Int(25), Frames: 1500, Unit: 10, Target: 750, Lead: 50})
	if len(chunks) != 2 || chunks[1].First != 710 || chunks[1].Lead != 660 {
		t.Errorf("cut at %+v, want the lead-in to begin at the keyframe 660", chunks)
	}
}

func TestWhatCannotBeSoughtIsReadFromTheStart(t *testing.T) {
	tl := constant(rational.Int(25), rational.New(1, 90000), 1500, 0, 50, false)
	tl.Seekable = false
	for i, c := range Cut(tl, Grid{Rate: rational.Int(25), Frames: 1500, Unit: 50, Target: 250, Lead: 50}) {
		if !c.FromStart() || c.Reads[0].Seek != 0 {
			t.Errorf("chunk %d is %+v", i, c)
		}
	}
}
