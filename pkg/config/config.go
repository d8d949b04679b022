// Package config reads what a function is told by its environment (the
// variables of docs/architecture.md). It holds no secret: keys come wrapped in
// documents and are unwrapped through KMS.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
)

// Config is a function's configuration.
type Config struct {
	Stack                                               string // of the functions, in their metrics; "" where none are written
	IngestBucket, OutputBucket, StateBucket, WorkBucket string
	QueueURL                                            string
	KeyARN                                              string
	RoleARN                                             string // of pipelines that have none of their own
	PipelineID                                          string
	Pipeline                                            string // the default pipeline as JSON
	ChunkSeconds                                        int
	MaximumConcurrency                                  int // tasks that are worked on at once, for all jobs together
	MaxPixels                                           int64
	X264Preset                                          string
	LostSeconds, StalledSeconds                         int // see reconcile.Timing
	FFmpeg, FFprobe                                     string
	LogLevel                                            slog.Level
	EncryptedPuts                                       bool // buckets refuse uploads that name no encryption
	NoSandbox                                           bool // see ffmpeg.WithoutSandbox
}

// FromEnv reads the environment through getenv (os.Getenv). All that is wrong
// is reported at once.
func FromEnv(getenv func(string) string) (Config, error) {
	r := reader{getenv: getenv}
	c := Config{
		Stack:              getenv("SEALREEL_STACK"),
		IngestBucket:       r.required("SEALREEL_INGEST_BUCKET"),
		OutputBucket:       r.required("SEALREEL_OUTPUT_BUCKET"),
		StateBucket:        r.required("SEALREEL_STATE_BUCKET"),
		WorkBucket:         r.required("SEALREEL_WORK_BUCKET"),
		QueueURL:           r.required("SEALREEL_QUEUE_URL"),
		KeyARN:             getenv("SEALREEL_KMS_KEY_ARN"),
		RoleARN:            getenv("SEALREEL_ROLE_ARN"),
		PipelineID:         getenv("SEALREEL_PIPELINE_ID"),
		Pipeline:           getenv("SEALREEL_PIPELINE"),
		ChunkSeconds:       int(r.number("SEALREEL_CHUNK_SECONDS", 30, 600)),
		MaximumConcurrency: int(r.number("SEALREEL_MAXIMUM_CONCURRENCY", 20, 1000)),
		MaxPixels:          r.number("SEALREEL_MAX_PIXELS", 8192*4352, 1<<30),
		LostSeconds:        int(r.number("SEALREEL_LOST_SECONDS", 5*60, 24*60*60)),
		StalledSeconds:     int(r.number("SEALREEL_STALLED_SECONDS", 30*60, 24*60*60)),
		X264Preset:         r.text("SEALREEL_X264_PRESET", "medium"),
		FFmpeg:             r.text("SEALREEL_FFMPEG", "/opt/bin/ffmpeg"),
		FFprobe:            r.text("SEALREEL_FFPROBE", "/opt/bin/ffprobe"),
	}
	c.EncryptedPuts = r.yes("SEALREEL_ENCRYPTED_PUTS")
	c.NoSandbox = r.yes("SEALREEL_NO_SANDBOX")
	if level := getenv("SEALREEL_LOG_LEVEL"); level != "" {
		if err := c.LogLevel.UnmarshalText([]byte(level)); err != nil {
			r.errs = append(r.errs, fmt.Errorf("SEALREEL_LOG_LEVEL is %q: use DEBUG, INFO, WARN or ERROR", level))
		}
	}
	return c, errors.Join(r.errs...)
}

type reader struct {
	getenv func(string) string
	errs   []error
}

func (r *reader) required(name string) string {
	v := r.getenv(name)
	if v == "" {
		r.errs = append(r.errs, fmt.Errorf("%s is not set: the template sets it for every function", name))
	}
	return v
}

func (r *reader) text(name, otherwise string) string {
	if v := r.getenv(name); v != "" {
		return v
	}
	return otherwise
}

func (r *reader) yes(name string) bool {
	switch v := r.getenv(name); v {
	case "", "no":
		return false
	case "yes":
		return true
	default:
		r.errs = append(r.errs, fmt.Errorf("%s is %q: use yes or no", name, v))
		return false
	}
}

// number is one from 1 to most.
func (r *reader) number(name string, otherwise, most int64) int64 {
	v := r.getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 1 || n > most {
		r.errs = append(r.errs, fmt.Errorf("%s is %q: it must be a number from 1 to %d", name, v, most))
		return otherwise
	}
	return n
}
