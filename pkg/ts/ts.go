// Package ts writes HLS media segments: MPEG-2 transport streams (ISO/IEC
// 13818-1) of H.264 and AAC or MP3, each complete in itself (RFC 8216, 3.2).
//
// Every segment begins with PAT and PMT, has them again in front of each
// keyframe, and has the parameter sets in front of each keyframe. Continuity
// counters of sound and picture begin at 0 and end at 15, so that segments made
// apart by different workers join without a jump: players flush their decoder
// at a jump, which is heard. The same input gives the same bytes.
package ts

import (
	"errors"
	"math/bits"
)

const (
	// PacketSize is the size of every packet.
	PacketSize = 188

	// Start is what presentation time 0 is written as, in ticks of 90 kHz. It
	// leaves room for the DTS of frames that are decoded before time 0, for the
	// encoder's delay in front of the sound, and for the clock that runs ahead.
	Start = 10 * Clock

	// Clock is the ticks a second of all times of this package.
	Clock = 90000

	// lead is by how much the program clock is ahead of the DTS: what a decoder
	// may buffer.
	lead = Clock * 7 / 10

	// clockEvery is the least distance of two program clock references that
	// come with frames; clockAtMost the greatest of any two (13818-1, 2.7.2).
	clockEvery  = Clock * 4 / 100
	clockAtMost = Clock / 10

	timeMask = 1<<33 - 1 // times wrap at 33 bits
)

// Packet identifiers and stream types of our only program.
const (
	patPID   = 0x0000
	pmtPID   = 0x1000
	videoPID = 0x0100
	audioPID = 0x0101

	h264Type  = 0x1b
	adtsType  = 0x0f
	mpeg1Type = 0x03 // sound of MPEG-1
	mpeg2Type = 0x04 // sound of MPEG-2, at half the rates

	videoStream = 0xe0
	audioStream = 0xc0
)

// ErrMalformed is wrapped for a sample or a track that cannot be written.
var ErrMalformed = errors.New("cannot write transport stream")

// Ticks converts t units of a timescale to ticks of 90 kHz, to the nearest,
// halves upwards. The timescale must not be 0, and the result must fit.
func Ticks(t int64, timescale uint32) int64 {
	negative := t < 0
	u := uint64(t)
	if negative {
		u = -u
	}
	hi, lo := bits.Mul64(u, Clock)
	half := uint64(timescale) / 2
	if negative {
		half = (uint64(timescale) - 1) / 2
	}
	lo, carry := bits.Add64(lo, half, 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(timescale))
	if negative {
		return -int64(q)
	}
	return int64(q)
}
