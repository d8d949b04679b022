package ts

import (
	"fmt"
	"slices"

	"sealreel/pkg/fragment"
)

const (
	adtsSize    = 7
	adtsLongest = 1<<13 - 1 // header included
)

// adtsRates are the sampling frequencies by index (ISO/IEC 14496-3, 1.6.3.4).
var adtsRates = []int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// adts is the part of an ADTS header (14496-3, 1.A.2.2) that all frames share.
type adts struct {
	profile, rate, channels byte
}

// newADTS derives it from the track. SBR and PS are not signalled, decoders
// find them, so their headers speak of the AAC-LC beneath.
func newADTS(t *fragment.Track) (adts, error) {
	rate := slices.Index(adtsRates, t.SampleRate)
	channels := t.Channels
	if channels == 8 {
		channels = 7
	}
	if rate < 0 || channels < 1 || channels > 7 {
		return adts{}, fmt.Errorf("%w: ADTS has no code for %d Hz with %d channels", ErrMalformed, t.SampleRate, t.Channels)
	}
	switch t.ObjectType {
	case 2, 5, 29:
		return adts{profile: 1, rate: byte(rate), channels: byte(channels)}, nil
	}
	return adts{}, fmt.Errorf("%w: audio object type %d is not AAC-LC", ErrMalformed, t.ObjectType)
}

// append appends a frame with its header.
func (a adts) append(b, frame []byte) ([]byte, error) {
	n := len(frame) + adtsSize
	if len(frame) == 0 || n > adtsLongest {
		return b, fmt.Errorf("%w: AAC frame of %d bytes", ErrMalformed, len(frame))
	}
	b = append(b, 0xff, 0xf1, // MPEG-4, no CRC
		a.profile<<6|a.rate<<2|a.channels>>2,
		a.channels<<6|byte(n>>11), byte(n>>3), byte(n<<5)|0x1f,
		0xfc) // fullness 0x7ff: variable rate; one frame
	return append(b, frame...), nil
}
