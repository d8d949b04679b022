package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"

	"sealreel/pkg/document"
)

// ParseNew reads a pipeline that is to be made: a CreatePipeline request, which
// gets the id; or a pipeline as ReadPipeline answered it, alone or in the member
// Pipeline of the answer, which keeps its own, so that jobs written for it find
// it. Role, which CreatePipeline demanded, may be left out. Errors are those of
// Parse.
func ParseNew(doc []byte, id string) (*Pipeline, error) {
	root, err := document.Parse(doc, MaxDocument)
	if err != nil {
		return nil, err
	}
	var p *Pipeline
	if o := unwrapped(root); o != nil {
		p = read(o, id)
	}
	if err := root.Problems().Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// unwrapped is the pipeline of an answer, of which the warnings are no part, or
// else the document itself; nil when the answer has a problem.
func unwrapped(root *document.Object) *document.Object {
	if !root.Has("Pipeline") {
		return root
	}
	root.Has("Warnings")
	root.Close()
	return root.Object("Pipeline")
}

// Update is the pipeline after an UpdatePipeline request, given in any of the
// forms that ParseNew reads: a member that is left out or null stays as it is,
// "" or [] takes it away. The request may have the members of
// UpdatePipelineNotifications and UpdatePipelineStatus and our additions, too, of
// which each member is replaced whole. Where files go is changed by ContentConfig
// and ThumbnailConfig, also when an OutputBucket said it. Errors are those of
// Parse.
func (p *Pipeline) Update(doc []byte) (*Pipeline, error) {
	root, err := document.Parse(doc, MaxDocument)
	if err != nil {
		return nil, err
	}
	change := unwrapped(root)
	if change != nil {
		p.checkFixed(change)
	}
	if err := root.Problems().Err(); err != nil {
		return nil, err
	}
	before := *p
	if change.Has("ContentConfig") || change.Has("ThumbnailConfig") {
		before = p.configured()
	}
	text, err := json.Marshal(before)
	if err != nil {
		return nil, err
	}
	base, err := document.Parse(text, MaxDocument)
	if err != nil {
		return nil, fmt.Errorf("pipeline %s as it is stored: %w", p.ID, err)
	}
	return Parse(base.Overlay(change, "Id", "Arn", "OutputBucket"))
}

// checkFixed: what can't be changed may be there, as an answer has it.
func (p *Pipeline) checkFixed(change *document.Object) {
	for _, member := range []struct{ name, value, advice string }{
		{"Id", p.ID, "a pipeline keeps its Id"},
		{"Arn", p.Arn, "a pipeline keeps its Arn"},
		{"OutputBucket", p.ContentBucket(), "an update names another bucket by ContentConfig and ThumbnailConfig"},
	} {
		if given := change.String(member.name); given != "" && given != member.value {
			change.Problems().Add(change.Path(member.name), given, fmt.Sprintf("Member must be '%s' or left out: %s", member.value, member.advice))
		}
	}
}

// configured is the pipeline with both configurations in place of an
// OutputBucket, which they are the same as.
func (p *Pipeline) configured() Pipeline {
	q := *p
	content, thumbnails := p.ContentStorage(), p.ThumbnailStorage()
	q.OutputBucket, q.ContentConfig, q.ThumbnailConfig = "", &content, &thumbnails
	return q
}

// ContentStorage says where media files and playlists go and how they are
// stored, also when OutputBucket says it.
func (p *Pipeline) ContentStorage() OutputConfig { return p.storage(p.ContentConfig) }

// ThumbnailStorage is ContentStorage for thumbnails.
func (p *Pipeline) ThumbnailStorage() OutputConfig { return p.storage(p.ThumbnailConfig) }

func (p *Pipeline) storage(c *OutputConfig) OutputConfig {
	if c == nil {
		c = &OutputConfig{Bucket: p.ContentBucket()}
	}
	whole := *c
	whole.StorageClass = cmp.Or(c.StorageClass, Standard)
	return whole
}
