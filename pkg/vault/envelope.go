package vault

import (
	"context"

	"sealreel/pkg/envelope"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/seal"
)

// enveloped says whether each object under the element has a key of its own. The
// element alone decides: what an object's metadata says switches nothing on.
func enveloped(e *job.Encryption) bool { return e != nil && e.Mode == job.ModeS3EC }

// pinEnvelope reads the envelope of an input, and checks that its key can be
// unwrapped.
func (s *Session) pinEnvelope(ctx context.Context, in plan.Input, metadata map[string]string) (*envelope.Envelope, error) {
	e, err := envelope.Parse(metadata, in.Size)
	if err != nil {
		return nil, job.EnvelopeRefused(err, in.Key)
	}
	if _, err := s.keyring.Open(ctx, e, in.Key); err != nil {
		return nil, err
	}
	return &e, nil
}

// sealing is what a new file is encrypted with, and how its metadata explains it:
// m with the element's key, or for a file of a segmented output with an IV of its
// own, or a new key in an envelope.
func (s *Session) sealing(ctx context.Context, o plan.Output, key string, m *seal.Material) (*seal.Material, map[string]string, error) {
	if enveloped(o.Encryption) {
		e, made, err := s.keyring.Envelop(ctx)
		if err != nil {
			return nil, nil, err
		}
		metadata := e.Metadata()
		metadata[MetadataMode], metadata[MetadataCommitment] = made.Mode.Name, made.Commit(o.Bucket, key)
		return made, metadata, nil
	}
	own := *m
	if o.SegmentFrames > 0 {
		own.IV = seal.NewIV(m.Mode)
	}
	return &own, Describe(&own, *o.Encryption, o.Bucket, key), nil
}
