package fragment

import (
	"encoding/binary"
	"fmt"
	"math"
)

// description is the head of a sample entry of sound in any of its versions: 0
// (ISO/IEC 14496-12, 12.2.3), or 1 and 2 of QuickTime.
type description struct {
	channels, bits int
	rate           int // in Hz; 0 where version 0 has no room for it
	format         uint32
}

// Flags of the format in version 2.
const (
	formatFloat     = 1
	formatBigEndian = 2
)

// soundDescription splits a sample entry into its head and the boxes behind it.
func soundDescription(body []byte) (d description, boxes []byte, err error) {
	f := fields{b: body}
	f.take(8) // reserved, and where the data is
	version := binary.BigEndian.Uint16(f.take(2))
	f.take(6) // revision and vendor
	d.channels = int(binary.BigEndian.Uint16(f.take(2)))
	d.bits = int(binary.BigEndian.Uint16(f.take(2)))
	f.take(4) // of compression
	d.rate = int(f.u32() >> 16)
	switch version {
	case 0:
	case 1:
		f.take(16) // sizes of packets, which follow from the rest
	case 2:
		f.take(4)
		rate := math.Float64frombits(f.u64())
		if !(rate >= 1 && rate <= 1<<20) {
			return d, nil, fmt.Errorf("%w: sound of %v Hz", ErrMalformed, rate)
		}
		d.rate, d.channels = int(rate), int(f.u32()&math.MaxUint16)
		f.take(4)
		d.bits, d.format = int(f.u32()&math.MaxUint16), f.u32()
		f.take(8)
	default:
		return d, nil, fmt.Errorf("%w: sample entry of sound in version %d", ErrMalformed, version)
	}
	return d, f.b, f.err("sample entry")
}

// littleEndian refuses samples in the other order of bytes, which is that of
// entries that don't say.
func littleEndian(name string, boxes []byte) error {
	order, err := descend(boxes, "wave", "enda")
	if err == nil && (len(order) != 2 || order[1] != 1) {
		err = fmt.Errorf("%s of big-endian samples, which are not read", name)
	}
	return err
}

// pcm reads an entry of plain samples: "raw " has 8 bits, "sowt" 16, "in24" and
// "in32" what their names say, "lpcm" what is in it.
func (t *Track) pcm(body []byte) error {
	d, boxes, err := soundDescription(body)
	if err != nil {
		return err
	}
	switch name := string(t.SampleEntry[4:8]); name {
	case "in24":
		d.bits, err = 24, littleEndian(name, boxes)
	case "in32":
		d.bits, err = 32, littleEndian(name, boxes)
	case "lpcm":
		if d.format&formatFloat != 0 || d.format&formatBigEndian != 0 && d.bits > 8 {
			err = fmt.Errorf("lpcm of format %#x: only whole little-endian samples are read", d.format)
		}
	}
	if err != nil {
		return err
	}
	t.Kind, t.Coding, t.Codec = Audio, PCM, "pcm"
	t.SampleRate, t.Channels, t.BitDepth = int(t.Timescale), d.channels, d.bits
	if d.bits != 8 && d.bits != 16 && d.bits != 24 && d.bits != 32 {
		return fmt.Errorf("samples of %d bits", d.bits)
	}
	if d.rate != 0 && d.rate != t.SampleRate {
		return fmt.Errorf("samples of %d Hz in a timescale of %d", d.rate, t.Timescale)
	}
	return t.plausible()
}
