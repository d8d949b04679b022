// Package cover writes the pictures of albums into files of sound, in the way
// of each container: MP4, MP3 (ID3v2) and FLAC.
//
// What it makes is a Block, whose size is known before a picture is opened, so
// that pictures are copied and never held. The same pictures give the same
// bytes.
package cover

import (
	"errors"
	"fmt"
	"io"

	"sealreel/pkg/still"
)

// Cover is a picture. Size is in bytes, Width and Height are in pixels and
// Format is one of package still.
type Cover struct {
	Format        string
	Width, Height int
	Size          int64
	Open          func() (io.ReadCloser, error)
}

// ErrTooLarge means that a container can't hold a picture of that many bytes.
var ErrTooLarge = errors.New("a picture is too large for the container")

// Block is a stretch of a file: bytes, and pictures between them.
type Block []piece

// piece is bytes, or a picture when it has one.
type piece struct {
	bytes []byte
	cover *Cover
}

// Size is how many bytes Stream writes.
func (b Block) Size() int64 {
	size := int64(0)
	for _, p := range b {
		if size += int64(len(p.bytes)); p.cover != nil {
			size += p.cover.Size
		}
	}
	return size
}

// Stream writes the block. A picture of another size than it says is an error;
// then what was written must not be used.
func (b Block) Stream(w io.Writer) error {
	for _, p := range b {
		if _, err := w.Write(p.bytes); err != nil {
			return err
		}
		if p.cover != nil {
			if err := p.cover.copy(w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Cover) copy(w io.Writer) (err error) {
	r, err := c.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	n, err := io.Copy(w, io.LimitReader(r, c.Size))
	if err != nil {
		return err
	}
	if more, err := io.CopyN(io.Discard, r, 1); n != c.Size || more != 0 || err != io.EOF {
		return fmt.Errorf("a picture has not the %d bytes that it should have (%w)", c.Size, errOr(err, io.ErrUnexpectedEOF))
	}
	return nil
}

func errOr(err, or error) error {
	if err != nil && err != io.EOF {
		return err
	}
	return or
}

// mime is the media type of a format.
func mime(format string) string {
	if format == still.PNG {
		return "image/png"
	}
	return "image/jpeg"
}

// kind is what a picture is to an album, by its place among all (ID3v2, 4.14):
// the first is the front cover, of which some readers take one only.
func kind(place int) byte {
	if place == 0 {
		return 3
	}
	return 0 // other
}
