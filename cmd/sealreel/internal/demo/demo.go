// Package demo shows a whole job on the embedded AWS: it makes a clip, drops it
// sealed, and fetches and checks what comes out.
//
// It guarantees that it succeeds only when everything was verified, and that
// nothing runs on afterwards, however it ends.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sealreel/cmd/sealreel/internal/drop"
	"sealreel/cmd/sealreel/internal/progress"
	"sealreel/cmd/sealreel/internal/request"
	"sealreel/cmd/sealreel/internal/site"
	"sealreel/local/stack"
	"sealreel/pkg/job"
)

// Config says where the demo runs and whom it tells.
type Config struct {
	Root        string            // checkout
	Dir         string            // state and results; "" makes a folder, of which only the outputs stay
	Keep        bool              // leave all of a folder that was made
	Environment map[string]string // overrides for the functions
	Getenv      func(string) string
	Out         io.Writer // the result
	Notes       io.Writer // how it is going
}

// note tells how it is going.
func (c *Config) note(format string, args ...any) {
	_, _ = fmt.Fprintf(c.Notes, format+"\n", args...) // nobody is stopped by who does not listen
}

// claimTime is how long the service has to make a job of a dropped document.
const claimTime = 60 * time.Second

// template is the job: two HLS renditions under a master playlist, and an MP4.
const template = `{
  "Outputs": [
    {"Key": "hls-1m", "PresetId": "1351620000001-200030", "SegmentDuration": "4", "Encryption": {"Mode": "sse-c"}},
    {"Key": "hls-400k", "PresetId": "1351620000001-200050", "SegmentDuration": "4", "Encryption": {"Mode": "sse-c"}},
    {"Key": "360p.mp4", "PresetId": "1351620000001-000040", "Encryption": {"Mode": "sse-c"}}
  ],
  "Playlists": [{"Name": "index", "Format": "HLSv3", "OutputKeys": ["hls-1m", "hls-400k"]}]
}`

// Run runs the demo.
func Run(ctx context.Context, c Config) (err error) {
	made := c.Dir == ""
	if made {
		if c.Dir, err = os.MkdirTemp("", "sealreel-demo-"); err != nil {
			return err
		}
	}
	d := &demo{Config: c, began: time.Now()}
	err = d.run(ctx)
	if made && !c.Keep {
		return errors.Join(err, d.tidy(ctx, err))
	}
	if err != nil {
		d.note("logs and state are in %s", c.Dir)
	}
	return err
}

// tidy removes what nobody needs any more: all but the outputs, and all but the
// logs after a failure.
func (d *demo) tidy(ctx context.Context, err error) error {
	stay := "out"
	switch {
	case err != nil && ctx.Err() != nil:
		return os.RemoveAll(d.Dir)
	case err != nil:
		stay = "logs"
		d.note("the functions' logs are in %s", filepath.Join(d.Dir, stay))
	}
	entries, err := os.ReadDir(d.Dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if e.Name() != stay {
			errs = append(errs, os.RemoveAll(filepath.Join(d.Dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// demo is one run.
type demo struct {
	Config
	began           time.Time
	ffmpeg, ffprobe string
	steps           []step
}

// step is something that was done.
type step struct {
	name, result string
	took         time.Duration
}

// do does a step and notes how long it took.
func (d *demo) do(name string, work func() (result string, err error)) error {
	began := time.Now()
	result, err := work()
	if err == nil {
		d.steps = append(d.steps, step{name, result, time.Since(began)})
	}
	return err
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.ffmpeg, err = lookUp(d.Getenv, "SEALREEL_FFMPEG", "ffmpeg"); err != nil {
		return err
	}
	if d.ffprobe, err = lookUp(d.Getenv, "SEALREEL_FFPROBE", "ffprobe"); err != nil {
		return err
	}
	var s *stack.Stack
	err = d.do("start", func() (string, error) {
		s, err = d.up(ctx)
		return "an embedded AWS with everything in template.yaml", err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	here, err := connect(ctx, s.Exports())
	if err != nil {
		return err
	}
	reports, err := d.job(ctx, here)
	if err != nil {
		return err
	}
	return d.summary(reports, s.Requests())
}

func (d *demo) up(ctx context.Context) (*stack.Stack, error) {
	environment := map[string]string{"SEALREEL_X264_PRESET": "veryfast", "SEALREEL_CHUNK_SECONDS": "4"}
	maps.Copy(environment, d.Environment)
	return stack.Up(ctx, stack.Config{
		Root: d.Root, Dir: d.Dir, Workers: 2, Environment: environment,
		Progress: func(text string) { d.note("%s", text) },
		Log:      slog.New(slog.NewTextHandler(d.Notes, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
}

// connect makes this process a user of its own stack: the AWS SDK reads its
// settings from the process's variables, as it does for any user.
func connect(ctx context.Context, exports map[string]string) (*site.Site, error) {
	for name, value := range exports {
		if strings.HasPrefix(name, "AWS_") {
			if err := os.Setenv(name, value); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range []string{"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"} {
		if err := os.Unsetenv(name); err != nil {
			return nil, err
		}
	}
	return site.Connect(ctx, func(name string) string { return exports[name] })
}

// job makes the clip, drops it, waits for its job and checks what came out.
func (d *demo) job(ctx context.Context, here *site.Site) (reports []report, err error) {
	clip := filepath.Join(d.Dir, "clip.mp4")
	d.note("making a clip")
	err = d.do("make a clip", func() (string, error) {
		return fmt.Sprintf("%d s, 640x360, with sound", clipSeconds), makeClip(ctx, d.ffmpeg, clip)
	})
	if err != nil {
		return nil, err
	}
	var id string
	err = d.do("drop it", func() (string, error) {
		d.note("dropping it sealed with a key that KMS wraps")
		id, err = d.drop(ctx, here, clip)
		return "sealed with a new 256-bit key (SSE-C) that KMS wrapped", err
	})
	if err != nil {
		return nil, err
	}
	var last progress.State
	err = d.do("transcode", func() (string, error) {
		last, err = d.follow(ctx, here, id)
		return "job " + id, err
	})
	if err != nil {
		return nil, err
	}
	d.note("fetching and checking the outputs")
	err = d.do("fetch, check", func() (string, error) {
		reports, err = d.check(ctx, here, last.Record.Job)
		return "every output decrypted, decoded, and refused without its key", err
	})
	return reports, err
}

func (d *demo) drop(ctx context.Context, here *site.Site, clip string) (string, error) {
	t, err := request.Parse([]byte(template))
	if err != nil {
		return "", err
	}
	dropper := drop.Dropper{Site: here, Line: progress.NewLine(d.Notes, d.Getenv), Wait: claimTime}
	return dropper.Drop(ctx, drop.Order{File: clip, Name: filepath.Base(clip), Mode: job.ModeSSEC, Template: t})
}

// follow shows the job's progress until its end, which must be a good one.
func (d *demo) follow(ctx context.Context, here *site.Site, id string) (progress.State, error) {
	line := progress.NewLine(d.Notes, d.Getenv)
	last, err := progress.Of(here.Ledger, id).Follow(ctx, progress.Shower(line))
	line.End()
	if err == nil && last.Record.Job.Status != job.Complete {
		err = fmt.Errorf("job %s ended in %s:\n%s", id, last.Record.Job.Status, strings.Join(progress.Details(last.Record), "\n"))
	}
	return last, err
}

// check fetches everything that the job made, from its master playlist down.
func (d *demo) check(ctx context.Context, here *site.Site, j job.Job) ([]report, error) {
	r := &reader{site: here, folder: filepath.Join(d.Dir, "out"), ffmpeg: d.ffmpeg, ffprobe: d.ffprobe}
	if err := r.refused(ctx, here.Value(site.IngestBucket), j.Inputs[0].Key); err != nil {
		return nil, err
	}
	master := job.MasterName(j.OutputKeyPrefix, j.Playlists[0])
	p, err := r.playlist(ctx, master)
	if err != nil {
		return nil, err
	}
	if len(p.streams) != len(j.Playlists[0].OutputKeys) {
		return nil, fmt.Errorf("%s has %d streams instead of %d", master, len(p.streams), len(j.Playlists[0].OutputKeys))
	}
	var reports []report
	for _, o := range j.Outputs {
		rep, err := r.output(ctx, j.OutputKeyPrefix+o.Key, o.FrameRate, p.streams)
		if err != nil {
			return nil, err
		}
		reports = append(reports, rep)
	}
	return reports, nil
}
