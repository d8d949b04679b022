// Package progressive joins parts that were encoded apart into one MP4 file
// with the index in front (ISO/IEC 14496-12), which plays while it is loaded.
//
// From the indexes of the parts alone Plan computes the file's header and exact
// size; Layout.Stream then copies the samples, holding none of them. Memory
// grows with the number of samples, less than fifty bytes each, never with their
// size. The same parts give the same bytes.
package progressive

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
)

// Options are free to choose. All zero values are good.
type Options struct {
	// Created is the file's time of creation; the zero time writes none.
	Created time.Time
	// UserData is the box udta, such as that with an album's pictures; nil for
	// none.
	UserData Box
	// Captions are tracks of timed text beside the others.
	Captions []Captions
}

// Box is a whole box of Size bytes.
type Box interface {
	Size() int64
	Stream(w io.Writer) error
}

// Captions are a track of timed text, as caption.MovTextSamples makes them: one
// part, which Open is asked for by its place among the captions.
type Captions struct {
	Index    *part.Index
	Language string // ISO 639-2, three letters
	Label    string // what players show for it; "" for the language alone
}

// Layout is a file that is planned to the byte.
type Layout struct {
	head   []byte // up to the first byte of the samples, less user
	split  int    // where in head user belongs
	user   Box
	tracks []*part.Sequence
	places []int // of the first part of each track among those of its kind
	runs   []run
	size   int64
}

// run is a stretch of the file with bytes of one track.
type run struct {
	track int
	bytes int64
}

// Plan lays out a file of the parts, in order, of a video and an audio track,
// of which one may have none. What part.Join demands of parts holds for each.
// Errors wrap part.ErrParts.
func Plan(video, audio []*part.Index, o Options) (*Layout, error) {
	l := &Layout{}
	var tables []*table
	for _, in := range []struct {
		kind  fragment.Kind
		parts []*part.Index
	}{{fragment.Video, video}, {fragment.Audio, audio}} {
		sequence, err := part.Join(in.kind, in.parts)
		if err != nil {
			return nil, err
		}
		if sequence == nil {
			continue
		}
		tables = append(tables, newTable(sequence))
		l.tracks, l.places = append(l.tracks, sequence), append(l.places, 0)
	}
	if len(tables) == 0 {
		return nil, fmt.Errorf("%w: there is no sample in any of them", part.ErrParts)
	}
	for i, c := range o.Captions {
		sequence, err := part.Join(fragment.Text, []*part.Index{c.Index})
		if err != nil {
			return nil, err
		}
		if sequence == nil {
			continue // of an output of no length
		}
		table := newTable(sequence)
		table.language, table.label = c.Language, c.Label
		tables = append(tables, table)
		l.tracks, l.places = append(l.tracks, sequence), append(l.places, i)
	}
	l.order(tables)
	return l, l.writeHead(tables, o)
}

// order interleaves the chunks by the second that they belong to, pictures
// first and captions last.
func (l *Layout) order(tables []*table) {
	next := make([]int, len(tables))
	for {
		best := -1
		for i, t := range tables {
			if next[i] < len(t.chunks) && (best < 0 || t.chunks[next[i]].second < tables[best].chunks[next[best]].second) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		l.runs = append(l.runs, run{track: best, bytes: tables[best].chunks[next[best]].bytes})
		next[best]++
	}
}

// writeHead encodes what comes before the samples. Its size depends on how wide
// chunk offsets are, and they on its size, so it is measured first.
func (l *Layout) writeHead(tables []*table, o Options) error {
	m := movie{timescale: tables[0].track.Timescale}
	for _, t := range tables {
		switch {
		case t.track.Kind == fragment.Video:
			m.width, m.height = t.presentedSize()
		case t.track.Kind == fragment.Text && m.captioned == nil:
			m.captioned = t
		}
	}
	if !o.Created.IsZero() && o.Created.After(epoch) {
		m.created = uint64(o.Created.Unix() - epoch.Unix())
	}
	var data int64
	for _, t := range tables {
		data += t.bytes
	}
	ftyp := mp4.NewFtyp("isom", 0x200, []string{"isom", "iso2", "avc1", "mp41"})
	mdat := mdatHeader(data)
	moov, err := m.moov(tables, l.offsets(tables, 0), false)
	if err != nil {
		return err
	}
	user := uint64(0)
	if l.user = o.UserData; l.user != nil {
		user = uint64(l.user.Size())
	}
	base := ftyp.Size() + moov.Size() + user + uint64(len(mdat))
	wide := base+uint64(data) > math.MaxUint32
	if wide {
		base += 4 * uint64(len(l.runs))
	}
	if moov, err = m.moov(tables, l.offsets(tables, base), wide); err != nil {
		return err
	}
	head := bits.NewFixedSliceWriter(int(base - user))
	for _, b := range []mp4.Box{ftyp, moov} {
		if err := b.EncodeSW(head); err != nil {
			return fmt.Errorf("encode %s: %w", b.Type(), err)
		}
	}
	head.WriteBytes(mdat)
	l.head, l.split = head.Bytes(), head.Len()-len(mdat)
	l.size = int64(base) + data
	if uint64(len(l.head)) != base-user {
		return fmt.Errorf("the head has %d bytes where %d were planned", len(l.head), base-user)
	}
	return l.lengthen(l.head[ftyp.Size():], user)
}

// lengthen makes room for another box at the end of moov.
func (l *Layout) lengthen(moov []byte, more uint64) error {
	size := uint64(binary.BigEndian.Uint32(moov)) + more
	if size > math.MaxUint32 {
		return fmt.Errorf("the index has %d bytes, more than a file may have", size)
	}
	binary.BigEndian.PutUint32(moov, uint32(size))
	return nil
}

// offsets are where the chunks of each track lie when the first is at base.
func (l *Layout) offsets(tables []*table, base uint64) [][]uint64 {
	all := make([][]uint64, len(tables))
	for i, t := range tables {
		all[i] = make([]uint64, 0, len(t.chunks))
	}
	for _, r := range l.runs {
		all[r.track] = append(all[r.track], base)
		base += uint64(r.bytes)
	}
	return all
}

// mdatHeader is that of a box with so many bytes of samples.
func mdatHeader(data int64) []byte {
	if data+8 <= math.MaxUint32 {
		return append(binary.BigEndian.AppendUint32(nil, uint32(data+8)), "mdat"...)
	}
	return binary.BigEndian.AppendUint64([]byte("\x00\x00\x00\x01mdat"), uint64(data+16))
}

// Tracks are those of the file.
func (l *Layout) Tracks() []*part.Sequence { return l.tracks }

// Size is that of the whole file in bytes.
func (l *Layout) Size() int64 { return l.size }
