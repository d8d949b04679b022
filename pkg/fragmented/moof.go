package fragmented

import (
	"encoding/binary"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
)

// Flags of samples (ISO/IEC 14496-12, 8.8.3.1).
const (
	syncSample    = 0x02000000 // depends on no other
	nonSyncSample = 0x01010000 // depends on others, and is no place to start
)

// Flags of tfhd and trun.
const (
	defaultBaseIsMoof  = 0x020000
	dataOffset         = 0x000001
	sampleDuration     = 0x000100
	sampleSize         = 0x000200
	sampleFlags        = 0x000400
	sampleComposition  = 0x000800
	signedCompositions = 1 << 24 // the version of trun
	wideTime           = 1 << 24 // of tfdt
)

const (
	boxHeader  = 8
	mdatHeader = boxHeader
	entryBytes = 16 // a sample's in trun

	mfhdSize = boxHeader + 8
	tfhdSize = boxHeader + 8
	tfdtSize = boxHeader + 12
	trunHead = boxHeader + 12
)

// moofSize is that of a fragment's header, for so many samples.
func moofSize(samples int) int64 {
	return 2*boxHeader + mfhdSize + tfhdSize + tfdtSize + trunHead + entryBytes*int64(samples)
}

// fileSize is that of the fragment, header and samples.
func (p piece) fileSize() int64 { return moofSize(p.samples) + mdatHeader + p.bytes }

// boxes writes boxes whose sizes are known.
type boxes struct{ b []byte }

func (w *boxes) begin(name string, size int64) {
	w.u32(uint32(size))
	w.b = append(w.b, name...)
}

func (w *boxes) u32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }
func (w *boxes) u64(v uint64) { w.b = binary.BigEndian.AppendUint64(w.b, v) }

// fragmentHead is a fragment's moof, whose samples next yields, and the header of
// its mdat. It has a number, from 1.
func (l *Layout) fragmentHead(number int, p piece, next func() (part.Sample, bool)) []byte {
	t := l.tracks[p.track]
	size := moofSize(p.samples)
	w := &boxes{make([]byte, 0, size+mdatHeader)}
	w.begin("moof", size)
	w.begin("mfhd", mfhdSize)
	w.u32(0)
	w.u32(uint32(number))
	w.begin("traf", size-boxHeader-mfhdSize)
	w.begin("tfhd", tfhdSize)
	w.u32(defaultBaseIsMoof)
	w.u32(uint32(p.track + 1))
	w.begin("tfdt", tfdtSize)
	w.u32(wideTime)
	w.u64(uint64(p.decoded))
	w.begin("trun", trunHead+entryBytes*int64(p.samples))
	w.u32(signedCompositions | dataOffset | sampleDuration | sampleSize | sampleFlags | sampleComposition)
	w.u32(uint32(p.samples))
	w.u32(uint32(size + mdatHeader))
	for range p.samples {
		s, _ := next()
		flags := uint32(nonSyncSample)
		if s.Key || t.Kind == fragment.Audio {
			flags = syncSample
		}
		w.u32(uint32(s.Duration))
		w.u32(uint32(s.Size))
		w.u32(flags)
		w.u32(uint32(int32(s.PTS - s.DTS)))
	}
	w.begin("mdat", mdatHeader+p.bytes)
	return w.b
}
