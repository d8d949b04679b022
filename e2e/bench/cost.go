package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"sealreel/e2e/user"
	"sealreel/local/stack"
	"sealreel/pkg/job"
	"sealreel/pkg/price"
	"sealreel/pkg/usage"
)

// wares are what is priced: each a job of its own.
var wares = []struct {
	name    string
	outputs []job.Output
}{
	{"1080p, MP4", []job.Output{single("000001", "mp4")}},
	{"720p, MP4", []job.Output{single("000010", "mp4")}},
	{"480p, MP4", []job.Output{single("000020", "mp4")}},
	{"HLS 2M", []job.Output{segmented("200010")}},
	{"HLS 2M, 1M, 400k", rungs()},
	{"AAC 160k", []job.Output{single("100120", "m4a")}},
	{"HLS audio 160k", []job.Output{segmented("200060")}},
}

// single is an output of a system preset as one sealed file.
func single(preset, extension string) job.Output {
	return job.Output{Key: preset + "." + extension, PresetID: systemPreset + preset, Encryption: &job.Encryption{Mode: job.ModeSSEC}}
}

// processorMiB is the memory with which Lambda gives one processor.
const processorMiB = 1769

// costs prints what a minute of each output costs. One worker has the whole
// machine, whose two processors are about what 3008 MB get of Lambda.
func costs(ctx context.Context, s settings, source string) error {
	site, err := stack.Up(ctx, stack.Config{Root: s.root, Dir: filepath.Join(s.dir, "stack"), Workers: 1,
		Environment: map[string]string{"SEALREEL_X264_PRESET": s.preset, "SEALREEL_CHUNK_SECONDS": fmt.Sprint(s.chunk)}})
	if err != nil {
		return err
	}
	defer site.Close()
	u, err := user.Of(ctx, site.Exports())
	if err != nil {
		return err
	}
	defer u.Close()
	fmt.Printf("%s, 1920x1080 at 25 frames a second with sound; x264 %s, chunks of %d s, sealed in and out with sse-c; for one minute of output\n\n", source, s.preset, s.chunk)
	fmt.Printf("| Output | CPU s | GB-s, least | GB-s, here | Calls | S3 write | S3 read | MB in | MB out | KMS | SQS | USD | USD, arm64 | Elastic Transcoder | MediaConvert |\n")
	fmt.Printf("| --- |%s\n", strings.Repeat(" ---: |", 14))
	for n, w := range wares {
		if err := measure(ctx, s, u, fmt.Sprintf("cost-%d", n), w.name, w.outputs); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}

// measure runs a job and prints its row.
func measure(ctx context.Context, s settings, u *user.User, name, shown string, outputs []job.Output) error {
	id, _, _, err := submit(ctx, u, name, s.source, job.ModeSSEC, outputs)
	if err != nil {
		return err
	}
	rec, err := u.Ledger.Job(ctx, id)
	if err != nil {
		return err
	}
	p, err := u.Ledger.Plan(ctx, id)
	if err != nil {
		return err
	}
	var records []usage.Record
	for records == nil || len(price.Unrecorded(p, records)) > 0 { // the last invocation may be noting it
		if err := ctx.Err(); err != nil {
			return err
		}
		if records != nil {
			time.Sleep(50 * time.Millisecond)
		}
		if records, err = u.Ledger.Usage(ctx, id); err != nil {
			return err
		}
	}
	fmt.Println(rowOf(shown, records, price.Published().OutputsOf(rec.Job, p)))
	return nil
}

// rowOf is a row for one minute of output. What others charge is for all outputs
// of the job, as that of the job is, by the minute of all of them.
func rowOf(name string, records []usage.Record, compared []price.Output) string {
	prices := price.Published()
	here := prices.Bill(records, compared)
	least := prices.Bill(onLambda(records, "amd64"), compared)
	arm := prices.Bill(onLambda(records, "arm64"), compared)
	var transcoder, convert float64
	for _, o := range compared {
		transcoder += *o.ElasticTranscoder
		convert += *o.MediaConvert
	}
	m, l := here.Minutes, here.Total
	return fmt.Sprintf("| %s | %.1f | %.1f | %.1f | %.1f | %.0f | %.0f | %.1f | %.1f | %.1f | %.1f | %.5f | %.5f | %.4f | %.4f |", name,
		l.CPUSeconds/m, least.Total.GBSeconds/m, l.GBSeconds/m, l.Invocations/m, l.S3Writes/m, l.S3Reads/m, l.S3In/m/1e6, l.S3Out/m/1e6, l.KMS/m, l.SQS/m,
		least.PerMinute, arm.PerMinute, transcoder/m, convert/m)
}

// onLambda are the records as Lambda would bill them at the least: an invocation
// takes its processor time divided by the processors that its memory buys, all of
// them at work all the time.
func onLambda(records []usage.Record, architecture string) []usage.Record {
	all := make([]usage.Record, len(records))
	for i, r := range records {
		processors := float64(r.MemoryMiB) / processorMiB
		r.Milliseconds, r.InitMilliseconds = int64(float64(r.CPUMilliseconds)/processors), 0
		r.Architecture = architecture
		all[i] = r
	}
	return all
}
