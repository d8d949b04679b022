package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"sealreel/pkg/job"
	"sealreel/pkg/pipeline"
	"sealreel/pkg/plan"
	"sealreel/pkg/still"
)

// stills pins and looks at the pictures that outputs name. An output with one
// that can't be used fails alone, as refused then says at its place. A picture
// that several name is read once.
type stills struct {
	*Ingester
	vault  Vault
	bucket string
	found  map[string]foundStill
}

type foundStill struct {
	plan.Still
	failure *job.Failure
}

// watermarks are the pictures of each output's watermarks, in order.
func (i *Ingester) watermarks(ctx context.Context, v Vault, p *pipeline.Pipeline, j job.Job, refused map[int]*job.Failure) ([][]plan.Still, error) {
	s := &stills{Ingester: i, vault: v, bucket: p.InputBucket, found: map[string]foundStill{}}
	all := make([][]plan.Still, len(j.Outputs))
	for n, o := range j.Outputs {
		if refused[n] != nil {
			continue
		}
		for _, w := range o.Watermarks {
			picture, failure, err := s.find(ctx, w.InputKey, w.Encryption, watermarkFailure)
			if err != nil {
				return nil, err
			}
			if all[n] = append(all[n], picture); failure != nil {
				refused[n], all[n] = failure, nil
				break
			}
		}
	}
	return all, nil
}

// find is the picture, or why it can't be used. An error means that it should be
// tried again.
func (s *stills) find(ctx context.Context, key string, e *job.Encryption, explain func(error, plan.Input) *job.Failure) (plan.Still, *job.Failure, error) {
	name, err := json.Marshal([]any{key, e})
	if err != nil {
		return plan.Still{}, nil, err
	}
	known, ok := s.found[string(name)]
	if !ok {
		known.Still, err = s.look(ctx, key, e, explain)
		if err != nil && !errors.As(err, &known.failure) {
			return plan.Still{}, nil, err
		}
		s.found[string(name)] = known
	}
	return known.Still, known.failure, nil
}

func (s *stills) look(ctx context.Context, key string, e *job.Encryption, explain func(error, plan.Input) *job.Failure) (plan.Still, error) {
	in, err := s.vault.Pin(ctx, s.bucket, key, "", e)
	if err != nil {
		return plan.Still{}, pinFailure(err, s.bucket, key)
	}
	if in.Size > still.MaxBytes {
		return plan.Still{}, job.PictureTooLong(in.Bucket, in.Key, in.Size, still.MaxBytes)
	}
	if err := s.vault.Verify(ctx, in); err != nil {
		return plan.Still{}, err
	}
	media, err := s.vault.Input(ctx, in)
	if err != nil {
		return plan.Still{}, err
	}
	defer media.Close()
	info, err := still.Inspect(io.NewSectionReader(media, 0, media.Size()))
	if f := explain(err, in); f != nil {
		return plan.Still{}, f
	}
	return plan.Still{Input: in, Info: info}, err
}

// watermarkFailure is what is wrong with a watermark, nil when it is nothing or
// not the picture's fault. One that is encrypted by no storage and turns out to
// be no picture reads like a file that can't be decrypted: see probe.
func watermarkFailure(err error, in plan.Input) *job.Failure {
	switch {
	case errors.Is(err, still.ErrTooLarge):
		return job.WatermarkTooLarge(err, in.Key, still.MaxWidth, still.MaxHeight)
	case errors.Is(err, still.ErrUnreadable) && in.Encryption != nil && in.Encryption.InitializationVector != "":
		return job.DecryptFailed(err, in.Key, in.Encryption.Mode)
	case errors.Is(err, still.ErrUnreadable):
		return job.WatermarkUnreadable(err, in.Key)
	}
	return nil
}
