package soundfile_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io"
	"testing"

	"sealreel/pkg/cover"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/part"
	"sealreel/pkg/soundfile"
	"sealreel/pkg/still"
)

// TestAlbums: others find the pictures, and the sound is as it is without.
func TestAlbums(t *testing.T) {
	t.Parallel()
	var pictures [2][]byte
	var covers []cover.Cover
	for i := range pictures {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 300+i, 200))); err != nil {
			t.Fatal(err)
		}
		pictures[i] = b.Bytes()
		covers = append(covers, cover.Cover{Format: still.PNG, Width: 300 + i, Height: 200, Size: int64(b.Len()),
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(pictures[i])), nil }})
	}
	for _, c := range []struct {
		name, encoder string
		delay         int64
		plain         func(*part.Sequence) (*soundfile.File, error)
		album         func(*part.Sequence, soundfile.Album) (*soundfile.File, error)
		block         func([]cover.Cover) (cover.Block, error)
	}{
		{"flac", "flac", 0, soundfile.FLAC, soundfile.AlbumFLAC, cover.FLAC},
		{"mp3", "libmp3lame", 1105, soundfile.MP3, soundfile.AlbumMP3, cover.ID3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := encode(t, c.encoder, c.delay, noise(44100, "stereo", 100000))
			block, err := c.block(covers)
			if err != nil {
				t.Fatal(err)
			}
			plain := e.file(t, c.plain)
			file := e.file(t, func(q *part.Sequence) (*soundfile.File, error) { return c.album(q, block) })
			if got, want := int64(len(file)), int64(len(plain))+block.Size(); got != want {
				t.Errorf("%d bytes, want %d", got, want)
			}
			sound := func(file []byte) string {
				out, _ := fragmenttest.Run(t, nil, "ffmpeg", "-v", "error", "-i", saved(t, file), "-map", "0:a", "-f", "md5", "-")
				return string(out)
			}
			if sound(file) != sound(plain) {
				t.Error("the sound is another")
			}
			name := saved(t, file)
			for i, want := range pictures {
				got, log := fragmenttest.Run(t, nil, "ffmpeg", "-v", "error", "-i", name, "-map", []string{"0:v:0", "0:v:1"}[i], "-c", "copy", "-frames:v", "1", "-f", "image2pipe", "-")
				if !bytes.Equal(got, want) {
					t.Errorf("picture %d: %d bytes, want %d; %s", i, len(got), len(want), log)
				}
			}
			broken := errors.New("the picture cannot be read")
			covers := []cover.Cover{{Size: 9, Open: func() (io.ReadCloser, error) { return nil, broken }}}
			if block, err = c.block(covers); err != nil {
				t.Fatal(err)
			}
			f, err := c.album(e.sequence, block)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Stream(io.Discard, e.open); !errors.Is(err, broken) {
				t.Errorf("error %v", err)
			}
		})
	}
}
