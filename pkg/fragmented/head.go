package fragmented

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"

	"sealreel/pkg/fragment"
	"sealreel/pkg/rational"
)

// write encodes what is before the fragments and behind them.
func (l *Layout) write() error {
	moov := l.moov()
	ftyp := mp4.NewFtyp("iso6", 0, []string{"iso6", "iso5", "isom", "mp41", "dash"})
	for _, b := range []mp4.Box{ftyp, moov} {
		w := bits.NewFixedSliceWriter(int(b.Size()))
		if err := b.EncodeSW(w); err != nil {
			return fmt.Errorf("encode %s: %w", b.Type(), err)
		}
		l.head = append(l.head, w.Bytes()...)
	}
	l.head = append(l.head, l.index()...)
	l.size = int64(len(l.head))
	starts := make([]int64, len(l.pieces))
	for i, p := range l.pieces {
		starts[i] = l.size
		l.size += p.fileSize()
	}
	l.tail = l.access(starts)
	l.size += int64(len(l.tail))
	return nil
}

// moov describes the tracks, whose samples are all in fragments.
func (l *Layout) moov() *mp4.MoovBox {
	moov, mvex := mp4.NewMoovBox(), mp4.NewMvexBox()
	mvhd := mp4.CreateMvhd()
	mvhd.CreationTime, mvhd.ModificationTime = 0, 0
	mvhd.Timescale, mvhd.NextTrackID = l.tracks[0].Track.Timescale, uint32(len(l.tracks)+1)
	moov.AddChild(mvhd)
	mvex.AddChild(&mp4.MehdBox{Version: 1, FragmentDuration: l.duration()})
	for i, t := range l.tracks {
		moov.AddChild(t.trak(uint32(i + 1)))
		mvex.AddChild(mp4.CreateTrex(uint32(i + 1)))
	}
	moov.AddChild(mvex)
	return moov
}

// duration is when the last track ends, in units of the first one's timescale.
func (l *Layout) duration() int64 {
	ends := int64(0)
	for _, t := range l.tracks {
		ends = max(ends, rational.New(int64(l.tracks[0].Track.Timescale), int64(t.Track.Timescale)).Ceil(t.Last))
	}
	return ends
}

func (t *track) trak(id uint32) *mp4.TrakBox {
	kind := map[fragment.Kind]string{fragment.Video: "video", fragment.Audio: "audio"}[t.Kind]
	trak := mp4.CreateEmptyTrak(id, t.Track.Timescale, kind, "und")
	trak.Tkhd.Flags = 3 // enabled, in the movie
	trak.Tkhd.CreationTime, trak.Tkhd.ModificationTime = 0, 0
	if t.Kind == fragment.Video {
		wide := rational.New(int64(t.Track.SARWidth), int64(t.Track.SARHeight)).Round(int64(t.Track.Width) << 16)
		trak.Tkhd.Width, trak.Tkhd.Height = mp4.Fixed32(min(wide, math.MaxUint32)), mp4.Fixed32(t.Track.Height<<16)
	}
	if t.later > 0 {
		// What is presented begins where time zero is, behind the encoder's delay; a
		// duration of 0 is all that fragments bring.
		edits := &mp4.EdtsBox{}
		edits.AddChild(&mp4.ElstBox{Entries: []mp4.ElstEntry{{MediaTime: t.later, MediaRateInteger: 1}}})
		trak.Children = slices.Insert(trak.Children, 1, mp4.Box(edits))
	}
	entry := t.Track.SampleEntry
	described := trak.Mdia.Minf.Stbl.Stsd
	described.SampleCount = 1
	described.Children = []mp4.Box{mp4.CreateUnknownBox(string(entry[4:8]), uint64(len(entry)), entry[boxHeader:])} // as the encoder wrote it
	return trak
}

// index is the sidx: how long and large each fragment of the first track is with
// those that go with it. Its references have 31 bits for a size and there can be
// 65535 of them; a file with more has none.
func (l *Layout) index() []byte {
	type reference struct{ size int64 }
	var all []reference
	leader := l.tracks[0]
	var begins []int64
	for _, p := range l.pieces {
		if p.track == 0 {
			all = append(all, reference{})
			begins = append(begins, max(p.first, 0))
		}
		all[len(all)-1].size += p.fileSize()
	}
	if len(all) > math.MaxUint16 {
		return nil
	}
	begins = append(begins, leader.Last)
	w := &boxes{}
	w.begin("sidx", boxHeader+32+12*int64(len(all)))
	w.u32(1 << 24)
	w.u32(1) // the first track
	w.u32(leader.Track.Timescale)
	w.u64(uint64(max(leader.First, 0)))
	w.u64(0) // the first fragment follows at once
	w.u32(uint32(len(all)))
	for i, r := range all {
		const startsWithKeyframe = 1<<31 | 1<<28
		w.u32(uint32(r.size))
		w.u32(uint32(begins[i+1] - begins[i]))
		w.u32(startsWithKeyframe)
	}
	return w.b
}

// access is the mfra: by track, when and where each fragment begins.
func (l *Layout) access(starts []int64) []byte {
	w := &boxes{}
	w.begin("mfra", 0)
	for i := range l.tracks {
		var entries []int
		for n, p := range l.pieces {
			if p.track == i {
				entries = append(entries, n)
			}
		}
		const head, entry = boxHeader + 16, 8 + 8 + 3
		w.begin("tfra", head+entry*int64(len(entries)))
		w.u32(1 << 24)
		w.u32(uint32(i + 1))
		w.u32(0) // numbers of one byte each
		w.u32(uint32(len(entries)))
		for _, n := range entries {
			w.u64(uint64(max(l.pieces[n].first, 0)))
			w.u64(uint64(starts[n]))
			w.b = append(w.b, 1, 1, 1) // the first sample of the first run of the first track fragment
		}
	}
	const mfro = boxHeader + 8
	w.begin("mfro", mfro)
	w.u32(0)
	size := len(w.b) + 4
	w.u32(uint32(size))
	binary.BigEndian.PutUint32(w.b, uint32(size))
	return w.b
}
