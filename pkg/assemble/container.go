package assemble

import (
	"context"
	"fmt"
	"io"

	"sealreel/pkg/cover"
	"sealreel/pkg/flv"
	"sealreel/pkg/fragment"
	"sealreel/pkg/fragmented"
	"sealreel/pkg/job"
	"sealreel/pkg/part"
	"sealreel/pkg/progressive"
	"sealreel/pkg/soundfile"
	"sealreel/pkg/webm"
)

// asEncoded is the only part as it stands.
func asEncoded(p *parts) (write, error) {
	stored := p.stored[fragment.Video]
	if len(stored) != 1 {
		return nil, fmt.Errorf("%w: %d parts where one must be the file", part.ErrParts, len(stored))
	}
	return func(ctx context.Context, w io.Writer) error {
		r, err := p.open(ctx)(fragment.Video, 0)
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(w, r)
		return err
	}, nil
}

// progressiveMP4 has the index in front.
func progressiveMP4(p *parts) (write, error) {
	options := progressive.Options{Captions: p.texts.planned}
	if len(p.covers) > 0 {
		album, err := cover.MP4(p.covers)
		if err != nil {
			return nil, job.ArtworkTooLong(err, p.making.output.Container)
		}
		options.UserData = album
	}
	l, err := progressive.Plan(p.indexes[fragment.Video], p.indexes[fragment.Audio], options)
	return planned(p, l, err)
}

// fragmentedMP4 is what players of Smooth Streaming and MPEG-DASH read.
func fragmentedMP4(p *parts) (write, error) {
	l, err := fragmented.Plan(p.indexes[fragment.Video], p.indexes[fragment.Audio], fragmented.Options{Frames: p.making.output.FragmentFrames})
	return planned(p, l, err)
}

func webMedia(p *parts) (write, error) {
	l, err := webm.Plan(p.indexes[fragment.Video], p.indexes[fragment.Audio])
	return planned(p, l, err)
}

func flashVideo(p *parts) (write, error) {
	l, err := flv.Plan(p.indexes[fragment.Video], p.indexes[fragment.Audio])
	return planned(p, l, err)
}

// layout is a file that is planned to the byte.
type layout interface {
	Stream(w io.Writer, open part.Open) error
}

// planned writes the file that a plan came to, unless it failed.
func planned(p *parts, l layout, err error) (write, error) {
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, w io.Writer) error { return l.Stream(w, p.texts.beside(ctx, p.open(ctx))) }, nil
}

// soundAlone is a file of sound and nothing else.
func soundAlone(plan func(*part.Sequence) (*soundfile.File, error)) func(*parts) (write, error) {
	return func(p *parts) (write, error) {
		sequence, err := part.Join(fragment.Audio, p.indexes[fragment.Audio])
		if err != nil {
			return nil, err
		}
		file, err := plan(sequence)
		return planned(p, file, err)
	}
}

// soundWithAlbum is such a file with the pictures of its album, if it has any.
func soundWithAlbum(block func([]cover.Cover) (cover.Block, error), plan func(*part.Sequence, soundfile.Album) (*soundfile.File, error)) func(*parts) (write, error) {
	return func(p *parts) (write, error) {
		return soundAlone(func(q *part.Sequence) (*soundfile.File, error) {
			if len(p.covers) == 0 {
				return plan(q, nil)
			}
			album, err := block(p.covers)
			if err != nil {
				return nil, job.ArtworkTooLong(err, p.making.output.Container)
			}
			return plan(q, album)
		})(p)
	}
}
