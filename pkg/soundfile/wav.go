package soundfile

import (
	"encoding/binary"
	"io"
	"math"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
)

// Formats of samples in WAV.
const (
	wavePCM        = 1
	waveExtensible = 0xfffe // with the loudspeakers of the channels
)

// loudspeakers are the positions of 1 to 8 channels, a bit each, in the order of
// the channels: those of ffmpeg's mono, stereo, 3.0, quad, 5.0, 5.1, 6.1 and 7.1.
var loudspeakers = []uint32{0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f}

// WAV is PCM behind a header of RIFF, or of RF64 (EBU Tech 3306) where the sizes
// are beyond 32 bits.
func WAV(q *part.Sequence) (*File, error) {
	if err := check(q, "wav", fragment.PCM); err != nil {
		return nil, err
	}
	file := behind(wavHead(q.Track, q.Bytes), q)
	if q.Bytes%2 == 1 { // chunks begin at even places
		samples := file.write
		file.write = func(w io.Writer, s *part.Samples) error {
			if err := samples(w, s); err != nil {
				return err
			}
			_, err := w.Write([]byte{0})
			return err
		}
	}
	return file, nil
}

// wavHead is what comes before so many bytes of samples.
func wavHead(t *fragment.Track, bytes int64) []byte {
	format := waveFormat(t)
	le := binary.LittleEndian
	size := uint64(4+8+len(format)+8) + uint64(bytes+bytes%2)
	if size <= math.MaxUint32 {
		b := le.AppendUint32([]byte("RIFF"), uint32(size))
		b = le.AppendUint32(append(b, "WAVEfmt "...), uint32(len(format)))
		return le.AppendUint32(append(append(b, format...), "data"...), uint32(bytes))
	}
	const long = 28 // bytes of ds64
	frame := int64(t.Channels * t.BitDepth / 8)
	b := le.AppendUint32([]byte("RF64"), math.MaxUint32)
	b = le.AppendUint32(append(b, "WAVEds64"...), long)
	b = le.AppendUint64(b, size+8+long)
	b = le.AppendUint64(b, uint64(bytes))
	b = le.AppendUint64(b, uint64(bytes/frame))
	b = le.AppendUint32(b, 0) // no other chunk is that long
	b = le.AppendUint32(append(b, "fmt "...), uint32(len(format)))
	return le.AppendUint32(append(append(b, format...), "data"...), math.MaxUint32)
}

func waveFormat(t *fragment.Track) []byte {
	le := binary.LittleEndian
	frame := t.Channels * t.BitDepth / 8
	tag := uint16(wavePCM)
	if t.Channels > 2 || t.BitDepth > 16 {
		tag = waveExtensible
	}
	b := le.AppendUint16(nil, tag)
	b = le.AppendUint16(b, uint16(t.Channels))
	b = le.AppendUint32(b, uint32(t.SampleRate))
	b = le.AppendUint32(b, uint32(t.SampleRate*frame))
	b = le.AppendUint16(b, uint16(frame))
	b = le.AppendUint16(b, uint16(t.BitDepth))
	if tag == wavePCM {
		return b
	}
	b = le.AppendUint16(b, 22) // bytes that follow
	b = le.AppendUint16(b, uint16(t.BitDepth))
	b = le.AppendUint32(b, loudspeakers[t.Channels-1])
	return append(b, wavePCM, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71) // KSDATAFORMAT_SUBTYPE_PCM
}
