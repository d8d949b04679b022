package flv

import (
	"encoding/binary"
	"math"

	"sealreel/pkg/fragment"
)

// header is all up to the first sample of a file of so many bytes.
func (l *Layout) header(size int64) []byte {
	const hasVideo, hasAudio = 1, 4
	flags := byte(0)
	var configs []byte
	for _, t := range l.tracks {
		kind, start, flag := byte(videoTag), appendPicture(nil, true, pictureConfig, 0), byte(hasVideo)
		if t.Kind == fragment.Audio {
			kind, start, flag = audioTag, appendSound(nil, t.Track, soundConfig), hasAudio
		}
		flags |= flag
		if t.Track.Config == nil {
			continue // the samples have it in them
		}
		configs = append(configs, whole(kind, 0, append(start, t.Track.Config...))...)
	}
	b := append([]byte("FLV\x01"), flags, 0, 0, 0, 9, 0, 0, 0, 0)
	b = append(b, whole(scriptTag, 0, l.metadata(size))...)
	return append(b, configs...)
}

// trailer ends the pictures, as H.264 in FLV does.
func (l *Layout) trailer() []byte {
	if l.tracks[0].Kind != fragment.Video {
		return nil
	}
	return whole(videoTag, l.ends, appendPicture(nil, true, pictureEnd, 0))
}

// appendHeader begins a tag with a body of so many bytes. The time has its upper
// byte last.
func appendHeader(b []byte, kind byte, size, time int64) []byte {
	return append(b, kind, byte(size>>16), byte(size>>8), byte(size), byte(time>>16), byte(time>>8), byte(time), byte(time>>24), 0, 0, 0)
}

// appendEnd ends it.
func appendEnd(b []byte, size int64) []byte {
	return binary.BigEndian.AppendUint32(b, uint32(tagHeader+size))
}

// whole is a tag in memory.
func whole(kind byte, time int64, body []byte) []byte {
	b := append(appendHeader(nil, kind, int64(len(body)), time), body...)
	return appendEnd(b, int64(len(body)))
}

// Types of values of AMF 0, in which the metadata is written.
const (
	amfNumber    = 0
	amfBoolean   = 1
	amfString    = 2
	amfObject    = 3
	amfNamed     = 8
	amfObjectEnd = 9
	amfArray     = 10
)

// metadata is onMetaData: what the file has, and where its keyframes are.
func (l *Layout) metadata(size int64) []byte {
	m := amf{b: append([]byte{amfString}, name("onMetaData")...)}
	m.b = append(m.b, amfNamed, 0, 0, 0, 0) // players do not count the members
	m.number("duration", float64(l.ends)/1000)
	for _, t := range l.tracks {
		seconds := float64(t.End-t.Start) / float64(t.Track.Timescale)
		rate := 0.0
		if seconds > 0 {
			rate = float64(t.Bytes) * 8 / 1000 / seconds
		}
		if t.Kind == fragment.Audio {
			m.number("audiocodecid", float64(soundFormat(t.Track)))
			m.number("audiodatarate", rate)
			m.number("audiosamplerate", float64(t.Track.SampleRate))
			m.number("audiosamplesize", 16)
			m.boolean("stereo", t.Track.Channels == 2)
			continue
		}
		m.number("videocodecid", 7)
		m.number("videodatarate", rate)
		m.number("width", float64(t.Track.Width))
		m.number("height", float64(t.Track.Height))
		if seconds > 0 {
			m.number("framerate", float64(t.Samples)/seconds)
		}
	}
	m.number("filesize", float64(size))
	if len(l.keys) > 0 {
		m.boolean("hasKeyframes", true)
		m.b = append(append(m.b, name("keyframes")...), amfObject)
		m.array("filepositions", len(l.keys), func(i int) float64 { return float64(l.keys[i].at) })
		m.array("times", len(l.keys), func(i int) float64 { return l.keys[i].time })
		m.end()
	}
	m.end()
	return m.b
}

// amf writes named values.
type amf struct{ b []byte }

func name(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

func (m *amf) value(f float64) {
	m.b = binary.BigEndian.AppendUint64(append(m.b, amfNumber), math.Float64bits(f))
}

func (m *amf) number(of string, f float64) {
	m.b = append(m.b, name(of)...)
	m.value(f)
}

func (m *amf) boolean(of string, is bool) {
	m.b = append(append(m.b, name(of)...), amfBoolean, 0)
	if is {
		m.b[len(m.b)-1] = 1
	}
}

func (m *amf) array(of string, n int, at func(int) float64) {
	m.b = append(append(m.b, name(of)...), amfArray)
	m.b = binary.BigEndian.AppendUint32(m.b, uint32(n))
	for i := range n {
		m.value(at(i))
	}
}

func (m *amf) end() { m.b = append(m.b, 0, 0, amfObjectEnd) }
