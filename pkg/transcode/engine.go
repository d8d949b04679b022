package transcode

import (
	"context"
	"io"

	"sealreel/pkg/ffmpeg"
	"sealreel/pkg/loopback"
	"sealreel/pkg/source"
)

// stream takes one output of an encode.
type stream struct {
	name string
	take func(ctx context.Context, body io.Reader) error
}

// encode runs ffmpeg on the input, with every output a stream that is taken by
// us: plaintext passes through memory only. arguments are made from how the
// input is opened and how each output is written.
func (a *attempt) encode(ctx context.Context, in source.Media, streams []stream, arguments func(input []string, outputs [][]string) []string) error {
	server, err := loopback.New(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	input := ffmpeg.InputArgs(server.Serve("input", loopback.Input{ReaderAt: in, Size: in.Size()}), ffmpeg.InputOptions{MaxPixels: a.MaxPixels})
	outputs := make([][]string, len(streams))
	for i, s := range streams {
		outputs[i] = ffmpeg.OutputArgs(server.Accept(s.name, s.take))
	}
	result, err := ffmpeg.Run(server.Context(), ffmpeg.Command{
		Path: a.FFmpeg,
		Args: append(ffmpeg.GlobalArgs(), arguments(input, outputs)...),
	})
	a.log.Debug("ffmpeg", "wall", result.Wall, "user", result.User, "system", result.System, "maxRSS", result.MaxRSS, "stderr", result.Stderr)
	return server.Finish(err)
}
