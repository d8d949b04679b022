// Package judge says of documents what is wrong with them: of jobs, presets and
// pipelines that are to be made, before anything is.
//
// It guarantees that a document without a problem is one that the service takes
// as it is, as far as that can be told without its input; what could not be looked
// at is told as a warning.
package judge

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/preset"
)

// Kinds of documents.
const (
	Job      = "job"
	Preset   = "preset"
	Pipeline = "pipeline"
)

// Kinds are all there are.
var Kinds = []string{Job, Preset, Pipeline}

// Document is what is judged. Kind is "" where its members tell.
type Document struct {
	Name string
	Kind string
	Text []byte
}

// Verdict is what was found. A document with a problem is refused.
type Verdict struct {
	Document string
	Kind     string // "" for a document that is of none
	Problems []document.Problem
	Warnings []string
}

// Stack is where presets and pipelines are looked for that are not among the
// documents.
type Stack interface {
	// Preset reads a preset; an object.ErrNotExist when there is none with the id.
	Preset(ctx context.Context, id string) (*preset.Preset, error)
	HasPipeline(ctx context.Context, id string) (bool, error)
}

// sampleID stands for the one that a preset or a pipeline will get.
const sampleID = "0000000000000-sample"

// Of judges documents, in their order. Jobs may use the presets and pipelines
// among them, and those of the stack, which may be nil. The error is the stack's.
func Of(ctx context.Context, documents []Document, stack Stack) ([]Verdict, error) {
	k := known{stack: stack, presets: map[string]*preset.Preset{}, pipelines: map[string]bool{}}
	all := make([]Verdict, len(documents))
	for i, d := range documents {
		all[i] = Verdict{Document: d.Name, Kind: d.kind()}
		switch v := &all[i]; v.Kind {
		case Preset:
			k.preset(v, d.Text)
		case Pipeline:
			k.pipeline(v, d.Text)
		}
	}
	for i, d := range documents {
		switch v := &all[i]; v.Kind {
		case Job:
			if err := k.job(ctx, v, d.Text); err != nil {
				return nil, fmt.Errorf("%s: %w", d.Name, err)
			}
		case "":
			v.unknown(d.Text)
		}
	}
	return all, nil
}

// telling are members that only one kind has.
var telling = []struct {
	kind    string
	members []string
}{
	{Pipeline, []string{"Pipeline", "InputBucket", "OutputBucket", "ContentConfig", "ThumbnailConfig", "AwsKmsKeyArn", "Notifications", "Sealreel"}},
	{Preset, []string{"Preset", "Container", "Audio", "Video", "Thumbnails"}},
	{Job, []string{"PipelineId", "Input", "Inputs", "Output", "Outputs", "OutputKeyPrefix", "Playlists", "UserMetadata"}},
}

// kind is the one said, or that of the first telling member, or of the name.
func (d Document) kind() string {
	if d.Kind != "" {
		return d.Kind
	}
	if root, err := document.Parse(d.Text, len(d.Text)); err == nil {
		for _, t := range telling {
			for _, member := range t.members {
				if root.Has(member) {
					return t.kind
				}
			}
		}
	}
	if strings.HasSuffix(d.Name, ".job.json") {
		return Job
	}
	return ""
}

// known are the presets and pipelines among the documents, and the stack for others.
type known struct {
	stack     Stack
	presets   map[string]*preset.Preset
	pipelines map[string]bool
}

func (k *known) preset(v *Verdict, text []byte) {
	p, err := preset.ParseNew(text, sampleID)
	if err == nil {
		err = preset.Unsupported(p)
	}
	v.add(err)
	if p == nil {
		return
	}
	if _, system := preset.System(p.ID); system {
		v.Problems = append(v.Problems, document.Problem{Path: "id", Value: document.Quote(p.ID), Message: "Member is the Id of a system preset: leave it out"})
	}
	if warning := preset.Warning(p); warning != "" {
		v.Warnings = append(v.Warnings, warning)
	}
	k.presets[p.ID] = p
}

func (k *known) pipeline(v *Verdict, text []byte) {
	p, err := pipeline.ParseNew(text, sampleID)
	if err == nil {
		err = pipeline.Unsupported(p)
		k.pipelines[p.ID] = true
	}
	v.add(err)
}

// job holds what a job asks for against what there is. Rules that depend on
// presets wait until the others are kept.
func (k *known) job(ctx context.Context, v *Verdict, text []byte) error {
	req, err := job.ParseRequest(text)
	v.add(err)
	if req == nil {
		return nil
	}
	v.add(job.Unsupported(req))
	if err := k.find(ctx, v, req.PipelineID); err != nil || len(v.Problems) > 0 {
		return err
	}
	err = preset.Check(req, func(id string) (*preset.Preset, error) { return k.lookUp(ctx, v, id) })
	if invalid := (*document.ValidationError)(nil); err != nil && !errors.As(err, &invalid) {
		return err
	}
	v.add(err)
	return nil
}

func (k *known) lookUp(ctx context.Context, v *Verdict, id string) (*preset.Preset, error) {
	if p, ok := k.presets[id]; ok {
		return p, nil
	}
	if p, ok := preset.System(id); ok {
		return p, nil
	}
	if _, withdrawn := preset.Successor(id); withdrawn {
		return nil, preset.ErrNotFound
	}
	if k.stack == nil {
		v.Warnings = append(v.Warnings, "the preset "+id+" is none of the system's and was not looked for: judge it together with the job, or set the stack's variables")
		return nil, preset.ErrUnchecked
	}
	p, err := k.stack.Preset(ctx, id)
	if errors.Is(err, object.ErrNotExist) {
		err = preset.ErrNotFound
	}
	return p, err
}

// find looks for the pipeline of a job.
func (k *known) find(ctx context.Context, v *Verdict, id string) error {
	if id == "" || k.stack == nil || k.pipelines[id] {
		return nil
	}
	found, err := k.stack.HasPipeline(ctx, id)
	if err == nil && !found {
		v.Problems = append(v.Problems, document.Problem{Path: "pipelineId", Value: document.Quote(id), Message: "The specified pipeline was not found"})
	}
	return err
}

// add takes over the problems of a document.
func (v *Verdict) add(err error) {
	var invalid *document.ValidationError
	switch {
	case errors.As(err, &invalid):
		v.Problems = append(v.Problems, invalid.Problems...)
	case err != nil:
		v.Problems = append(v.Problems, document.Problem{Message: err.Error()})
	}
}

// unknown says that a document is of no kind.
func (v *Verdict) unknown(text []byte) {
	if _, err := document.Parse(text, len(text)); err != nil {
		v.add(err)
		return
	}
	v.add(errors.New("the document is no job, preset or pipeline: it has none of the members that tell which, such as Outputs, Container or InputBucket"))
}
