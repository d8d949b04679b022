package plan

import (
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/rational"
)

// Take is the stretch of an input that a programme plays from Begins on. From is
// where it begins in the input, after the input's time zero. It Lasts until the
// next take begins; the last take of a programme may have no such end and plays
// what its streams hold.
//
// Times are counted from zero and never summed up by places, so that they mean
// the same frame on every output's grid, and the same sample, however many takes
// come before. They are whole frames of the input, to the nanosecond.
type Take struct {
	Input  int           `json:"input"` // place in the plan's Inputs
	Begins time.Duration `json:"begins,omitempty"`
	From   time.Duration `json:"from,omitempty"`
	Lasts  time.Duration `json:"lasts,omitempty"`
	Video  *Video        `json:"video,omitempty"` // nil when no picture is made
	Audio  *Audio        `json:"audio,omitempty"` // nil when no sound is made
}

// Ends is when the take ends, and false where that is left to its streams.
func (t Take) Ends() (time.Duration, bool) { return t.Begins + t.Lasts, t.Lasts > 0 }

// Place is the place nearest to a time on a grid of 1/rate seconds; with a
// sample rate it is a sample.
func Place(at time.Duration, rate rational.Rational) int64 {
	return perNanosecond(rate).Round(int64(at))
}

func perNanosecond(rate rational.Rational) rational.Rational {
	return rate.Div(rational.Int(int64(time.Second)))
}

// timeOf is when a place of a grid is.
func timeOf(place int64, rate rational.Rational) time.Duration {
	return time.Duration(perNanosecond(rate).Inv().Round(place))
}

// Span is a stretch of an input as it is asked for. Without Duration it goes on
// to the input's end.
type Span struct {
	Start, Duration time.Duration
}

// SpanOf reads a TimeSpan; nil is all of the input.
func SpanOf(s *job.TimeSpan) (Span, error) {
	if s == nil {
		return Span{}, nil
	}
	var span Span
	for _, t := range []struct {
		text string
		to   *time.Duration
	}{{s.StartTime, &span.Start}, {s.Duration, &span.Duration}} {
		if t.text == "" {
			continue
		}
		seconds, err := job.ParseTime(t.text)
		if err != nil {
			return Span{}, err
		}
		*t.to = time.Duration(seconds.Floor(int64(time.Second)))
	}
	return span, nil
}

// Scene is a stretch of an input that is asked for. Input is its place among
// the plan's Inputs; several scenes may be of one.
type Scene struct {
	Input  int
	Source Source
	Span   Span
}

// streams says which streams of the inputs any output uses.
type streams struct{ picture, sound bool }

// only is the source without what nobody uses.
func (s Source) only(used streams) Source {
	if !used.picture {
		s.Picture = nil
	}
	if !used.sound {
		s.Sound = nil
	}
	return s
}

// clock is the rate of the frames that a take begins and ends with: those of the
// picture, or samples where there is none.
func (s Source) clock() rational.Rational {
	switch {
	case s.Picture != nil && s.Picture.Rate.Sign() > 0:
		return s.Picture.Rate
	case s.Sound != nil && s.Sound.SampleRate > 0:
		return rational.Int(int64(s.Sound.SampleRate))
	}
	return rational.Int(25)
}

// heldFrom is how much longer than the picture a sound must be for the last
// picture to be held until its end where another take follows. Less is what the
// last frame of a sound codec is filled up with, and is cut off.
const heldFrom = 250 * time.Millisecond

// frames is how many places of its clock the source fills, after its time zero:
// those of its picture, or of its sound where that goes on for long.
func (s Source) frames() int64 {
	rate, n := s.clock(), int64(0)
	if s.Picture != nil {
		n = s.Picture.Timeline.Frames(rate)
	}
	if s.Sound != nil && s.Sound.Ends > timeOf(n, rate)+heldFrom {
		n = Place(s.Sound.Ends, rate)
	}
	return max(n, 1)
}

// ends is when the last stream of the source ends, after its time zero.
func (s Source) ends() time.Duration {
	var end time.Duration
	if s.Picture != nil {
		t := s.Picture.Timeline
		end = time.Duration(t.TimeBase.Mul(rational.Int(int64(time.Second))).Round(t.End - t.Start))
	}
	if s.Sound != nil {
		end = max(end, s.Sound.Ends)
	}
	return end
}

// take is the scene as a take that begins at a time. short says that the input
// is shorter than what is asked for. A scene that begins after the input's end
// is a *job.Failure.
func (s Scene) take(begins time.Duration) (t Take, short bool, err error) {
	rate, ends := s.Source.clock(), s.Source.ends()
	if s.Span.Start > 0 && s.Span.Start >= ends {
		return Take{}, false, job.ClipBeyondEnd(s.Span.Start, ends)
	}
	frames := s.Source.frames()
	from := min(Place(s.Span.Start, rate), frames-1)
	t = Take{Input: s.Input, Begins: begins, From: timeOf(from, rate)}
	if s.Span.Duration == 0 {
		return t, false, nil
	}
	until := s.Span.Start + s.Span.Duration
	if until > ends+time.Millisecond { // a file's length is told to the millisecond
		return t, true, nil
	}
	t.Lasts = timeOf(max(Place(until, rate), from+1)-from, rate)
	return t, false, nil
}

// close gives a take an end that another follows.
func (t Take) close(s Source) Take {
	if t.Lasts == 0 {
		rate := s.clock()
		t.Lasts = timeOf(max(s.frames()-Place(t.From, rate), 1), rate)
	}
	return t
}
