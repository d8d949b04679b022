package transcode

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"sealreel/pkg/encode"
	"sealreel/pkg/ffmpeg"
	"sealreel/pkg/loopback"
	"sealreel/pkg/plan"
)

// relay encodes the sound of a programme with several takes: one after the other
// is decoded, exactly as many samples as it fills, and all go through one encoder
// for each encoding. Only one input is open at a time.
type relay struct {
	*attempt
	pieces *pieces
	vault  Vault
	places []int // of the encodings
}

func (r *relay) run(ctx context.Context, takes []plan.Take) error {
	group, ctx := errgroup.WithContext(ctx)
	into := make([]*io.PipeWriter, len(r.places))
	for i, place := range r.places {
		samples, w := io.Pipe()
		into[i] = w
		group.Go(func() error {
			err := r.encodeJoined(ctx, place, samples)
			samples.CloseWithError(errOr(err, io.ErrClosedPipe))
			return err
		})
	}
	group.Go(func() (err error) {
		for i, t := range takes {
			if err = r.take(ctx, t, into); err != nil {
				err = fmt.Errorf("the sound of take %d: %w", i, err)
				break
			}
		}
		for _, w := range into {
			w.CloseWithError(err) // the end where it is nil
		}
		return err
	})
	return group.Wait()
}

// encodeJoined encodes the samples of all takes.
func (r *relay) encodeJoined(ctx context.Context, place int, samples io.Reader) error {
	server, err := loopback.New(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	url := server.Stream("samples", func(_ context.Context, w io.Writer) error {
		_, err := io.Copy(w, samples)
		return err
	})
	format, options := encode.Bare(r.plan.Sounds[place])
	input := ffmpeg.InputArgs(url, ffmpeg.InputOptions{Bare: format, Before: options})
	out := stream{name: fmt.Sprintf("sound-%d", place), take: func(ctx context.Context, body io.Reader) error {
		return r.pieces.take(ctx, place, body)
	}}
	return r.attempt.run(server, []stream{out}, func(outputs [][]string) []string {
		return encode.JoinedSound(r.plan, place, input, outputs[0])
	})
}

// take decodes one take into the samples of each encoding.
func (r *relay) take(ctx context.Context, t plan.Take, into []*io.PipeWriter) error {
	if t.Audio.Silent {
		return r.silence(t, into)
	}
	in, done, err := r.openInputs(ctx, r.vault, []plan.Take{t})
	defer done()
	if err != nil {
		return err
	}
	streams := make([]stream, len(into))
	for i, place := range r.places {
		streams[i] = stream{name: fmt.Sprintf("samples-%d", place), take: func(_ context.Context, body io.Reader) error {
			return copySamples(into[i], body, t, r.plan.Sounds[place])
		}}
	}
	return r.encode(ctx, in, nil, streams, func(inputs, _, outputs [][]string) []string {
		return encode.TakeSound(r.plan, t, r.places, inputs[0], outputs)
	})
}

// silence is a take that has nothing to be heard.
func (r *relay) silence(t plan.Take, into []*io.PipeWriter) error {
	var group errgroup.Group // encoders take their samples independently
	for i, place := range r.places {
		group.Go(func() error { return copySamples(into[i], eof{}, t, r.plan.Sounds[place]) })
	}
	return group.Wait()
}

// copySamples copies the samples of a take: as many as it fills, silence where
// there are less. One without an end gives what it has.
func copySamples(to io.Writer, from io.Reader, t plan.Take, s plan.Sound) error {
	want := encode.Samples(t, s) * encode.BytesPerSample(s)
	if want == 0 {
		_, err := io.Copy(to, from)
		return err
	}
	n, err := io.Copy(to, io.LimitReader(from, want))
	if err == nil && n < want {
		_, err = io.CopyN(to, zeros{}, want-n)
	}
	return err
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
