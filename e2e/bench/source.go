package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// makeSource writes the file that is transcoded: natural clips one after the
// other until it is long enough, else a moving fractal.
func makeSource(ctx context.Context, media, file, size string, seconds int) (kind string, err error) {
	clip := filepath.Join(media, "bigbuckbunny.mp4")
	args := []string{"-f", "lavfi", "-i", "mandelbrot=s=1280x720:r=25:end_scale=0.001", "-f", "lavfi", "-i", "anoisesrc=r=48000:a=0.1"}
	kind = "a fractal"
	if _, err := os.Stat(clip); err == nil {
		args = []string{"-stream_loop", "-1", "-i", clip}
		kind = "natural pictures"
	}
	args = append(args, "-t", strconv.Itoa(seconds), "-vf", "scale="+size+",fps=25", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-g", "125", "-c:a", "aac", "-ac", "2", "-b:a", "192k", file)
	out, err := exec.CommandContext(ctx, "ffmpeg", append([]string{"-v", "error", "-nostdin", "-y"}, args...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("making the source: %w: %s", err, out)
	}
	return kind, nil
}
