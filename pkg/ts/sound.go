package ts

import (
	"fmt"

	"sealreel/pkg/fragment"
)

// soundFormat is how the frames of a codec lie in a transport stream.
type soundFormat struct {
	kind    byte  // of the stream, for the PMT
	samples int64 // of a frame
	header  int   // bytes in front of each frame that append writes
	append  func(b, frame []byte) ([]byte, error)
}

// lowestMPEG1 is the lowest sample rate of MPEG-1, in Hz.
const lowestMPEG1 = 32000

func formatOf(t *fragment.Track) (soundFormat, error) {
	switch t.Coding {
	case fragment.AAC:
		a, err := newADTS(t)
		return soundFormat{kind: adtsType, samples: 1024, header: adtsSize, append: a.append}, err
	case fragment.MPEGAudio:
		if t.SampleRate < lowestMPEG1 {
			return soundFormat{kind: mpeg2Type, samples: 576, append: appendMP3}, nil
		}
		return soundFormat{kind: mpeg1Type, samples: 1152, append: appendMP3}, nil
	}
	return soundFormat{}, fmt.Errorf("%w: no segment can hold %s", ErrMalformed, t.Coding)
}

// mp3Longest is more than any frame of layer III has (320 kbit/s at 32 kHz).
const mp3Longest = 1441

// appendMP3 appends a frame of layer III, which has its header.
func appendMP3(b, frame []byte) ([]byte, error) {
	if len(frame) < 4 || len(frame) > mp3Longest || frame[0] != 0xff || frame[1]&0xe6 != 0xe2 {
		return b, fmt.Errorf("%w: %d bytes that are no frame of layer III", ErrMalformed, len(frame))
	}
	return append(b, frame...), nil
}
