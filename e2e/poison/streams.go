package poison

import (
	"bytes"
	"fmt"
	"slices"
)

const packetSize = 188 // of a transport stream

// transport are transport streams that were cut, joined and set wrong.
func (c *corpus) transport() {
	good := c.of("a.ts").data
	other := c.of("m2.ts").data
	packets := len(good) / packetSize
	every := func(n int, change func(packet []byte)) []byte {
		data := slices.Clone(good)
		for i := 0; i < packets; i += n {
			change(data[i*packetSize : (i+1)*packetSize])
		}
		return data
	}
	r := chance("transport")
	garbage := make([]byte, 1000)
	for i := range garbage {
		garbage[i] = byte(r.Uint32())
	}
	half := packets / 2 * packetSize
	null := slices.Concat([]byte{0x47, 0x1f, 0xff, 0x10}, slices.Repeat([]byte{0xff}, 184))
	for name, data := range map[string][]byte{
		"garbage between": slices.Concat(good[:half], garbage, good[half:]), "garbage first": slices.Concat(garbage, good), "garbage last": slices.Concat(good, garbage),
		"no sync": every(7, func(p []byte) { p[0] = 0 }), "lost": every(5, func(p []byte) { p[1], p[2] = 0x1f, 0xff }), "errors": every(3, func(p []byte) { p[1] |= 0x80 }),
		"scrambled": every(2, func(p []byte) { p[3] |= 0xc0 }), "counters": every(1, func(p []byte) { p[3] |= 15 }), "nulls": bytes.Repeat(null, 2000),
		"no tables": every(1, func(p []byte) {
			if p[1]&0x1f == 0 && p[2] == 0 || p[1]&0x1f == 0x10 && p[2] == 0 {
				p[1], p[2] = 0x1f, 0xff
			}
		}),
		"two of them": slices.Concat(good, other), "itself again": slices.Concat(good, good), "two mixed": mixed(good, other), "blu-ray": spaced(good, 4, 0), "with fec": spaced(good, 0, 16),
		"adaptation": every(4, func(p []byte) { p[3] |= 0x20; p[4] = 255 }), "sizes change": slices.Concat(good[:half], spaced(good[half:], 4, 0)),
	} {
		c.add("transport streams that were damaged", fileName(name, "ts"), Picture, data)
	}
	for n, count := range []int{50, 253} { // each PMT has one section of 1 KiB at most
		c.add("too many tracks", fmt.Sprintf("streams-%d.ts", n), Picture, slices.Concat(tables(count), good))
	}
	c.add("no frames", "tables.ts", Picture, bytes.Repeat(good[:2*packetSize], 500))
}

func fileName(title, extension string) string {
	return string(bytes.ReplaceAll([]byte(title), []byte(" "), []byte("-"))) + "." + extension
}

// mixed takes packets of two streams in turn.
func mixed(a, b []byte) (all []byte) {
	for i := 0; i+packetSize <= min(len(a), len(b)); i += packetSize {
		all = append(all, a[i:i+packetSize]...)
		all = append(all, b[i:i+packetSize]...)
	}
	return all
}

// spaced puts bytes before and after each packet.
func spaced(data []byte, before, after int) (all []byte) {
	for p := range slices.Chunk(data, packetSize) {
		all = slices.Concat(all, make([]byte, before), p, make([]byte, after))
	}
	return all
}

// tables are a PAT and a PMT of so many streams.
func tables(streams int) []byte {
	section := func(pid int, body []byte) []byte {
		length := len(body) + 4
		body = slices.Concat([]byte{body[0], 0xb0 | byte((length-3)>>8), byte(length - 3)}, body[3:])
		body = append(body, be32(mpegCRC(body))...)
		var all []byte
		for i := 0; len(body) > 0; i++ {
			head := []byte{0x47, byte(pid >> 8), byte(pid), 0x10 | byte(i&15)}
			if i == 0 {
				head[1] |= 0x40
				head = append(head, 0)
			}
			n := min(len(body), packetSize-len(head))
			p := slices.Concat(head, body[:n])
			all, body = append(all, slices.Concat(p, slices.Repeat([]byte{0xff}, packetSize-len(p)))...), body[n:]
		}
		return all
	}
	pmt := []byte{2, 0, 0, 0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, 0}
	for i := range min(streams, 200) {
		pid := 0x200 + i
		pmt = append(pmt, 0x1b, 0xe0|byte(pid>>8), byte(pid), 0xf0, 0)
	}
	return slices.Concat(section(0, []byte{0, 0, 0, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0}), section(0x1000, pmt))
}

// mpegCRC is the CRC-32 of MPEG-2's sections.
func mpegCRC(data []byte) uint32 {
	crc := ^uint32(0)
	for _, b := range data {
		crc ^= uint32(b) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
