package mxf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/iotest"

	"sealreel/pkg/mxf"
)

// files are the same material as ffmpeg writes it to a pipe, where it can't go
// back, and to a file, where it can.
func files(t testing.TB) (piped, complete []byte) {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) []byte {
		out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-nostdin"}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	material, file := filepath.Join(dir, "material.mov"), filepath.Join(dir, "complete.mxf")
	run("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=4", "-f", "lavfi", "-i", "sine=r=48000:d=4", "-c:v", "mpeg2video", "-bf", "2",
		"-flags", "+cgop", "-sc_threshold", "1000000000", "-mpv_flags", "+strict_gop", "-g", "12", "-c:a", "pcm_s16le", material)
	how := []string{"-i", material, "-c", "copy", "-fflags", "+bitexact", "-f", "mxf"}
	piped = run(append(how, "pipe:1")...)
	run(append(how, file)...)
	complete, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return piped, complete
}

var facts = mxf.Facts{Frames: 100, LongestGOP: 12, Between: 2}

// TestHeadIsThatOfAMuxerThatCanGoBack: what differs is only that the partitions
// don't know where the footer is, and so are not closed.
func TestHeadIsThatOfAMuxerThatCanGoBack(t *testing.T) {
	t.Parallel()
	piped, complete := files(t)
	open := bytes.Clone(complete)
	open[14] = 3
	clear(open[17+3+24 : 17+3+32])
	body := bytes.LastIndex(open, []byte{6, 0x0e, 0x2b, 0x34, 2, 5, 1, 1, 0x0d, 1, 2, 1, 1, 3})
	clear(open[body+20+24 : body+20+32])
	for name, wrap := range map[string]func(io.Reader) io.Reader{"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader} {
		var out bytes.Buffer
		w := mxf.NewWriter(&out, facts)
		if _, err := io.Copy(struct{ io.Writer }{w}, wrap(bytes.NewReader(piped))); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := w.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, b := range out.Bytes() {
			if b != open[i] {
				t.Fatalf("%s: byte %d is %#x, want %#x", name, i, b, open[i])
			}
		}
		if out.Len() != len(open) {
			t.Errorf("%s: %d bytes of %d", name, out.Len(), len(open))
		}
	}
}

func TestWhatHasNoHead(t *testing.T) {
	t.Parallel()
	piped, _ := files(t)
	put := func(at int, b ...byte) []byte {
		changed := bytes.Clone(piped)
		copy(changed[at:], b)
		return changed
	}
	for name, file := range map[string][]byte{
		"text":                      bytes.Repeat([]byte("this is not MXF. "), 10),
		"a length of no bytes":      put(16, 0x80),
		"a length of nine bytes":    put(16, 0x89),
		"a pack of gigabytes":       put(16, 0x84, 0x7f),
		"a short pack":              put(16, 10),
		"metadata of gigabytes":     put(20+32, 0, 0, 0, 1),
		"metadata that ends in one": put(20+32, 0, 0, 0, 0, 0, 0, 7, 0),
	} {
		w := mxf.NewWriter(io.Discard, facts)
		if _, err := w.Write(file); !errors.Is(err, mxf.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := mxf.NewWriter(io.Discard, facts)
	if _, err := w.Write(piped[:2000]); err != nil {
		t.Error(err)
	}
	if err := w.Close(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that ends in its head: %v", err)
	}
	broken := errors.New("broken")
	if _, err := mxf.NewWriter(failing{broken}, facts).Write(piped); !errors.Is(err, broken) {
		t.Errorf("the other writer's error: %v", err)
	}
	endless := append(binary.BigEndian.AppendUint64(nil, 0), make([]byte, 100)...)
	if _, err := mxf.NewWriter(io.Discard, facts).Write(endless); !errors.Is(err, mxf.ErrMalformed) {
		t.Errorf("zeros: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func FuzzWriter(f *testing.F) {
	piped, complete := files(f)
	f.Add(piped[:8000])
	f.Add(complete[:8000])
	f.Fuzz(func(t *testing.T, file []byte) {
		var out bytes.Buffer
		w := mxf.NewWriter(&out, facts)
		if _, err := w.Write(file); err != nil {
			if !errors.Is(err, mxf.ErrMalformed) {
				t.Fatalf("unclassified error: %v", err)
			}
			return
		}
		if w.Close() == nil && out.Len() != len(file) {
			t.Fatalf("%d bytes of %d", out.Len(), len(file))
		}
	})
}
