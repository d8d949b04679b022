package transcode

import (
	"context"

	"sealreel/pkg/encode"
)

// pictures opens what the outputs at the places draw on their frames. What was
// opened must be closed, also when there is an error.
func (w *chunkWork) pictures(ctx context.Context, places []int) ([]picture, error) {
	var all []picture
	for _, n := range encode.Stills(w.plan, places) {
		s := w.plan.Stills[n]
		media, err := w.vault.Input(ctx, s.Input, 1)
		if err != nil {
			return all, err
		}
		all = append(all, picture{media, s.Format})
	}
	return all, nil
}

func closeAll(pictures []picture) {
	for _, p := range pictures {
		p.Close()
	}
}
