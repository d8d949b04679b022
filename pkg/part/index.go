// Package part keeps stretches of a track that were encoded apart, and reads
// them as the whole that they are.
//
// A part is two objects: an Index, which describes its samples in a few bytes
// each, and the samples themselves back to back. Join holds the parts of a track
// against each other: what it returns is one track without gap or overlap. From
// the indexes alone a writer of files knows its size and its own index; Samples
// then copies what they describe, holding none of it.
package part

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"

	"sealreel/pkg/fragment"
)

const (
	// MaxSamples is the most samples of one part: three days at 60 frames a
	// second.
	MaxSamples = 1 << 24

	indexMagic   = "SRI"
	indexVersion = 1
	maxEntry     = 64 << 10 // bytes of a sample entry
	maxSize      = 1 << 30  // bytes of a sample
	maxTime      = 1 << 60
	leastBytes   = 3 // of a sample in an index
)

var (
	// ErrIndex is wrapped when bytes are no index, or a sample fits into none.
	ErrIndex = errors.New("bad part index")

	// ErrParts is wrapped when parts do not make one track, or no file can be
	// made of the tracks.
	ErrParts = errors.New("parts do not fit together")
)

// Index describes the samples of one part. Times are in units of the track's
// timescale since the presentation's time 0; they are negative for what is
// decoded before (frames that others depend on, the delay of a sound encoder).
type Index struct {
	Track   *fragment.Track
	Samples int
	Bytes   int64 // of all samples
	Start   int64 // DTS of the first sample
	End     int64 // DTS that the next part must start with
	First   int64 // least PTS
	Last    int64 // greatest PTS with its duration

	table []byte // checked by ParseIndex, so that All cannot fail
}

// Sample is an Index's word of one sample. Its data follows that of the sample
// before.
type Sample struct {
	Size     int64
	DTS, PTS int64
	Duration int64
	Key      bool
}

// IndexWriter builds an index sample by sample.
type IndexWriter struct {
	track    *fragment.Track
	table    []byte
	start    int64
	end      int64
	duration int64 // of the sample before
	samples  int
}

// NewIndexWriter returns a writer for samples of the track.
func NewIndexWriter(track *fragment.Track) *IndexWriter { return &IndexWriter{track: track} }

// Add appends a sample, of whose data only the length counts. Its DTS must be
// where the sample before ended. Errors wrap ErrIndex.
func (w *IndexWriter) Add(s fragment.Sample) error {
	if w.samples == 0 {
		w.start, w.end = s.DTS, s.DTS
	}
	offset := s.PTS - s.DTS
	switch {
	case s.DTS != w.end:
		return fmt.Errorf("%w: sample %d has DTS %d, the one before ends at %d", ErrIndex, w.samples, s.DTS, w.end)
	case w.samples == MaxSamples || len(s.Data) > maxSize || s.DTS < -maxTime || s.DTS > maxTime,
		s.Duration < 0 || s.Duration > math.MaxUint32 || offset < math.MinInt32 || offset > math.MaxInt32:
		return fmt.Errorf("%w: sample %d is out of bounds: %d bytes, DTS %d, PTS %d, duration %d", ErrIndex, w.samples, len(s.Data), s.DTS, s.PTS, s.Duration)
	}
	size := uint64(len(s.Data)) << 1
	if s.Key {
		size |= 1
	}
	w.table = binary.AppendUvarint(w.table, size)
	w.table = binary.AppendVarint(w.table, s.Duration-w.duration)
	w.table = binary.AppendVarint(w.table, offset)
	w.samples, w.duration, w.end = w.samples+1, s.Duration, s.DTS+s.Duration
	return nil
}

// Bytes is the index of what was added so far, for ParseIndex. An index
// without samples is valid.
func (w *IndexWriter) Bytes() []byte {
	b := append([]byte(indexMagic), indexVersion)
	b = binary.AppendUvarint(b, uint64(w.track.Timescale))
	b = binary.AppendUvarint(b, uint64(len(w.track.SampleEntry)))
	b = append(b, w.track.SampleEntry...)
	b = binary.AppendVarint(b, w.start)
	b = binary.AppendUvarint(b, uint64(w.samples))
	return append(b, w.table...)
}

// ParseIndex reads an index. It keeps b and checks it whole. Errors wrap
// ErrIndex.
func ParseIndex(b []byte) (*Index, error) {
	if len(b) < len(indexMagic)+1 || string(b[:len(indexMagic)]) != indexMagic {
		return nil, fmt.Errorf("%w: it does not begin with %s", ErrIndex, indexMagic)
	}
	if v := b[len(indexMagic)]; v != indexVersion {
		return nil, fmt.Errorf("%w: version %d, version %d is read: update what reads it", ErrIndex, v, indexVersion)
	}
	c := cursor{b: b[len(indexMagic)+1:]}
	timescale, entry := c.uvarint(math.MaxUint32), c.take(c.uvarint(maxEntry))
	start, samples := c.varint(-maxTime, maxTime), c.uvarint(MaxSamples)
	if c.bad || samples > uint64(len(c.b)/leastBytes) {
		return nil, fmt.Errorf("%w: its head is cut or out of bounds", ErrIndex)
	}
	track, err := fragment.NewTrack(uint32(timescale), entry)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIndex, err)
	}
	x := &Index{Track: track, Samples: int(samples), Start: start, End: start, table: c.b}
	if err := x.check(); err != nil {
		return nil, err
	}
	return x, nil
}

// check walks the table and sums it up.
func (x *Index) check() error {
	w := walk{cursor: cursor{b: x.table}, dts: x.Start}
	for i := range x.Samples {
		s := w.next()
		if w.bad || s.Duration < 0 || s.Duration > math.MaxUint32 || s.DTS > maxTime {
			return fmt.Errorf("%w: sample %d of %d is cut or out of bounds", ErrIndex, i, x.Samples)
		}
		if i == 0 {
			x.First, x.Last = s.PTS, s.PTS+s.Duration
		}
		x.First, x.Last = min(x.First, s.PTS), max(x.Last, s.PTS+s.Duration)
		x.Bytes += s.Size
		x.End = s.DTS + s.Duration
	}
	if len(w.b) != 0 {
		return fmt.Errorf("%w: %d bytes behind its last sample", ErrIndex, len(w.b))
	}
	return nil
}

// All yields the samples in decode order.
func (x *Index) All() iter.Seq[Sample] {
	return func(yield func(Sample) bool) {
		w := walk{cursor: cursor{b: x.table}, dts: x.Start}
		for range x.Samples {
			if !yield(w.next()) {
				return
			}
		}
	}
}

// walk reads the table.
type walk struct {
	cursor
	dts, duration int64
}

func (w *walk) next() Sample {
	size := w.uvarint(maxSize<<1 | 1)
	w.duration += w.varint(-math.MaxUint32, math.MaxUint32)
	s := Sample{Size: int64(size >> 1), Key: size&1 != 0, DTS: w.dts, Duration: w.duration}
	s.PTS = s.DTS + w.varint(math.MinInt32, math.MaxInt32)
	w.dts += s.Duration
	return s
}

// cursor reads variable-length numbers. What is cut or out of bounds sets bad
// and yields zero.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 || v > most {
		c.bad = true
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) varint(least, most int64) int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 || v < least || v > most {
		c.bad = true
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}
