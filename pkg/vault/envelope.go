package vault

import (
	"context"
	"fmt"

	"sealreel/pkg/envelope"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/seal"
)

// enveloped says whether each object under the element has a key of its own. The
// element alone decides: what an object's metadata says switches nothing on.
func enveloped(e *job.Encryption) bool { return e != nil && e.Mode == job.ModeS3EC }

// DescribeEnvelope is the user metadata of an object that is encrypted with an
// envelope's key: what AWS's client reads, and the commitment, which its format
// has nothing like.
func DescribeEnvelope(e envelope.Envelope, m *seal.Material, bucket, key string) map[string]string {
	metadata := e.Metadata()
	metadata[MetadataMode], metadata[MetadataCommitment] = m.Mode.Name, m.Commit(bucket, key)
	return metadata
}

// pinEnvelope reads the envelope of an input, and checks that its key can be
// unwrapped and that the object is the one it says it is, if it does.
func (s *Session) pinEnvelope(ctx context.Context, in plan.Input, metadata map[string]string) (*envelope.Envelope, error) {
	e, err := envelope.Parse(metadata, in.Size)
	if err != nil {
		return nil, job.EnvelopeRefused(err, in.Key)
	}
	m, err := s.keyring.Open(ctx, e, in.Key)
	if err != nil {
		return nil, err
	}
	if err := Committed(metadata, m, in.Bucket, in.Key, false); err != nil {
		return nil, job.EnvelopeRefused(fmt.Errorf("%w; store it anew under this name", err), in.Key)
	}
	return &e, nil
}

// sealing is what a new file is encrypted with, and how its metadata explains it:
// m with the element's key, or for a file of a set with an IV of its own, or a new key in an envelope.
func (s *Session) sealing(ctx context.Context, o plan.Output, key string, m *seal.Material) (*seal.Material, map[string]string, error) {
	if enveloped(o.Encryption) {
		e, made, err := s.keyring.Envelop(ctx)
		if err != nil {
			return nil, nil, err
		}
		return made, DescribeEnvelope(e, made, o.Bucket, key), nil
	}
	own := *m
	if o.Set() {
		own.IV = seal.NewIV(m.Mode)
	}
	return &own, Describe(&own, *o.Encryption, o.Bucket, key), nil
}
