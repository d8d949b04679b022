package soundfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
)

// Types of FLAC's metadata blocks (RFC 9639, 8.1); the last has another bit set.
const (
	blockStreamInfo = 0
	blockSeekTable  = 3
	blockComment    = 4
	blockIsLast     = 0x80
)

// seekSeconds is how far apart the points of a seek table are.
const seekSeconds = 10

// FLAC is frames behind their metadata. The MD5 of the sound stays 0, "not
// known": only the encoder's input has it.
func FLAC(q *part.Sequence) (*File, error) { return AlbumFLAC(q, nil) }

// AlbumFLAC has the album's blocks among the metadata; nil for none.
func AlbumFLAC(q *part.Sequence, album Album) (*File, error) {
	if err := check(q, "flac", fragment.FLAC); err != nil {
		return nil, err
	}
	info, err := streamInfo(q)
	if err != nil {
		return nil, err
	}
	head := append([]byte("fLaC"), block(blockStreamInfo, info)...)
	head = append(head, block(blockSeekTable, seekTable(q))...)
	last := block(blockComment|blockIsLast, comment())
	if album == nil {
		return behind(append(head, last...), q), nil
	}
	sound := behind(last, q)
	return &File{q, func(w io.Writer, s *part.Samples) error {
		if _, err := w.Write(head); err != nil {
			return err
		}
		if err := album.Stream(w); err != nil {
			return err
		}
		return sound.write(w, s)
	}}, nil
}

// block is a metadata block. None of ours is near the 16 MiB that it may have.
func block(kind byte, body []byte) []byte {
	n := len(body)
	return append([]byte{kind, byte(n >> 16), byte(n >> 8), byte(n)}, body...)
}

// streamInfo is the encoder's, which it wrote before its first frame, with what
// is known after the last: the sizes of frames and the number of samples.
func streamInfo(q *part.Sequence) ([]byte, error) {
	const most24, most36 = 1<<24 - 1, 1<<36 - 1
	least, greatest := int64(most24), int64(0)
	for s := range q.All() {
		least, greatest = min(least, s.Size), max(greatest, s.Size)
	}
	if greatest > most24 {
		return nil, fmt.Errorf("%w: a frame of FLAC of %d bytes", part.ErrParts, greatest)
	}
	b := bytes.Clone(q.Track.Config)
	put24(b[4:], int(least))
	put24(b[7:], int(greatest))
	total := q.End - q.Start
	if total > most36 {
		total = 0 // not known
	}
	v := binary.BigEndian.Uint64(b[10:])
	binary.BigEndian.PutUint64(b[10:], v&^most36|uint64(total))
	return b, nil
}

func put24(b []byte, v int) { b[0], b[1], b[2] = byte(v>>16), byte(v>>8), byte(v) }

// seekTable has a point every few seconds (RFC 9639, 8.5).
func seekTable(q *part.Sequence) []byte {
	var table []byte
	step, next, offset := int64(q.Track.SampleRate)*seekSeconds, int64(0), int64(0)
	for s := range q.All() {
		if at := s.DTS - q.Start; at >= next {
			table = binary.BigEndian.AppendUint64(table, uint64(at))
			table = binary.BigEndian.AppendUint64(table, uint64(offset))
			table = binary.BigEndian.AppendUint16(table, uint16(s.Duration))
			next = at/step*step + step
		}
		offset += s.Size
	}
	return table
}

// comment is the body of a Vorbis comment without any but the vendor's name.
func comment() []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(vendor)))
	return binary.LittleEndian.AppendUint32(append(b, vendor...), 0)
}
