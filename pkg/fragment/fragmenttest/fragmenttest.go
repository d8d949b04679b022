// Package fragmenttest makes real streams for tests of what reads fragments. It
// needs the programs ffmpeg and ffprobe.
package fragmenttest

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"testing"

	"sealreel/pkg/fragment"
)

// VideoFlags make ffmpeg write one fragment a GOP, as the workers ask it to.
var VideoFlags = []string{"-f", "mp4", "-movflags", "+frag_keyframe+empty_moov+default_base_moof"}

// AudioFlags make ffmpeg write a fragment every half second.
var AudioFlags = []string{"-f", "mp4", "-movflags", "empty_moov+default_base_moof", "-frag_duration", "500000"}

// Run runs a program with the input on its stdin and returns its stdout and
// stderr. The test fails at once when the program does.
func Run(t testing.TB, stdin []byte, name string, args ...string) (stdout []byte, stderr string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var out, log bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, log.String())
	}
	return out.Bytes(), log.String()
}

// Video encodes a moving test picture (a filter such as
// "testsrc2=s=320x180:r=25:d=4") with x264 and the further arguments.
func Video(t testing.TB, source string, args ...string) []byte {
	t.Helper()
	all := append([]string{"-v", "error", "-nostdin", "-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "3"}, args...)
	out, _ := Run(t, nil, "ffmpeg", append(append(all, VideoFlags...), "pipe:1")...)
	return out
}

// Picture encodes as Video does with another of ffmpeg's encoders.
func Picture(t testing.TB, source, encoder string, args ...string) []byte {
	t.Helper()
	all := append([]string{"-v", "error", "-nostdin", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", "-c:v", encoder}, args...)
	out, _ := Run(t, nil, "ffmpeg", append(append(all, VideoFlags...), "pipe:1")...)
	return out
}

// Audio encodes a sound (a filter such as "sine=r=48000:d=4") with AAC and the
// further arguments.
func Audio(t testing.TB, source string, args ...string) []byte {
	t.Helper()
	all := append([]string{"-v", "error", "-nostdin", "-f", "lavfi", "-i", source, "-c:a", "aac"}, args...)
	out, _ := Run(t, nil, "ffmpeg", append(append(all, AudioFlags...), "pipe:1")...)
	return out
}

// Sound encodes a sound with an encoder of ffmpeg, such as libmp3lame, in the
// container that has a place for its codec.
func Sound(t testing.TB, encoder, source string, args ...string) []byte {
	t.Helper()
	all := append([]string{"-v", "error", "-nostdin", "-f", "lavfi", "-i", source, "-c:a", encoder, "-strict", "experimental"}, args...)
	all = append(all, AudioFlags...)
	if strings.HasPrefix(encoder, "pcm_") {
		all = append(all, "-f", "mov")
	}
	out, _ := Run(t, nil, "ffmpeg", append(all, "pipe:1")...)
	return out
}

// Decoded is the sound of a file as interleaved samples of 16 bits.
func Decoded(t testing.TB, file []byte) []byte {
	t.Helper()
	out, _ := Run(t, file, "ffmpeg", "-v", "error", "-i", "pipe:0", "-map", "0:a", "-f", "s16le", "pipe:1")
	return out
}

// Samples reads a whole stream.
func Samples(t testing.TB, stream []byte) (*fragment.Track, []fragment.Sample) {
	t.Helper()
	r := fragment.NewReader(bytes.NewReader(stream))
	track, err := r.Track()
	if err != nil {
		t.Fatal(err)
	}
	var samples []fragment.Sample
	for {
		f, err := r.Next()
		if err == io.EOF {
			return track, samples
		}
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, f.Samples...)
	}
}
