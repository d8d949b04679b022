package assemble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"sealreel/pkg/ffmpeg"
	"sealreel/pkg/fragment"
	"sealreel/pkg/job"
	"sealreel/pkg/loopback"
	"sealreel/pkg/mxf"
	"sealreel/pkg/part"
	"sealreel/pkg/plan"
	"sealreel/pkg/progressive"
)

// remuxed is a file that ffmpeg writes: it reads the joined parts as one MP4,
// forward only, and what it writes goes into the sealed upload as it comes.
// arguments say how, from what is joined, and what it writes goes through a
// writer that may be nil. With bitexact set, ffmpeg puts neither a time nor
// anything random into the file, so that it is the same each time.
func remuxed(arguments func(o plan.Output, tracks []*part.Sequence) []string, through func(w io.Writer, tracks []*part.Sequence) io.WriteCloser) func(p *parts) (write, error) {
	return func(p *parts) (write, error) {
		l, err := progressive.Plan(p.indexes[fragment.Video], p.indexes[fragment.Audio], progressive.Options{})
		if err != nil {
			return nil, err
		}
		how := arguments(p.making.output, l.Tracks())
		return func(ctx context.Context, w io.Writer) error {
			source := func(ctx context.Context, w io.Writer) error { return l.Stream(w, p.open(ctx)) }
			if through == nil {
				return p.making.remux(ctx, w, how, source)
			}
			changed := through(w, l.Tracks())
			if err := p.making.remux(ctx, changed, how, source); err != nil {
				return err
			}
			return changed.Close()
		}, nil
	}
}

func (m *making) remux(ctx context.Context, w io.Writer, how []string, source loopback.Source) error {
	server, err := loopback.New(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	args := append(ffmpeg.GlobalArgs(), ffmpeg.InputArgs(server.Stream("joined", source), ffmpeg.InputOptions{
		Format: "mov", Before: []string{"-seekable", "0"},
	})...)
	args = append(args, "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact")
	args = append(args, how...)
	args = append(args, ffmpeg.OutputArgs(server.Accept("file", func(_ context.Context, body io.Reader) error {
		_, err := io.Copy(w, body)
		return err
	}))...)
	_, err = ffmpeg.Run(server.Context(), ffmpeg.Command{Path: m.ffmpeg, Args: args})
	err = server.Finish(err)
	var exit *ffmpeg.ExitError
	switch {
	case errors.As(err, &exit) && exit.Signal == 0: // it would say the same again
		return job.FailCause(err, job.CodeSegmentsMismatch, "the parts of the output can't be written as %s: choose another preset, and tell the operator", m.output.Container)
	case err != nil:
		return fmt.Errorf("writing %s: %w", m.output.Container, err)
	}
	return nil
}

// programStream is MPEG-2 PS in packs of 2 KiB. The rate that it is multiplexed
// at is that of its fullest second: a player fills its buffer by it.
func programStream(_ plan.Output, tracks []*part.Sequence) []string {
	const packs = 1.05 // headers, and room for what a second's border hides
	rate := 0.0
	for _, t := range tracks {
		rate += t.Peak()
	}
	return append(slices.Clone(copied), "-f", "vob", "-packetsize", "2048", "-muxrate", strconv.FormatInt(int64(math.Ceil(rate*packs/400))*400, 10))
}

// transportStream is MPEG-2 TS in one file; the segments of playlists are package
// ts's.
func transportStream(plan.Output, []*part.Sequence) []string {
	return append(slices.Clone(copied), "-f", "mpegts")
}

// materialExchange is MXF OP1a. Rates that the standard has no name for are
// written as they are.
func materialExchange(o plan.Output, tracks []*part.Sequence) []string {
	return append(slices.Clone(packed(o, tracks)), "-f", "mxf", "-strict", "unofficial", "-store_user_comments", "0")
}

// completed says in the head of an MXF file what ffmpeg learns at its end only.
func completed(w io.Writer, tracks []*part.Sequence) io.WriteCloser {
	facts := mxf.Facts{Frames: int64(tracks[0].Samples)}
	group, between, shown := 0, 0, int64(math.MinInt64)
	for s := range tracks[0].All() {
		group++
		if s.Key {
			group = 1
		}
		between++
		if s.PTS > shown { // it is not shown before one that was decoded before it
			shown, between = s.PTS, 0
		}
		facts.LongestGOP, facts.Between = max(facts.LongestGOP, group), max(facts.Between, between)
	}
	return mxf.NewWriter(w, facts)
}
