package soundfile

import (
	"fmt"

	"sealreel/pkg/part"
)

const (
	headerBytes = 4
	highestRate = 14 // number of the highest bit rate
)

// header is that of a frame of layer III (ISO/IEC 11172-3, 2.4.1.3, and 13818-3).
type header struct {
	half bool // of the sample rates: MPEG-2
	hz   byte // number of the sample rate
	rate byte // number of the bit rate
	mode byte // of channels
}

// Bit rates of layer III in kbit/s by their number, from 1 on.
var (
	fullRates = []int{32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}
	halfRates = []int{8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}
	hzOfFull  = []int{44100, 48000, 32000}
)

const mono = 3

func parseHeader(frame []byte) (header, error) {
	if len(frame) < headerBytes || frame[0] != 0xff || frame[1]&0xf6 != 0xf2 {
		return header{}, fmt.Errorf("%w: sound that does not begin with a frame of layer III", part.ErrParts)
	}
	h := header{half: frame[1]&0x08 == 0, rate: frame[2] >> 4, hz: frame[2] >> 2 & 3, mode: frame[3] >> 6}
	if h.hz > 2 || h.rate == 0 || h.rate > highestRate {
		return header{}, fmt.Errorf("%w: frame of layer III with the header %x", part.ErrParts, frame[:headerBytes])
	}
	return h, nil
}

// put writes the header of a frame without check sum and padding.
func (h header) put(b []byte) {
	version := byte(0xfb)
	if h.half {
		version = 0xf3
	}
	b[0], b[1], b[2], b[3] = 0xff, version, h.rate<<4|h.hz<<2, h.mode<<6
}

func (h header) sampleRate() int {
	if h.half {
		return hzOfFull[h.hz] / 2
	}
	return hzOfFull[h.hz]
}

func (h header) kbps() int {
	if h.half {
		return halfRates[h.rate-1]
	}
	return fullRates[h.rate-1]
}

// samples of a frame.
func (h header) samples() int {
	if h.half {
		return 576
	}
	return 1152
}

func (h header) bytes() int { return h.samples() / 8 * h.kbps() * 1000 / h.sampleRate() }

// sideInfo is the bytes between the header and where a tag is looked for.
func (h header) sideInfo() int {
	switch {
	case h.half && h.mode == mono:
		return 9
	case h.half || h.mode == mono:
		return 17
	}
	return 32
}
