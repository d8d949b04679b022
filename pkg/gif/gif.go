// Package gif follows an animated GIF while it is copied: how many pictures it
// has, how long they are shown, and that it is whole. It looks at blocks, not at
// pixels; its memory does not grow with the file. Layout: GIF89a.
package gif

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrMalformed is wrapped when what is copied is no whole GIF.
var ErrMalformed = errors.New("malformed GIF")

// Summary is what a GIF says of itself. Delay is the time that all pictures
// together are shown, in hundredths of a second.
type Summary struct {
	Width, Height int
	Frames        int64
	Delay         int64
}

const (
	extension   = 0x21
	picture     = 0x2c
	trailer     = 0x3b
	control     = 0xf9 // the extension that has a picture's delay
	hasColours  = 0x80 // a table of colours follows
	coloursBits = 0x07 // of its size
)

// Copy copies one GIF, up to the end of r, which must be its own. Errors wrap
// ErrMalformed, are io.ErrUnexpectedEOF where it ends early, or are those of r
// and w.
func Copy(w io.Writer, r io.Reader) (Summary, error) {
	s := scan{r: bufio.NewReaderSize(io.TeeReader(r, w), 64<<10)}
	err := s.all()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return s.Summary, err
}

type scan struct {
	Summary
	r *bufio.Reader
}

func (s *scan) all() error {
	var head [13]byte
	if _, err := io.ReadFull(s.r, head[:]); err != nil {
		return err
	}
	if string(head[:6]) != "GIF89a" {
		return fmt.Errorf("%w: it does not begin with GIF89a", ErrMalformed)
	}
	s.Width, s.Height = int(binary.LittleEndian.Uint16(head[6:])), int(binary.LittleEndian.Uint16(head[8:]))
	if err := s.colours(head[10]); err != nil {
		return err
	}
	for {
		kind, err := s.r.ReadByte()
		if err != nil {
			return err
		}
		switch kind {
		case extension:
			err = s.extension()
		case picture:
			err = s.picture()
		case trailer:
			return s.end()
		default:
			err = fmt.Errorf("%w: a block of type %#x", ErrMalformed, kind)
		}
		if err != nil {
			return err
		}
	}
}

// end makes sure that nothing follows.
func (s *scan) end() error {
	switch _, err := s.r.ReadByte(); err {
	case io.EOF:
		return nil
	case nil:
		return fmt.Errorf("%w: more follows its end", ErrMalformed)
	default:
		return err
	}
}

// colours passes over a table of colours where the flags say that there is one.
func (s *scan) colours(flags byte) error {
	if flags&hasColours == 0 {
		return nil
	}
	_, err := s.r.Discard(3 << (flags&coloursBits + 1))
	return err
}

func (s *scan) extension() error {
	label, err := s.r.ReadByte()
	if err != nil {
		return err
	}
	if label == control {
		head, err := s.r.Peek(4)
		if err != nil {
			return err
		}
		s.Delay += int64(binary.LittleEndian.Uint16(head[2:]))
	}
	return s.blocks()
}

func (s *scan) picture() error {
	var head [9]byte
	if _, err := io.ReadFull(s.r, head[:]); err != nil {
		return err
	}
	if err := s.colours(head[8]); err != nil {
		return err
	}
	if _, err := s.r.Discard(1); err != nil { // the size of codes
		return err
	}
	s.Frames++
	return s.blocks()
}

// blocks passes over blocks up to the empty one.
func (s *scan) blocks() error {
	for {
		n, err := s.r.ReadByte()
		if err != nil || n == 0 {
			return err
		}
		if _, err := s.r.Discard(int(n)); err != nil {
			return err
		}
	}
}
