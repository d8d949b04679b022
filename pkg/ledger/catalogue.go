package ledger

import (
	"context"
	"errors"
	"fmt"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/preset"
)

func pipelineKey(id string) string { return "pipelines/" + id + ".json" }

// Pipeline reads a pipeline. An id that names none is an object.ErrNotExist;
// one that this version can't serve in full is an error too.
func (l *Ledger) Pipeline(ctx context.Context, id string) (*pipeline.Pipeline, error) {
	if !job.ValidID(id) {
		return nil, fmt.Errorf("%q is no pipeline id: %w", id, object.ErrNotExist)
	}
	body, _, err := l.objects.Get(ctx, l.bucket, pipelineKey(id))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", pipelineKey(id), err)
	}
	p, err := pipeline.Parse(body)
	if err == nil {
		err = pipeline.Unsupported(p)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", pipelineKey(id), err)
	}
	return p, nil
}

// Pipelines reads all pipelines. One that cannot be read is an error: a file
// must not go to another pipeline because its own has a mistake.
func (l *Ledger) Pipelines(ctx context.Context) ([]*pipeline.Pipeline, error) {
	var all []*pipeline.Pipeline
	for id, err := range l.names(ctx, "pipelines/") {
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

// Preset reads a system preset, or a custom one from the ledger. An id that
// names none is an object.ErrNotExist.
func (l *Ledger) Preset(ctx context.Context, id string) (*preset.Preset, error) {
	if p, ok := preset.System(id); ok {
		return p, nil
	}
	if !job.ValidID(id) {
		return nil, fmt.Errorf("%q is no preset id: %w", id, object.ErrNotExist)
	}
	key := "presets/" + id + ".json"
	body, _, err := l.objects.Get(ctx, l.bucket, key)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, err)
	}
	p, err := preset.Parse(body)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, err)
	}
	return p, nil
}
