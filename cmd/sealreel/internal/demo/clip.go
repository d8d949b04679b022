package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// clipSeconds is how long the clip lasts that is dropped.
const clipSeconds = 12

// picture and sound are made up by ffmpeg: slow colours over a zoom into fine
// detail with some grain, and a chord over wind.
const (
	picture = "gradients=s=640x360:r=25:c0=0x0b1d3a:c1=0xe8a15c:c2=0x5b7f95:c3=0x1e2b1f:n=4:speed=0.02[sky];" +
		"mandelbrot=s=640x360:r=25:start_scale=2.2:end_scale=0.05:end_pts=300:maxiter=300[shore];" +
		"[sky][shore]blend=all_mode=overlay,hue=s=0.4,noise=alls=5:allf=t,format=yuv420p"
	sound = "anoisesrc=c=pink:r=48000:a=0.03,lowpass=f=900[wind];" +
		"aevalsrc=0.12*sin(2*PI*220*t)+0.08*sin(2*PI*277.18*t)*(1+sin(PI*t))/2+0.08*sin(2*PI*329.63*t):s=48000[chord];" +
		"[wind][chord]amix=inputs=2"
)

// makeClip writes the clip to a file.
func makeClip(ctx context.Context, ffmpeg, file string) error {
	_, err := program(ctx, ffmpeg, "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound,
		"-t", strconv.Itoa(clipSeconds), "-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-g", "60", "-c:a", "aac", file)
	if err != nil {
		return fmt.Errorf("making a clip: %w", err)
	}
	return nil
}

// program runs a program. What it says on standard error is an error, whatever
// it exits with: at -v error, ffmpeg is silent unless something is wrong.
func program(ctx context.Context, name string, args ...string) (stdout string, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err = cmd.Run()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if text := strings.TrimSpace(complaint.String()); text != "" {
		err = errors.Join(err, errors.New(text))
	}
	return out.String(), err
}

// lookUp finds a program, where its variable says or on the PATH.
func lookUp(getenv func(string) string, variable, name string) (string, error) {
	if path := getenv(variable); path != "" {
		return path, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not on the PATH; install ffmpeg (Debian, Ubuntu: apt-get install ffmpeg; macOS: brew install ffmpeg) or set %s: %w", name, variable, err)
	}
	return path, nil
}
