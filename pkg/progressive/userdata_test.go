package progressive_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"sealreel/pkg/cover"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/part"
	"sealreel/pkg/progressive"
	"sealreel/pkg/still"
)

// TestUserData puts pictures into the index: others find them, and the sound as
// it was.
func TestUserData(t *testing.T) {
	t.Parallel()
	track, samples := fragmenttest.Samples(t, fragmenttest.Audio(t, "sine=r=48000:d=3"))
	var r reel
	r.split(t, track, samples, 50)
	plain := r.file(t)
	var covers []cover.Cover
	var pictures [][]byte
	for i := range 2 {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 20+i, 10))); err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, b.Bytes())
		covers = append(covers, cover.Cover{Format: still.PNG, Width: 20 + i, Height: 10, Size: int64(b.Len()),
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(pictures[i])), nil }})
	}
	album, err := cover.MP4(covers)
	if err != nil {
		t.Fatal(err)
	}
	file := r.fileWith(t, progressive.Options{UserData: album})
	for i, want := range pictures {
		got, log := fragmenttest.Run(t, nil, "ffmpeg", "-v", "error", "-i", file, "-map", []string{"0:v:0", "0:v:1"}[i], "-c", "copy", "-frames:v", "1", "-f", "image2pipe", "-")
		if !bytes.Equal(got, want) {
			t.Errorf("picture %d: %d bytes, want %d; %s", i, len(got), len(want), log)
		}
	}
	if got, want := packets(t, file, "a:0"), packets(t, plain, "a:0"); !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("%d packets of sound, want %d, or they differ", len(got), len(want))
	}
	hashes := func(file string) string {
		out, _ := fragmenttest.Run(t, nil, "ffmpeg", "-v", "error", "-i", file, "-map", "0:a", "-f", "md5", "-")
		return string(out)
	}
	if hashes(file) != hashes(plain) {
		t.Error("the sound is another")
	}
}

type brokenBox struct{}

var errBroken = errors.New("the picture cannot be read")

func (brokenBox) Size() int64 { return 100 }

func (brokenBox) Stream(w io.Writer) error {
	_, err := io.Copy(w, iotest.ErrReader(errBroken))
	return err
}

func TestUserDataThatCannotBeRead(t *testing.T) {
	track, samples := fragmenttest.Samples(t, fragmenttest.Audio(t, "sine=r=48000:d=1"))
	var r reel
	r.add(t, track, samples)
	l, err := progressive.Plan(nil, []*part.Index{r.audio[0]}, progressive.Options{UserData: brokenBox{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Stream(io.Discard, r.open); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
}
