// Package probe finds out what a media file really holds. It asks ffprobe,
// contained as package ffmpeg says, first for the streams and then for every
// packet of them, and believes the packets: the duration, the number of frames
// and the frame rate that a container claims are not used.
//
// Memory is bounded by the number of frames (16 bytes each while it scans, 8
// in the report) and not by the size of the file, and that number, the number
// of streams, the text that ffprobe may print and the time it may take have
// limits.
//
// A file that cannot be transcoded gives a *job.Failure of Elastic
// Transcoder's codes. Whatever else goes wrong (ffprobe is missing, the time
// is over) gives another error. An input that could not be read is reported by
// its loopback server, whose Finish puts that before the error from here.
package probe

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"sealreel/pkg/ffmpeg"
	"sealreel/pkg/job"
)

// The limits where a Prober sets none.
const (
	DefaultMaxPixels   = 8192 * 4352
	DefaultMaxDuration = 24 * time.Hour
	DefaultMaxFrames   = 24 * 3600 * 120 // a day at 120 frames a second
)

// Prober says how to probe.
type Prober struct {
	Path        string        // ffprobe
	MaxPixels   int           // largest width x height; 0: DefaultMaxPixels
	MaxFrames   int           // most packets of a stream; 0: DefaultMaxFrames
	MaxDuration time.Duration // longest input; 0: DefaultMaxDuration
	Wall        time.Duration // longest run of ffprobe; 0: as long as the context lasts
	Memory      int64         // see ffmpeg.Limits; 0: no bound
}

// Probe probes the media at a loopback URL.
func Probe(ctx context.Context, p Prober, url string) (*Report, error) {
	p.MaxPixels = cmp.Or(p.MaxPixels, DefaultMaxPixels)
	p.MaxFrames = cmp.Or(p.MaxFrames, DefaultMaxFrames)
	p.MaxDuration = cmp.Or(p.MaxDuration, DefaultMaxDuration)
	r, err := p.header(ctx, url)
	if err != nil {
		return nil, err
	}
	s, err := p.scan(ctx, url, r)
	if err != nil {
		return nil, err
	}
	if err := r.fill(s, p.MaxDuration); err != nil {
		return nil, err
	}
	return r, nil
}

// header reads the streams and chooses those to use.
func (p Prober) header(ctx context.Context, url string) (*Report, error) {
	out := new(document)
	if err := p.run(ctx, url, out, 1<<20, "-show_entries", headerEntries, "-of", "json"); err != nil {
		return nil, err
	}
	r, err := out.report()
	if err != nil {
		return nil, err
	}
	if err := r.choose(p.MaxPixels); err != nil {
		return nil, err
	}
	return r, nil
}

// scan reads the packets of the chosen streams. If one stream is all there is
// to use, ffprobe is spared the others.
func (p Prober) scan(ctx context.Context, url string, r *Report) (*scan, error) {
	s := newScan(r, p.MaxFrames)
	args := []string{"-show_entries", packetEntries, "-of", "csv=p=0"}
	if r.Video == nil || r.Audio == nil {
		args = append(args, "-select_streams", s.selector())
	}
	// A line is under 100 bytes, and streams that are not used add theirs.
	if err := p.run(ctx, url, s, int64(p.MaxFrames)*1000, args...); err != nil {
		return nil, err
	}
	return s, s.end()
}

// run runs ffprobe on the URL.
func (p Prober) run(ctx context.Context, url string, out io.Writer, most int64, args ...string) error {
	result, err := ffmpeg.Run(ctx, ffmpeg.Command{
		Path:   p.Path,
		Args:   slices.Concat(ffmpeg.ProbeArgs(), args, ffmpeg.InputArgs(url, ffmpeg.InputOptions{MaxPixels: p.MaxPixels})),
		Stdout: out,
		Limits: ffmpeg.Limits{Wall: p.Wall, Stdout: most, Memory: p.Memory},
	})
	return explain(result, err)
}

// explain turns ffprobe's complaint about a file into the file's failure.
func explain(result ffmpeg.Result, err error) error {
	exit := (*ffmpeg.ExitError)(nil)
	switch {
	case errors.Is(err, ffmpeg.ErrFlood):
		return job.FailCause(err, job.CodeInputTooLarge, "the input describes more streams and packets than are taken")
	case !errors.As(err, &exit), exit.Signal == syscall.SIGKILL:
		return err // also nil; a kill from outside says nothing about the file
	case exit.Signal != 0:
		return job.FailCause(err, job.CodeUnhandledInput, "the media reader broke down on the input; convert the file with another program and submit it again")
	case strings.Contains(result.Stderr, "exceeds specified max pixel count"):
		return job.FailCause(err, job.CodeInputDimensions, "the input's picture is larger than is taken: scale it down, or let the operator raise the limit (MaximumPixels)")
	case strings.Contains(result.Stderr, "not on whitelist"):
		return job.FailCause(err, job.CodeFormatUnsupported, "the input's container format is not supported: convert it to MP4, MOV, Matroska or MPEG-TS, and don't drop playlists as media")
	}
	return job.FailCause(err, job.CodeBadInput, "the input could not be interpreted as media; check that the file is complete and, if it is encrypted, that the key belongs to it")
}
