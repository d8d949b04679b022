package ivf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os/exec"
	"testing"
	"testing/iotest"

	"sealreel/pkg/fragment"
	"sealreel/pkg/ivf"
)

// stream encodes 40 frames with a keyframe every 15.
func stream(t testing.TB, args ...string) []byte {
	t.Helper()
	all := append([]string{"-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=30000/1001", "-frames:v", "40", "-c:v", "libvpx", "-cpu-used", "5", "-g", "15", "-b:v", "200k"}, args...)
	out, err := exec.Command("ffmpeg", append(all, "-f", "ivf", "pipe:1")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(r *ivf.Reader) ([]fragment.Sample, error) {
	var all []fragment.Sample
	for {
		f, err := r.Next()
		if err != nil {
			return all, err
		}
		all = append(all, f.Samples...)
	}
}

func TestFramesAndTheirPlaces(t *testing.T) {
	t.Parallel()
	file := stream(t, "-profile:v", "2", "-force_key_frames", "expr:not(mod(n,15))")
	for _, body := range []io.Reader{bytes.NewReader(file), iotest.OneByteReader(bytes.NewReader(file))} {
		r := ivf.NewReader(body, ivf.Shape{Width: 16, Height: 15})
		track, err := r.Track()
		if err != nil {
			t.Fatal(err)
		}
		if track.Coding != fragment.VP8 || track.Timescale != 30000 || track.Width != 96 || track.Height != 64 || track.Codec != "vp08.02.10.08" ||
			track.SARWidth != 16 || track.SARHeight != 15 {
			t.Errorf("%+v", track)
		}
		samples, err := read(r)
		if err != io.EOF || !r.Complete() || len(samples) != 40 {
			t.Fatalf("%d frames, %v", len(samples), err)
		}
		at := 32
		for i, s := range samples {
			want := file[at+12:][:binary.LittleEndian.Uint32(file[at:])]
			if s.PTS != int64(i)*1001 || s.DTS != s.PTS || s.Duration != 1001 || s.Key != (i%15 == 0) || !bytes.Equal(s.Data, want) {
				t.Errorf("frame %d: PTS %d, DTS %d, for %d, key %v", i, s.PTS, s.DTS, s.Duration, s.Key)
			}
			at += 12 + len(want)
		}
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("the next error is another: %v", err)
		}
	}
}

// A coarse clock is made finer, as that of the other codecs' streams is.
func TestTimescaleIsFineEnough(t *testing.T) {
	t.Parallel()
	file := stream(t, "-r", "10")
	track, err := ivf.NewReader(bytes.NewReader(file), ivf.Shape{}).Track()
	if err != nil || track.Timescale != 1000 || track.SARWidth != 1 || track.SARHeight != 1 {
		t.Errorf("%+v, %v", track, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	file := stream(t)
	put := func(at int, b ...byte) []byte {
		changed := bytes.Clone(file)
		copy(changed[at:], b)
		return changed
	}
	second := 32 + 12 + int(binary.LittleEndian.Uint32(file[32:]))
	for name, body := range map[string][]byte{
		"no IVF":                      put(0, 'X'),
		"VP9":                         put(8, []byte("VP90")...),
		"no clock":                    put(16, 0, 0, 0, 0),
		"a clock without ticks":       put(20, 0, 0, 0, 0),
		"a tick of years":             put(16, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff),
		"another size":                put(12, 95),
		"a frame of gigabytes":        put(32, 0, 0, 0, 0x80),
		"a far time":                  put(36, 0, 0, 0, 0, 0, 0, 0, 0x80),
		"no keyframe first":           put(44, file[44]|1),
		"no start code":               put(47, 0),
		"a hidden frame":              put(second+12, file[second+12]&^0x10),
		"a frame without its own tag": append(put(second, 2, 0, 0, 0)[:second+12], 0x11, 0),
	} {
		if _, err := read(ivf.NewReader(bytes.NewReader(body), ivf.Shape{})); !errors.Is(err, ivf.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryCutIsSeenButBetweenFrames(t *testing.T) {
	t.Parallel()
	file := stream(t)[:4000]
	ends := map[int]bool{}
	for at := 32; at < len(file); {
		at += 12 + int(binary.LittleEndian.Uint32(file[at:]))
		ends[at] = true
	}
	for n := range len(file) {
		want := io.ErrUnexpectedEOF
		if ends[n] {
			want = io.EOF
		}
		if _, err := read(ivf.NewReader(bytes.NewReader(file[:n]), ivf.Shape{})); err != want {
			t.Fatalf("cut at %d: %v, want %v", n, err, want)
		}
	}
	broken := errors.New("broken")
	if _, err := read(ivf.NewReader(io.MultiReader(bytes.NewReader(file[:900]), iotest.ErrReader(broken)), ivf.Shape{})); !errors.Is(err, broken) {
		t.Errorf("the source's error: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	file := stream(f)
	f.Add(file)
	f.Add(file[:40])
	f.Fuzz(func(t *testing.T, body []byte) {
		r := ivf.NewReader(bytes.NewReader(body), ivf.Shape{})
		total := 0
		for {
			fr, err := r.Next()
			if err != nil {
				if err != io.EOF && err != io.ErrUnexpectedEOF && !errors.Is(err, ivf.ErrMalformed) {
					t.Fatalf("unclassified error: %v", err)
				}
				return
			}
			s := fr.Samples[0]
			total += len(s.Data)
			if total > len(body) || s.PTS < 0 || s.Duration <= 0 {
				t.Fatalf("%d bytes of %d; %+v", total, len(body), s)
			}
		}
	})
}
