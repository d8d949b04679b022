package transcode

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"sealreel/pkg/ffmpeg"
	"sealreel/pkg/loopback"
	"sealreel/pkg/source"
	"sealreel/pkg/trace"
)

// stream takes one output of an encode.
type stream struct {
	name string
	take func(ctx context.Context, body io.Reader) error
}

// picture is a further input: a picture that is drawn over those of media.
type picture struct {
	source.Media
	format string
}

// arguments makes those of ffmpeg from how each input and each picture is opened
// and how each output is written.
type arguments func(inputs, stills, outputs [][]string) []string

// encode runs ffmpeg on inputs, with every output a stream that is taken by us:
// plaintext passes through memory only.
func (a *attempt) encode(ctx context.Context, in []source.Media, pictures []picture, streams []stream, args arguments) error {
	server, err := loopback.New(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	inputs, stills := make([][]string, len(in)), make([][]string, len(pictures))
	for i, media := range in {
		url := server.Serve(fmt.Sprintf("input-%d", i), loopback.Input{ReaderAt: media, Size: media.Size()})
		inputs[i] = ffmpeg.InputArgs(url, ffmpeg.InputOptions{MaxPixels: a.MaxPixels})
	}
	for i, s := range pictures {
		stills[i] = ffmpeg.StillArgs(server.Serve(fmt.Sprintf("still-%d", i), loopback.Input{ReaderAt: s, Size: s.Size()}), s.format)
	}
	return a.run(server, streams, func(outputs [][]string) []string { return args(inputs, stills, outputs) })
}

// run runs ffmpeg on what a server gives out.
func (a *attempt) run(server *loopback.Server, streams []stream, args func(outputs [][]string) []string) error {
	outputs := make([][]string, len(streams))
	for i, s := range streams {
		outputs[i] = ffmpeg.OutputArgs(server.Accept(s.name, s.take))
	}
	ctx, end := trace.Start(server.Context(), "encode")
	result, err := ffmpeg.Run(ctx, ffmpeg.Command{
		Path: a.FFmpeg,
		Args: append(ffmpeg.GlobalArgs(), args(outputs)...),
	})
	end(err, slog.Int64("sealreel.cpu_ms", (result.User+result.System).Milliseconds()))
	a.Log.DebugContext(ctx, "ffmpeg", "wall", result.Wall, "user", result.User, "system", result.System, "maxRSS", result.MaxRSS, "sandbox", result.Sandbox.String(), "stderr", result.Stderr)
	return server.Finish(err)
}
