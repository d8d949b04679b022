package webm

import (
	"encoding/binary"
	"math"
)

// id is an EBML element's, marker bits included (RFC 8794, 5).
type id uint32

// Elements of Matroska (RFC 9559) that WebM has.
const (
	ebmlHead        id = 0x1a45dfa3
	ebmlVersion     id = 0x4286
	ebmlReadVersion id = 0x42f7
	ebmlMaxID       id = 0x42f2
	ebmlMaxSize     id = 0x42f3
	docType         id = 0x4282
	docVersion      id = 0x4287
	docReadVersion  id = 0x4285

	segment        id = 0x18538067
	seekHead       id = 0x114d9b74
	seek           id = 0x4dbb
	seekID         id = 0x53ab
	seekPosition   id = 0x53ac
	info           id = 0x1549a966
	timestampScale id = 0x2ad7b1
	duration       id = 0x4489
	muxingApp      id = 0x4d80
	writingApp     id = 0x5741

	tracks            id = 0x1654ae6b
	trackEntry        id = 0xae
	trackNumber       id = 0xd7
	trackUID          id = 0x73c5
	trackType         id = 0x83
	flagLacing        id = 0x9c
	language          id = 0x22b59c
	codecID           id = 0x86
	codecPrivate      id = 0x63a2
	defaultDuration   id = 0x23e383
	video             id = 0xe0
	pixelWidth        id = 0xb0
	pixelHeight       id = 0xba
	displayWidth      id = 0x54b0
	displayHeight     id = 0x54ba
	colour            id = 0x55b0
	matrixCoefficient id = 0x55b1
	colourRange       id = 0x55b9
	transfer          id = 0x55ba
	primaries         id = 0x55bb
	audio             id = 0xe1
	samplingFrequency id = 0xb5
	channels          id = 0x9f

	cues             id = 0x1c53bb6b
	cuePoint         id = 0xbb
	cueTime          id = 0xb3
	cuePositions     id = 0xb7
	cueTrack         id = 0xf7
	cueCluster       id = 0xf1
	cluster          id = 0x1f43b675
	clusterTimestamp id = 0xe7
	simpleBlock      id = 0xa3
)

func appendID(b []byte, i id) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		if i>>shift != 0 {
			b = append(b, byte(i>>shift))
		}
	}
	return b
}

// appendSize writes an element's size in as few bytes as it takes. All bits set
// would say that it is unknown, so that is never written.
func appendSize(b []byte, n uint64) []byte {
	length := sizeLength(n)
	n |= 1 << (7 * length)
	for shift := 8 * (length - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}

// sizeLength is how many bytes appendSize writes.
func sizeLength(n uint64) int {
	length := 1
	for n >= 1<<(7*length)-1 {
		length++
	}
	return length
}

// wideSize writes a size in eight bytes, for one that is not known when its
// length has to be.
func wideSize(b []byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(b, n|1<<56)
}

func element(i id, content ...[]byte) []byte {
	size := 0
	for _, c := range content {
		size += len(c)
	}
	b := appendSize(appendID(nil, i), uint64(size))
	for _, c := range content {
		b = append(b, c...)
	}
	return b
}

// number is an unsigned element in as few bytes as it takes.
func number(i id, n uint64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	skip := 0
	for skip < 7 && b[skip] == 0 {
		skip++
	}
	return element(i, b[skip:])
}

// position is a number in eight bytes.
func position(i id, n uint64) []byte {
	return element(i, binary.BigEndian.AppendUint64(nil, n))
}

func float(i id, f float64) []byte {
	return element(i, binary.BigEndian.AppendUint64(nil, math.Float64bits(f)))
}

func text(i id, s string) []byte { return element(i, []byte(s)) }
