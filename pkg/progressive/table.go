package progressive

import (
	"math"

	"github.com/Eyevinn/mp4ff/mp4"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
)

// chunk is samples of one track that lie together in the file: those that are
// decoded within one second.
type chunk struct {
	second int64
	bytes  int64
}

// table is what the index in front of the file says of one track.
type table struct {
	track      *fragment.Track
	language   string // ISO 639-2, "" for unknown
	label      string
	start, end int64 // DTS of the first sample, and where the last ends
	first      int64 // least PTS
	last       int64 // greatest PTS with its duration
	bytes      int64
	peak       int64 // bytes of the fullest second

	times   mp4.SttsBox
	offsets mp4.CttsBox
	keys    mp4.StssBox
	sizes   mp4.StszBox
	groups  mp4.StscBox
	chunks  []chunk
	filling uint32 // samples of the last chunk
	shifted bool   // some PTS is not the DTS
	allKeys bool
}

// newTable sums up a track.
func newTable(q *part.Sequence) *table {
	t := &table{track: q.Track, start: q.Start, end: q.End, first: q.First, last: q.Last, allKeys: true}
	t.sizes.SampleSize = make([]uint32, 0, q.Samples)
	t.offsets.EndSampleNr = append(make([]uint32, 0, q.Samples+1), 0) // with B-frames, most samples are a run
	t.offsets.SampleOffset = make([]int32, 0, q.Samples)
	for s := range q.All() {
		t.add(s)
	}
	t.endChunk()
	return t
}

func (t *table) add(s part.Sample) {
	second := floorDiv(s.DTS, int64(t.track.Timescale))
	if n := len(t.chunks); n == 0 || t.chunks[n-1].second != second {
		t.endChunk()
		t.chunks = append(t.chunks, chunk{second: second})
	}
	t.chunks[len(t.chunks)-1].bytes += s.Size
	t.filling++
	t.bytes += s.Size
	t.sizes.SampleSize = append(t.sizes.SampleSize, uint32(s.Size))
	t.sizes.SampleNumber++
	t.addTime(uint32(s.Duration))
	t.addOffset(int32(s.PTS - s.DTS))
	if s.Key {
		t.keys.SampleNumber = append(t.keys.SampleNumber, uint32(len(t.sizes.SampleSize)))
	} else {
		t.allKeys = false
	}
}

// addTime lengthens the run of equal durations or begins another.
func (t *table) addTime(duration uint32) {
	if n := len(t.times.SampleTimeDelta); n > 0 && t.times.SampleTimeDelta[n-1] == duration {
		t.times.SampleCount[n-1]++
		return
	}
	t.times.SampleCount = append(t.times.SampleCount, 1)
	t.times.SampleTimeDelta = append(t.times.SampleTimeDelta, duration)
}

// addOffset does so for the distances of PTS and DTS.
func (t *table) addOffset(offset int32) {
	o := &t.offsets
	if offset != 0 {
		t.shifted = true
	}
	if offset < 0 {
		o.Version = 1
	}
	end := uint32(len(t.sizes.SampleSize))
	if n := len(o.SampleOffset); n > 0 && o.SampleOffset[n-1] == offset {
		o.EndSampleNr[n] = end
		return
	}
	o.SampleOffset = append(o.SampleOffset, offset)
	o.EndSampleNr = append(o.EndSampleNr, end)
}

// endChunk notes how many samples the last chunk has.
func (t *table) endChunk() {
	n := len(t.chunks)
	if n == 0 {
		return
	}
	t.peak = max(t.peak, t.chunks[n-1].bytes)
	if e := t.groups.Entries; len(e) == 0 || e[len(e)-1].SamplesPerChunk != t.filling {
		t.groups.Entries = append(e, mp4.StscEntry{FirstChunk: uint32(n), SamplesPerChunk: t.filling})
	}
	t.filling = 0
}

// average is the bit rate over the whole track.
func (t *table) average() uint32 {
	length := t.end - t.start
	if length <= 0 {
		return 0
	}
	return uint32(min(float64(t.bytes)*8*float64(t.track.Timescale)/float64(length), math.MaxUint32))
}

// greatest is the bit rate of the fullest second, not less than the average.
func (t *table) greatest() uint32 {
	return max(t.average(), uint32(min(t.peak*8, math.MaxUint32)))
}

// late is by how much the track begins after the presentation does.
func (t *table) late() int64 { return max(t.first, 0) }

// skipped is where in the media, which begins with the first DTS, the
// presentation begins: what has a lesser PTS is decoded but not presented.
func (t *table) skipped() int64 { return t.late() - t.start }

// shown is how much of the media is presented.
func (t *table) shown() int64 { return t.last - t.late() }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
