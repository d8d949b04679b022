package soundfile

import (
	"encoding/binary"
	"fmt"
	"io"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
)

const (
	// decoderDelay is what every decoder of layer III puts before the sound, in
	// samples, beside the encoder's own delay.
	decoderDelay = 528 + 1

	tagBytes  = 4 + 4 + 4 + 4 + contents + 4 + lameBytes
	contents  = 100 // places of a table of contents
	lameBytes = 36
)

// MP3 is frames of layer III behind one that says how many there are and how
// many samples at the beginning and the end are not to be heard: an Info tag with
// LAME's extension, by which players play without a gap.
func MP3(q *part.Sequence) (*File, error) { return AlbumMP3(q, nil) }

// AlbumMP3 has the album's tag in front of all; nil for none.
func AlbumMP3(q *part.Sequence, album Album) (*File, error) {
	if err := check(q, "mp3", fragment.MPEGAudio); err != nil {
		return nil, err
	}
	return &File{q, func(w io.Writer, s *part.Samples) error {
		if album != nil {
			if err := album.Stream(w); err != nil {
				return err
			}
		}
		first := make([]byte, firstSize(q))
		if err := s.Read(first); err != nil {
			return err
		}
		info, err := infoFrame(first, q)
		if err != nil {
			return err
		}
		for _, b := range [][]byte{info, first} {
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
		return s.CopyTo(w, q.Bytes-int64(len(first)))
	}}, nil
}

func firstSize(q *part.Sequence) int64 {
	for s := range q.All() {
		return s.Size
	}
	return 0
}

// infoFrame is silence to a decoder that does not know the tag in it. first is
// the frame that it is like.
func infoFrame(first []byte, q *part.Sequence) ([]byte, error) {
	h, err := parseHeader(first)
	if err != nil {
		return nil, err
	}
	at := headerBytes + h.sideInfo()
	for ; h.rate <= highestRate; h.rate++ { // the first that has room for the tag
		if h.bytes() >= at+tagBytes {
			frame := make([]byte, h.bytes())
			h.put(frame)
			tag(frame[at:], len(frame), h, q)
			binary.BigEndian.PutUint16(frame[at+tagBytes-2:], tagSum(frame[:at+tagBytes-2]))
			return frame, nil
		}
	}
	return nil, fmt.Errorf("%w: no frame of %d Hz has room for an Info tag", part.ErrParts, q.Track.SampleRate)
}

// tag fills in the tag, all but its check sum.
func tag(b []byte, frame int, h header, q *part.Sequence) {
	be := binary.BigEndian
	all := q.Bytes + int64(frame)
	copy(b, "Info")
	b[7] = 15 // it has frames, bytes, contents and quality
	be.PutUint32(b[8:], clamp32(int64(q.Samples)))
	be.PutUint32(b[12:], clamp32(all))
	fillContents(b[16:16+contents], int64(frame), all, q)
	lame := b[16+contents+4:]
	copy(lame, "LAME3.100") // who encoded it, which is why players believe the rest
	lame[9] = 1             // constant bit rate
	lame[20] = byte(min(h.kbps(), 255))
	skip := max(-q.Start-decoderDelay, 0)
	after := max(int64(q.Samples)*int64(h.samples())-skip-q.End, 0)
	put24(lame[21:], int(min(skip, 4095)<<12|min(after, 4095)))
	be.PutUint32(lame[28:], clamp32(all))
}

func clamp32(n int64) uint32 { return uint32(min(n, 1<<32-1)) }

// fillContents says for each hundredth of the time in which of 256 parts of the
// file it begins.
func fillContents(b []byte, frame, all int64, q *part.Sequence) {
	i, offset, lasts := 0, frame, q.End-q.Start
	for s := range q.All() {
		for ; i < len(b) && (s.DTS+s.Duration-q.Start)*contents > lasts*int64(i); i++ {
			b[i] = byte(min(offset*256/all, 255))
		}
		offset += s.Size
	}
}

// tagSum is CRC-16 with the polynomial 0x8005, reflected.
func tagSum(b []byte) uint16 {
	sum := uint16(0)
	for _, v := range b {
		sum ^= uint16(v)
		for range 8 {
			sum = sum>>1 ^ sum&1*0xa001
		}
	}
	return sum
}
