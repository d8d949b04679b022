package seal

import (
	"context"
	"crypto/rand"

	"sealreel/pkg/envelope"
	"sealreel/pkg/job"
)

// Open unwraps the key of an object's envelope. The envelope's context must hold
// every pair of the keyring's, so that an object which was wrapped for somebody
// else is none of this pipeline's; else, and where the key service refuses the
// key, the error is a *job.Failure (4016 to 4018). Name is the object's, for the
// failure.
func (r *Keyring) Open(ctx context.Context, e envelope.Envelope, name string) (*Material, error) {
	if missing := e.Lacks(r.context); missing != "" {
		return nil, job.EnvelopeContext(missing, r.context[missing], name)
	}
	key, err := r.unwrap(ctx, e.WrappedKey, e.Context, envelopeHint)
	if err != nil {
		return nil, err
	}
	if key.Bits() != 8*envelope.KeySize {
		return nil, job.KeyLength(key.Bits(), md5Of(e.WrappedKey), job.ModeS3EC)
	}
	return enveloped(key, e.IV)
}

// Envelop makes the envelope of one new object, which no other may have: a data
// key under the keyring's context with the format's own pair, and a random IV.
// Failures are as for Generate, or of code 1000 for a context that does not fit.
func (r *Keyring) Envelop(ctx context.Context) (envelope.Envelope, *Material, error) {
	own, err := envelope.Context(r.context)
	if err != nil {
		return envelope.Envelope{}, nil, job.Fail(job.CodeValidation, "mode %s can't be used in this pipeline: %v", job.ModeS3EC, err)
	}
	key, wrapped, err := r.generate(ctx, 8*envelope.KeySize, own)
	if err != nil {
		return envelope.Envelope{}, nil, err
	}
	iv := make([]byte, envelope.IVSize)
	rand.Read(iv) // never fails (crypto/rand)
	m, err := enveloped(key, iv)
	return envelope.Envelope{WrappedKey: wrapped, IV: iv, Context: own}, m, err
}

func enveloped(key Key, iv []byte) (*Material, error) {
	mode, err := ModeOf(job.ModeS3EC)
	if err != nil {
		return nil, err
	}
	return &Material{Mode: mode, Key: key, IV: iv}, nil
}
