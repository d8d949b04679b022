// Package soundfile writes files of one sound: WAV, FLAC, Ogg, and MPEG audio of
// layers II and III.
//
// A File is planned from the index of a track, whose samples are then copied one
// after the other, so that memory does not grow with them. What is heard begins
// with the track's time 0 and ends with its last sample, to the sample, wherever
// the container has a way to say it: all but layer II have. The same track gives
// the same bytes.
package soundfile

import (
	"errors"
	"fmt"
	"io"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
)

// vendor is what files say of who made them.
const vendor = "Sealreel"

// File is a file that is planned.
type File struct {
	sequence *part.Sequence
	write    func(w io.Writer, s *part.Samples) error
}

// Album is what a file says of its album, in the form of its container: see
// package cover.
type Album interface {
	Stream(w io.Writer) error
}

// Stream writes the file. Errors are those of w, of open and part.ErrParts;
// after any of them what was written must not be used.
func (f *File) Stream(w io.Writer, open part.Open) (err error) {
	s := f.sequence.Open(open)
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := f.write(w, s); err != nil {
		return err
	}
	return s.End()
}

// Raw is the samples and nothing else: what files of layer II (mp2) are.
func Raw(q *part.Sequence) (*File, error) {
	if err := check(q, "mp2", fragment.MPEGAudio); err != nil {
		return nil, err
	}
	return behind(nil, q), nil
}

// behind is a file of a head and the samples.
func behind(head []byte, q *part.Sequence) *File {
	return &File{q, func(w io.Writer, s *part.Samples) error {
		if _, err := w.Write(head); err != nil {
			return err
		}
		return s.CopyTo(w, q.Bytes)
	}}
}

// check says whether a container has a place for the track.
func check(q *part.Sequence, container string, codings ...fragment.Coding) error {
	if q == nil {
		return fmt.Errorf("%w: there is no sample in any of them", part.ErrParts)
	}
	for _, c := range codings {
		if q.Track.Coding == c {
			return nil
		}
	}
	return fmt.Errorf("%w: a file in the container %s cannot hold %s", part.ErrParts, container, q.Track.Coding)
}
