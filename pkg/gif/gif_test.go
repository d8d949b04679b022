package gif_test

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"testing"
	"testing/iotest"

	"sealreel/pkg/gif"
)

// animated makes a GIF of 23 frames at 10 frames a second.
func animated(t testing.TB, args ...string) []byte {
	t.Helper()
	all := append([]string{"-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=48x32:r=10:d=2.3"}, args...)
	out, err := exec.Command("ffmpeg", append(all, "-f", "gif", "pipe:1")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCopyTellsWhatPasses(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"one palette":      nil,
		"a palette each":   {"-filter_complex", "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"},
		"nothing repeated": {"-loop", "-1"},
	} {
		file := animated(t, args...)
		for _, r := range []io.Reader{bytes.NewReader(file), iotest.OneByteReader(bytes.NewReader(file)), iotest.DataErrReader(bytes.NewReader(file))} {
			var out bytes.Buffer
			s, err := gif.Copy(&out, r)
			if err != nil || !bytes.Equal(out.Bytes(), file) {
				t.Fatalf("%s: %v; %d of %d bytes", name, err, out.Len(), len(file))
			}
			if want := (gif.Summary{Width: 48, Height: 32, Frames: 23, Delay: 230}); s != want {
				t.Errorf("%s: %+v, want %+v", name, s, want)
			}
		}
	}
}

func TestEveryCutIsSeen(t *testing.T) {
	t.Parallel()
	file := animated(t)
	for n := range len(file) {
		if _, err := gif.Copy(io.Discard, bytes.NewReader(file[:n])); err != io.ErrUnexpectedEOF {
			t.Fatalf("cut at %d of %d: %v", n, len(file), err)
		}
	}
	if _, err := gif.Copy(io.Discard, bytes.NewReader(append(file, 0))); !errors.Is(err, gif.ErrMalformed) {
		t.Errorf("something behind its end: %v", err)
	}
	broken := errors.New("broken")
	if _, err := gif.Copy(io.Discard, io.MultiReader(bytes.NewReader(file[:500]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("the source's error: %v", err)
	}
}

func FuzzCopy(f *testing.F) {
	f.Add(animated(f))
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, file []byte) {
		var out bytes.Buffer
		s, err := gif.Copy(&out, bytes.NewReader(file))
		if err == nil && !bytes.Equal(out.Bytes(), file) {
			t.Fatal("it was not copied")
		}
		if s.Frames > int64(len(file)) {
			t.Fatalf("%d pictures in %d bytes", s.Frames, len(file))
		}
	})
}
