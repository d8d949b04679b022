package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"sealreel/pkg/job"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/plan"
	"sealreel/pkg/still"
)

// gallery pins and looks at the pictures that outputs name. An output with one
// that can't be used fails alone, as refused then says at its place. A picture
// that several name is read once.
type gallery struct {
	vault  Vault
	bucket string
	found  map[string]foundStill
}

type foundStill struct {
	plan.Still
	err error
}

// named are the pictures that an output names, in order.
type named struct{ watermarks, artwork []plan.Still }

// stills are the pictures that each output names.
func (i *Ingester) stills(ctx context.Context, v Vault, p *pipeline.Pipeline, j job.Job, refused map[int]*job.Failure) ([]named, error) {
	g := &gallery{vault: v, bucket: p.InputBucket, found: map[string]foundStill{}}
	all := make([]named, len(j.Outputs))
	for n, o := range j.Outputs {
		if refused[n] != nil {
			continue
		}
		found, err := g.of(ctx, o)
		var failure *job.Failure
		switch {
		case errors.As(err, &failure):
			refused[n] = failure
		case err != nil:
			return nil, err
		default:
			all[n] = found
		}
	}
	return all, nil
}

// of are the pictures that the output names. A *job.Failure says which can't be
// used, and why.
func (g *gallery) of(ctx context.Context, o job.Output) (all named, err error) {
	for _, w := range o.Watermarks {
		picture, err := g.find(ctx, w.InputKey, w.Encryption, asWatermark)
		if err != nil {
			return named{}, err
		}
		all.watermarks = append(all.watermarks, picture)
	}
	if o.AlbumArt == nil {
		return all, nil
	}
	for _, a := range o.AlbumArt.Artwork {
		picture, err := g.find(ctx, a.InputKey, a.Encryption, asArtwork)
		if err != nil {
			return named{}, err
		}
		all.artwork = append(all.artwork, picture)
	}
	return all, nil
}

// use is what a picture is for: it decides the codes of what is wrong with it.
type use struct {
	unreadable func(cause error, key string) *job.Failure
	tooLarge   func(cause error, key string, width, height int) *job.Failure
}

var (
	asWatermark = use{job.WatermarkUnreadable, job.WatermarkTooLarge}
	asArtwork   = use{job.ArtworkUnreadable, job.ArtworkTooLarge}
)

// find is the picture. An error that is no *job.Failure means that it should be
// tried again.
func (g *gallery) find(ctx context.Context, key string, e *job.Encryption, u use) (plan.Still, error) {
	name, err := json.Marshal([]any{key, e})
	if err != nil {
		return plan.Still{}, err
	}
	known, ok := g.found[string(name)]
	if !ok {
		known.Still, known.err = g.look(ctx, key, e)
		g.found[string(name)] = known
	}
	return known.Still, u.explain(known.err, key, e)
}

// look pins a picture and looks at it. Errors are those of package still, as it
// depends on the picture's use what they come to.
func (g *gallery) look(ctx context.Context, key string, e *job.Encryption) (plan.Still, error) {
	in, err := g.vault.Pin(ctx, g.bucket, key, "", e)
	if err != nil {
		return plan.Still{}, pinFailure(err, g.bucket, key)
	}
	if in.Size > still.MaxBytes {
		return plan.Still{}, job.PictureTooLong(in.Bucket, in.Key, in.Size, still.MaxBytes)
	}
	if err := g.vault.Verify(ctx, in); err != nil {
		return plan.Still{}, err
	}
	media, err := g.vault.Input(ctx, in, 1)
	if err != nil {
		return plan.Still{}, err
	}
	defer media.Close()
	info, err := still.Inspect(io.NewSectionReader(media, 0, media.Size()))
	return plan.Still{Input: in, Info: info}, err
}

// explain is what is wrong with a picture, as the job shows it. One that is
// encrypted by no storage and turns out to be no picture reads like a file that
// can't be decrypted: see probe.
func (u use) explain(err error, key string, e *job.Encryption) error {
	switch {
	case errors.Is(err, still.ErrTooLarge):
		return u.tooLarge(err, key, still.MaxWidth, still.MaxHeight)
	case errors.Is(err, still.ErrUnreadable) && e != nil && e.InitializationVector != "":
		return job.DecryptFailed(err, key, e.Mode)
	case errors.Is(err, still.ErrUnreadable):
		return u.unreadable(err, key)
	}
	return err
}
