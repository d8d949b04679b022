package plan

import (
	"slices"

	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// Sound is one encoding of a programme's sound, shared by the outputs that name
// it. BitRate is in bits a second, 0 of the codecs without loss, which alone have
// a BitDepth in bits a sample.
type Sound struct {
	Programme  int    `json:"programme,omitempty"`
	Codec      string `json:"codec"` // as presets name it
	BitRate    int    `json:"bitRate"`
	SampleRate int    `json:"sampleRate"`
	Channels   int    `json:"channels"`
	BitDepth   int    `json:"bitDepth,omitempty"`
}

// The codecs of sounds, as presets name them.
const (
	AAC    = "AAC"
	MP3    = "mp3"
	MP2    = "mp2"
	Vorbis = "vorbis"
	FLAC   = "flac"
	PCM    = "pcm"
)

// Lossless says whether what is decoded is what was encoded.
func (s Sound) Lossless() bool { return s.Codec == FLAC || s.Codec == PCM }

// Frame is how many samples a frame has, or where their number is not constant
// a grid that suits as well.
func (s Sound) Frame() int64 {
	switch s.Codec {
	case MP3:
		if s.SampleRate < lowestMPEG1 {
			return 576
		}
		return 1152
	case MP2:
		return 1152
	}
	return 1024
}

// sound finds or adds an encoding.
func (d *draft) sound(s Sound) int {
	if i := slices.Index(d.Sounds, s); i >= 0 {
		return i
	}
	d.Sounds = append(d.Sounds, s)
	return len(d.Sounds) - 1
}

// planSound plans an output without a picture, on a grid of frames of sound.
func (d *draft) planSound(programme int, w Wish, segment rational.Rational, o *Output) {
	s := d.Sounds[o.Sound]
	rate := rational.New(int64(s.SampleRate), s.Frame())
	if segment.Sign() > 0 {
		o.divide(w, max(1, segment.Mul(rate).Floor(1)))
	}
	o.Group = d.join(programme, false, rate, need{unit: max(o.SegmentFrames, o.FragmentFrames, 1)}, len(d.Outputs))
}

// maxChannels is how many channels are passed through (API: AudioParameters).
const maxChannels = 8

// soundOf derives an encoding from a preset: what it leaves to the source, and
// bit rates that the codec does not have, become the nearest that it has.
func soundOf(a *preset.Audio, src *SourceSound) Sound {
	s := Sound{Codec: a.Codec, SampleRate: a.Hz(), Channels: a.ChannelCount()}
	if s.SampleRate == 0 {
		s.SampleRate = nearestRate(s.Codec, src.SampleRate)
	}
	if s.Channels == 0 {
		s.Channels = min(max(src.Channels, 1), maxChannels)
	}
	if s.Codec == MP3 || s.Codec == MP2 {
		s.Channels = min(s.Channels, 2)
	}
	if s.Lossless() {
		s.BitDepth = a.Bits()
	} else {
		s.BitRate = bitRateOf(s, a.Kbps())
	}
	return s
}

// soundTracks is how many tracks of one channel each a sound is packed into, 0
// for one track of all channels.
func soundTracks(a *preset.Audio, channels int) int {
	switch a.AudioPackingMode {
	case preset.OneChannelPerTrack:
		return channels
	case preset.OneChannelPerTrackOf8:
		return maxChannels
	}
	return 0
}

// lowestMPEG1 is the lowest sample rate of MPEG-1, in Hz; what is lower is of
// MPEG-2, with other bit rates.
const lowestMPEG1 = 32000

// Sample rates in Hz that are of use for whole programmes.
var (
	// aacRates are those of ISO/IEC 14496-3, table 1.18.
	aacRates = []int{16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000}
	// mpegRates are those of MPEG-1 and MPEG-2, layers II and III, and the ones
	// for which Vorbis has bit rates.
	mpegRates = []int{16000, 22050, 24000, 32000, 44100, 48000}
)

// Bounds on the sample rates of the codecs without loss, which have any.
const (
	lowestRate  = 8000
	highestRate = 192000
)

// nearestRate is a source's sample rate as far as the codec has it: the next one
// above, or its highest.
func nearestRate(codec string, hz int) int {
	rates := mpegRates
	switch codec {
	case FLAC, PCM:
		if hz > 1<<16-1 && hz%10 != 0 { // FLAC's header has no room for it
			return 96000
		}
		return min(max(hz, lowestRate), highestRate)
	case AAC:
		rates = aacRates
	}
	i, _ := slices.BinarySearch(rates, hz)
	return rates[min(i, len(rates)-1)]
}

// Bit rates in kbit/s, by codec: of MPEG-1, and of MPEG-2.
var (
	mp3Rates  = [2][]int{{32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}, mpeg2Rates}
	mp2Mono   = [2][]int{{32, 48, 56, 64, 80, 96, 112, 128, 160, 192}, mpeg2Rates}
	mp2Stereo = [2][]int{{64, 96, 112, 128, 160, 192, 224, 256, 320, 384}, mpeg2Rates}

	mpeg2Rates = []int{8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}
)

// vorbisBounds are the bit rates in kbit/s for each channel that the encoder has
// modes for, from a sample rate on: of one or many channels, and of two.
var vorbisBounds = []struct{ hz, least, most, leastOf2, mostOf2 int }{
	{40000, 32, 240, 23, 250},
	{26000, 30, 190, 18, 190},
	{19000, 16, 90, 15, 86},
	{0, 16, 96, 12, 96},
}

// bitRateOf is the bit rate in bits a second that is nearest to one in kbit/s.
func bitRateOf(s Sound, kbps int) int {
	system := 0
	if s.SampleRate < lowestMPEG1 {
		system = 1
	}
	switch {
	case s.Codec == MP3:
		kbps = nearest(mp3Rates[system], kbps)
	case s.Codec == MP2 && s.Channels == 1:
		kbps = nearest(mp2Mono[system], kbps)
	case s.Codec == MP2:
		kbps = nearest(mp2Stereo[system], kbps)
	case s.Codec == Vorbis:
		for _, b := range vorbisBounds {
			if s.SampleRate < b.hz {
				continue
			}
			if s.Channels == 2 {
				b.least, b.most = b.leastOf2, b.mostOf2
			}
			kbps = min(max(kbps, b.least*s.Channels), b.most*s.Channels)
			break
		}
	}
	return kbps * kilobit
}

// nearest is the value nearest to v, of two as near the higher.
func nearest(values []int, v int) int {
	best := values[0]
	for _, other := range values {
		if max(other-v, v-other) <= max(best-v, v-best) {
			best = other
		}
	}
	return best
}
