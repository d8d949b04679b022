package transcode

import (
	"context"
	"fmt"

	"sealreel/pkg/fragment"
	"sealreel/pkg/task"
)

// reel stores one output's chunk as a part of a single file, which assemble
// joins. Its sound is stored by the audio task already.
type reel struct {
	*chunkWork
	place int
	codec string
	part  *partWriter // nil before the first frame
}

func (r *reel) frame(ctx context.Context, track *fragment.Track, f frame) error {
	if r.part == nil {
		r.codec = track.Codec
		r.part = r.newPart(ctx, r.vault, fmt.Sprintf("%s-picture-%d", task.Chunk(r.group, r.number), r.place), track)
	}
	return r.part.add(f.Sample)
}

func (r *reel) end(ctx context.Context) (task.Made, error) {
	codecs := []string{}
	if s := r.sounds[r.plan.Outputs[r.place].Sound]; s != nil {
		codecs = append(codecs, s.track.Codec)
	}
	if r.part == nil { // sound alone
		return task.Made{Codecs: codecs}, nil
	}
	open := r.part
	r.part = nil
	part, err := open.end(ctx)
	if err != nil {
		return task.Made{}, err
	}
	return task.Made{Part: &part, Codecs: append([]string{r.codec}, codecs...)}, nil
}

func (r *reel) abandon() {
	if r.part != nil {
		r.part.abandon()
	}
}
