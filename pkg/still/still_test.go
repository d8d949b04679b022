package still

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"testing"
	"testing/iotest"
)

func encoded(t testing.TB, format string, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	err := png.Encode(&b, img)
	if format == JPEG {
		b.Reset()
		err = jpeg.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// claims is a PNG of a few bytes that says it has so many pixels.
func claims(width, height uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, width), height)
	b = append(b, 8, 6, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

func TestInspect(t *testing.T) {
	grey, coloured := image.NewGray(image.Rect(0, 0, 31, 17)), image.NewNRGBA(image.Rect(0, 0, 40, 20))
	whole := encoded(t, JPEG, coloured)
	for name, c := range map[string]struct {
		data []byte
		want Info
		err  error
	}{
		"png":              {encoded(t, PNG, coloured), Info{PNG, 40, 20}, nil},
		"grey png":         {encoded(t, PNG, grey), Info{PNG, 31, 17}, nil},
		"palette":          {encoded(t, PNG, image.NewPaletted(image.Rect(0, 0, 9, 5), color.Palette{color.Transparent, color.White})), Info{PNG, 9, 5}, nil},
		"sixteen bits":     {encoded(t, PNG, image.NewNRGBA64(image.Rect(0, 0, 9, 5))), Info{PNG, 9, 5}, nil},
		"jpeg":             {whole, Info{JPEG, 40, 20}, nil},
		"grey jpeg":        {encoded(t, JPEG, grey), Info{JPEG, 31, 17}, nil},
		"as large as can":  {encoded(t, PNG, image.NewGray(image.Rect(0, 0, MaxWidth, MaxHeight))), Info{PNG, MaxWidth, MaxHeight}, nil},
		"a line too high":  {claims(MaxWidth, MaxHeight+1), Info{PNG, MaxWidth, MaxHeight + 1}, ErrTooLarge},
		"a row too wide":   {claims(MaxWidth+1, 1), Info{PNG, MaxWidth + 1, 1}, ErrTooLarge},
		"claims the world": {claims(1<<31-1, 1<<31-1), Info{}, ErrUnreadable},
		"no pixels":        {claims(40, 20), Info{PNG, 40, 20}, ErrUnreadable},
		"cut jpeg":         {whole[:len(whole)-4], Info{JPEG, 40, 20}, ErrUnreadable},
		"empty":            {nil, Info{}, ErrUnreadable},
		"three bytes":      {[]byte("\xff\xd8\xff"), Info{}, ErrUnreadable},
		"gif":              {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), Info{}, ErrUnreadable},
		"text":             {[]byte("no picture at all"), Info{}, ErrUnreadable},
	} {
		got, err := Inspect(bytes.NewReader(c.data))
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v, %v", name, got, err, c.want, c.err)
		}
	}
}

// TestTroubleOfTheFileIsNoTroubleOfThePicture: storage that fails may be asked
// again.
func TestTroubleOfTheFileIsNoTroubleOfThePicture(t *testing.T) {
	data := encoded(t, PNG, image.NewNRGBA(image.Rect(0, 0, 40, 20)))
	broken := errors.New("the line is cut")
	for n := range len(data) {
		r := &breaking{Reader: bytes.NewReader(data[:n]), err: broken}
		if _, err := Inspect(r); !errors.Is(err, broken) || errors.Is(err, ErrUnreadable) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}

type breaking struct {
	*bytes.Reader
	err error
}

func (b *breaking) Read(p []byte) (int, error) {
	return io.MultiReader(b.Reader, iotest.ErrReader(b.err)).Read(p)
}

func FuzzInspect(f *testing.F) {
	f.Add(encoded(f, PNG, image.NewNRGBA(image.Rect(0, 0, 4, 2))))
	f.Add(encoded(f, JPEG, image.NewGray(image.Rect(0, 0, 4, 2))))
	f.Add(claims(1<<20, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := Inspect(bytes.NewReader(data))
		if err == nil && (!Fits(info.Width, info.Height) || info.Width <= 0 || info.Height <= 0) {
			t.Errorf("%+v is taken", info)
		}
		if err != nil && !errors.Is(err, ErrUnreadable) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("error %v", err)
		}
	})
}
