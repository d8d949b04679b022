// Command bench measures the whole sealed job against one plain ffmpeg process
// with the same settings, on the same machine, in one run.
//
// The source is a minute and a half of natural pictures where the folder of
// clips is there (-media), and generated ones otherwise. Each row is one run;
// the plain process runs first and last, so that a machine that changes its
// speed shows. With -cost it measures what a minute of output costs instead.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	root := flag.String("root", ".", "the checkout")
	media := flag.String("media", "", "folder of natural clips (default ../shared/media beside the checkout, when it is there)")
	seconds := flag.Int("seconds", 90, "length of the source")
	preset := flag.String("x264", "medium", "x264's speed preset")
	chunk := flag.Int("chunk", 30, "length of a chunk in seconds")
	cost := flag.Bool("cost", false, "measure what a minute of output costs instead, preset by preset")
	file := flag.String("steps", "", "measure what the steps of jobs cost instead, and write it to this file (e2e/scale/cost/measured.json)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir, err := os.MkdirTemp("", "sealreel-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if *media == "" {
		*media = filepath.Join(*root, "..", "shared", "media")
	}
	if *file != "" {
		return steps(ctx, settings{root: *root, dir: dir, preset: *preset, chunk: *chunk}, *media, *file)
	}
	source := filepath.Join(dir, "source.mp4")
	size := "1280:720"
	if *cost {
		size = "1920:1080"
	}
	kind, err := makeSource(ctx, *media, source, size, *seconds)
	if err != nil {
		return err
	}
	if *cost {
		return costs(ctx, settings{root: *root, dir: dir, source: source, preset: *preset, chunk: *chunk}, fmt.Sprintf("%d s of %s", *seconds, kind))
	}
	fmt.Printf("%d s of %s, 1280x720 at 25 frames a second with sound, to HLS 2M, 1M and 400k; x264 %s, chunks of %d s, sealed in and out with sse-c\n", *seconds, kind, *preset, *chunk)
	return table(ctx, settings{root: *root, dir: dir, source: source, preset: *preset, chunk: *chunk})
}

type settings struct {
	root, dir, source, preset string
	chunk                     int
}

// row is one measured run.
type row struct {
	name         string
	wall, cpu    time.Duration
	firstSegment time.Duration
	memory       int64 // peak of one process, or of one worker with its ffmpeg
}

func table(ctx context.Context, s settings) error {
	rows := []row{}
	add := func(r row, err error) error {
		if err == nil {
			rows = append(rows, r)
			fmt.Fprintf(os.Stderr, "%s: %v\n", r.name, r.wall.Round(time.Millisecond))
		}
		return err
	}
	if err := add(plain(ctx, s, "plain ffmpeg")); err != nil {
		return err
	}
	for _, workers := range []int{1, 2, 4} {
		if err := add(sealed(ctx, s, workers)); err != nil {
			return err
		}
	}
	if err := add(plain(ctx, s, "plain ffmpeg again")); err != nil {
		return err
	}
	last := rows[len(rows)-1]
	wall, cpu := (rows[0].wall+last.wall)/2, (rows[0].cpu+last.cpu)/2
	fmt.Printf("\n%-22s %9s %7s %9s %7s %12s %14s\n", "", "wall", "ratio", "CPU", "ratio", "peak memory", "first segment")
	for _, r := range rows {
		first := "-"
		if r.firstSegment > 0 {
			first = fmt.Sprintf("%.2f s", r.firstSegment.Seconds())
		}
		fmt.Printf("%-22s %7.2f s %7.3f %7.2f s %7.3f %8.0f MiB %14s\n", r.name, r.wall.Seconds(), ratio(r.wall, wall),
			r.cpu.Seconds(), ratio(r.cpu, cpu), float64(r.memory)/(1<<20), first)
	}
	return nil
}

func ratio(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }
