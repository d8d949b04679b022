package webm

import (
	"sealreel/pkg/fragment"
	"sealreel/pkg/part"
	"sealreel/pkg/rational"
)

// codecs are WebM's names of codecs.
var codecs = map[fragment.Coding]string{fragment.VP8: "V_VP8", fragment.VP9: "V_VP9", fragment.Vorbis: "A_VORBIS"}

// app is who wrote the file.
const app = "sealreel"

// writeHead encodes what comes before the clusters. Where those lie depends on
// its length, so every number that says where has a fixed one.
func (l *Layout) writeHead() {
	begin := element(ebmlHead, number(ebmlVersion, 1), number(ebmlReadVersion, 1), number(ebmlMaxID, 4), number(ebmlMaxSize, 8),
		text(docType, "webm"), number(docVersion, 4), number(docReadVersion, 2))
	about := element(info, number(timestampScale, 1_000_000), float(duration, l.duration()), text(muxingApp, app), text(writingApp, app))
	var described [][]byte
	for i, t := range l.tracks {
		described = append(described, entry(i+1, t))
	}
	list := element(tracks, described...)
	index := l.index(0)
	sought := l.sought(0, len(about), len(about)+len(list))
	content := len(sought) + len(about) + len(list) + len(index)
	sought = l.sought(len(sought), len(about), len(about)+len(list))
	index = l.index(int64(content))
	for _, c := range l.clusters {
		content += len(clusterHead(c)) + int(c.bytes)
	}
	l.head = append(begin, wideSize(appendID(nil, segment), uint64(content))...)
	l.size = int64(len(l.head)) + int64(content)
	for _, b := range [][]byte{sought, about, list, index} {
		l.head = append(l.head, b...)
	}
}

// sought says where the other elements of the head are, in bytes from the
// segment's content: info first, behind this one.
func (l *Layout) sought(own, trackList, cueList int) []byte {
	entry := func(i id, at int) []byte {
		return element(seek, element(seekID, appendID(nil, i)), position(seekPosition, uint64(own+at)))
	}
	return element(seekHead, entry(info, 0), entry(tracks, trackList), entry(cues, cueList))
}

// index says which clusters begin with a keyframe of the first track, and where
// they are when the first lies at base.
func (l *Layout) index(base int64) []byte {
	var points [][]byte
	for _, c := range l.clusters {
		if c.cue {
			points = append(points, element(cuePoint, number(cueTime, uint64(c.time)),
				element(cuePositions, number(cueTrack, 1), position(cueCluster, uint64(base)))))
		}
		base += int64(len(clusterHead(c))) + c.bytes
	}
	return element(cues, points...)
}

func clusterHead(c span) []byte {
	return appendSize(appendID(nil, cluster), uint64(c.bytes))
}

// duration is when the last track ends, in milliseconds.
func (l *Layout) duration() float64 {
	ends := 0.0
	for _, t := range l.tracks {
		ends = max(ends, float64(t.Last)*1000/float64(t.Track.Timescale))
	}
	return ends
}

// entry describes a track.
func entry(n int, t *part.Sequence) []byte {
	about := [][]byte{number(trackNumber, uint64(n)), number(trackUID, uint64(n)), number(flagLacing, 0),
		text(language, "und"), text(codecID, codecs[t.Track.Coding])}
	if t.Kind == fragment.Audio {
		about = append(about, number(trackType, 2), element(codecPrivate, t.Track.Config), element(audio,
			float(samplingFrequency, float64(t.Track.SampleRate)), number(channels, uint64(t.Track.Channels))))
		return element(trackEntry, about...)
	}
	about = append(about, number(trackType, 1))
	if all := rational.New(1_000_000_000, int64(t.Track.Timescale)).Round(t.End - t.Start); all > 0 {
		about = append(about, number(defaultDuration, uint64(rational.New(1, int64(t.Samples)).Round(all))))
	}
	return element(trackEntry, append(about, element(video, picture(t.Track)...))...)
}

// picture describes the size, the shape of pixels where they are not square, and
// the colours where the encoder knew them.
func picture(t *fragment.Track) [][]byte {
	about := [][]byte{number(pixelWidth, uint64(t.Width)), number(pixelHeight, uint64(t.Height))}
	if t.SARWidth != t.SARHeight {
		wide := rational.New(int64(t.SARWidth), int64(t.SARHeight)).Round(int64(t.Width))
		about = append(about, number(displayWidth, uint64(wide)), number(displayHeight, uint64(t.Height)))
	}
	const primariesAt, unknown = 7, 2 // in vpcC, and in all three of its numbers
	if c := t.Config; t.Coding == fragment.VP9 && len(c) > primariesAt+2 {
		known := [][]byte{number(colourRange, uint64(c[primariesAt-1]&1)+1)}
		for i, name := range []id{primaries, transfer, matrixCoefficient} {
			if value := c[primariesAt+i]; value != unknown {
				known = append(known, number(name, uint64(value)))
			}
		}
		if len(known) > 1 {
			about = append(about, element(colour, known...))
		}
	}
	return about
}
