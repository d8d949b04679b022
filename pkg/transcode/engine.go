package transcode

import (
	"context"
	"fmt"
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

// picture is a further input: a picture that is drawn over the first.
type picture struct {
	source.Media
	format string
}

// encode runs ffmpeg on the input, with every output a stream that is taken by
// us: plaintext passes through memory only. arguments are made from how the
// input and each picture is opened and how each output is written.
func (a *attempt) encode(ctx context.Context, in source.Media, pictures []picture, streams []stream, arguments func(input []string, stills, outputs [][]string) []string) error {
	server, err := loopback.New(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	input := ffmpeg.InputArgs(server.Serve("input", loopback.Input{ReaderAt: in, Size: in.Size()}), ffmpeg.InputOptions{MaxPixels: a.MaxPixels})
	stills := make([][]string, len(pictures))
	for i, s := range pictures {
		stills[i] = ffmpeg.StillArgs(server.Serve(fmt.Sprintf("still-%d", i), loopback.Input{ReaderAt: s, Size: s.Size()}), s.format)
	}
	outputs := make([][]string, len(streams))
	for i, s := range streams {
		outputs[i] = ffmpeg.OutputArgs(server.Accept(s.name, s.take))
	}
	result, err := ffmpeg.Run(server.Context(), ffmpeg.Command{
		Path: a.FFmpeg,
		Args: append(ffmpeg.GlobalArgs(), arguments(input, stills, outputs)...),
	})
	a.log.Debug("ffmpeg", "wall", result.Wall, "user", result.User, "system", result.System, "maxRSS", result.MaxRSS, "stderr", result.Stderr)
	return server.Finish(err)
}
