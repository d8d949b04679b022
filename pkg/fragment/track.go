package fragment

import (
	"bytes"
	"fmt"
	"slices"
)

// Kind says what a track holds.
type Kind uint8

// The kinds of tracks.
const (
	Video Kind = iota + 1
	Audio
	Text
)

// String is "video", "audio" or "text".
func (k Kind) String() string {
	switch k {
	case Video:
		return "video"
	case Audio:
		return "audio"
	case Text:
		return "text"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Coding names the format of a track's samples.
type Coding string

// The codings of tracks that are read.
const (
	H264  Coding = "H.264"  // in avc1: NAL units behind their lengths of 4 bytes
	MPEG2 Coding = "MPEG-2" // video in mp4v: pictures with their start codes and headers
	VP8   Coding = "VP8"    // in vp08
	VP9   Coding = "VP9"    // in vp09: a frame that is shown, with those hidden before it
	JPEG  Coding = "JPEG"   // in mp4v: each sample is a file
	PNG   Coding = "PNG"    // in mp4v: each sample is a file
	AAC   Coding = "AAC"    // in mp4a: raw access units

	// MPEGAudio is layer II or III of MPEG-1 or MPEG-2 in mp4a: frames with their
	// headers, which alone tell the layer.
	MPEGAudio Coding = "MPEG audio"
	Vorbis    Coding = "Vorbis"          // in mp4a: packets
	FLAC      Coding = "FLAC"            // in fLaC: frames
	TimedText Coding = "3GPP timed text" // in tx3g: texts behind their lengths
	PCM       Coding = "PCM"             // in entries of QuickTime: interleaved little-endian samples, of 8 bits unsigned, else signed
)

// Track describes what the samples are. All of it but the timescale comes from
// SampleEntry, so the two are enough to store one (see NewTrack).
type Track struct {
	Kind        Kind
	Coding      Coding
	Timescale   uint32
	Codec       string // as RFC 6381 has it: avc1.64001F, vp09.00.31.08, mp4a.40.2, or else the codec's name
	SampleEntry []byte // the box of NewTrack, header included

	// Config is the codec's configuration: the body of avcC of H.264 and of vpcC
	// of VP8 and VP9, AudioSpecificConfig of AAC (ISO/IEC 14496-3, 1.6.2.1), the
	// headers of Vorbis (see VorbisHeaders), STREAMINFO of FLAC (RFC 9639, 8.2), nil
	// of MPEG-2, MPEG audio and still pictures, whose samples have it in them, and of
	// PCM.
	Config []byte

	// Of video.
	Width, Height       int      // in pixels
	SARWidth, SARHeight uint32   // shape of a pixel; 1, 1 when the entry says nothing
	SPS, PPS            [][]byte // of H.264: NAL units without start codes

	// Of audio.
	ObjectType int // audio object type; 2 is AAC-LC
	SampleRate int // in Hz, of the core coder
	Channels   int // 0 of MPEG audio, whose frames say it
	BitDepth   int // of FLAC and PCM
}

// entries are the readers of sample entries by their names.
var entries = map[string]func(t *Track, body []byte) error{
	"avc1": (*Track).h264,
	"mp4v": (*Track).described,
	"vp08": (*Track).vp8,
	"vp09": (*Track).vp9,
	"mp4a": (*Track).mpeg4,
	"fLaC": (*Track).flac,
	"raw ": (*Track).pcm,
	"sowt": (*Track).pcm,
	"in24": (*Track).pcm,
	"in32": (*Track).pcm,
	"lpcm": (*Track).pcm,
	"tx3g": (*Track).timedText,
}

// NewTrack reads a sample entry, header included, of a track with the
// timescale. It keeps a copy. Errors wrap ErrMalformed.
func NewTrack(timescale uint32, sampleEntry []byte) (*Track, error) {
	if timescale == 0 {
		return nil, fmt.Errorf("%w: timescale 0", ErrMalformed)
	}
	t := &Track{Timescale: timescale, SampleEntry: slices.Clone(sampleEntry)}
	b, rest, err := cut(t.SampleEntry)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%w: %d bytes behind the sample entry", ErrMalformed, len(rest))
	}
	read, known := entries[b.name]
	if !known {
		return nil, fmt.Errorf("%w: sample entry %q is of no codec that is read", ErrMalformed, b.name)
	}
	if err := read(t, b.body); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return t, nil
}

// Same says whether samples of t and o can follow each other in one track: the
// same codec, parameters, shape and timescale.
func (t *Track) Same(o *Track) bool {
	return t.Kind == o.Kind && t.Coding == o.Coding && t.Timescale == o.Timescale && t.Codec == o.Codec &&
		t.Width == o.Width && t.Height == o.Height &&
		t.SARWidth == o.SARWidth && t.SARHeight == o.SARHeight &&
		slices.EqualFunc(t.SPS, o.SPS, bytes.Equal) && slices.EqualFunc(t.PPS, o.PPS, bytes.Equal) &&
		bytes.Equal(t.Config, o.Config) && t.SampleRate == o.SampleRate && t.Channels == o.Channels && t.BitDepth == o.BitDepth
}
