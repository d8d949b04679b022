// Package still looks at pictures that users give: watermarks and album art.
//
// It guarantees that a picture it describes is a JPEG or PNG that can be
// decoded to its last line, of no more pixels than are taken. Its size is read
// before anything is decoded, so that a small file that claims a huge picture
// costs nothing. Memory is that of one decoded picture.
package still

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
)

// The largest picture that is taken, in pixels, and the largest file of one, in
// bytes. Elastic Transcoder's limits of artwork are MaxWidth and MaxHeight; the
// limit of bytes is ours: no picture of that size without padding has more.
const (
	MaxWidth  = 4096
	MaxHeight = 3072
	MaxBytes  = 64 << 20
)

// The formats, as the API names them.
const (
	JPEG = "jpg"
	PNG  = "png"
)

// Errors that callers may look for in what Inspect returns.
var (
	// ErrUnreadable means that the file is no whole JPEG or PNG.
	ErrUnreadable = errors.New("not a JPEG or PNG picture that can be read")
	// ErrTooLarge means that the picture has too many pixels.
	ErrTooLarge = errors.New("the picture is too large")
)

// Info is what a picture is: its format, and its size in pixels.
type Info struct {
	Format string `json:"format"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// Inspect reads a whole picture. The format is found out by the content,
// whatever the file is called. Errors wrap ErrUnreadable, ErrTooLarge, or are
// the reader's own.
func Inspect(r io.ReadSeeker) (Info, error) {
	source := &tracked{r: r}
	head, err := bufio.NewReader(source).Peek(8)
	if err != nil {
		return Info{}, source.explain(err)
	}
	format, config, decode := formatOf(head)
	if config == nil {
		return Info{}, ErrUnreadable
	}
	size, err := fromStart(source, config)
	if err != nil {
		return Info{}, source.explain(err)
	}
	info := Info{Format: format, Width: size.Width, Height: size.Height}
	if !Fits(info.Width, info.Height) {
		return info, fmt.Errorf("%w: %dx%d pixels, at most %dx%d are taken", ErrTooLarge, info.Width, info.Height, MaxWidth, MaxHeight)
	}
	if _, err := fromStart(source, decode); err != nil {
		return info, source.explain(err)
	}
	return info, nil
}

// Fits says whether a picture is no larger than is taken.
func Fits(width, height int) bool { return width <= MaxWidth && height <= MaxHeight }

func formatOf(head []byte) (string, func(io.Reader) (image.Config, error), func(io.Reader) (image.Image, error)) {
	switch {
	case string(head) == "\x89PNG\r\n\x1a\n":
		return PNG, png.DecodeConfig, png.Decode
	case string(head[:3]) == "\xff\xd8\xff":
		return JPEG, jpeg.DecodeConfig, decodeJPEG
	}
	return "", nil, nil
}

func fromStart[T any](r io.ReadSeeker, read func(io.Reader) (T, error)) (T, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		var none T
		return none, err
	}
	return read(bufio.NewReader(r))
}

// tracked remembers what went wrong with the file itself, to tell it from what
// is wrong with the picture.
type tracked struct {
	r      io.ReadSeeker
	failed error
}

func (t *tracked) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if err != nil && err != io.EOF {
		t.failed = err
	}
	return n, err
}

func (t *tracked) Seek(offset int64, whence int) (int64, error) {
	at, err := t.r.Seek(offset, whence)
	if err != nil {
		t.failed = err
	}
	return at, err
}

func (t *tracked) explain(err error) error {
	if t.failed != nil {
		return t.failed
	}
	return fmt.Errorf("%w: %w", ErrUnreadable, err)
}
