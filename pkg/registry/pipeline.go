package registry

import (
	"context"
	"errors"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/pipeline"
)

const pipelineAdvice = "`sealreel pipeline list` has all; the stack's default one is stored some minutes after the stack is made, or with its first job"

// CreatePipeline stores the pipeline that a document of the forms that
// pipeline.ParseNew reads asks for, and tells what may be wrong with where its
// resources are. An Id in the document is kept.
func (r *Registry) CreatePipeline(ctx context.Context, doc []byte) (*pipeline.Pipeline, []pipeline.Warning, error) {
	id := job.RandomID(r.Now())
	p, err := pipeline.ParseNew(doc, id)
	if err != nil {
		return nil, nil, err
	}
	warnings, err := r.judge(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	err = r.Ledger.AddPipeline(ctx, p)
	if errors.Is(err, object.ErrExists) {
		if err = nil; p.ID != id { // else it is this one, and only the answer got lost
			err = refuse(CodeInUse, "A pipeline with the id is there already: pipelineId=%s; update it, or leave out the Id", p.ID)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return p, warnings, nil
}

// ReadPipeline reads a pipeline and tells of its warnings.
func (r *Registry) ReadPipeline(ctx context.Context, id string) (*pipeline.Pipeline, []pipeline.Warning, error) {
	p, err := r.Ledger.StoredPipeline(ctx, id)
	if err != nil {
		return nil, nil, missing(err, "pipeline", id, pipelineAdvice)
	}
	warnings, err := r.warnings(ctx, p)
	if errors.As(err, new(*Refusal)) {
		err = nil // a bucket that is gone is no reason not to show what names it
	}
	return p, warnings, err
}

// UpdatePipeline changes a pipeline as a document of the forms that
// pipeline.Pipeline.Update reads asks for.
func (r *Registry) UpdatePipeline(ctx context.Context, id string, doc []byte) (*pipeline.Pipeline, []pipeline.Warning, error) {
	if !job.ValidID(id) {
		return nil, nil, missing(object.ErrNotExist, "pipeline", id, pipelineAdvice)
	}
	var warnings []pipeline.Warning
	p, err := r.Ledger.UpdatePipeline(ctx, id, func(p *pipeline.Pipeline) (*pipeline.Pipeline, error) {
		changed, err := p.Update(doc)
		if err == nil {
			warnings, err = r.judge(ctx, changed)
		}
		return changed, err
	})
	if err != nil {
		return nil, nil, missing(err, "pipeline", id, pipelineAdvice)
	}
	return p, warnings, nil
}

// DeletePipeline deletes a pipeline, unless it is the default one or has jobs
// that have not ended.
func (r *Registry) DeletePipeline(ctx context.Context, id string) error {
	if id == r.DefaultID {
		return refuse(CodeInUse, "The default pipeline of the stack can't be deleted: pipelineId=%s; pause it instead, or take away its Sealreel.Drop", id)
	}
	if !job.ValidID(id) {
		return missing(object.ErrNotExist, "pipeline", id, pipelineAdvice)
	}
	for active, err := range r.Ledger.Active(ctx) {
		if err != nil {
			return err
		}
		rec, err := r.Ledger.Job(ctx, active)
		switch {
		case errors.Is(err, object.ErrNotExist):
		case err != nil:
			return err
		case rec.Job.PipelineID == id && !job.Terminal(rec.Job.Status):
			return refuse(CodeInUse, "The pipeline contains active jobs: pipeline=%s, job=%s; wait until they have ended", id, active)
		}
	}
	return missing(r.Ledger.RemovePipeline(ctx, id), "pipeline", id, pipelineAdvice)
}

// ListPipelines are all pipelines, in the order in which they were made. Those
// that can't be read are told of by the error; the others are there beside it.
func (r *Registry) ListPipelines(ctx context.Context, ascending bool) ([]*pipeline.Pipeline, error) {
	return each(r.Ledger.PipelineIDs(ctx), !ascending, func(id string) (*pipeline.Pipeline, error) {
		return r.Ledger.StoredPipeline(ctx, id)
	})
}

// judge refuses a pipeline that this version can't serve, or whose buckets are
// not there, and tells of its warnings.
func (r *Registry) judge(ctx context.Context, p *pipeline.Pipeline) ([]pipeline.Warning, error) {
	if err := pipeline.Unsupported(p); err != nil {
		return nil, err
	}
	return r.warnings(ctx, p)
}

// warnings are those of a pipeline as far as it can be learnt where its buckets
// are. A bucket that does not exist is a Refusal, beside the warnings.
func (r *Registry) warnings(ctx context.Context, p *pipeline.Pipeline) (warnings []pipeline.Warning, err error) {
	where := pipeline.Regions{Pipeline: r.Region, Buckets: map[string]string{}}
	for _, bucket := range p.Buckets() {
		region, unknown := r.Buckets.Region(ctx, bucket)
		if errors.Is(unknown, object.ErrNoBucket) {
			err = refuse(CodeNotFound, "The specified bucket could not be found: %s", bucket)
		}
		if unknown == nil {
			where.Buckets[bucket] = region
		}
	}
	return p.Warnings(where), err
}
