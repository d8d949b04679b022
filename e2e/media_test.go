package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// clip makes a media file with ffmpeg.
func clip(t *testing.T, name string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	ffmpeg(t, append(append([]string{"-y"}, args...), file)...)
	return file
}

// ffmpeg runs ffmpeg and returns what it prints.
func ffmpeg(t *testing.T, args ...string) string {
	t.Helper()
	return program(t, "ffmpeg", append([]string{"-v", "error", "-nostdin"}, args...)...)
}

func ffprobe(t *testing.T, args ...string) string {
	t.Helper()
	return program(t, "ffprobe", append([]string{"-v", "error"}, args...)...)
}

func program(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	if stderr.Len() > 0 && !strings.Contains(strings.Join(args, " "), "psnr") {
		t.Logf("%s: %s", name, stderr.String())
	}
	return string(out)
}

// save writes decrypted media to a file that ffmpeg can read.
func save(t *testing.T, name string, parts ...[]byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, bytes.Join(parts, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// frame is one decoded frame: when it is shown, in units of the stream's time
// base, and the hash of its picture.
type frame struct{ pts, hash string }

// frames decodes the first video stream of a file.
func frames(t *testing.T, file string, filters ...string) []frame {
	t.Helper()
	args := []string{"-i", file, "-map", "0:v:0", "-fps_mode", "passthrough"}
	if len(filters) > 0 {
		args = append(args, "-vf", strings.Join(filters, ","))
	}
	var all []frame
	for line := range strings.Lines(ffmpeg(t, append(args, "-f", "framemd5", "-")...)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), " ", ""), ",")
		all = append(all, frame{pts: fields[2], hash: fields[5]})
	}
	return all
}

// samples decodes the sound of a file to 16-bit stereo.
func samples(t *testing.T, file string, more ...string) []byte {
	t.Helper()
	args := append(append([]string{"-i", file}, more...), "-map", "0:a:0", "-f", "s16le", "-")
	return []byte(ffmpeg(t, args...))
}
