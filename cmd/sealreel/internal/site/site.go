// Package site finds the stack that a command works on, AWS's or the embedded
// one, by the variables that `sealreel up` writes and the template's outputs
// give.
package site

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"sealreel/pkg/kmskeys"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/preset"
	"sealreel/pkg/registry"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/sqsqueue"
)

// Names of the variables that say which stack.
const (
	IngestBucket = "SEALREEL_INGEST_BUCKET"
	OutputBucket = "SEALREEL_OUTPUT_BUCKET"
	StateBucket  = "SEALREEL_STATE_BUCKET"
	KeyARN       = "SEALREEL_KMS_KEY_ARN"
	PipelineID   = "SEALREEL_PIPELINE_ID"
	QueueURL     = "SEALREEL_QUEUE_URL"
	// EncryptedPuts is yes where the buckets refuse uploads that name no encryption.
	EncryptedPuts = "SEALREEL_ENCRYPTED_PUTS"
	region        = "AWS_REGION"
)

// Site is a stack and the clients for it.
type Site struct {
	Store  *s3store.Store
	Keys   *kmskeys.Keys
	Ledger *ledger.Ledger
	Queue  *sqsqueue.Queue // of tasks; for commands that need QueueURL
	Region string          // of the stack

	getenv func(string) string
}

// A MissingError says which variables are not set.
type MissingError struct{ Names []string }

func (e *MissingError) Error() string {
	verb := "is"
	if len(e.Names) > 1 {
		verb = "are"
	}
	return fmt.Sprintf("%s %s not set: run `. DIR/env` with the DIR of `sealreel up`, or export the outputs of the deployed stack",
		strings.Join(e.Names, ", "), verb)
}

// Connect makes the clients of the AWS configuration that the process's
// environment and files give. The state bucket and what else is needed must be
// named; all that is missing is reported at once, as a *MissingError.
func Connect(ctx context.Context, getenv func(string) string, needed ...string) (*Site, error) {
	var missing []string
	for _, name := range append([]string{StateBucket}, needed...) {
		if getenv(name) == "" {
			missing = append(missing, name)
		}
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		missing = append(missing, region)
	}
	if len(missing) > 0 {
		return nil, &MissingError{missing}
	}
	store := s3store.New(cfg, s3store.Options{NameEncryption: getenv(EncryptedPuts) == "yes"})
	return &Site{Store: store, Keys: kmskeys.New(cfg), Ledger: ledger.New(store, getenv(StateBucket)),
		Queue: sqsqueue.New(cfg, getenv(QueueURL)), Region: cfg.Region, getenv: getenv}, nil
}

// Value is that of a variable.
func (s *Site) Value(name string) string { return s.getenv(name) }

// Registry is where the stack's pipelines and presets are made and changed.
func (s *Site) Registry() *registry.Registry {
	return &registry.Registry{Ledger: s.Ledger, Buckets: s.Store, Region: s.Region, DefaultID: s.getenv(PipelineID), Now: time.Now}
}

// Pipeline reads a pipeline. One that is not stored, as the default one before
// the first job, is taken to be the stack's own with the usual settings: the
// service judges whether it exists.
func (s *Site) Pipeline(ctx context.Context, id string) (*pipeline.Pipeline, error) {
	p, err := s.Ledger.Pipeline(ctx, id)
	if errors.Is(err, object.ErrNotExist) {
		p, err = &pipeline.Pipeline{ID: id}, nil
	}
	if err != nil {
		return nil, err
	}
	if p.AwsKmsKeyArn == "" {
		p.AwsKmsKeyArn = s.getenv(KeyARN)
	}
	if p.InputBucket == "" {
		p.InputBucket = s.getenv(IngestBucket)
	}
	return p, nil
}

// HasPipeline says whether there is a pipeline with the id. The default one is
// there also before it is stored.
func (s *Site) HasPipeline(ctx context.Context, id string) (bool, error) {
	if id == s.getenv(PipelineID) {
		return true, nil
	}
	_, err := s.Ledger.StoredPipeline(ctx, id)
	if errors.Is(err, object.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Preset reads a system preset or one of the stack's.
func (s *Site) Preset(ctx context.Context, id string) (*preset.Preset, error) {
	return s.Ledger.Preset(ctx, id)
}

// Wrapping is how keys for a pipeline are wrapped: the ARN of its KMS key and
// the encryption context. Without a key it is a *MissingError.
func Wrapping(p *pipeline.Pipeline) (keyARN string, encryptionContext map[string]string, err error) {
	if p.AwsKmsKeyArn == "" {
		return "", nil, &MissingError{[]string{KeyARN}}
	}
	return p.AwsKmsKeyArn, p.Context(), nil
}

// Keyring unwraps and makes keys for a pipeline. It must be closed.
func (s *Site) Keyring(p *pipeline.Pipeline) *seal.Keyring {
	return seal.NewKeyring(s.Keys, p.AwsKmsKeyArn, p.Context())
}
