package soundfile

import (
	"encoding/binary"
	"io"
	"slices"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
)

const (
	// pageBytes is how much is gathered before a page ends; a packet is not cut
	// for it.
	pageBytes = 8 << 10
	// pageSegments is the most pieces of packets that a page may have.
	pageSegments = 255
	// segmentBytes is the size of a piece that is not its packet's last.
	segmentBytes = 255
)

// Flags of a page (RFC 3533, 6).
const (
	pageContinues = 1 // its first piece is not its packet's first
	pageFirst     = 2
	pageLast      = 4
)

// serial numbers the only stream of a file.
const serial = 1

// Ogg is Vorbis or FLAC in pages, each with the number of samples up to its end.
func Ogg(q *part.Sequence) (*File, error) {
	if err := check(q, "ogg", fragment.Vorbis, fragment.FLAC); err != nil {
		return nil, err
	}
	headers, err := oggHeaders(q)
	if err != nil {
		return nil, err
	}
	return &File{q, func(w io.Writer, s *part.Samples) error {
		p := &pager{w: w, flags: pageFirst}
		for i, h := range headers {
			if err := p.packet(int64(len(h)), func(b []byte) error { h = h[copy(b, h):]; return nil }, 0); err != nil {
				return err
			}
			if i == 0 || i == len(headers)-1 { // the first header and the sound begin pages
				if err := p.flush(); err != nil {
					return err
				}
			}
		}
		return p.sound(q, s)
	}}, nil
}

// oggHeaders are the packets before the sound: those of Vorbis, or of FLAC as
// RFC 9639, 10.1, has them.
func oggHeaders(q *part.Sequence) ([][]byte, error) {
	if q.Track.Coding == fragment.Vorbis {
		headers, err := fragment.VorbisHeaders(q.Track.Config)
		return headers[:], err
	}
	info, err := streamInfo(q)
	if err != nil {
		return nil, err
	}
	first := append([]byte("\x7fFLAC\x01\x00\x00\x01fLaC"), block(blockStreamInfo, info)...) // one header follows
	return [][]byte{first, block(blockComment|blockIsLast, comment())}, nil
}

// pager cuts packets into pages.
type pager struct {
	w        io.Writer
	flags    byte
	number   uint32
	segments []byte
	data     []byte
	heard    int64 // up to the end of the last packet that ends in the page; see flush
	ends     bool  // a packet ends in the page
}

// sound writes the packets of a track. A page ends after a second, too, so that
// players find their place, and in front of the last packet: by what is heard up
// to there, decoders know how much of the last to drop.
func (p *pager) sound(q *part.Sequence, s *part.Samples) error {
	left, began := q.Samples, q.Start
	for sample := range q.All() {
		end := sample.PTS + sample.Duration
		if err := p.packet(sample.Size, s.Read, max(end, 0)); err != nil {
			return err
		}
		if left--; left == 0 {
			p.flags |= pageLast
		}
		if left <= 1 || len(p.data) >= pageBytes || end-began >= int64(q.Track.SampleRate) {
			if err := p.flush(); err != nil {
				return err
			}
			began = end
		}
	}
	return nil
}

// packet adds one of so many bytes, which fill reads. heard is how many samples
// are heard once it is decoded.
func (p *pager) packet(size int64, fill func([]byte) error, heard int64) error {
	for begun := false; ; begun = true {
		if len(p.segments) == pageSegments {
			if err := p.flush(); err != nil {
				return err
			}
			if begun {
				p.flags |= pageContinues
			}
		}
		room := int64(pageSegments-len(p.segments)) * segmentBytes
		n := min(size, room)
		at := len(p.data)
		p.data = slices.Grow(p.data, int(n))[:at+int(n)]
		if err := fill(p.data[at:]); err != nil {
			return err
		}
		for range n / segmentBytes {
			p.segments = append(p.segments, segmentBytes)
		}
		if size -= n; n < room { // a piece shorter than the longest ends the packet
			p.segments = append(p.segments, byte(n%segmentBytes))
			p.heard, p.ends = heard, true
			return nil
		}
	}
}

// flush writes the page. One in which no packet ends says so in place of what is
// heard.
func (p *pager) flush() error {
	heard := int64(-1)
	if p.ends {
		heard = p.heard
	}
	le := binary.LittleEndian
	head := append([]byte("OggS\x00"), p.flags)
	head = le.AppendUint64(head, uint64(heard))
	head = le.AppendUint32(head, serial)
	head = le.AppendUint32(head, p.number)
	sum := len(head)
	head = le.AppendUint32(head, 0)
	head = append(append(head, byte(len(p.segments))), p.segments...)
	le.PutUint32(head[sum:], pageSum(pageSum(0, head), p.data))
	p.number++
	p.flags, p.ends, p.segments = 0, false, p.segments[:0]
	data := p.data
	p.data = p.data[:0]
	if _, err := p.w.Write(head); err != nil {
		return err
	}
	_, err := p.w.Write(data)
	return err
}

// pageSum continues the check sum of a page: a CRC of 32 bits that hash/crc32
// does not have, since it is not reflected.
func pageSum(sum uint32, b []byte) uint32 {
	for _, v := range b {
		sum = sum<<8 ^ sumTable[byte(sum>>24)^v]
	}
	return sum
}

var sumTable = func() (table [256]uint32) {
	for i := range table {
		sum := uint32(i) << 24
		for range 8 {
			sum = sum<<1 ^ sum>>31*0x04c11db7
		}
		table[i] = sum
	}
	return table
}()
