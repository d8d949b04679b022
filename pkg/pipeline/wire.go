package pipeline

import (
	"encoding/json"

	"sealreel/pkg/document"
)

// MarshalWire is a pipeline as ReadPipeline answered it, with its warnings:
// {"Pipeline":{...},"Warnings":[...]}, every member there, null when unset, and
// both configurations filled in. Our additions are its member Sealreel. ParseNew
// and Update read it.
func MarshalWire(p *Pipeline, warnings []Warning) ([]byte, error) {
	return json.Marshal(struct {
		Pipeline wirePipeline
		Warnings []Warning
	}{p.wire(), append([]Warning{}, warnings...)})
}

// MarshalWireList is all pipelines as ListPipelines answered them, on one page.
func MarshalWireList(pipelines []*Pipeline) ([]byte, error) {
	list := struct {
		Pipelines     []wirePipeline
		NextPageToken document.Text
	}{Pipelines: []wirePipeline{}}
	for _, p := range pipelines {
		list.Pipelines = append(list.Pipelines, p.wire())
	}
	return json.Marshal(list)
}

// The wire types list the members of the API's shapes in their order there.
type (
	wirePipeline struct {
		ID              string        `json:"Id"`
		Arn             document.Text `json:"Arn"`
		Name            string        `json:"Name"`
		Status          string        `json:"Status"`
		InputBucket     string        `json:"InputBucket"`
		OutputBucket    document.Text `json:"OutputBucket"`
		Role            document.Text `json:"Role"`
		AwsKmsKeyArn    document.Text `json:"AwsKmsKeyArn"`
		Notifications   Notifications `json:"Notifications"`
		ContentConfig   wireConfig    `json:"ContentConfig"`
		ThumbnailConfig wireConfig    `json:"ThumbnailConfig"`
		Sealreel        *Additions    `json:"Sealreel,omitempty"`
	}
	wireConfig struct {
		Bucket       string       `json:"Bucket"`
		StorageClass string       `json:"StorageClass"`
		Permissions  []Permission `json:"Permissions"`
	}
)

func (p *Pipeline) wire() wirePipeline {
	w := wirePipeline{
		ID: p.ID, Arn: document.Text(p.Arn), Name: p.Name, Status: p.Status,
		InputBucket: p.InputBucket, OutputBucket: document.Text(p.ContentBucket()),
		Role: document.Text(p.Role), AwsKmsKeyArn: document.Text(p.AwsKmsKeyArn),
		ContentConfig: p.ContentStorage().wire(), ThumbnailConfig: p.ThumbnailStorage().wire(),
		Sealreel: p.Sealreel,
	}
	if p.Notifications != nil {
		w.Notifications = *p.Notifications
	}
	return w
}

func (c OutputConfig) wire() wireConfig {
	return wireConfig{c.Bucket, c.StorageClass, append([]Permission{}, c.Permissions...)}
}
