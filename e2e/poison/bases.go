package poison

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// recipe is how ffmpeg makes a file: its output options. A file whose name begins
// with "s." holds sound alone.
type recipe struct{ kind, name, args string }

// base is a file that ffmpeg made.
type base struct {
	kind, name string
	role       Role
	data       []byte
}

// sources are what is filmed: a small picture and a tone, two seconds.
// What they say is for those who ask for it.
var (
	sources = strings.Fields("-f lavfi -i testsrc2=s=64x48:r=25:d=2 -f lavfi -i sine=f=440:r=48000:d=2")
	text    = []byte("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
	bitwise = strings.Fields("-shortest -bitexact -flags +bitexact")
)

const x264 = "-c:v libx264 -preset ultrafast -threads 1 -pix_fmt yuv420p -g 25 "

// recipes make good files.
var recipes = []recipe{
	{"", "a.mp4", x264 + "-c:a aac"},
	{"", "front.mp4", x264 + "-c:a aac -movflags +faststart"},
	{"", "b.mov", x264 + "-bf 2 -c:a pcm_s16le"},
	{"", "frag.mp4", x264 + "-c:a aac -movflags +frag_keyframe+empty_moov+default_base_moof"},
	{"", "a.mkv", x264 + "-c:a aac"},
	{"", "a.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis"},
	{"", "a.ts", x264 + "-c:a aac -f mpegts"},
	{"", "m2.ts", "-c:v mpeg2video -bf 2 -c:a mp2 -f mpegts"},
	{"", "a.flv", x264 + "-c:a aac"},
	{"", "a.avi", "-c:v mpeg4 -c:a mp2"},
	{"", "a.mxf", "-c:v mpeg2video -pix_fmt yuv422p -c:a pcm_s16le"},
	{"", "a.mpg", "-c:v mpeg2video -c:a mp2"},
	{"", "a.wmv", "-c:v msmpeg4 -c:a wmav2"},
	{"", "a.3gp", "-c:v mpeg4 -c:a aac"},
	{"", "a.m2v", "-an -c:v mpeg2video"},
	{"", "a.h264", "-an " + x264},
	{"", "a.hevc", "-an -c:v libx265 -preset ultrafast -x265-params log-level=none"},
	{"", "a.ivf", "-an -c:v libvpx -deadline realtime -cpu-used 8"},
	{"", "a.gif", "-an"},
	{"", "silent.mp4", "-an " + x264},
	{"", "s.m4a", "-vn -c:a aac"},
	{"", "s.wav", "-vn"},
	{"", "s.mp3", "-vn -c:a libmp3lame -b:a 64k"},
	{"", "s.flac", "-vn -c:a flac"},
	{"", "s.ogg", "-vn -c:a libvorbis"},
	{"", "s.opus", "-vn -c:a libopus -b:a 32k"},
	{"", "s.aac", "-vn -c:a aac"},
	{"", "s.ac3", "-vn -c:a ac3"},
	{"", "s.aiff", "-vn"},
	{"", "s.caf", "-vn"},
	{"", "s.au", "-vn"},
}

// film makes files by recipes. What an ffmpeg has no encoder for is left out, but
// for what most of the corpus is made of.
func film(ffmpeg, dir string, recipes []recipe) ([]base, error) {
	subtitles := filepath.Join(dir, "text.srt")
	if err := os.WriteFile(subtitles, text, 0o600); err != nil {
		return nil, err
	}
	var all []base
	for _, r := range recipes {
		file := filepath.Join(dir, r.name)
		args := slices.Concat(sources, strings.Fields(strings.ReplaceAll(r.args, "TEXT", subtitles)), bitwise, []string{file})
		if err := run(ffmpeg, args...); err != nil {
			if strings.Contains(err.Error(), "Unknown encoder") && !strings.Contains(r.args, "libx264") {
				continue
			}
			return nil, err
		}
		b := base{kind: r.kind, name: r.name}
		if strings.HasPrefix(r.name, "s.") {
			b.role = Sound
		}
		var err error
		if b.data, err = os.ReadFile(file); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

func run(ffmpeg string, args ...string) error {
	args = append([]string{"-v", "error", "-nostdin", "-y"}, args...)
	if out, err := exec.Command(ffmpeg, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("poison: ffmpeg %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}
