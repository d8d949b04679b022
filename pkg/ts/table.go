package ts

// table writes a section in a packet of its own.
func (z *packetizer) table(s *stream, section []byte) error {
	b := z.header(s.pid, true, 0x10|s.next)
	s.next = (s.next + 1) & 15
	z.p[b] = 0 // the section begins at once
	b++
	b += copy(z.p[b:], section)
	for ; b < PacketSize; b++ {
		z.p[b] = 0xff
	}
	_, err := z.w.Write(z.p[:])
	return err
}

// section wraps the body of a PAT or PMT (13818-1, 2.4.4): id is the transport
// stream's or the program's, both 1.
func section(tableID byte, body []byte) []byte {
	length := 5 + len(body) + 4
	s := []byte{tableID, 0xb0 | byte(length>>8), byte(length), 0, 1, 0xc1, 0, 0}
	s = append(s, body...)
	crc := checksum(s)
	return append(s, byte(crc>>24), byte(crc>>16), byte(crc>>8), byte(crc))
}

// pat says that program 1 is described on pmtPID.
func pat() []byte {
	return section(0, []byte{0, 1, 0xe0 | pmtPID>>8, pmtPID & 0xff})
}

// pmt lists the streams of program 1, the sound by its type, 0 for none; the clock
// is on the first.
func pmt(video bool, audio byte) []byte {
	clock := videoPID
	if !video {
		clock = audioPID
	}
	body := []byte{0xe0 | byte(clock>>8), byte(clock), 0xf0, 0}
	if video {
		body = append(body, h264Type, 0xe0|videoPID>>8, videoPID&0xff, 0xf0, 0)
	}
	if audio != 0 {
		body = append(body, audio, 0xe0|audioPID>>8, audioPID&0xff, 0xf0, 0)
	}
	return section(2, body)
}

// checksum is CRC-32/MPEG-2 (13818-1, annex A): not reflected, without a final
// complement, which hash/crc32 does not have.
func checksum(b []byte) uint32 {
	crc := ^uint32(0)
	for _, v := range b {
		crc ^= uint32(v) << 24
		for range 8 {
			carry := crc >> 31
			crc = crc<<1 ^ carry*0x04c11db7
		}
	}
	return crc
}
