package webm

import (
	"errors"
	"io"

	"sealreel/pkg/part"
)

// Stream writes the file, exactly Size bytes when it returns nil. A part whose
// samples are not as many bytes as its index says is a part.ErrParts; then what
// was written must not be used.
func (l *Layout) Stream(w io.Writer, open part.Open) (err error) {
	if _, err := w.Write(l.head); err != nil {
		return err
	}
	sources := make([]*part.Samples, len(l.tracks))
	for i, t := range l.tracks {
		sources[i] = t.Open(open)
	}
	defer func() {
		for _, s := range sources {
			err = errors.Join(err, s.Close())
		}
	}()
	next := 0
	err = l.walk(func(b placed) error {
		if b.begins {
			c := l.clusters[next]
			next++
			if _, err := w.Write(append(clusterHead(c), number(clusterTimestamp, uint64(c.time))...)); err != nil {
				return err
			}
		}
		if _, err := w.Write(b.header); err != nil {
			return err
		}
		return sources[b.track].CopyTo(w, b.Size)
	})
	if err != nil {
		return err
	}
	for _, s := range sources {
		if err := s.End(); err != nil {
			return err
		}
	}
	return nil
}
