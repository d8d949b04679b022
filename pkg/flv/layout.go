// Package flv joins parts that were encoded apart into one Flash Video file
// whose duration and index of keyframes are in front, so that players can seek
// in it while it is loaded.
//
// From the indexes of the parts alone Plan computes the file's header and exact
// size; Layout.Stream then copies the samples, holding none of them. Memory
// grows with the number of keyframes. The same parts give the same bytes. Layout:
// Adobe Flash Video File Format Specification 10.1, annex E: H.264 with AAC or
// MP3. It counts milliseconds from the first frame that is decoded, so that all
// is shown and heard by the delay of the encoders later than in other files.
package flv

import (
	"fmt"
	"math"

	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
	"sealreel/pkg/rational"
)

// Types of tags.
const (
	audioTag  = 8
	videoTag  = 9
	scriptTag = 18
)

const (
	tagHeader = 11
	tagEnd    = 4 // the length of the tag before
	tagAround = tagHeader + tagEnd
	mostBytes = 1<<24 - 1 // of a tag
)

// Layout is a file that is planned to the byte.
type Layout struct {
	head   []byte // up to the first sample
	tracks []*part.Sequence
	zero   int64 // the time of the file's beginning, in milliseconds; not positive
	ends   int64 // when the last sample ends, in milliseconds of the file
	keys   []keyframe
	size   int64
}

// keyframe is where decoding can start: seconds, by when it is decoded, and bytes
// of the file.
type keyframe struct {
	time float64
	at   int64
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
		if !carried(sequence.Track.Coding) {
			return nil, fmt.Errorf("%w: FLV has no %s", part.ErrParts, sequence.Track.Coding)
		}
		l.tracks = append(l.tracks, sequence)
	}
	if len(l.tracks) == 0 {
		return nil, fmt.Errorf("%w: there is no sample in any of them", part.ErrParts)
	}
	for _, t := range l.tracks {
		l.zero = min(l.zero, milliseconds(t, t.Start))
	}
	for _, t := range l.tracks {
		l.ends = max(l.ends, milliseconds(t, t.Last)-l.zero)
	}
	if l.ends > math.MaxInt32 {
		return nil, fmt.Errorf("%w: FLV counts milliseconds up to %d", part.ErrParts, math.MaxInt32)
	}
	return l, l.measure()
}

// carried says whether samples of a coding can be in the file.
func carried(c fragment.Coding) bool {
	return c == fragment.H264 || c == fragment.AAC || c == fragment.MPEGAudio
}

// milliseconds is a time of a track, from the presentation's beginning.
func milliseconds(t *part.Sequence, ticks int64) int64 {
	return rational.New(1000, int64(t.Track.Timescale)).Round(ticks)
}

// Size is that of the whole file in bytes.
func (l *Layout) Size() int64 { return l.size }

// measure finds the keyframes, and writes the head: once to see how long it is,
// which does not depend on the numbers in it, and once with where they are.
func (l *Layout) measure() error {
	var at int64
	err := l.walk(func(t tag) error {
		if t.Size > mostBytes-int64(len(t.start)) {
			return fmt.Errorf("%w: a sample of %d bytes, which FLV has no room for", part.ErrParts, t.Size)
		}
		if t.key {
			l.keys = append(l.keys, keyframe{float64(t.decoded) / 1000, at})
		}
		at += tagAround + int64(len(t.start)) + t.Size
		return nil
	})
	if err != nil {
		return err
	}
	for len(l.keys) > mostKeys {
		l.keys = everySecond(l.keys)
	}
	end := int64(len(l.trailer()))
	base := int64(len(l.header(0)))
	for i := range l.keys {
		l.keys[i].at += base
	}
	l.size = base + at + end
	l.head = l.header(l.size)
	return nil
}

// mostKeys is how many keyframes the index has at most: what it says of them must
// fit into one tag. Beyond that, players seek a little further back.
const mostKeys = 1 << 16

func everySecond(keys []keyframe) []keyframe {
	half := keys[:0]
	for i := 0; i < len(keys); i += 2 {
		half = append(half, keys[i])
	}
	return half
}

// tag is a sample in the file.
type tag struct {
	part.Sample
	track   int
	kind    byte
	decoded int64 // milliseconds of the file
	shown   int64
	key     bool
	start   []byte // of its body, in front of the data; valid until the next
}

// walk visits the samples in the file's order, until visit fails.
func (l *Layout) walk(visit func(tag) error) error {
	var start []byte
	for i, s := range part.Merge(l.tracks...) {
		of := l.tracks[i]
		t := tag{Sample: s, track: i, kind: audioTag, decoded: milliseconds(of, s.DTS) - l.zero, shown: milliseconds(of, s.PTS) - l.zero}
		if of.Kind == fragment.Video {
			t.kind, t.key = videoTag, s.Key
			start = appendPicture(start[:0], s.Key, pictureData, t.shown-t.decoded)
		} else {
			start = appendSound(start[:0], of.Track, soundData)
		}
		t.start = start
		if err := visit(t); err != nil {
			return err
		}
	}
	return nil
}

// Kinds of what a tag of H.264 or AAC holds.
const (
	pictureConfig = 0
	pictureData   = 1
	pictureEnd    = 2
	soundConfig   = 0
	soundData     = 1
)

// appendPicture begins the body of a tag of H.264: how much later than it is
// decoded it is shown is in 24 bits with a sign.
func appendPicture(b []byte, key bool, kind byte, later int64) []byte {
	const avc, keyFrame, interFrame = 7, 1 << 4, 2 << 4
	first := byte(interFrame | avc)
	if key {
		first = keyFrame | avc
	}
	return append(b, first, kind, byte(later>>16), byte(later>>8), byte(later))
}

// Sound formats of FLV.
const (
	mp3 = 2
	aac = 10
)

func soundFormat(t *fragment.Track) byte {
	if t.Coding == fragment.AAC {
		return aac
	}
	return mp3
}

// appendSound begins the body of a tag of sound, which in AAC says what kind it
// is. Rate and channels are told by the configuration of AAC and the frames of
// MP3; the fields for them must be filled all the same.
func appendSound(b []byte, t *fragment.Track, kind byte) []byte {
	const rate44kHz, bits16, stereo = 3 << 2, 1 << 1, 1
	b = append(b, soundFormat(t)<<4|rate44kHz|bits16|stereo)
	if t.Coding == fragment.AAC {
		b = append(b, kind)
	}
	return b
}
