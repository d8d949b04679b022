package transcode

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"sealreel/pkg/encode"
	"sealreel/pkg/fragment"
	"sealreel/pkg/ivf"
	"sealreel/pkg/loopback"
	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
)

// errFrames says that an encode does not have the frames that were planned. A
// seek that landed too late does that, so it is worth another try from further
// back.
var errFrames = errors.New("the encoded frames are not those of the plan")

// frame is one encoded frame of a chunk. Order is its place on the grid by
// decode order, and Sample's times are ticks since place 0.
type frame struct {
	Order int64
	fragment.Sample
}

// frames is a stream of encoded frames, such as a fragment.Reader.
type frames interface {
	Track() (*fragment.Track, error)
	Next() (*fragment.Fragment, error)
	Complete() bool
}

// framesOf reads the stream of a picture as ffmpeg writes it.
func framesOf(p *plan.Picture, body io.Reader) frames {
	buffered := bufio.NewReaderSize(body, 64<<10)
	if encode.StreamOf(p) == encode.IVF {
		sar := p.Geometry.SAR
		return whole{ivf.NewReader(buffered, ivf.Shape{Width: uint32(sar.Num), Height: uint32(sar.Den)})}
	}
	return whole{fragment.NewReader(buffered)}
}

// whole reads a stream that ffmpeg ended by itself, since package loopback tells
// of one that was cut. Where it ends too early, ffmpeg could not go on with what
// it reads: that is about the media and not about this attempt.
type whole struct{ frames }

func (w whole) Track() (*fragment.Track, error) {
	t, err := w.frames.Track()
	return t, endedEarly(err)
}

func (w whole) Next() (*fragment.Fragment, error) {
	f, err := w.frames.Next()
	return f, endedEarly(err)
}

func endedEarly(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, loopback.ErrCut) {
		return fmt.Errorf("%w: the encoder's stream ends early", errFrames)
	}
	return err
}

// readFrames reads what ffmpeg encoded for a chunk, throws the lead-in away and
// gives each kept frame to keep. It returns nil only for exactly the planned
// frames: their number, each shown once and for one place, beginning with a
// keyframe, and the stream whole.
func readFrames(r frames, g plan.Group, c plan.Chunk, keep func(*fragment.Track, frame) error) error {
	track, err := r.Track()
	if err != nil {
		return err
	}
	check := checker{chunk: c, ticks: ticksOf(track, g.Rate), seen: make([]bool, c.Frames())}
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := check.shift(f); err != nil {
			return err
		}
		for _, s := range f.Samples {
			kept, err := check.next(s)
			if err != nil {
				return err
			}
			if kept {
				if err := keep(track, frame{Order: check.order - 1, Sample: s}); err != nil {
					return err
				}
			}
		}
	}
	if !r.Complete() {
		return fmt.Errorf("%w: the encoder's stream ends early", errFrames)
	}
	return check.end()
}

// ticksOf is how many units of the track's timescale a frame lasts.
func ticksOf(track *fragment.Track, rate rational.Rational) int64 {
	return rational.Int(int64(track.Timescale)).Div(rate).Floor(1)
}

// checker holds a chunk's frames against the plan.
type checker struct {
	chunk   plan.Chunk
	ticks   int64
	delta   int64
	started bool
	order   int64  // place by decode order of the next frame
	seen    []bool // by place, from the chunk's first
}

// shift moves a fragment's times to ticks since place 0: the first frame that
// is decoded is the first that is shown. The encoder tells its place (package
// encode), and when that is not the lead-in's, a seek landed too late and
// nothing of this encode may be kept.
func (k *checker) shift(f *fragment.Fragment) error {
	if !k.started && len(f.Samples) > 0 {
		if begin := f.Samples[0].DTS; begin != k.chunk.Lead*k.ticks {
			return fmt.Errorf("%w: the first is for place %d, not %d", errFrames, begin/k.ticks, k.chunk.Lead)
		}
		k.started = true
		k.order = k.chunk.Lead
		k.delta = k.chunk.Lead*k.ticks - f.Samples[0].PTS
	}
	f.Shift(k.delta)
	return nil
}

func (k *checker) next(s fragment.Sample) (kept bool, err error) {
	order := k.order
	k.order++
	place := s.PTS / k.ticks
	switch {
	case s.PTS%k.ticks != 0 || s.DTS%k.ticks != 0 || s.Duration != k.ticks:
		return false, fmt.Errorf("%w: frame %d is shown from tick %d for %d, which is no whole place of %d", errFrames, order, s.PTS, s.Duration, k.ticks)
	case order >= k.chunk.End || place >= k.chunk.End:
		return false, fmt.Errorf("%w: there are more than %d", errFrames, k.chunk.End-k.chunk.Lead)
	case (order < k.chunk.First) != (place < k.chunk.First):
		return false, fmt.Errorf("%w: frame %d depends on frames across the chunk's start", errFrames, place)
	case order < k.chunk.First:
		return false, nil
	case order == k.chunk.First && (!s.Key || place != order):
		return false, fmt.Errorf("%w: frame %d should be a keyframe", errFrames, order)
	case k.seen[place-k.chunk.First]:
		return false, fmt.Errorf("%w: place %d is shown twice", errFrames, place)
	}
	k.seen[place-k.chunk.First] = true
	return true, nil
}

func (k *checker) end() error {
	if !k.started || k.order != k.chunk.End {
		return fmt.Errorf("%w: there are %d of %d", errFrames, k.order-k.chunk.Lead, k.chunk.End-k.chunk.Lead)
	}
	return nil
}
