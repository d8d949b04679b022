package flv

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
	var around []byte
	err = l.walk(func(t tag) error {
		size := int64(len(t.start)) + t.Size
		around = append(appendHeader(around[:0], t.kind, size, t.decoded), t.start...)
		if _, err := w.Write(around); err != nil {
			return err
		}
		if err := sources[t.track].CopyTo(w, t.Size); err != nil {
			return err
		}
		around = appendEnd(around[:0], size)
		_, err := w.Write(around)
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range sources {
		if err := s.End(); err != nil {
			return err
		}
	}
	_, err = w.Write(l.trailer())
	return err
}
