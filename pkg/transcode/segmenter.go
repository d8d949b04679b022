package transcode

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"sealreel/pkg/fragment"
	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
	"sealreel/pkg/task"
	"sealreel/pkg/ts"
)

// segmentType is the media type of MPEG-TS segments (RFC 8216, 10).
const segmentType = "video/mp2t"

// segmenter writes one output's chunk as segments, each sealed and stored while
// it is encoded. Segment k is the frames from k*SegmentFrames on, the last of
// the output being shorter; sound goes with the frames it begins to sound with.
type segmenter struct {
	*chunkWork
	output plan.Output
	sound  *soundReader // nil without

	track   *fragment.Track // of the open segment's picture, nil without
	codec   string          // of the picture
	alone   bool            // the segment before is of sound alone
	open    *segment
	stored  *errgroup.Group
	made    []task.Segment
	pending []chan task.Sealed // what is stored of each segment, to come
}

// segment is one that is being written.
type segment struct {
	index int64
	pipe  *io.PipeWriter
	buf   *bufio.Writer
	mux   *ts.Interleaver
}

// begins is the place where a segment begins.
func (s *segmenter) begins(index int64) int64 { return index * s.output.SegmentFrames }

// tick is when a place is shown, in ticks of 90 kHz.
func (s *segmenter) tick(place int64) int64 {
	return rational.Int(ts.Clock).Div(s.plan.Groups[s.group].Rate).Round(place)
}

func (s *segmenter) frame(ctx context.Context, track *fragment.Track, f frame) error {
	s.track, s.codec = track, track.Codec
	if index := f.Order / s.output.SegmentFrames; s.open == nil || s.open.index != index {
		ticks := ticksOf(track, s.plan.Groups[s.group].Rate)
		if !f.Key || f.Order != s.begins(index) || f.PTS != f.Order*ticks {
			return fmt.Errorf("%w: frame %d should begin a segment", errFrames, f.Order)
		}
		if err := s.next(ctx, index, s.begins(index+1)); err != nil {
			return err
		}
	}
	return s.open.mux.Video(f.Sample, ts.Ticks(f.PTS, track.Timescale), ts.Ticks(f.DTS, track.Timescale))
}

// next closes the open segment and begins another, with the sound up to the
// place end.
func (s *segmenter) next(ctx context.Context, index, end int64) error {
	if err := s.close(s.tick(s.begins(index))); err != nil {
		return err
	}
	r, w := io.Pipe()
	seg := &segment{index: index, pipe: w, buf: bufio.NewWriterSize(w, 32<<10)}
	config := ts.Config{Video: s.track}
	if s.sound != nil {
		config.Audio = s.sound.track
	}
	mux, err := ts.NewWriter(seg.buf, config)
	if err != nil {
		return err
	}
	seg.mux = ts.NewInterleaver(mux)
	s.store(ctx, r, index)
	s.open = seg
	if s.sound != nil {
		s.sound.until(s.plan.Groups[s.group].Rate, end, seg.mux.Audio)
	}
	return nil
}

// store seals and stores a segment in the background: the encoder goes on while
// the last of it is on its way.
func (s *segmenter) store(ctx context.Context, r *io.PipeReader, index int64) {
	if s.stored == nil {
		s.stored = new(errgroup.Group)
		s.stored.SetLimit(2)
	}
	key := s.output.Names().Segment(int(index))
	sealed := make(chan task.Sealed, 1)
	s.pending = append(s.pending, sealed)
	alone := s.track == nil // the picture has ended, the sound goes on
	s.made = append(s.made, task.Segment{Key: key, Break: alone && !s.alone && s.codec != ""})
	s.alone = alone
	s.stored.Go(func() error {
		n, err := s.vault.Store(ctx, s.output, key, segmentType, r)
		r.CloseWithError(errOr(err, io.ErrClosedPipe))
		sealed <- n
		return err
	})
}

// close ends the open segment at a tick.
func (s *segmenter) close(tick int64) error {
	seg := s.open
	if seg == nil {
		return nil
	}
	s.open = nil
	s.made[len(s.made)-1].Ticks = tick - s.tick(s.begins(seg.index))
	err := seg.mux.Close()
	if err == nil {
		err = seg.buf.Flush()
	}
	seg.pipe.CloseWithError(err)
	return err
}

// end writes the sound that goes on after the picture, in segments of its own
// where it does so for long, and waits until everything is stored.
func (s *segmenter) end(ctx context.Context) (task.Made, error) {
	g := s.plan.Groups[s.group]
	chunk := g.Chunks[s.number]
	last := s.number == len(g.Chunks)-1
	ends := s.tick(chunk.End)
	if s.sound != nil && (last || !g.Picture) {
		var err error
		if ends, err = s.soundToEnd(ctx, chunk.First, last, ends); err != nil {
			return task.Made{}, err
		}
	}
	if err := s.close(ends); err != nil {
		return task.Made{}, err
	}
	if s.stored == nil {
		return task.Made{Codecs: s.codecs()}, nil
	}
	if err := s.stored.Wait(); err != nil {
		return task.Made{}, err
	}
	for i, pending := range s.pending {
		sealed := <-pending
		s.made[i].Bytes, s.made[i].IV = sealed.Bytes, sealed.IV
	}
	return task.Made{Segments: s.made, Codecs: s.codecs()}, nil
}

// soundToEnd gives the open segment its share of the remaining sound, and goes
// on with segments of sound alone as long as there is any. It returns the tick
// where the last of them ends: with what is later, picture or sound, but for the
// part of a frame of sound that would make the segment longer than any may be.
func (s *segmenter) soundToEnd(ctx context.Context, first int64, last bool, ends int64) (int64, error) {
	rate := s.plan.Groups[s.group].Rate
	index := first / s.output.SegmentFrames
	if s.open != nil {
		index = s.open.index
		s.sound.until(rate, s.begins(index+1), s.open.mux.Audio)
		index++
	}
	for s.sound.left() {
		s.track = nil
		if err := s.next(ctx, index, s.begins(index+1)); err != nil {
			return 0, err
		}
		index++
	}
	if last {
		ends = min(max(ends, s.sound.ends()), s.tick(s.begins(index)))
	}
	return ends, nil
}

func (s *segmenter) codecs() []string {
	var codecs []string
	if s.codec != "" {
		codecs = append(codecs, s.codec)
	}
	if s.sound != nil {
		codecs = append(codecs, s.sound.track.Codec)
	}
	return codecs
}

// abandon breaks the open segment off, so that it is not stored.
func (s *segmenter) abandon() {
	if s.open != nil {
		s.open.pipe.CloseWithError(context.Canceled)
		s.open = nil
	}
	if s.stored != nil {
		_ = s.stored.Wait() // why it failed is known already
	}
}

func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
