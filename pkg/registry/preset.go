package registry

import (
	"context"
	"errors"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/preset"
)

const presetAdvice = "`sealreel preset list` has all"

// CreatePreset stores the preset that a document of the forms that
// preset.ParseNew reads asks for, and tells what some players may not like in it,
// "" for nothing. An Id in the document is kept.
func (r *Registry) CreatePreset(ctx context.Context, doc []byte) (p *preset.Preset, warning string, err error) {
	id := job.RandomID(r.Now())
	p, err = preset.ParseNew(doc, id)
	if err == nil {
		err = preset.Unsupported(p)
	}
	if err != nil {
		return nil, "", err
	}
	taken := refuse(CodeInUse, "A preset with the id is there already: presetId=%s; delete it, or leave out the Id", p.ID)
	if _, system := preset.System(p.ID); system {
		return nil, "", taken
	}
	err = r.Ledger.AddPreset(ctx, p)
	if errors.Is(err, object.ErrExists) {
		if err = nil; p.ID != id { // else it is this one, and only the answer got lost
			err = taken
		}
	}
	return p, preset.Warning(p), err
}

// ReadPreset reads a system preset or a custom one.
func (r *Registry) ReadPreset(ctx context.Context, id string) (*preset.Preset, error) {
	p, err := r.Ledger.Preset(ctx, id)
	return p, missing(err, "preset", id, presetAdvice)
}

// DeletePreset deletes a custom preset. Jobs that were planned don't need it any
// more; those that were not will fail.
func (r *Registry) DeletePreset(ctx context.Context, id string) error {
	if _, system := preset.System(id); system {
		return refuse(CodeAccessDenied, "Deleting a system preset is not allowed: presetId=%s.", id)
	}
	if !job.ValidID(id) {
		return missing(object.ErrNotExist, "preset", id, presetAdvice)
	}
	return missing(r.Ledger.RemovePreset(ctx, id), "preset", id, presetAdvice)
}

// ListPresets are the system presets and the custom ones, by their ids. Those
// that can't be read are told of by the error; the others are there beside it.
func (r *Registry) ListPresets(ctx context.Context, ascending bool) ([]*preset.Preset, error) {
	read := func(id string) (*preset.Preset, error) { return r.Ledger.Preset(ctx, id) }
	return each(func(yield func(string, error) bool) {
		for _, id := range preset.SystemIDs() {
			if !yield(id, nil) {
				return
			}
		}
		for id, err := range r.Ledger.CustomIDs(ctx) {
			if _, system := preset.System(id); system {
				continue // nobody reads that one
			}
			if !yield(id, err) {
				return
			}
		}
	}, !ascending, read)
}
