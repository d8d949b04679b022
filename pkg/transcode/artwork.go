package transcode

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sealreel/pkg/encode"
	"sealreel/pkg/job"
	"sealreel/pkg/loopback"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// artwork makes the pictures of an output's album and stores them, sealed, for
// assemble to put into the file: those that are embedded are of the first input.
// The task of the first chunk does it.
func (w *chunkWork) artwork(ctx context.Context, place int) ([]task.Artwork, error) {
	var all []task.Artwork
	for i, a := range w.plan.Outputs[place].Artwork {
		made, err := w.onePicture(ctx, fmt.Sprintf("artwork-%d-%d", place, i), a)
		if err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}

func (w *chunkWork) onePicture(ctx context.Context, name string, a plan.Artwork) (task.Artwork, error) {
	programme := w.plan.Programmes[w.plan.Groups[w.group].Programme]
	in, done, err := w.openInputs(ctx, w.vault, programme[:1])
	defer done()
	if err != nil {
		return task.Artwork{}, err
	}
	var given []picture
	if !a.Embedded {
		s := w.plan.Stills[a.Still]
		media, err := w.vault.Input(ctx, s.Input, 1)
		if err != nil {
			return task.Artwork{}, err
		}
		defer media.Close()
		given = []picture{{media, s.Format}}
	}
	made := task.Artwork{File: task.WorkFile{Key: w.newKey(name)}, Info: a.Info}
	store := func(ctx context.Context, body io.Reader) (err error) {
		counted := &counter{r: body}
		made.File.Size, err = w.vault.StoreWork(ctx, made.File.Key, counted)
		made.Bytes = counted.n
		return err
	}
	err = w.encode(ctx, in, given, []stream{{name, store}}, func(inputs, stills, outputs [][]string) []string {
		var still []string
		if !a.Embedded {
			still = stills[0]
		}
		return encode.Artwork(a, inputs[0], still, outputs[0])
	})
	if err == nil && made.Bytes == 0 {
		err = errNoPicture
	}
	switch bad := unusable(err) || errors.Is(err, errNoPicture) || errors.Is(err, loopback.ErrNothingReceived); {
	case bad && a.Embedded:
		return made, job.EmbeddedArtworkUnreadable(err)
	case bad:
		return made, job.ArtworkUnreadable(err, w.plan.Stills[a.Still].Input.Key)
	}
	return made, err
}

// errNoPicture says that ffmpeg found nothing to write.
var errNoPicture = errors.New("the artwork has no picture")

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
