package fragment

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/Eyevinn/mp4ff/aac"
	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// Kind says what a track holds.
type Kind uint8

// The kinds of tracks.
const (
	Video Kind = iota + 1 // H.264 in an avc1 sample entry
	Audio                 // AAC in an mp4a sample entry
)

// String is "video" or "audio".
func (k Kind) String() string {
	switch k {
	case Video:
		return "video"
	case Audio:
		return "audio"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Track describes what the samples are. All of it but the timescale comes from
// SampleEntry, so the two are enough to store one (see NewTrack).
type Track struct {
	Kind        Kind
	Timescale   uint32
	Codec       string // as RFC 6381 has it: avc1.64001F, mp4a.40.2
	SampleEntry []byte // the avc1 or mp4a box, header included

	// Of video.
	Width, Height       int      // in pixels
	SARWidth, SARHeight uint32   // shape of a pixel; 1, 1 when the entry says nothing
	SPS, PPS            [][]byte // NAL units without start codes; lengths in samples have 4 bytes

	// Of audio.
	Config     []byte // AudioSpecificConfig, ISO/IEC 14496-3, 1.6.2.1
	ObjectType int    // audio object type; 2 is AAC-LC
	SampleRate int    // in Hz, of the core coder
	Channels   int
}

// NewTrack reads a sample entry, header included, of a track with the
// timescale. It keeps a copy. Errors wrap ErrMalformed.
func NewTrack(timescale uint32, sampleEntry []byte) (*Track, error) {
	if timescale == 0 {
		return nil, fmt.Errorf("%w: timescale 0", ErrMalformed)
	}
	b, rest, err := cut(sampleEntry)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%w: %d bytes behind the sample entry", ErrMalformed, len(rest))
	}
	t := &Track{Timescale: timescale, SampleEntry: slices.Clone(sampleEntry)}
	switch b.name {
	case "avc1":
		err = t.video()
	case "mp4a":
		err = t.audio()
	default:
		err = fmt.Errorf("sample entry %q is neither avc1 nor mp4a", b.name)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return t, nil
}

// Same says whether samples of t and o can follow each other in one track: the
// same codec, parameters, shape and timescale.
func (t *Track) Same(o *Track) bool {
	return t.Kind == o.Kind && t.Timescale == o.Timescale && t.Codec == o.Codec &&
		t.Width == o.Width && t.Height == o.Height &&
		t.SARWidth == o.SARWidth && t.SARHeight == o.SARHeight &&
		slices.EqualFunc(t.SPS, o.SPS, bytes.Equal) && slices.EqualFunc(t.PPS, o.PPS, bytes.Equal) &&
		bytes.Equal(t.Config, o.Config) && t.SampleRate == o.SampleRate && t.Channels == o.Channels
}

func (t *Track) video() error {
	decoded, err := mp4.DecodeBoxSR(0, bits.NewFixedSliceReader(t.SampleEntry))
	if err != nil {
		return err
	}
	entry, ok := decoded.(*mp4.VisualSampleEntryBox)
	if !ok || entry.AvcC == nil {
		return fmt.Errorf("avc1 without avcC")
	}
	c := entry.AvcC
	if len(c.SPSnalus) == 0 || len(c.PPSnalus) == 0 {
		return fmt.Errorf("avcC has %d SPS and %d PPS: both must be in front of the stream", len(c.SPSnalus), len(c.PPSnalus))
	}
	for _, nalu := range slices.Concat(c.SPSnalus, c.PPSnalus) {
		if len(nalu) == 0 {
			return fmt.Errorf("empty parameter set in avcC")
		}
	}
	t.Kind = Video
	t.Codec = fmt.Sprintf("avc1.%02X%02X%02X", c.AVCProfileIndication, c.ProfileCompatibility, c.AVCLevelIndication)
	t.Width, t.Height = int(entry.Width), int(entry.Height)
	t.SPS, t.PPS = c.SPSnalus, c.PPSnalus
	t.SARWidth, t.SARHeight = 1, 1
	if p := entry.Pasp; p != nil && p.HSpacing > 0 && p.VSpacing > 0 {
		t.SARWidth, t.SARHeight = p.HSpacing, p.VSpacing
	}
	return nil
}

func (t *Track) audio() error {
	decoded, err := mp4.DecodeBoxSR(0, bits.NewFixedSliceReader(t.SampleEntry))
	if err != nil {
		return err
	}
	entry, ok := decoded.(*mp4.AudioSampleEntryBox)
	if !ok || entry.Esds == nil || entry.Esds.DecConfigDescriptor == nil || entry.Esds.DecConfigDescriptor.DecSpecificInfo == nil {
		return fmt.Errorf("mp4a without a decoder's configuration")
	}
	t.Config = entry.Esds.DecConfigDescriptor.DecSpecificInfo.DecConfig
	asc, err := aac.DecodeAudioSpecificConfig(bytes.NewReader(t.Config))
	if err != nil {
		return fmt.Errorf("AudioSpecificConfig: %w", err)
	}
	t.Kind = Audio
	t.ObjectType = int(asc.ObjectType)
	t.Codec = fmt.Sprintf("mp4a.40.%d", asc.ObjectType)
	t.SampleRate = asc.SamplingFrequency
	t.Channels = int(asc.ChannelConfiguration)
	if t.Channels == 7 {
		t.Channels = 8
	}
	if t.SampleRate <= 0 || t.Channels < 1 || t.Channels > 8 {
		return fmt.Errorf("AudioSpecificConfig: %d Hz, channel configuration %d", t.SampleRate, asc.ChannelConfiguration)
	}
	return nil
}
