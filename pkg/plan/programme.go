package plan

import (
	"fmt"
	"slices"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/rational"
)

// programme is a run of takes with what they are taken from. An output plays one
// from beginning to end.
type programme struct {
	takes   []Take
	sources []Source // of each take
	short   bool     // than was asked for
	span    Span     // what an output's own clip asks for
}

// lay puts scenes end to end.
func lay(scenes []Scene, used streams) (*programme, error) {
	p := new(programme)
	begins := time.Duration(0)
	for i, s := range scenes {
		s.Source = s.Source.only(used)
		t, short, err := s.take(begins)
		if err != nil {
			return nil, err
		}
		if i < len(scenes)-1 {
			t = t.close(s.Source)
		}
		begins, _ = t.Ends()
		p.takes, p.sources, p.short = append(p.takes, t), append(p.sources, s.Source), p.short || short
	}
	p.unite()
	return p, nil
}

// unite has all pictures of a programme found in the same way: where the clock of
// one input is set anew, a run of ffmpeg that reads it can't rely on the times of
// any other.
func (p *programme) unite() {
	if !slices.ContainsFunc(p.sources, func(s Source) bool { return s.Reset }) {
		return
	}
	for i := range p.sources {
		p.sources[i].Reset = true
		if picture := p.sources[i].Picture; picture != nil {
			found := *picture
			found.Timeline.Seekable = false
			p.sources[i].Picture = &found
		}
	}
}

// stretches are the takes on a grid, or on one of two fields a place. Takes that
// are shorter than a place may have none.
func (p *programme) stretches(rate rational.Rational, fields bool) []stretch {
	per := int64(1)
	if fields {
		per = 2
	}
	all := make([]stretch, len(p.takes))
	for i, t := range p.takes {
		line := p.sources[i].Picture.Timeline
		s := stretch{take: i, first: Place(t.Begins, rate), per: per, rate: rate.Mul(rational.Int(per)), Timeline: line}
		s.skip = Place(t.From, s.rate)
		if p.sources[i].Picture.Deinterlace != "" {
			s.before = per
		}
		if ends, closed := t.Ends(); closed {
			s.end = Place(ends, rate)
		} else {
			s.end = s.first + max(line.Frames(rate)-Place(t.From, rate), 1)
		}
		if i == len(p.takes)-1 {
			s.end = max(s.end, 1)
		}
		all[i] = s
	}
	return all
}

// heard is when the sound of the programme ends.
func (p *programme) heard() time.Duration {
	last := len(p.takes) - 1
	t := p.takes[last]
	if ends, closed := t.Ends(); closed {
		return ends
	}
	return t.Begins + max(p.sources[last].Sound.Ends-t.From, 0)
}

// read names the streams that the takes are read from.
func (p *programme) read(picture, sound bool) []Take {
	for i, src := range p.sources {
		if v := src.Picture; picture && v != nil {
			t := v.Timeline
			p.takes[i].Video = &Video{Stream: v.Stream, TimeBase: t.TimeBase, Start: t.Start, Reset: src.Reset, First: t.PTS[0], Deinterlace: v.Deinterlace}
		}
		if a := src.Sound; sound && a != nil {
			p.takes[i].Audio = &Audio{Stream: a.Stream, Tracks: a.Tracks, Start: a.Start, Reset: src.Reset, Begins: a.Begins, Seek: p.preroll(i), Silent: p.takes[i].From >= a.Ends}
		}
	}
	if p.takes[0].Video != nil {
		p.tint()
	}
	return p.takes
}

// How long before a take its sound is decoded: decoders need some frames to
// warm up, and a container without an index is sought less exactly.
const (
	preroll        = 2 * time.Second
	prerollUnknown = 6 * time.Second
)

// preroll is where the sound of a take is looked for, nil from the beginning.
func (p *programme) preroll(take int) *time.Duration {
	src, back := p.sources[take], prerollUnknown
	if src.Picture != nil && src.Picture.Timeline.Indexed {
		back = preroll
	}
	at := p.takes[take].From - back
	if at <= src.Sound.Begins || src.Reset || src.Picture != nil && !src.Picture.Timeline.Seekable {
		return nil
	}
	return &at
}

// alike fails when some inputs have a stream that is used and others do not.
func alike(scenes []Scene, used streams) error {
	first := scenes[0].Source
	for i, s := range scenes {
		if used.picture && (s.Source.Picture != nil) != (first.Picture != nil) {
			return job.InputsDiffer(job.CodeInputsVideo, i+1, "video", first.Picture != nil)
		}
		if used.sound && (s.Source.Sound != nil) != (first.Sound != nil) {
			return job.InputsDiffer(job.CodeInputsAudio, i+1, "audio", first.Sound != nil)
		}
	}
	return nil
}

// clipped finds or makes the programme of a clip of the scenes' only input.
func (d *draft) clipped(scenes []Scene, clip Span, used streams) (int, error) {
	for i, p := range d.programmes {
		if p.span == clip {
			return i, nil
		}
	}
	only := scenes[0]
	only.Span = clip
	p, err := lay([]Scene{only}, used)
	if err != nil {
		return 0, err
	}
	p.span = clip
	d.programmes = append(d.programmes, p)
	return len(d.programmes) - 1, nil
}

// sameSize fails where the pictures of the takes come out in different sizes.
func (p *Picture) sameSize(key string) error {
	for take, g := range p.Others {
		if g.Width() != p.Geometry.Width() || g.Height() != p.Geometry.Height() || g.SAR.Cmp(p.Geometry.SAR) != 0 {
			return job.Fail(job.CodeInputsResolution, "output %s would be %s with input #1 and %s with input #%d: choose a preset with the PaddingPolicy Pad, or inputs of one shape",
				key, size(p.Geometry.Width(), p.Geometry.Height()), size(g.Width(), g.Height()), take+1)
		}
	}
	return nil
}

func size(w, h int) string { return fmt.Sprintf("%dx%d", w, h) }
