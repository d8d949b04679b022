package transcode

import (
	"context"

	"sealreel/pkg/fragment"
	"sealreel/pkg/rational"
	"sealreel/pkg/task"
	"sealreel/pkg/ts"
)

// soundtrack is the encoded sound of one chunk, in memory: some hundred
// kilobytes. Times are samples since time zero.
type soundtrack struct {
	track  *fragment.Track
	frames []fragment.Sample
}

// loadSound reads a piece that the audio task stored: what it is, and where it
// is asked for its frames.
func (w *chunkWork) loadSound(ctx context.Context, p task.Part, frames bool) (*soundtrack, error) {
	if !frames {
		index, err := LoadIndex(ctx, w.vault, p.Index)
		if err != nil {
			return nil, err
		}
		return &soundtrack{track: index.Track}, nil
	}
	track, samples, err := loadPart(ctx, w.vault, p)
	if err != nil {
		return nil, err
	}
	return &soundtrack{track: track, frames: samples}, nil
}

// reader is a place in the sound, for one output. That of nil is nil.
func (s *soundtrack) reader() *soundReader {
	if s == nil {
		return nil
	}
	return &soundReader{soundtrack: s}
}

type soundReader struct {
	*soundtrack
	next int
}

// until gives the frames that begin to sound before a place on a grid.
func (r *soundReader) until(rate rational.Rational, place int64, give func(frame []byte, pts int64)) {
	end := firstTick(rate, place, int64(r.track.Timescale))
	for r.left() && r.frames[r.next].PTS < end {
		f := r.frames[r.next]
		give(f.Data, ts.Ticks(f.PTS, r.track.Timescale))
		r.next++
	}
}

// left says whether there are frames that were not given yet.
func (r *soundReader) left() bool { return r.next < len(r.frames) }

// ends is the tick of 90 kHz where the sound ends, 0 when there is none.
func (s *soundtrack) ends() int64 {
	if len(s.frames) == 0 {
		return 0
	}
	f := s.frames[len(s.frames)-1]
	return ts.Ticks(f.PTS+f.Duration, s.track.Timescale)
}
