package transcode

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"sealreel/pkg/fragment"
	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
	"sealreel/pkg/task"
)

// imageTypes are the media types of thumbnails by their format.
var imageTypes = map[string]string{"jpg": "image/jpeg", "png": "image/png"}

// codings are those of the streams that thumbnails of a format come in.
var codings = map[string]fragment.Coding{"jpg": fragment.JPEG, "png": fragment.PNG}

// takeThumbnails stores the thumbnails of one output of a chunk, each sealed, while
// the chunk is encoded.
func (w *chunkWork) takeThumbnails(ctx context.Context, place int, body io.Reader, g plan.Group, c plan.Chunk) error {
	o := w.plan.Outputs[place]
	set, names := o.ThumbnailSet(), o.Thumbnails.Names
	first := o.Thumbnails.From(c.First, g.Rate)
	made := make([]task.Thumbnail, o.Thumbnails.From(c.End, g.Rate)-first)
	stored, storing := errgroup.WithContext(ctx)
	stored.SetLimit(2)
	err := readThumbnails(whole{fragment.NewReader(bufio.NewReaderSize(body, 64<<10))}, o.Thumbnails, g.Rate, c, func(n int64, image []byte) error {
		stored.Go(func() error {
			key := names.Key(n)
			sealed, err := w.vault.Store(storing, set, key, imageTypes[names.Format], bytes.NewReader(image))
			made[n-first] = task.Thumbnail{Key: key, Bytes: sealed.Bytes, IV: sealed.IV}
			return err
		})
		return storing.Err()
	})
	if err := errOr(stored.Wait(), err); err != nil {
		return w.alone(ctx, place, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.thumbnails[place] = made
	return nil
}

// readThumbnails reads the thumbnails of a chunk and gives each to keep with its
// number, as often as it is one. It returns nil only for exactly those of the
// plan: the stream tells the place of each, so that a seek that landed too late
// gives none a wrong number.
func readThumbnails(r frames, t *plan.Thumbnails, rate rational.Rational, c plan.Chunk, keep func(n int64, image []byte) error) error {
	track, err := r.Track()
	if err != nil {
		return err
	}
	if want := codings[t.Names.Format]; track.Coding != want || track.Width != t.Fit.Geometry.Width() || track.Height != t.Fit.Geometry.Height() {
		return fmt.Errorf("the thumbnails are in %s of %d x %d, and not in %s of %d x %d",
			track.Coding, track.Width, track.Height, want, t.Fit.Geometry.Width(), t.Fit.Geometry.Height())
	}
	ticks := ticksOf(track, rate)
	next := t.From(c.First, rate)
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		for _, s := range f.Samples {
			place := t.Place(next, rate)
			if place >= c.End || s.PTS != place*ticks {
				return fmt.Errorf("%w: a thumbnail is of tick %d, the next should be of place %d", errFrames, s.PTS, place)
			}
			for ; t.Place(next, rate) == place; next++ {
				if err := keep(next, s.Data); err != nil {
					return err
				}
			}
		}
	}
	if !r.Complete() {
		return fmt.Errorf("%w: the stream of thumbnails ends early", errFrames)
	}
	if next != t.From(c.End, rate) {
		return fmt.Errorf("%w: thumbnail %d is missing", errFrames, next)
	}
	return nil
}

// join puts the thumbnails to what was made of the outputs that have some in this
// chunk. What was made of an output whose thumbnails were not is not made.
func (w *chunkWork) join(thumbnailed []int) {
	for _, place := range thumbnailed {
		m, ok := w.made[place]
		switch thumbnails := w.thumbnails[place]; {
		case !ok || m.Failure != nil:
		case thumbnails == nil:
			delete(w.made, place)
		default:
			m.Thumbnails = thumbnails
			w.made[place] = m
		}
	}
}
