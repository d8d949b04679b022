package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// rung is a rung of the ladder, as the system presets have it.
type rung struct {
	preset, size, profile, level string
	kbps, references             int
}

var ladder = []rung{
	{"200010", "1024:576", "main", "3.1", 1872, 3},
	{"200030", "640:360", "main", "3.1", 872, 3},
	{"200050", "400:226", "baseline", "3", 272, 1},
}

// plain runs one ffmpeg that makes the same ladder from the plaintext file, into
// plaintext segments on disk.
func plain(ctx context.Context, s settings, name string) (row, error) {
	dir := filepath.Join(s.dir, "plain")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return row{}, err
	}
	graph := "[0:v]fps=25,split=3[in0][in1][in2]"
	var outputs []string
	for i, r := range ladder {
		graph += fmt.Sprintf(";[in%d]scale=%s,setsar=1,format=yuv420p[v%d]", i, r.size, i)
		outputs = append(outputs, "-map", fmt.Sprintf("[v%d]", i), "-map", "0:a",
			"-c:v", "libx264", "-preset", s.preset, "-profile:v", r.profile, "-level:v", r.level, "-refs", fmt.Sprint(r.references),
			"-b:v", fmt.Sprintf("%dk", r.kbps), "-g", "90", "-keyint_min", "90", "-sc_threshold", "0",
			"-c:a", "aac", "-b:a", "128k", "-ar", "44100", "-ac", "2",
			"-f", "hls", "-hls_time", "7.2", "-hls_list_size", "0", filepath.Join(dir, r.preset+".m3u8"))
	}
	args := append([]string{"-v", "error", "-nostdin", "-y", "-i", s.source, "-filter_complex", graph}, outputs...)
	cmd := exec.CommandContext(ctx, "ffmpeg", args...)
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return row{}, fmt.Errorf("%s: %w: %s", name, err, out)
	}
	r := row{name: name, wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.memory = u.Maxrss << 10
	}
	return r, os.RemoveAll(dir)
}
