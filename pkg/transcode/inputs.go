package transcode

import (
	"context"
	"slices"

	"sealreel/pkg/plan"
	"sealreel/pkg/source"
)

// openInputs opens what takes are read from, each object once however many of
// them are of it, and says which is whose. The memory for reading is shared among
// those that are open together. done closes them; it is to be called also after
// an error.
func (a *attempt) openInputs(ctx context.Context, vault Vault, takes []plan.Take) (media []source.Media, done func(), err error) {
	opened := map[int]source.Media{}
	done = func() {
		for _, in := range opened {
			_ = in.Close() // it was only read
		}
	}
	var places []int
	for _, t := range takes {
		if !slices.Contains(places, t.Input) {
			places = append(places, t.Input)
		}
	}
	for _, place := range places {
		in, err := vault.Input(ctx, a.plan.Inputs[place], len(places))
		if err != nil {
			return nil, done, err
		}
		opened[place] = in
	}
	for _, t := range takes {
		media = append(media, opened[t.Input])
	}
	return media, done, nil
}
