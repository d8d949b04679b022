// Package fragment reads the fragmented MP4 that ffmpeg streams to us and turns
// it into samples.
//
// A Reader holds one fragment in memory, never more than MaxFragment bytes, and
// reads strictly forward. It reads streams of one track, of any Coding, and
// guarantees, for any input, an error instead of a panic, no allocation that
// the input did not pay for with bytes or that exceeds its limit, and sample
// data that lies inside the fragment's own mdat. Layout: ISO/IEC 14496-12, 8.8.
package fragment

import "errors"

const (
	// MaxFragment is the most sample data that one fragment may hold: a second
	// of 512 Mbit/s, or a ten second GOP of 51 Mbit/s.
	MaxFragment = 64 << 20

	// MaxSamples is the most samples that one fragment may hold: 18 minutes of
	// a static picture at 60 frames a second in one GOP.
	MaxSamples = 1 << 16

	// maxIndex bounds moov and moof, which are read whole. A moof needs at most
	// 16 bytes a sample.
	maxIndex = 16*MaxSamples + 64<<10

	// maxTime bounds decode times, so that no sum of them overflows.
	maxTime = 1 << 60
)

var (
	// ErrMalformed is what every error about the content of a stream wraps.
	ErrMalformed = errors.New("malformed fragmented MP4")

	// ErrTooLarge is wrapped when a fragment exceeds MaxFragment or MaxSamples:
	// ask the encoder for shorter fragments (a smaller GOP).
	ErrTooLarge = errors.New("fragment too large")
)

// Fragment is the samples of one moof, in decode order. Its memory belongs to
// the caller; the Reader does not touch it again.
type Fragment struct {
	Samples []Sample
}

// Sample is one frame. Times are in units of the track's timescale.
//
// They are the container's own: ffmpeg moves the first DTS of a stream to 0, so
// that the first PTS is the delay of B-frames, or 0 with the encoder's delay
// (1024 samples of ffmpeg's AAC) still in front of the sound. Shift brings them
// to where the caller knows that they belong.
type Sample struct {
	DTS      int64
	PTS      int64
	Duration int64
	Key      bool // decoding can start here
	Data     []byte
}

// Shift adds delta to the times of all samples.
func (f *Fragment) Shift(delta int64) {
	for i := range f.Samples {
		f.Samples[i].DTS += delta
		f.Samples[i].PTS += delta
	}
}

// End is the DTS that the next fragment must begin with, 0 without samples.
func (f *Fragment) End() int64 {
	if len(f.Samples) == 0 {
		return 0
	}
	last := f.Samples[len(f.Samples)-1]
	return last.DTS + last.Duration
}
