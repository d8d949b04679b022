package ts

import (
	"bufio"
	"io"
)

// stream is one PID with its continuity counter.
type stream struct {
	pid  uint16
	next byte // counter of the next packet with payload
}

// short is how many packets are missing to a whole round of the counter.
func (s *stream) short() int { return int(-s.next & 15) }

// packetizer cuts PES packets and tables into packets. Errors stick to the
// bufio.Writer and come out at flush.
type packetizer struct {
	w *bufio.Writer
	p [PacketSize]byte
}

func newPacketizer(w io.Writer) *packetizer {
	return &packetizer{w: bufio.NewWriterSize(w, 128*PacketSize)}
}

// field is what the adaptation field of a packet says.
type field struct {
	randomAccess bool
	clock        int64 // program clock reference in ticks, -1 for none
}

// room is what the field leaves of a packet.
func (f field) room() int {
	switch {
	case f.clock >= 0:
		return PacketSize - 4 - 8
	case f.randomAccess:
		return PacketSize - 4 - 2
	}
	return PacketSize - 4
}

// none is the field of most packets.
var none = field{clock: -1}

// pes writes a PES packet over at least so many packets, of which the first
// have the fields. header is the size of the PES header, which is never cut.
func (z *packetizer) pes(s *stream, data []byte, header, packets int, fields ...field) error {
	for i := 0; len(data) > 0; i++ {
		least := 1
		if i == 0 {
			least = header
		}
		f := none
		if i < len(fields) {
			f = fields[i]
		}
		// Leave a byte for each packet that must follow.
		following := max(packets-1-i, 0)
		n := max(least, min(f.room(), len(data)-following))
		if err := z.packet(s, i == 0, f, data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// packetsFor is how many packets the bytes fill.
func packetsFor(size int, fields ...field) int {
	n := 0
	for ; size > 0; n++ {
		f := none
		if n < len(fields) {
			f = fields[n]
		}
		size -= f.room()
	}
	return n
}

// packet writes one packet with payload; what is free goes to stuffing.
func (z *packetizer) packet(s *stream, start bool, f field, payload []byte) error {
	b := z.header(s.pid, start, 0x10|s.next)
	s.next = (s.next + 1) & 15
	if room := PacketSize - 4 - len(payload); room > 0 {
		z.p[3] |= 0x20
		b = z.adaptation(b, f, room)
	}
	copy(z.p[b:], payload)
	_, err := z.w.Write(z.p[:])
	return err
}

// clockOnly writes a packet without payload, which does not count.
func (z *packetizer) clockOnly(s *stream, clock int64) error {
	b := z.header(s.pid, false, 0x20|(s.next-1)&15)
	z.adaptation(b, field{clock: clock}, PacketSize-4)
	_, err := z.w.Write(z.p[:])
	return err
}

func (z *packetizer) header(pid uint16, start bool, control byte) int {
	z.p[0] = 0x47
	z.p[1] = byte(pid >> 8)
	if start {
		z.p[1] |= 0x40
	}
	z.p[2] = byte(pid)
	z.p[3] = control
	return 4
}

// adaptation writes a field of exactly room bytes, its length byte included.
func (z *packetizer) adaptation(b int, f field, room int) int {
	end := b + room
	z.p[b] = byte(room - 1)
	b++
	if b == end {
		return b
	}
	flags := b
	z.p[flags] = 0
	b++
	if f.randomAccess {
		z.p[flags] |= 0x40
	}
	if f.clock >= 0 {
		z.p[flags] |= 0x10
		base := uint64(f.clock) & timeMask
		z.p[b], z.p[b+1], z.p[b+2], z.p[b+3] = byte(base>>25), byte(base>>17), byte(base>>9), byte(base>>1)
		z.p[b+4], z.p[b+5] = byte(base<<7)|0x7e, 0 // the extension, in 27 MHz, is 0
		b += 6
	}
	for ; b < end; b++ {
		z.p[b] = 0xff
	}
	return b
}
