package probe

import (
	"bytes"
	"fmt"
	"strconv"

	"sealreel/pkg/job"
)

// packetEntries are the columns of the CSV that a scan reads, in the order in
// which ffprobe prints them whatever order is asked for.
const packetEntries = "packet=stream_index,pts,dts,duration,flags"

// longestLine bounds a line of that CSV; a real one has under 100 bytes.
const longestLine = 1 << 12

// packet is one line. Unknown times are noTime, an unknown duration is 0.
type packet struct {
	stream        int
	pts, dts, dur int64
	key           bool // decoding can begin here
	hidden        bool // needed to decode others, but not to be presented
}

// scan is a writer of packet lines that sorts them into tracks.
type scan struct {
	video, audio *track // nil if there is none
	partial      []byte // the beginning of a line
}

func newScan(r *Report, maxPackets int) *scan {
	s := new(scan)
	if r.Video != nil {
		s.video = newTrack(&r.Video.Stream, r.Format, maxPackets)
	}
	if r.Audio != nil {
		s.audio = newTrack(&r.Audio.Stream, r.Format, maxPackets)
		s.audio.extentOnly = true
	}
	return s
}

// selector is ffprobe's name of the one stream to scan.
func (s *scan) selector() string {
	if s.video != nil {
		return strconv.Itoa(s.video.Index)
	}
	return strconv.Itoa(s.audio.Index)
}

func (s *scan) Write(p []byte) (int, error) {
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			break
		}
		line := p[:end]
		if len(s.partial) > 0 {
			if err := s.hold(line); err != nil {
				return 0, err
			}
			line = s.partial
		}
		if err := s.line(line); err != nil {
			return 0, err
		}
		s.partial, p = s.partial[:0], p[end+1:]
	}
	return n, s.hold(p)
}

// hold keeps a part of a line.
func (s *scan) hold(p []byte) error {
	if len(s.partial)+len(p) > longestLine {
		return fmt.Errorf("probe: ffprobe printed a line of more than %d bytes", longestLine)
	}
	s.partial = append(s.partial, p...)
	return nil
}

// end takes the last line, if it lacked its end.
func (s *scan) end() error { return s.line(s.partial) }

func (s *scan) line(line []byte) error {
	if len(bytes.TrimRight(line, "\r,")) == 0 {
		return nil // what follows a packet with side data
	}
	p, err := parsePacket(line)
	if err != nil {
		return err
	}
	for _, t := range []*track{s.video, s.audio} {
		if t != nil && t.Index == p.stream {
			return t.add(p)
		}
	}
	return nil
}

// parsePacket reads "0,3600,0,3600,K_", perhaps with more columns.
func parsePacket(line []byte) (packet, error) {
	var column [4]int64
	rest := line
	for i := range column {
		field, after, found := bytes.Cut(rest, []byte{','})
		n, err := strconv.ParseInt(string(field), 10, 64)
		switch {
		case !found, i == 0 && (err != nil || n < 0):
			return packet{}, fmt.Errorf("probe: ffprobe printed %.60q for a packet, want stream,pts,dts,duration,flags", line)
		case err != nil: // "N/A", or out of all reason
			n = noTime
		}
		column[i], rest = n, after
	}
	flags, _, _ := bytes.Cut(rest, []byte{','})
	return packet{
		stream: int(column[0]), pts: column[1], dts: column[2], dur: max(column[3], 0),
		key: bytes.IndexByte(flags, 'K') >= 0, hidden: bytes.IndexByte(flags, 'D') >= 0,
	}, nil
}

// track gathers the packets of one stream, in the order of the file.
type track struct {
	*Stream
	max        int
	extentOnly bool // keep no packet, only where they begin and end

	count        int     // packets, hidden ones aside
	pts, dts     []int64 // of each of them
	keys         []int   // positions in pts and dts
	hiddenKeys   []int64 // presentation times of hidden keyframes
	decodable    int     // position of the first packet at or after a keyframe, or -1
	noPTS, noDTS int     // packets without
	byPTS, byDTS extent
	commonLength int64 // a packet's duration, the first that is known
	clock        clock
}

// extent is the span of time that packets fill.
type extent struct {
	known       bool
	first, last int64 // the earliest and the latest time
	length      int64 // of the packet at last, 0 if it is not known
}

func (e *extent) add(t, length int64) {
	if t == noTime {
		return
	}
	if !e.known || t < e.first {
		e.first = t
	}
	if !e.known || t >= e.last {
		e.last, e.length = t, length
	}
	e.known = true
}

func newTrack(s *Stream, format string, most int) *track {
	return &track{Stream: s, max: most, decodable: -1, clock: newClock(s.TimeBase, format)}
}

func (t *track) add(p packet) error {
	if !t.extentOnly && float64(p.dur)*t.TimeBase.Float64() > DefaultMaxDuration.Seconds() {
		// ffmpeg fills all the time that a film's last frame claims.
		return job.Fail(job.CodeInputTooLarge, "a frame of the input's stream %d lasts more than %v by its packet; the file may be damaged", t.Index, DefaultMaxDuration)
	}
	if !sane(p.dur, t.TimeBase) {
		p.dur = 0
	}
	t.clock.correct(&p)
	if p.key && t.decodable < 0 {
		t.decodable = t.count
	}
	if p.hidden {
		if p.key && p.pts != noTime {
			t.hiddenKeys = append(t.hiddenKeys, p.pts)
		}
		return nil
	}
	if t.count++; t.count > t.max {
		return job.Fail(job.CodeInputTooLarge, "the input's stream %d has more than %d packets", t.Index, t.max)
	}
	t.byPTS.add(p.pts, p.dur)
	t.byDTS.add(p.dts, p.dur)
	if t.commonLength == 0 {
		t.commonLength = p.dur
	}
	if t.extentOnly {
		return nil
	}
	if p.key {
		t.keys = append(t.keys, len(t.pts))
	}
	if p.pts == noTime {
		t.noPTS++
	}
	if p.dts == noTime {
		t.noDTS++
	}
	t.pts, t.dts = append(t.pts, p.pts), append(t.dts, p.dts)
	return nil
}
