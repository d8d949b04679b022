package part

import (
	"fmt"
	"io"

	"sealreel/pkg/fragment"
)

// Open opens the samples of a part, by its place among those of its track that
// Join got. Each part that has samples is opened once, in order, read to its end
// (io.EOF included, where sealed data proves that it is whole) and closed. At
// most one of each track is open.
type Open func(kind fragment.Kind, part int) (io.ReadCloser, error)

// Samples reads the samples of a sequence as the bytes of its parts, one after
// the other. A part whose samples are not as many bytes as its index says is an
// ErrParts; then what was copied must not be used.
type Samples struct {
	sequence *Sequence
	open     Open
	next     int // place of the part that is open
	body     io.ReadCloser
	left     int64 // bytes of it
	buf      []byte
}

// copyBuffer is what Samples holds of the samples, in bytes.
const copyBuffer = 64 << 10

// Open returns the sequence's samples, to be read from the first. End or Close
// ends them.
func (s *Sequence) Open(open Open) *Samples {
	return &Samples{sequence: s, open: open, next: -1, buf: make([]byte, copyBuffer)}
}

// CopyTo copies the next n bytes.
func (s *Samples) CopyTo(w io.Writer, n int64) error {
	for n > 0 {
		for s.left == 0 {
			if err := s.advance(); err != nil {
				return err
			}
		}
		b := s.buf[:min(n, s.left, int64(len(s.buf)))]
		if _, err := io.ReadFull(s.body, b); err != nil {
			return s.explain(err)
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		n -= int64(len(b))
		s.left -= int64(len(b))
	}
	return nil
}

// Read fills b, which belongs to the caller.
func (s *Samples) Read(b []byte) error {
	return s.CopyTo(&filler{b}, int64(len(b)))
}

// filler is a writer into memory.
type filler struct{ b []byte }

func (f *filler) Write(p []byte) (int, error) {
	n := copy(f.b, p)
	f.b = f.b[n:]
	return n, nil
}

// advance ends the part and opens the next that has samples.
func (s *Samples) advance() error {
	if err := s.End(); err != nil {
		return err
	}
	s.next++
	for s.next < len(s.sequence.parts) && s.size() == 0 {
		s.next++
	}
	if s.next >= len(s.sequence.parts) {
		return fmt.Errorf("%w: all %d bytes of %v are copied, and more are asked for", ErrParts, s.sequence.Bytes, s.sequence.Kind)
	}
	body, err := s.open(s.sequence.Kind, s.next)
	if err != nil {
		return fmt.Errorf("open part %d of %v: %w", s.next, s.sequence.Kind, err)
	}
	s.body, s.left = body, s.size()
	return nil
}

func (s *Samples) size() int64 { return s.sequence.parts[s.next].Bytes }

// End reads the end of the open part, which must come now, and closes it. It is
// to be called when everything has been copied.
func (s *Samples) End() error {
	if s.body == nil {
		return nil
	}
	var more [1]byte
	switch n, err := io.ReadFull(s.body, more[:]); {
	case n > 0:
		return fmt.Errorf("%w: part %d of %v is longer than the %d bytes of its index", ErrParts, s.next, s.sequence.Kind, s.size())
	case err != io.EOF:
		return s.explain(err)
	}
	return s.Close()
}

func (s *Samples) explain(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: part %d of %v is shorter than the %d bytes of its index", ErrParts, s.next, s.sequence.Kind, s.size())
	}
	return fmt.Errorf("read part %d of %v: %w", s.next, s.sequence.Kind, err)
}

// Close closes what is open.
func (s *Samples) Close() error {
	if s.body == nil {
		return nil
	}
	err := s.body.Close()
	s.body = nil
	return err
}
