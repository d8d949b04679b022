package progressive

import (
	"errors"
	"io"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
)

// Stream writes the file, exactly Size bytes when it returns nil. A part whose
// samples are not as many bytes as its index says is a part.ErrParts; then what
// was written must not be used.
func (l *Layout) Stream(w io.Writer, open part.Open) (err error) {
	if err := l.streamHead(w); err != nil {
		return err
	}
	sources := make([]*part.Samples, len(l.tracks))
	for i, track := range l.tracks {
		sources[i] = track.Open(func(kind fragment.Kind, place int) (io.ReadCloser, error) {
			return open(kind, l.places[i]+place)
		})
	}
	defer func() {
		for _, s := range sources {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, r := range l.runs {
		if err := sources[r.track].CopyTo(w, r.bytes); err != nil {
			return err
		}
	}
	for _, s := range sources {
		if err := s.End(); err != nil {
			return err
		}
	}
	return nil
}

func (l *Layout) streamHead(w io.Writer) error {
	if _, err := w.Write(l.head[:l.split]); err != nil {
		return err
	}
	if l.user != nil {
		if err := l.user.Stream(w); err != nil {
			return err
		}
	}
	_, err := w.Write(l.head[l.split:])
	return err
}
