// Package fragmented joins parts that were encoded apart into one fragmented MP4
// file as players of Smooth Streaming and MPEG-DASH want it: a head without
// samples, an index of the fragments (sidx), then fragments of one track each
// that begin with a keyframe, pictures and the sound beneath them in turn, and an
// index by track at the end (mfra). ISO/IEC 14496-12, 8.8 and 8.16.
//
// From the indexes of the parts alone Plan computes the head and the exact size;
// Layout.Stream then copies the samples, holding none of them. Memory grows with
// the number of fragments. The same parts give the same bytes.
package fragmented

import (
	"fmt"
	"math"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
	"sealreel/pkg/rational"
)

// Options say how to cut.
type Options struct {
	// Frames is how many frames of the first track make a fragment; of a video
	// each must then begin with a keyframe. 0: one a group of pictures, or two
	// seconds of sound alone.
	Frames int64
}

// Layout is a file that is planned to the byte.
type Layout struct {
	head   []byte // up to the first fragment
	tracks []*track
	pieces []piece
	tail   []byte // what follows the last
	size   int64
}

// track is one of the file's, numbered from 1 by its place.
type track struct {
	*part.Sequence
	later int64 // what is added to times, so that none is negative; an edit list takes it away
}

// piece is a fragment of one track, with the bytes of its samples and its time
// of decoding in the file.
type piece struct {
	track   int
	samples int
	bytes   int64
	decoded int64
	first   int64 // least time at which one of its samples is shown
	last    int64 // greatest, with its duration
}

// Plan lays out a file of the parts, in order, of a video and an audio track, of
// which one may have none. What part.Join demands of parts holds for each. Errors
// wrap part.ErrParts.
func Plan(video, audio []*part.Index, o Options) (*Layout, error) {
	l := &Layout{}
	for _, in := range []struct {
		kind  fragment.Kind
		parts []*part.Index
	}{{fragment.Video, video}, {fragment.Audio, audio}} {
		sequence, err := part.Join(in.kind, in.parts)
		if err != nil {
			return nil, err
		}
		if sequence != nil {
			l.tracks = append(l.tracks, &track{sequence, max(-sequence.Start, 0)})
		}
	}
	if len(l.tracks) == 0 {
		return nil, fmt.Errorf("%w: there is no sample in any of them", part.ErrParts)
	}
	if err := l.cut(o); err != nil {
		return nil, err
	}
	return l, l.write()
}

// Size is that of the whole file in bytes.
func (l *Layout) Size() int64 { return l.size }

// cut finds the fragments of all tracks.
func (l *Layout) cut(o Options) error {
	leaders, err := l.tracks[0].lead(o)
	if err != nil {
		return err
	}
	if len(l.tracks) == 1 {
		l.pieces = leaders
	} else {
		l.pieces = l.tracks[1].follow(l.tracks[0], leaders)
	}
	for _, p := range l.pieces {
		if p.bytes > math.MaxInt32-moofSize(p.samples)-mdatHeader {
			return fmt.Errorf("%w: a fragment of %d bytes", part.ErrParts, p.bytes)
		}
	}
	return nil
}

// soundSeconds is how long fragments of sound alone are where nothing says so.
const soundSeconds = 2

// lead cuts the track that others follow.
func (t *track) lead(o Options) ([]piece, error) {
	every := o.Frames
	var pieces []piece
	n := int64(0)
	for s := range t.All() {
		begins := n == 0
		switch {
		case every > 0:
			begins = n%every == 0
		case t.Kind == fragment.Video:
			begins = begins || s.Key
		default:
			begins = begins || s.DTS+t.later-pieces[len(pieces)-1].decoded >= soundSeconds*int64(t.Track.Timescale)
		}
		if begins && t.Kind == fragment.Video && !s.Key {
			return nil, fmt.Errorf("%w: frame %d should begin a fragment and is no keyframe", part.ErrParts, n)
		}
		if begins {
			pieces = append(pieces, t.begin(0, s))
		}
		pieces[len(pieces)-1].add(s)
		n++
	}
	return pieces, nil
}

func (t *track) begin(place int, s part.Sample) piece {
	return piece{track: place, decoded: s.DTS + t.later, first: s.PTS, last: s.PTS + s.Duration}
}

func (p *piece) add(s part.Sample) {
	p.samples++
	p.bytes += s.Size
	p.first, p.last = min(p.first, s.PTS), max(p.last, s.PTS+s.Duration)
}

// follow cuts the second track where the fragments of the leader are shown, and
// puts each behind the one that it goes with. What is left at the end goes with
// the last.
func (t *track) follow(leader *track, leaders []piece) []piece {
	var all []piece
	place := 0
	ratio := rational.New(int64(t.Track.Timescale), int64(leader.Track.Timescale))
	all = append(all, leaders[0])
	begins := true
	for s := range t.All() {
		for place+1 < len(leaders) && s.PTS >= ratio.Ceil(leaders[place+1].first) {
			place++
			all = append(all, leaders[place])
			begins = true
		}
		if begins {
			all = append(all, t.begin(1, s))
			begins = false
		}
		all[len(all)-1].add(s)
	}
	return append(all, leaders[place+1:]...)
}
