package fragment

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/Eyevinn/mp4ff/aac"
)

// Object types in an esds (ISO/IEC 14496-1, table 5, and its registry).
const (
	objectAAC    = 0x40
	objectMPEG2  = 0x69 // sound of MPEG-2: half the sample rates
	objectMPEG1  = 0x6b
	objectVorbis = 0xdd
)

const maxChannels = 8

// mpeg4 reads an mp4a, which holds whatever its esds says.
func (t *Track) mpeg4(body []byte) error {
	d, boxes, err := soundDescription(body)
	if err != nil {
		return err
	}
	esds, err := descend(boxes, "esds")
	if err != nil {
		return err
	}
	object, config, err := decoder(esds)
	if err != nil {
		return err
	}
	t.Kind, t.Config = Audio, config
	switch object {
	case objectAAC:
		return t.aac()
	case objectMPEG1, objectMPEG2:
		t.Coding, t.Codec, t.Config = MPEGAudio, "mp4a.40.34", nil
		if t.SampleRate = d.rate; uint32(d.rate) != t.Timescale {
			return fmt.Errorf("MPEG audio of %d Hz in a timescale of %d", d.rate, t.Timescale)
		}
		return nil
	case objectVorbis:
		return t.vorbis()
	}
	return fmt.Errorf("mp4a of object type %#x, which is not read", object)
}

func (t *Track) aac() error {
	if len(t.Config) == 0 {
		return fmt.Errorf("mp4a without a decoder's configuration")
	}
	asc, err := aac.DecodeAudioSpecificConfig(bytes.NewReader(t.Config))
	if err != nil {
		return fmt.Errorf("AudioSpecificConfig: %w", err)
	}
	t.Coding = AAC
	t.ObjectType = int(asc.ObjectType)
	t.Codec = fmt.Sprintf("mp4a.40.%d", asc.ObjectType)
	t.SampleRate = asc.SamplingFrequency
	t.Channels = int(asc.ChannelConfiguration)
	if t.Channels == 7 {
		t.Channels = 8
	}
	if t.SampleRate <= 0 || t.Channels < 1 || t.Channels > maxChannels {
		return fmt.Errorf("AudioSpecificConfig: %d Hz, channel configuration %d", t.SampleRate, asc.ChannelConfiguration)
	}
	return nil
}

// vorbis reads the first of the headers in the configuration (Vorbis I, 4.2.2).
func (t *Track) vorbis() error {
	headers, err := VorbisHeaders(t.Config)
	if err != nil {
		return err
	}
	id := headers[0]
	if len(id) != 30 || string(id[:7]) != "\x01vorbis" {
		return fmt.Errorf("the first header of Vorbis is of %d bytes and no identification", len(id))
	}
	t.Coding, t.Codec = Vorbis, "vorbis"
	t.Channels, t.SampleRate = int(id[11]), int(binary.LittleEndian.Uint32(id[12:]))
	return t.plausible()
}

// VorbisHeaders are the three headers that a configuration of Vorbis holds: how
// many there are less one, the lengths of all but the last in bytes of up to 255,
// then the headers themselves.
func VorbisHeaders(config []byte) (headers [3][]byte, err error) {
	bad := fmt.Errorf("%w: configuration of Vorbis without its three headers", ErrMalformed)
	if len(config) == 0 || config[0] != 2 {
		return headers, bad
	}
	b := config[1:]
	var lengths [2]int
	for i := range lengths {
		for more := true; more; {
			if len(b) == 0 {
				return headers, bad
			}
			lengths[i] += int(b[0])
			more, b = b[0] == 255, b[1:]
		}
	}
	for i, n := range lengths {
		if n > len(b) {
			return headers, bad
		}
		headers[i], b = b[:n:n], b[n:]
	}
	headers[2] = b
	return headers, nil
}

// streamInfo is the length of FLAC's STREAMINFO (RFC 9639, 8.2).
const streamInfo = 34

// flac reads an fLaC: its dfLa begins with STREAMINFO, which becomes the
// configuration.
func (t *Track) flac(body []byte) error {
	_, boxes, err := soundDescription(body)
	if err != nil {
		return err
	}
	config, err := descend(boxes, "dfLa")
	if err != nil {
		return err
	}
	f := fields{b: config}
	f.full()
	if head := f.u32(); head&0x7fffffff != streamInfo || len(f.b) < streamInfo {
		return fmt.Errorf("dfLa that does not begin with STREAMINFO")
	}
	t.Config = f.b[:streamInfo:streamInfo]
	v := binary.BigEndian.Uint64(t.Config[10:])
	t.Kind, t.Coding, t.Codec = Audio, FLAC, "flac"
	t.SampleRate, t.Channels, t.BitDepth = int(v>>44), int(v>>41&7)+1, int(v>>36&31)+1
	return t.plausible()
}

// plausible checks what other parts count on.
func (t *Track) plausible() error {
	if t.SampleRate <= 0 || uint32(t.SampleRate) != t.Timescale || t.Channels < 1 || t.Channels > maxChannels {
		return fmt.Errorf("%s of %d Hz with %d channels in a timescale of %d", t.Coding, t.SampleRate, t.Channels, t.Timescale)
	}
	return nil
}
