package progressive

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
	"sealreel/pkg/rational"
)

// epoch is the time 0 of MP4.
var epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)

// movie builds moov. Its timescale is that of the first track, so that the
// times of pictures are exact.
type movie struct {
	timescale     uint32
	created       uint64
	width, height mp4.Fixed32 // of the picture as it is presented
	captioned     *table      // the first of the captions
}

// moov describes the tracks with chunks at the offsets, which are 8 bytes wide
// if wide is set.
func (m movie) moov(tables []*table, offsets [][]uint64, wide bool) (*mp4.MoovBox, error) {
	moov := mp4.NewMoovBox()
	mvhd := mp4.CreateMvhd()
	mvhd.Timescale, mvhd.NextTrackID = m.timescale, uint32(len(tables)+1)
	mvhd.CreationTime, mvhd.ModificationTime = m.created, m.created
	for _, t := range tables {
		mvhd.Duration = max(mvhd.Duration, m.presented(t))
	}
	mvhd.Version = version(mvhd.Duration, m.created)
	moov.AddChild(mvhd)
	for i, t := range tables {
		trak, err := m.trak(t, uint32(i+1))
		if err != nil {
			return nil, err
		}
		stbl := trak.Mdia.Minf.Stbl
		if wide {
			stbl.AddChild(&mp4.Co64Box{ChunkOffset: offsets[i]})
		} else {
			stbl.AddChild(narrow(offsets[i]))
		}
		moov.AddChild(trak)
	}
	return moov, nil
}

func narrow(offsets []uint64) *mp4.StcoBox {
	b := &mp4.StcoBox{ChunkOffset: make([]uint32, len(offsets))}
	for i, o := range offsets {
		b.ChunkOffset[i] = uint32(o)
	}
	return b
}

func (m movie) trak(t *table, id uint32) (*mp4.TrakBox, error) {
	trak := mp4.NewTrakBox()
	tkhd := mp4.CreateTkhd()
	tkhd.Flags = 3 // enabled, in the movie
	tkhd.TrackID, tkhd.Duration = id, m.presented(t)
	tkhd.CreationTime, tkhd.ModificationTime = m.created, m.created
	tkhd.Version = version(tkhd.Duration, m.created)
	trak.AddChild(tkhd)
	if elst := m.edits(t); elst != nil {
		edts := &mp4.EdtsBox{}
		edts.AddChild(elst)
		trak.AddChild(edts)
	}
	mdhd := &mp4.MdhdBox{Timescale: t.track.Timescale, Duration: uint64(t.end - t.start), CreationTime: m.created, ModificationTime: m.created}
	mdhd.SetLanguage(cmp.Or(t.language, "und"))
	mdhd.Version = version(mdhd.Duration, m.created)
	mdia, minf, hdlr := mp4.NewMdiaBox(), mp4.NewMinfBox(), &mp4.HdlrBox{}
	mdia.AddChild(mdhd)
	mdia.AddChild(hdlr)
	mdia.AddChild(minf)
	trak.AddChild(mdia)
	entry, err := t.sampleEntry()
	if err != nil {
		return nil, err
	}
	switch t.track.Kind {
	case fragment.Video:
		tkhd.Width, tkhd.Height = t.presentedSize()
		hdlr.HandlerType, hdlr.Name = "vide", "VideoHandler"
		minf.AddChild(mp4.CreateVmhd())
	case fragment.Audio:
		tkhd.Volume, tkhd.AlternateGroup = 0x0100, 1
		hdlr.HandlerType, hdlr.Name = "soun", "SoundHandler"
		minf.AddChild(mp4.CreateSmhd())
	case fragment.Text:
		tkhd.Width, tkhd.Height = m.width, m.height
		tkhd.AlternateGroup = 2 // one at a time
		if m.captioned != t {
			tkhd.Flags = 2 // not enabled: a player shows the first unless it is asked for others
		}
		hdlr.HandlerType, hdlr.Name = "sbtl", cmp.Or(t.label, "SubtitleHandler")
		minf.AddChild(&mp4.NmhdBox{})
	}
	dinf := &mp4.DinfBox{}
	dinf.AddChild(mp4.CreateDref())
	minf.AddChild(dinf)
	minf.AddChild(t.stbl(entry))
	return trak, nil
}

// presented is how long the track's part of the presentation is, from time 0.
func (m movie) presented(t *table) uint64 {
	return uint64(m.units(t, t.late()) + m.units(t, t.shown()))
}

// units converts from the track's timescale, rounding up so that nothing is
// cut off the end.
func (m movie) units(t *table, v int64) int64 {
	return rational.New(int64(m.timescale), int64(t.track.Timescale)).Ceil(v)
}

// edits say what of the media is presented when; nil when it is all from time
// 0 on.
func (m movie) edits(t *table) *mp4.ElstBox {
	if t.late() == 0 && t.skipped() == 0 && t.shown() == t.end-t.start {
		return nil
	}
	b := &mp4.ElstBox{}
	late, shown := uint64(m.units(t, t.late())), uint64(m.units(t, t.shown()))
	if late > 0 {
		b.Entries = append(b.Entries, mp4.ElstEntry{SegmentDuration: late, MediaTime: -1, MediaRateInteger: 1})
	}
	b.Entries = append(b.Entries, mp4.ElstEntry{SegmentDuration: shown, MediaTime: t.skipped(), MediaRateInteger: 1})
	b.Version = version(shown, late)
	if t.skipped() > math.MaxInt32 {
		b.Version = 1
	}
	return b
}

func (t *table) stbl(entry mp4.Box) *mp4.StblBox {
	stbl := mp4.NewStblBox()
	stsd := mp4.NewStsdBox()
	stsd.SampleCount, stsd.Children = 1, []mp4.Box{entry} // AddChild takes known entries only
	stbl.AddChild(stsd)
	stbl.AddChild(&t.times)
	if t.shifted {
		stbl.AddChild(&t.offsets)
	}
	if !t.allKeys {
		stbl.AddChild(&t.keys)
	}
	t.groups.SetSingleSampleDescriptionID(1)
	stbl.AddChild(&t.groups)
	stbl.AddChild(&t.sizes)
	return stbl
}

// presentedSize is the picture's size with its pixels made square, in 16.16.
func (t *table) presentedSize() (width, height mp4.Fixed32) {
	w := rational.New(int64(t.track.SARWidth), int64(t.track.SARHeight)).Round(int64(t.track.Width) << 16)
	return mp4.Fixed32(min(w, math.MaxUint32)), mp4.Fixed32(t.track.Height << 16)
}

// sampleEntry is the encoder's. That of H.264 and AAC has the bit rates that came
// out in place of those that were asked for, and a pixel shape only where it is
// not square.
func (t *table) sampleEntry() (mp4.Box, error) {
	if raw := t.track.SampleEntry; t.track.Coding != fragment.H264 && t.track.Coding != fragment.AAC {
		return mp4.CreateUnknownBox(string(raw[4:8]), uint64(len(raw)), raw[8:]), nil
	}
	box, err := mp4.DecodeBoxSR(0, bits.NewFixedSliceReader(bytes.Clone(t.track.SampleEntry)))
	if err != nil {
		return nil, fmt.Errorf("%w: sample entry: %w", part.ErrParts, err)
	}
	rates := &mp4.BtrtBox{MaxBitrate: t.greatest(), AvgBitrate: t.average()}
	switch e := box.(type) {
	case *mp4.VisualSampleEntryBox:
		if err := asEncoded(e, t.track.SampleEntry); err != nil {
			return nil, err
		}
		e.Children = slices.DeleteFunc(e.Children, func(b mp4.Box) bool {
			return b.Type() == "btrt" || b.Type() == "pasp" && t.track.SARWidth == t.track.SARHeight
		})
		e.AddChild(rates)
	case *mp4.AudioSampleEntryBox:
		e.Children = slices.DeleteFunc(e.Children, func(b mp4.Box) bool { return b.Type() == "btrt" })
		d := e.Esds.DecConfigDescriptor
		d.MaxBitrate, d.AvgBitrate = rates.MaxBitrate, rates.AvgBitrate
		e.AddChild(rates)
	}
	return box, nil
}

// visualHead is the length of a visual sample entry before the boxes in it, the
// header included (ISO/IEC 14496-12, 12.1.3.2).
const visualHead = 86

// asEncoded puts the encoder's own avcC in place of the one that was read from
// it: mp4ff does not write what follows the parameter sets for every profile,
// lossless H.264 among them.
func asEncoded(e *mp4.VisualSampleEntryBox, raw []byte) error {
	raw = raw[min(visualHead, len(raw)):]
	for i, b := range e.Children {
		if len(raw) < 8 {
			break
		}
		size := binary.BigEndian.Uint32(raw)
		if size < 8 || uint64(size) > uint64(len(raw)) {
			break
		}
		if b.Type() == "avcC" && string(raw[4:8]) == "avcC" {
			e.Children[i] = mp4.CreateUnknownBox("avcC", uint64(size), raw[8:size])
			return nil
		}
		raw = raw[size:]
	}
	return fmt.Errorf("%w: sample entry: its avcC is not where it should be", part.ErrParts)
}

// version is that of a box with these times: 1 has 64 bits for them.
func version(times ...uint64) byte {
	if slices.Max(times) > math.MaxUint32 {
		return 1
	}
	return 0
}
