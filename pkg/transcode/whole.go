package transcode

import (
	"context"
	"fmt"
	"io"

	"sealreel/pkg/gif"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// takeWhole stores an output that the encoder makes in one piece: the file as it
// comes is the only part, without an index. It holds the number of pictures
// against the plan, which says all else: the encoder that wrote them was told the
// grid's times.
func (w *chunkWork) takeWhole(ctx context.Context, place int, body io.Reader, c plan.Chunk) error {
	pr, pw := io.Pipe()
	go func() {
		found, err := gif.Copy(pw, body)
		if err == nil && found.Frames != c.Frames() {
			err = fmt.Errorf("%w: the GIF has %d pictures of %d", errFrames, found.Frames, c.Frames())
		}
		pw.CloseWithError(endedEarly(err))
	}()
	key := w.newKey(fmt.Sprintf("%s-picture-%d", task.Chunk(w.group, w.number), place)) + ".data"
	size, err := w.vault.StoreWork(ctx, key, pr)
	pr.CloseWithError(errOr(err, io.ErrClosedPipe))
	if err != nil {
		return w.alone(ctx, place, err)
	}
	w.set(place, task.Made{Part: &task.Part{Data: task.WorkFile{Key: key, Size: size}}})
	return nil
}
