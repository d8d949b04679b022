package probe

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sealreel/pkg/loopback"
)

// program finds ffmpeg or ffprobe, without which there is nothing to test.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// makeClip runs ffmpeg with args (words separated by spaces) and returns the
// path of the file that it wrote.
func makeClip(t testing.TB, name, args string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	words := slices.Concat([]string{"-v", "error", "-y"}, strings.Fields(args), []string{path})
	if out, err := exec.Command(program(t, "ffmpeg"), words...).CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v: %s", name, err, out)
	}
	return path
}

// probeBytes probes data over a loopback server, as the product does.
func probeBytes(t testing.TB, p Prober, data []byte) (*Report, error) {
	t.Helper()
	s, err := loopback.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if p.Path == "" {
		p.Path = program(t, "ffprobe")
	}
	r, err := Probe(s.Context(), p, s.Serve("input", loopback.Input{ReaderAt: bytes.NewReader(data), Size: int64(len(data))}))
	return r, s.Finish(err)
}

func mustProbe(t testing.TB, path string) *Report {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := probeBytes(t, Prober{}, data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// decodedTimes decodes a stream and returns when its frames are shown.
func decodedTimes(t testing.TB, path string, stream int) []int64 {
	t.Helper()
	out, err := exec.Command(program(t, "ffprobe"), "-v", "quiet", "-select_streams", strconv.Itoa(stream),
		"-show_entries", "frame=best_effort_timestamp", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var times []int64
	for _, line := range strings.Fields(string(out)) {
		n, err := strconv.ParseInt(strings.Trim(line, ","), 10, 64)
		if err != nil {
			n = noTime // the decoder does not know it either
		}
		times = append(times, n)
	}
	return times
}

const (
	picture = "-f lavfi -i testsrc2=s=96x64:r=25:d=4 "
	sound   = "-f lavfi -i sine=r=48000:d=4 "
	both    = picture + sound
	x264    = "-c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac "
)
