package plan

import (
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// TestEveryThumbnailBelongsToOneChunk: however a grid is cut, the numbers of the
// chunks' thumbnails are 1, 2, 3 and so on, each in the chunk that has its frame,
// and each frame is the one that is shown at its time.
func TestEveryThumbnailBelongsToOneChunk(t *testing.T) {
	for _, rate := range []rational.Rational{rational.Int(25), rational.New(30000, 1001), rational.New(24000, 1001), rational.Int(60),
		rational.Int(1), rational.New(1, 2), rational.New(1, 7), rational.New(3, 2), rational.New(15625, 624)} {
		for _, seconds := range []int64{1, 2, 5, 60, 99999} {
			for _, frames := range []int64{1, 2, 25, 26, 61, 300} {
				th := &Thumbnails{Seconds: seconds}
				for _, length := range []int64{1, 7, 25, 300} {
					next := int64(1)
					for first := int64(0); first < frames; first += length {
						end := min(first+length, frames)
						if from := th.From(first, rate); from != next {
							t.Fatalf("%v, every %d s: a chunk from %d begins with thumbnail %d, want %d", rate, seconds, first, from, next)
						}
						for ; next < th.From(end, rate); next++ {
							if place := th.Place(next, rate); place < first || place >= end {
								t.Fatalf("%v, every %d s: thumbnail %d at place %d is not in [%d, %d)", rate, seconds, next, place, first, end)
							}
						}
					}
					last := rational.Int((next - 2) * seconds)
					behind := rational.Int((next - 1) * seconds)
					if ends := rational.Int(frames).Div(rate); next < 2 || !last.Less(ends) || behind.Less(ends) {
						t.Fatalf("%v, every %d s: %d thumbnails in %v s", rate, seconds, next-1, ends)
					}
				}
			}
			th := &Thumbnails{Seconds: seconds}
			for n := int64(1); n < 40; n++ {
				at, place := rational.Int((n-1)*seconds), th.Place(n, rate)
				if at.Less(rational.Int(place).Div(rate)) || !at.Less(rational.Int(place+1).Div(rate)) {
					t.Fatalf("%v: place %d is not shown at %v s", rate, place, at)
				}
			}
		}
	}
}

func TestThumbnailsOfOutputs(t *testing.T) {
	stills := func(id, presetID, pattern string) Wish {
		w := wish(t, id, presetID, "")
		w.Prefix, w.Thumbnails = "p/", "stills"
		w.Output.ThumbnailPattern, w.Output.ThumbnailEncryption = pattern, &job.Encryption{Mode: job.ModeGCM, Key: id}
		return w
	}
	p := Make(source(rational.Int(25), 130, true, true), []Wish{
		stills("1", "000010", "t-{count}"), stills("2", "000010", "{resolution}/{count}"), stills("3", "000010", ""),
	}, Options{ChunkSeconds: 30})
	if p.Outputs[2].Thumbnails != nil {
		t.Errorf("%+v", p.Outputs[2].Thumbnails)
	}
	for i, first := range []string{"p/t-00001.png", "p/192x108/00001.png"} {
		o := p.Outputs[i]
		th := o.Thumbnails
		if th == nil || th.Bucket != "stills" || th.Seconds != 60 || th.Names.Key(1) != first || th.Fit.Geometry.Width() != 192 || th.Fit.Geometry.Height() != 108 || th.Encryption.Key != o.ID || th.Fit.Matrix != "bt709" {
			t.Errorf("%+v", th)
		}
		if s := o.ThumbnailSet(); s.Bucket != "stills" || !s.Set() || o.Set() || s.Encryption != th.Encryption || s.ID != o.ID || s.Job != o.Job {
			t.Errorf("%+v", s)
		}
	}
	if g := p.Groups[0]; p.Outputs[0].Thumbnails.From(g.Frames, g.Rate) != 4 {
		t.Error("130 seconds have thumbnails at 0, 60 and 120")
	}
	// Of an input without a picture there are none.
	p = Make(source(rational.Int(25), 130, false, true), []Wish{stills("1", "000010", "t-{count}")}, Options{ChunkSeconds: 30})
	if p.Outputs[0].Thumbnails != nil || p.Outputs[0].Failure != nil {
		t.Errorf("%+v", p.Outputs[0])
	}
}

func TestTooManyThumbnails(t *testing.T) {
	for frames, fails := range map[int64]bool{job.MaxThumbnails: false, job.MaxThumbnails + 1: true} {
		held := Source{Picture: &SourcePicture{Width: 64, Height: 64, Rate: rational.Int(1), // one frame that is shown for days
			Timeline: Timeline{TimeBase: rational.Int(1), PTS: []int64{0}, Keyframes: []int64{0}, End: frames}}}
		w := wish(t, "1", "000010", "")
		custom := *w.Preset
		custom.Thumbnails = &preset.Thumbnails{Format: "png", Interval: "1", MaxWidth: "64", MaxHeight: "64"}
		w.Preset, w.Output.ThumbnailPattern = &custom, "{count}"
		p := Make(held, []Wish{w}, Options{ChunkSeconds: 200_000})
		f := p.Outputs[0].Failure
		if (f != nil) != fails || fails && (f.Code != job.CodeValidation || !strings.Contains(f.Detail, "more than 99999 thumbnails")) {
			t.Errorf("%d frames: %+v", frames, f)
		}
	}
}

// TestThumbnailsOfInputsThatDiffer: each is made to fit, and those that would have
// another size are refused (4024).
func TestThumbnailsOfInputsThatDiffer(t *testing.T) {
	w := wish(t, "1", "000010", "")
	custom := *w.Preset
	custom.Video = &preset.Video{Codec: "H.264", BitRate: "500", FrameRate: "25", KeyframesMaxDist: "50", MaxWidth: "640", MaxHeight: "360", SizingPolicy: "Fit", PaddingPolicy: "Pad"}
	w.Output.ThumbnailPattern = "{resolution}-{count}"
	wide, upright := reel(rational.Int(25), 100, 0), reel(rational.Int(25), 100, 0)
	upright.Picture.Width, upright.Picture.Height, upright.Picture.Colour.Matrix = 720, 1280, "bt470bg"
	for padding, refused := range map[string]bool{"Pad": false, "NoPad": true} {
		custom.Thumbnails = &preset.Thumbnails{Format: "png", Interval: "1", MaxWidth: "64", MaxHeight: "64", SizingPolicy: "Fit", PaddingPolicy: padding}
		w.Preset = &custom
		p := stitch(t, []Scene{{Source: wide}, {Source: upright}, {Source: wide}}, w)
		f, th := p.Outputs[0].Failure, p.Outputs[0].Thumbnails
		if refused {
			if f == nil || f.Code != job.CodeInputsThumbnails || !strings.Contains(f.Detail, "64x36 with input #1 and 36x64 with input #2") {
				t.Errorf("%+v", f)
			}
			continue
		}
		if f != nil || th.Of(0).Geometry.ScaleW != 64 || th.Of(1).Geometry.ScaleW != 36 || th.Of(1).Matrix != "bt601" || th.Of(2) != th.Of(0) || len(th.Others) != 1 {
			t.Errorf("%+v, %+v", f, th)
		}
		if first := th.Names.Key(1); first != "64x64-00001.png" {
			t.Error(first)
		}
	}
}
