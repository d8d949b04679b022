package still

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"io"
)

// maxScans is how many times a JPEG may go over its picture. Encoders take a dozen
// or so; each costs the time of the whole picture and may take 30 bytes of the
// file, so that one within MaxBytes could be decoded for hours.
const maxScans = 500

var errScans = errors.New("the JPEG goes over its picture more often than is taken")

func decodeJPEG(r io.Reader) (image.Image, error) { return jpeg.Decode(&scanCounter{r: r}) }

// scanCounter fails when more scans begin than are taken. It counts the marker
// wherever it is, which is in no pixels and hardly ever in metadata.
type scanCounter struct {
	r      io.Reader
	scans  int
	halved bool // what was read ended with the marker's first half
}

func (s *scanCounter) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if n > 0 {
		if s.halved && p[0] == 0xda {
			s.scans++
		}
		s.scans += bytes.Count(p[:n], []byte{0xff, 0xda})
		s.halved = p[n-1] == 0xff
	}
	if s.scans > maxScans {
		return 0, errScans
	}
	return n, err
}
