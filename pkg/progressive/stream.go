package progressive

import (
	"errors"
	"fmt"
	"io"

	"sealreel/pkg/fragment"
)

// Open opens the samples of a part, by its place among those of its track that
// Plan got. Each part is opened once, in order, read to its end (io.EOF
// included, where sealed data proves that it is whole) and closed. At most one
// of each track is open.
type Open func(kind fragment.Kind, part int) (io.ReadCloser, error)

// Stream writes the file, exactly Size bytes when it returns nil. A part whose
// samples are not as many bytes as its index says is an ErrParts; then what was
// written must not be used.
func (l *Layout) Stream(w io.Writer, open Open) (err error) {
	if _, err := w.Write(l.head); err != nil {
		return err
	}
	sources := make([]source, len(l.tracks))
	defer func() {
		for i := range sources {
			err = errors.Join(err, sources[i].close())
		}
	}()
	buf := make([]byte, 64<<10)
	for i := range l.tracks {
		sources[i] = source{track: l.tracks[i], open: open, next: -1}
	}
	for _, r := range l.runs {
		if err := sources[r.track].copy(w, r.bytes, buf); err != nil {
			return err
		}
	}
	for i := range sources {
		if err := sources[i].end(); err != nil {
			return err
		}
	}
	return nil
}

// source is a track's parts one after the other.
type source struct {
	track track
	open  Open
	next  int // place of the part that is open
	body  io.ReadCloser
	left  int64 // bytes of it
}

// copy copies the next n bytes.
func (s *source) copy(w io.Writer, n int64, buf []byte) error {
	for n > 0 {
		for s.left == 0 {
			if err := s.advance(); err != nil {
				return err
			}
		}
		b := buf[:min(n, s.left, int64(len(buf)))]
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

// advance ends the part and opens the next that has samples.
func (s *source) advance() error {
	if err := s.end(); err != nil {
		return err
	}
	s.next++
	for s.next < len(s.track.parts) && s.track.parts[s.next] == 0 {
		s.next++
	}
	if s.next >= len(s.track.parts) {
		return fmt.Errorf("%w: %v has fewer bytes than its chunks", ErrParts, s.track.kind) // Plan made both of the same sums
	}
	body, err := s.open(s.track.kind, s.next)
	if err != nil {
		return fmt.Errorf("open part %d of %v: %w", s.next, s.track.kind, err)
	}
	s.body, s.left = body, s.track.parts[s.next]
	return nil
}

// end reads the end of the open part, which must come now.
func (s *source) end() error {
	if s.body == nil {
		return nil
	}
	var more [1]byte
	switch n, err := io.ReadFull(s.body, more[:]); {
	case n > 0:
		return fmt.Errorf("%w: part %d of %v is longer than the %d bytes of its index", ErrParts, s.next, s.track.kind, s.track.parts[s.next])
	case err != io.EOF:
		return s.explain(err)
	}
	return s.close()
}

func (s *source) explain(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: part %d of %v is shorter than the %d bytes of its index", ErrParts, s.next, s.track.kind, s.track.parts[s.next])
	}
	return fmt.Errorf("read part %d of %v: %w", s.next, s.track.kind, err)
}

func (s *source) close() error {
	if s.body == nil {
		return nil
	}
	err := s.body.Close()
	s.body = nil
	return err
}
