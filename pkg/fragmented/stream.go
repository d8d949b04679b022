package fragmented

import (
	"errors"
	"io"
	"iter"

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
	samples := make([]func() (part.Sample, bool), len(l.tracks))
	for i, t := range l.tracks {
		sources[i] = t.Open(open)
		var stop func()
		samples[i], stop = iter.Pull(t.All())
		defer stop()
	}
	defer func() {
		for _, s := range sources {
			err = errors.Join(err, s.Close())
		}
	}()
	for i, p := range l.pieces {
		if _, err := w.Write(l.fragmentHead(i+1, p, samples[p.track])); err != nil {
			return err
		}
		if err := sources[p.track].CopyTo(w, p.bytes); err != nil {
			return err
		}
	}
	for _, s := range sources {
		if err := s.End(); err != nil {
			return err
		}
	}
	_, err = w.Write(l.tail)
	return err
}
