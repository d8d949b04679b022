package transcode

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
	"sealreel/pkg/task"
)

// reel stores one output's chunk as a part of a single file, which assemble
// joins. Its sound is stored by the audio task already.
type reel struct {
	*chunkWork
	place int

	key    string
	codec  string
	index  *part.IndexWriter
	pipe   *io.PipeWriter
	buf    *bufio.Writer
	stored chan stored
}

type stored struct {
	size int64
	err  error
}

func (r *reel) frame(ctx context.Context, track *fragment.Track, f frame) error {
	if r.index == nil {
		r.begin(ctx, track)
	}
	if err := r.index.Add(f.Sample); err != nil {
		return err
	}
	_, err := r.buf.Write(f.Data)
	return err
}

func (r *reel) begin(ctx context.Context, track *fragment.Track) {
	pr, pw := io.Pipe()
	r.index, r.codec, r.pipe = part.NewIndexWriter(track), track.Codec, pw
	r.buf = bufio.NewWriterSize(pw, 64<<10)
	r.key = r.newKey(fmt.Sprintf("%s-picture-%d", task.Chunk(r.group, r.number), r.place))
	r.stored = make(chan stored, 1)
	go func() {
		size, err := r.vault.StoreWork(ctx, r.key+".data", pr)
		pr.CloseWithError(errOr(err, io.ErrClosedPipe))
		r.stored <- stored{size, err}
	}()
}

func (r *reel) end(ctx context.Context) (task.Made, error) {
	codecs := []string{}
	if s := r.sounds[r.plan.Outputs[r.place].Sound]; s != nil {
		codecs = append(codecs, s.track.Codec)
	}
	if r.index == nil { // sound alone
		return task.Made{Codecs: codecs}, nil
	}
	err := r.buf.Flush()
	r.pipe.CloseWithError(err)
	done := <-r.stored
	if err := errOr(done.err, err); err != nil {
		return task.Made{}, err
	}
	part, err := r.storeIndex(ctx, r.vault, r.key, done.size, r.index)
	if err != nil {
		return task.Made{}, err
	}
	return task.Made{Part: &part, Codecs: append([]string{r.codec}, codecs...)}, nil
}

func (r *reel) abandon() {
	if r.pipe != nil {
		r.pipe.CloseWithError(context.Canceled)
	}
}
