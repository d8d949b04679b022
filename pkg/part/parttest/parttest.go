// Package parttest makes parts of real streams for tests of what joins them. It
// needs the programs ffmpeg and ffprobe.
package parttest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/ivf"
	"sealreel/pkg/part"
)

// Reel is the parts of both tracks with their data.
type Reel struct {
	Video, Audio []*part.Index
	data         map[fragment.Kind][][]byte
}

// Add appends the samples in parts that end behind the given places.
func (r *Reel) Add(t testing.TB, track *fragment.Track, samples []fragment.Sample, at ...int) {
	t.Helper()
	from := 0
	for _, to := range append(at, len(samples)) {
		r.add(t, track, samples[from:to])
		from = to
	}
}

func (r *Reel) add(t testing.TB, track *fragment.Track, samples []fragment.Sample) {
	t.Helper()
	if r.data == nil {
		r.data = map[fragment.Kind][][]byte{}
	}
	w := part.NewIndexWriter(track)
	var data []byte
	for _, s := range samples {
		if err := w.Add(s); err != nil {
			t.Fatal(err)
		}
		data = append(data, s.Data...)
	}
	x, err := part.ParseIndex(w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if track.Kind == fragment.Video {
		r.Video = append(r.Video, x)
	} else {
		r.Audio = append(r.Audio, x)
	}
	r.data[track.Kind] = append(r.data[track.Kind], data)
}

// Open is a part.Open.
func (r *Reel) Open(kind fragment.Kind, place int) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(r.data[kind][place])), nil
}

// Spoil makes a part's data a byte longer or shorter than its index says.
func (r *Reel) Spoil(kind fragment.Kind, place, by int) {
	data := r.data[kind][place]
	if by < 0 {
		r.data[kind][place] = data[:len(data)+by]
		return
	}
	r.data[kind][place] = append(bytes.Clone(data), make([]byte, by)...)
}

// Shift moves times so that the first frame that is decoded is shown at 0.
func Shift(samples []fragment.Sample) []fragment.Sample {
	f := fragment.Fragment{Samples: samples}
	f.Shift(-samples[0].PTS)
	return f.Samples
}

// VP8 encodes a moving test picture as fragmenttest.Picture does, with pixels of
// the shape 4:3.
func VP8(t testing.TB, source string, args ...string) (*fragment.Track, []fragment.Sample) {
	t.Helper()
	all := append([]string{"-v", "error", "-nostdin", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", "-c:v", "libvpx", "-auto-alt-ref", "0", "-cpu-used", "5"}, args...)
	out, _ := fragmenttest.Run(t, nil, "ffmpeg", append(all, "-f", "ivf", "pipe:1")...)
	r := ivf.NewReader(bytes.NewReader(out), ivf.Shape{Width: 4, Height: 3})
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

// Layout is a planned file.
type Layout interface {
	Size() int64
	Stream(w io.Writer, open part.Open) error
}

// File writes the file and returns its name.
func (r *Reel) File(t testing.TB, name string, l Layout) string {
	t.Helper()
	var out bytes.Buffer
	if err := l.Stream(&out, r.Open); err != nil {
		t.Fatal(err)
	}
	if int64(out.Len()) != l.Size() {
		t.Errorf("%d bytes, planned were %d", out.Len(), l.Size())
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Hashes are those of the packets' data of a stream, such as "v:0", with when
// they are to be shown in seconds.
func Hashes(t testing.TB, file, stream string) (times, hashes []string) {
	t.Helper()
	for line := range strings.Lines(Probe(t, file, "-select_streams", stream, "-show_data_hash", "crc32", "-show_entries", "packet=pts_time,data_hash")) {
		at, hash, ok := strings.Cut(strings.TrimRight(line, ",\n"), ",")
		if !ok { // side data, of a transport stream
			continue
		}
		times, hashes = append(times, at), append(hashes, hash)
	}
	return times, hashes
}

// Probe runs ffprobe, which must have nothing to complain about, and returns
// what it shows, as comma-separated values without names.
func Probe(t testing.TB, file string, args ...string) string {
	t.Helper()
	cmd := exec.Command("ffprobe", append(append([]string{"-v", "warning", "-of", "csv=p=0"}, args...), file)...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil || complaints.Len() > 0 {
		t.Errorf("ffprobe %s: %v: %s", filepath.Base(file), err, complaints.String())
	}
	return out.String()
}

// Decode decodes all of a file from a second on, silently, and returns how many
// pictures that were.
func Decode(t testing.TB, file string, from float64) int {
	t.Helper()
	args := []string{"-v", "error", "-nostdin"}
	if from > 0 {
		args = append(args, "-ss", fmt.Sprint(from))
	}
	cmd := exec.Command("ffmpeg", append(args, "-i", file, "-map", "0:v?", "-fps_mode", "passthrough", "-f", "framemd5", "-")...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil || complaints.Len() > 0 {
		t.Errorf("decoding %s: %v: %s", filepath.Base(file), err, complaints.String())
	}
	pictures := 0
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "#") {
			pictures++
		}
	}
	return pictures
}
