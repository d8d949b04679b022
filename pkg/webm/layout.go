// Package webm joins parts that were encoded apart into one WebM file whose
// duration and index (Cues) are in front, so that a browser can seek in it while
// it is loaded.
//
// From the indexes of the parts alone Plan computes the file's header and exact
// size; Layout.Stream then copies the samples, holding none of them. Memory
// grows with the number of clusters, never with their size. The same parts give
// the same bytes. Layout: RFC 9559, and the WebM project's guidelines: VP8, VP9
// and Vorbis, times in milliseconds, a cluster at each keyframe.
package webm

import (
	"fmt"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
	"sealreel/pkg/rational"
)

// longest is how long a cluster may be, in milliseconds: less than the half
// minute that a block's time reaches from its cluster's.
const longest = 5000

// Layout is a file that is planned to the byte.
type Layout struct {
	head     []byte // up to the first cluster
	tracks   []*part.Sequence
	clusters []span
	size     int64
}

// span is a cluster: when it begins, and the bytes behind its header.
type span struct {
	time  int64
	bytes int64
	cue   bool
}

// Plan lays out a file of the parts, in order, of a video and an audio track, of
// which one may have none. What part.Join demands of parts holds for each. Errors
// wrap part.ErrParts.
func Plan(video, audio []*part.Index) (*Layout, error) {
	l := &Layout{}
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
		if _, known := codecs[sequence.Track.Coding]; !known {
			return nil, fmt.Errorf("%w: WebM has no %s", part.ErrParts, sequence.Track.Coding)
		}
		l.tracks = append(l.tracks, sequence)
	}
	if len(l.tracks) == 0 {
		return nil, fmt.Errorf("%w: there is no sample in any of them", part.ErrParts)
	}
	l.measure()
	l.writeHead()
	return l, nil
}

// Size is that of the whole file in bytes.
func (l *Layout) Size() int64 { return l.size }

// measure finds the clusters.
func (l *Layout) measure() {
	_ = l.walk(func(b placed) error { // there is nothing that could fail
		if b.begins {
			l.clusters = append(l.clusters, span{time: b.time, bytes: int64(len(number(clusterTimestamp, uint64(b.time)))), cue: b.cue})
		}
		l.clusters[len(l.clusters)-1].bytes += int64(len(b.header)) + b.Size
		return nil
	})
}

// placed is a sample in its cluster.
type placed struct {
	part.Sample
	track  int
	begins bool   // a cluster begins with it
	cue    bool   // that is one to be sought
	time   int64  // of the cluster
	header []byte // in front of the sample's data, valid until the next
}

// walk visits the samples in the file's order, until visit fails.
func (l *Layout) walk(visit func(placed) error) error {
	pictures := l.tracks[0].Kind == fragment.Video
	begun := int64(-1)
	var header []byte
	for i, s := range part.Merge(l.tracks...) {
		at := max(milliseconds(l.tracks[i], s.PTS), 0) // the first packet of Vorbis only prepares for the next
		key := s.Key || l.tracks[i].Kind == fragment.Audio
		b := placed{Sample: s, track: i, time: begun}
		if leads := pictures && i == 0 && key; begun < 0 || leads || at-begun >= longest {
			b.begins, b.cue = true, leads || !pictures
			b.time, begun = at, at
		}
		header = appendBlock(header[:0], i+1, at-begun, key, s.Size)
		b.header = header
		if err := visit(b); err != nil {
			return err
		}
	}
	return nil
}

// milliseconds is a time of a track in units of the file.
func milliseconds(t *part.Sequence, ticks int64) int64 {
	return rational.New(1000, int64(t.Track.Timescale)).Round(ticks)
}

// appendBlock writes what is in front of a sample's data: its track, its time
// from the cluster's, and whether decoding can start there.
func appendBlock(b []byte, track int, relative int64, key bool, size int64) []byte {
	const keyFlag = 0x80
	head := [...]byte{0x80 | byte(track), byte(uint16(relative) >> 8), byte(relative), 0}
	if key {
		head[3] = keyFlag
	}
	b = appendSize(appendID(b, simpleBlock), uint64(len(head))+uint64(size))
	return append(b, head[:]...)
}
