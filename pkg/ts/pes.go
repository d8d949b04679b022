package ts

// Sizes of PES headers with one and two times.
const (
	ptsHeader    = 14
	ptsDTSHeader = 19
)

// appendPES appends a PES header (13818-1, 2.4.3.6) with times in ticks; length
// is that of the data that follows, or 0 for "until the next begins", which
// video may say.
func appendPES(b []byte, id byte, pts, dts int64, length int) []byte {
	flags, size := byte(0x80), 5
	if pts != dts {
		flags, size = 0xc0, 10
	}
	if length > 0 {
		length += 3 + size
	}
	b = append(b, 0, 0, 1, id, byte(length>>8), byte(length), 0x84, flags, byte(size)) // 0x84: data is aligned
	if pts == dts {
		return appendTime(b, 2, pts)
	}
	return appendTime(appendTime(b, 3, pts), 1, dts)
}

// appendTime writes 33 bits with markers between them.
func appendTime(b []byte, prefix byte, t int64) []byte {
	u := uint64(t) & timeMask
	return append(b,
		prefix<<4|byte(u>>29)&0x0e|1,
		byte(u>>22), byte(u>>14)|1,
		byte(u>>7), byte(u<<1)|1)
}
