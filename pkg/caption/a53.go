package caption

import (
	"bytes"
	"encoding/binary"
)

// FieldPairs are the byte pairs of line 21's first field that a picture of H.264
// carries, its NAL units behind their lengths of 4 bytes, in the order in which
// Line21 wants them (ATSC A/53, part 4, 6.2.3: cc_data in SEI messages). What is
// cut short or not understood carries none. There are none in most pictures'
// user data, and one or two in that of a captioned film.
func FieldPairs(picture []byte) [][2]byte {
	var pairs [][2]byte
	for len(picture) >= 4 {
		size := int64(binary.BigEndian.Uint32(picture))
		if picture = picture[4:]; size > int64(len(picture)) {
			break
		}
		if size > 0 && picture[0]&0x1f == nalSEI {
			pairs = append(pairs, seiPairs(unescape(picture[1:size]))...)
		}
		picture = picture[size:]
	}
	return pairs
}

// FieldPairsMPEG2 are those of a picture of MPEG-2, which has them in its user
// data (ATSC A/53, part 4, 6.2.2).
func FieldPairsMPEG2(picture []byte) [][2]byte {
	var pairs [][2]byte
	for {
		at := bytes.Index(picture, userDataStart)
		if at < 0 {
			return pairs
		}
		picture = picture[at+len(userDataStart):]
		if data, ok := bytes.CutPrefix(picture, []byte(a53Mark)); ok {
			pairs = append(pairs, dataPairs(data)...)
		}
	}
}

const (
	nalSEI         = 6
	seiRegistered  = 4 // user_data_registered_itu_t_t35
	a53Mark        = "GA94\x03"
	a53Registered  = "\xb5\x00\x31" + a53Mark // the country and the provider: ATSC
	firstFieldType = 0
)

var userDataStart = []byte{0, 0, 1, 0xb2}

// unescape takes out the bytes that keep start codes out of a NAL unit (ITU-T
// H.264, 7.4.1).
func unescape(nal []byte) []byte {
	return bytes.ReplaceAll(nal, []byte{0, 0, 3}, []byte{0, 0})
}

// seiPairs reads the messages of an SEI NAL unit (ITU-T H.264, 7.3.2.3.1).
func seiPairs(b []byte) [][2]byte {
	var pairs [][2]byte
	number := func() (n int, ok bool) {
		for len(b) > 0 {
			v := b[0]
			b, n = b[1:], n+int(v)
			if v != 0xff {
				return n, true
			}
		}
		return 0, false
	}
	for {
		kind, ok := number()
		if !ok {
			return pairs
		}
		size, ok := number()
		if !ok || size > len(b) {
			return pairs
		}
		if data, is := bytes.CutPrefix(b[:size], []byte(a53Registered)); is && kind == seiRegistered {
			pairs = append(pairs, dataPairs(data)...)
		}
		b = b[size:]
	}
}

// dataPairs reads cc_data (CTA-708-E, 4.4).
func dataPairs(b []byte) [][2]byte {
	if len(b) < 2 || b[0]&0x40 == 0 {
		return nil
	}
	count := int(b[0] & 0x1f)
	var pairs [][2]byte
	for b = b[2:]; count > 0 && len(b) >= 3; count, b = count-1, b[3:] {
		if valid, kind := b[0]&4 != 0, b[0]&3; valid && kind == firstFieldType {
			pairs = append(pairs, [2]byte{b[1], b[2]})
		}
	}
	return pairs
}
