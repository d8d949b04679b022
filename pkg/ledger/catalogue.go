package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/preset"
)

const (
	pipelinePrefix = "pipelines/"
	presetPrefix   = "presets/"
)

func pipelineKey(id string) string { return pipelinePrefix + id + ".json" }
func presetKey(id string) string   { return presetPrefix + id + ".json" }

// Pipeline reads a pipeline. An id that names none is an object.ErrNotExist;
// one that this version can't serve in full is an error too.
func (l *Ledger) Pipeline(ctx context.Context, id string) (*pipeline.Pipeline, error) {
	p, err := l.StoredPipeline(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := pipeline.Unsupported(p); err != nil {
		return nil, fmt.Errorf("reading %s: %w", pipelineKey(id), err)
	}
	return p, nil
}

// StoredPipeline is Pipeline for whoever only looks: it need not be one that
// this version can serve.
func (l *Ledger) StoredPipeline(ctx context.Context, id string) (*pipeline.Pipeline, error) {
	if !job.ValidID(id) {
		return nil, fmt.Errorf("%q is no pipeline id: %w", id, object.ErrNotExist)
	}
	p, _, err := readBy(ctx, l, pipelineKey(id), pipeline.Parse)
	return p, err
}

// PipelineIDs yields the ids of all pipelines in the order in which they were
// made.
func (l *Ledger) PipelineIDs(ctx context.Context) iter.Seq2[string, error] {
	return l.names(ctx, pipelinePrefix)
}

// Pipelines reads all pipelines. One that cannot be read is an error: a file
// must not go to another pipeline because its own has a mistake.
func (l *Ledger) Pipelines(ctx context.Context) ([]*pipeline.Pipeline, error) {
	var all []*pipeline.Pipeline
	for id, err := range l.PipelineIDs(ctx) {
		if err != nil {
			return nil, err
		}
		p, err := l.Pipeline(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// CreatePipeline stores a pipeline document unless there is one with its id.
func (l *Ledger) CreatePipeline(ctx context.Context, id string, document []byte) error {
	err := l.objects.Create(ctx, l.bucket, pipelineKey(id), document)
	if err != nil && !errors.Is(err, object.ErrExists) {
		return fmt.Errorf("writing %s: %w", pipelineKey(id), err)
	}
	return nil
}

// AddPipeline stores a new pipeline; an object.ErrExists when there is one with
// its id.
func (l *Ledger) AddPipeline(ctx context.Context, p *pipeline.Pipeline) error {
	return l.add(ctx, pipelineKey(p.ID), p)
}

// UpdatePipeline puts a pipeline in place of what it is now, as change has it,
// which may be called more than once.
func (l *Ledger) UpdatePipeline(ctx context.Context, id string, change func(*pipeline.Pipeline) (*pipeline.Pipeline, error)) (*pipeline.Pipeline, error) {
	return updateBy(ctx, l, pipelineKey(id), pipeline.Parse, func(p *pipeline.Pipeline) error {
		changed, err := change(p)
		if err == nil {
			*p = *changed
		}
		return err
	})
}

// RemovePipeline removes a pipeline; an object.ErrNotExist when there is none
// with the id. One that can't be read can be removed.
func (l *Ledger) RemovePipeline(ctx context.Context, id string) error {
	return l.remove(ctx, pipelineKey(id))
}

func (l *Ledger) add(ctx context.Context, key string, v any) error {
	created, err := l.create(ctx, key, v)
	if err == nil && !created {
		err = fmt.Errorf("writing %s: %w", key, object.ErrExists)
	}
	return err
}

func (l *Ledger) remove(ctx context.Context, key string) error {
	_, _, err := l.objects.Get(ctx, l.bucket, key)
	if err == nil {
		err = l.objects.Delete(ctx, l.bucket, key)
	}
	if err != nil {
		return fmt.Errorf("removing %s: %w", key, err)
	}
	return nil
}

// Preset reads a system preset, or a custom one from the ledger. An id that
// names none is an object.ErrNotExist.
func (l *Ledger) Preset(ctx context.Context, id string) (*preset.Preset, error) {
	if p, ok := preset.System(id); ok {
		return p, nil
	}
	if !job.ValidID(id) {
		return nil, fmt.Errorf("%q is no preset id: %w", id, object.ErrNotExist)
	}
	p, _, err := readBy(ctx, l, presetKey(id), preset.Parse)
	return p, err
}

// CustomIDs yields the ids of the custom presets in the order in which they were
// made.
func (l *Ledger) CustomIDs(ctx context.Context) iter.Seq2[string, error] {
	return l.names(ctx, presetPrefix)
}

// AddPreset stores a new preset; an object.ErrExists when there is one with its
// id.
func (l *Ledger) AddPreset(ctx context.Context, p *preset.Preset) error {
	return l.add(ctx, presetKey(p.ID), p)
}

// RemovePreset removes a custom preset; an object.ErrNotExist when there is none
// with the id. One that can't be read can be removed.
func (l *Ledger) RemovePreset(ctx context.Context, id string) error {
	return l.remove(ctx, presetKey(id))
}
