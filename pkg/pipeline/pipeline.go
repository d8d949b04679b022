// Package pipeline holds pipelines in Elastic Transcoder's shape, with one
// member of ours that says how dropped files become jobs.
//
// A Pipeline returned by Parse can be worked with as it is: its buckets are
// named and its drop template makes valid jobs. What it asks for and this
// version lacks is told by Unsupported.
package pipeline

import (
	"maps"

	"sealreel/pkg/job"
)

// Statuses of a pipeline (API: PipelineStatus). A paused one starts no job.
const (
	Active = "Active"
	Paused = "Paused"
)

// Pipeline says where jobs read and write, with which KMS key and under which
// role (API: Pipeline). The functions use their own rights for a pipeline whose
// Role is unset or the stack's own.
type Pipeline struct {
	ID              string         `json:"Id"`
	Arn             string         `json:"Arn,omitempty"`
	Name            string         `json:"Name"`
	Status          string         `json:"Status"`
	InputBucket     string         `json:"InputBucket"`
	OutputBucket    string         `json:"OutputBucket,omitempty"`
	Role            string         `json:"Role,omitempty"`
	AwsKmsKeyArn    string         `json:"AwsKmsKeyArn,omitempty"`
	Notifications   *Notifications `json:"Notifications,omitempty"`
	ContentConfig   *OutputConfig  `json:"ContentConfig,omitempty"`
	ThumbnailConfig *OutputConfig  `json:"ThumbnailConfig,omitempty"`
	Sealreel        *Additions     `json:"Sealreel,omitempty"`
}

// Notifications are the SNS topics of a pipeline, "" for none (API:
// Notifications).
type Notifications struct {
	Progressing string `json:"Progressing"`
	Completed   string `json:"Completed"`
	Warning     string `json:"Warning"`
	Error       string `json:"Error"`
}

// OutputConfig says where files go and how they are stored (API:
// PipelineOutputConfig).
type OutputConfig struct {
	Bucket       string       `json:"Bucket"`
	StorageClass string       `json:"StorageClass,omitempty"`
	Permissions  []Permission `json:"Permissions,omitempty"`
}

// Storage classes (API: StorageClass).
const (
	Standard          = "Standard"
	ReducedRedundancy = "ReducedRedundancy"
)

// Permission is what somebody may do with the files of a bucket (API:
// Permission). Access holds FullControl, Read, ReadAcp and WriteAcp; a Group is
// AllUsers, AuthenticatedUsers or LogDelivery.
type Permission struct {
	GranteeType string   `json:"GranteeType"`
	Grantee     string   `json:"Grantee"`
	Access      []string `json:"Access"`
}

// Kinds of grantees (API: GranteeType).
const (
	GranteeCanonical = "Canonical"
	GranteeEmail     = "Email"
	GranteeGroup     = "Group"
)

// Additions are what Elastic Transcoder's pipelines did not have.
type Additions struct {
	// EncryptionContext is that of every KMS call over a job's keys; unset, it
	// is the service's own (see Context).
	EncryptionContext map[string]string `json:"EncryptionContext,omitempty"`
	// InputEncryption is how files dropped without a job document are encrypted.
	InputEncryption *job.Encryption `json:"InputEncryption,omitempty"`
	// Drop makes jobs of such files; without it they are refused.
	Drop *Drop `json:"Drop,omitempty"`
}

// Context is the KMS encryption context of the pipeline's jobs. The default is
// {"service": "elastictranscoder.amazonaws.com"}, under which keys were wrapped
// for Elastic Transcoder, so that those serve unchanged. The caller may keep
// the map.
func (p *Pipeline) Context() map[string]string {
	if p.Sealreel != nil && len(p.Sealreel.EncryptionContext) > 0 {
		return maps.Clone(p.Sealreel.EncryptionContext)
	}
	return map[string]string{"service": "elastictranscoder.amazonaws.com"}
}

// ContentBucket is the bucket of media files and playlists.
func (p *Pipeline) ContentBucket() string {
	if p.OutputBucket != "" {
		return p.OutputBucket
	}
	if p.ContentConfig != nil {
		return p.ContentConfig.Bucket
	}
	return ""
}

// ThumbnailBucket is the bucket of thumbnails.
func (p *Pipeline) ThumbnailBucket() string { return p.ThumbnailStorage().Bucket }
