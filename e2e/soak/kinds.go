package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"

	"sealreel/pkg/job"
)

// media are the files that are dropped: small ones, and one that is none.
type media struct{ short, long, sound, broken []byte }

func makeMedia(ctx context.Context, dir string) (media, error) {
	picture := func(seconds int) []string {
		return []string{"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=64x48:r=25:d=%d", seconds), "-f", "lavfi", "-i", fmt.Sprintf("sine=f=440:r=48000:d=%d", seconds),
			"-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "-shortest"}
	}
	var m media
	for _, f := range []struct {
		into *[]byte
		name string
		args []string
	}{
		{&m.short, "short.mp4", picture(2)}, {&m.long, "long.mkv", picture(9)},
		{&m.sound, "sound.m4a", []string{"-f", "lavfi", "-i", "sine=f=440:r=48000:d=6", "-c:a", "aac"}},
	} {
		file := filepath.Join(dir, f.name)
		if out, err := exec.CommandContext(ctx, "ffmpeg", append(append([]string{"-v", "error", "-nostdin", "-y"}, f.args...), file)...).CombinedOutput(); err != nil {
			return m, fmt.Errorf("making %s: %w: %s", f.name, err, out)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return m, err
		}
		*f.into = b
	}
	m.broken = bytes.Repeat([]byte("no media at all "), 1000)
	return m, nil
}

const preset = "1351620000001-"

// noMedia stands for the code of an input that is none: where it was decrypted
// nobody may learn whether the key or the file was wrong.
const noMedia = "no media"

// wanted is the outcome that a choice must come to.
func (c choice) wanted() string {
	switch {
	case c.want == "":
		return job.Complete
	case c.want == noMedia && c.in == job.ModeSSEC:
		return fmt.Sprintf("%s %d", job.Error, job.CodeBadInput)
	case c.want == noMedia:
		return fmt.Sprintf("%s %d", job.Error, job.CodeDecryptInput)
	}
	return job.Error + " " + c.want
}

// kind is a kind of job: what is dropped and what must become of it.
type kind struct {
	name    string
	share   int // of a hundred jobs
	file    func(m media) []byte
	outputs func(mode string) []job.Output
	want    string // the code of an Error, "" for Complete
}

func output(key, id, segment, mode string) job.Output {
	o := job.Output{Key: key, PresetID: preset + id, SegmentDuration: segment}
	if mode != job.ModeS3 {
		o.Encryption = &job.Encryption{Mode: mode}
	}
	return o
}

func outputs(all ...func(mode string) job.Output) func(mode string) []job.Output {
	return func(mode string) []job.Output {
		var made []job.Output
		for _, one := range all {
			made = append(made, one(mode))
		}
		return made
	}
}

func hls(mode string) job.Output  { return output("hls", "200050", "4", mode) }
func mp4(mode string) job.Output  { return output("web.mp4", "000040", "", mode) }
func m4a(mode string) job.Output  { return output("sound.m4a", "100120", "", mode) }
func none(mode string) job.Output { return output("web.mp4", "999999", "", mode) }

var kinds = []kind{
	{"HLS of two seconds", 25, func(m media) []byte { return m.short }, outputs(hls), ""},
	{"MP4 of two seconds", 25, func(m media) []byte { return m.short }, outputs(mp4), ""},
	{"HLS of three chunks", 10, func(m media) []byte { return m.long }, outputs(hls), ""},
	{"MP4 and HLS of three chunks", 10, func(m media) []byte { return m.long }, outputs(mp4, hls), ""},
	{"sound", 10, func(m media) []byte { return m.sound }, outputs(m4a), ""},
	{"no media", 10, func(m media) []byte { return m.broken }, outputs(mp4), noMedia},
	{"a preset that is none", 10, func(m media) []byte { return m.short }, outputs(none), fmt.Sprint(int(job.CodeValidation))},
}

var (
	inModes  = []string{job.ModeSSEC, job.ModeGCM, job.ModeCTR, job.ModeCBC}
	outModes = []string{job.ModeSSEC, job.ModeGCM, job.ModeCTR, job.ModeCBC, job.ModeS3KMS, job.ModeS3}
)

// choice is one job that is dropped.
type choice struct {
	kind
	in, out   string // modes
	fileFirst bool
}

func choose(r *rand.Rand) choice {
	c := choice{in: inModes[r.IntN(len(inModes))], out: outModes[r.IntN(len(outModes))], fileFirst: r.IntN(2) == 0}
	n := r.IntN(100)
	for _, c.kind = range kinds {
		if n -= c.share; n < 0 {
			break
		}
	}
	return c
}
