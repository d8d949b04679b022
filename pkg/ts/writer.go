package ts

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"sealreel/pkg/fragment"
)

const (
	// audioBytes is the most frames of a PES packet: with its header it
	// fills 16 packets.
	audioBytes = 16*(PacketSize-4) - ptsHeader

	// audioSpan is the longest sound of a PES packet.
	audioSpan = Clock * 4 / 10

	never = -1 << 62 // no clock reference was written yet
)

// Config says which streams a segment has. One of them may be nil.
type Config struct {
	Video *fragment.Track
	Audio *fragment.Track
}

// Writer writes one segment. Frames of each stream come in decode order; the
// order between the streams is the caller's (see Interleaver). Times are in
// ticks of 90 kHz from the presentation's time 0 and may be a little negative;
// they are written with Start added. A Writer is for one goroutine, and its
// first error is its last.
type Writer struct {
	z        *packetizer
	config   Config
	sets     [][]byte
	format   soundFormat
	patBytes []byte
	pmtBytes []byte
	pat, pmt stream
	video    stream
	audio    stream
	clock    int64 // DTS that the last clock reference was made for
	begun    bool
	pes      []byte // reused for each frame of video
	sound    sound
	err      error
}

// sound is a PES packet of audio that is still being filled.
type sound struct {
	data   []byte // frames
	pts    int64  // of the first
	frames int64
	pes    []byte // reused
}

var errClosed = errors.New("segment is closed")

// NewWriter returns a Writer to w. It fails with ErrMalformed when there is no
// stream, or one that a transport stream has no code for.
func NewWriter(w io.Writer, c Config) (*Writer, error) {
	t := &Writer{z: newPacketizer(w), config: c, clock: never}
	t.pat.pid, t.pmt.pid, t.video.pid, t.audio.pid = patPID, pmtPID, videoPID, audioPID
	switch {
	case c.Video == nil && c.Audio == nil:
		return nil, fmt.Errorf("%w: neither video nor audio", ErrMalformed)
	case c.Video != nil && c.Video.Kind != fragment.Video:
		return nil, fmt.Errorf("%w: %v given as video", ErrMalformed, c.Video.Kind)
	case c.Audio != nil && c.Audio.Kind != fragment.Audio:
		return nil, fmt.Errorf("%w: %v given as audio", ErrMalformed, c.Audio.Kind)
	}
	if c.Video != nil {
		t.sets = slices.Concat(c.Video.SPS, c.Video.PPS)
	}
	if c.Audio != nil {
		var err error
		if t.format, err = formatOf(c.Audio); err != nil {
			return nil, err
		}
	}
	t.patBytes, t.pmtBytes = pat(), pmt(c.Video != nil, t.format.kind)
	return t, nil
}

// WriteVideo writes a frame, of which it uses Key and Data.
func (t *Writer) WriteVideo(s fragment.Sample, pts, dts int64) error {
	if t.err == nil {
		t.err = t.writeVideo(s, pts, dts)
	}
	return t.err
}

func (t *Writer) writeVideo(s fragment.Sample, pts, dts int64) error {
	if t.config.Video == nil {
		return fmt.Errorf("%w: a frame of video in a segment without", ErrMalformed)
	}
	if err := t.bridge(&t.video, dts); err != nil {
		return err
	}
	if err := t.tables(s.Key); err != nil {
		return err
	}
	var sets [][]byte
	f := none
	if s.Key {
		sets, f.randomAccess = t.sets, true
	}
	if s.Key || dts-t.clock >= clockEvery {
		f.clock = reference(dts)
		t.clock = dts
	}
	t.pes = appendPES(t.pes[:0], videoStream, pts+Start, dts+Start, 0)
	header := len(t.pes)
	var err error
	if t.pes, err = appendAnnexB(t.pes, s.Data, sets); err != nil {
		return fmt.Errorf("frame at %d: %w", pts, err)
	}
	return t.z.pes(&t.video, t.pes, header, 1, f)
}

// reference is the program clock when the frame with the DTS arrives.
func reference(dts int64) int64 { return (dts + Start - lead) & timeMask }

// bridge keeps the clock going where frames are further apart than it may
// pause. Beyond 10 seconds it gives up: a decoder has lost it then.
func (t *Writer) bridge(s *stream, dts int64) error {
	if dts-t.clock > 10*Clock {
		return nil
	}
	for dts-t.clock > clockAtMost {
		t.clock += clockAtMost
		if err := t.z.clockOnly(s, reference(t.clock)); err != nil {
			return err
		}
	}
	return nil
}

// tables writes PAT and PMT at the segment's start and where asked to.
func (t *Writer) tables(wanted bool) error {
	if t.begun && !wanted {
		return nil
	}
	t.begun = true
	if err := t.z.table(&t.pat, t.patBytes); err != nil {
		return err
	}
	return t.z.table(&t.pmt, t.pmtBytes)
}

// WriteAudio writes one frame, of AAC without an ADTS header, that is heard at pts.
// Frames are gathered into PES packets of up to 0.4 s; one that does not
// continue the frame before it to the tick begins a new packet.
func (t *Writer) WriteAudio(frame []byte, pts int64) error {
	if t.err == nil {
		t.err = t.writeAudio(frame, pts)
	}
	return t.err
}

func (t *Writer) writeAudio(frame []byte, pts int64) error {
	if t.config.Audio == nil {
		return fmt.Errorf("%w: a frame of sound in a segment without", ErrMalformed)
	}
	s := &t.sound
	if s.frames > 0 && (t.full(len(frame)) || !t.continues(pts)) {
		if err := t.flushAudio(false); err != nil {
			return err
		}
	}
	if s.frames == 0 {
		s.pts = pts
	}
	var err error
	if s.data, err = t.format.append(s.data, frame); err != nil {
		return fmt.Errorf("sound at %d: %w", pts, err)
	}
	s.frames++
	return nil
}

// full says whether a frame of the size must go to a new packet.
func (t *Writer) full(size int) bool {
	s := &t.sound
	return len(s.data)+t.format.header+size > audioBytes || t.span(s.frames+1) > audioSpan
}

// span is how long so many frames of sound last.
func (t *Writer) span(frames int64) int64 {
	return Ticks(frames*t.format.samples, uint32(t.config.Audio.SampleRate))
}

// continues says whether a frame at pts follows those that are gathered; each
// time may have been rounded to either side.
func (t *Writer) continues(pts int64) bool {
	d := pts - t.sound.pts - t.span(t.sound.frames)
	return -1 <= d && d <= 1
}

// flushAudio writes the gathered frames. The last of a segment are spread over
// as many packets as bring the counter to the end of its round.
func (t *Writer) flushAudio(last bool) error {
	if err := t.tables(false); err != nil {
		return err
	}
	s := &t.sound
	s.pes = appendPES(s.pes[:0], audioStream, s.pts+Start, s.pts+Start, len(s.data))
	s.pes = append(s.pes, s.data...)
	var fields []field
	if t.config.Video == nil {
		if err := t.bridge(&t.audio, s.pts); err != nil {
			return err
		}
		fields = t.soundClock(len(s.pes))
	}
	s.data, s.frames = s.data[:0], 0
	packets := packetsFor(len(s.pes), fields...)
	for last && packets&15 != t.audio.short() {
		packets++
	}
	return t.z.pes(&t.audio, s.pes, ptsHeader, packets, fields...)
}

// soundClock spreads clock references over the packets of the gathered sound,
// where there is no video to carry them.
func (t *Writer) soundClock(size int) []field {
	span := t.span(t.sound.frames)
	n := int(span/clockAtMost) + 1
	fields := make([]field, packetsFor(size))
	for i := range fields {
		fields[i] = none
	}
	n = min(n, len(fields))
	for i := range n {
		t.clock = t.sound.pts + span*int64(i)/int64(n)
		fields[i*len(fields)/n] = field{randomAccess: i == 0, clock: reference(t.clock)}
	}
	return fields
}

// Close ends the segment: it writes what is gathered, brings the counters to
// the end of their round and flushes. It does not close the underlying writer.
// A segment without any frame is an error.
//
// The counter of sound stays short of its end where all that is gathered is a
// frame of a dozen bytes, too few to spread. Such a frame is silence, and a
// decoder that is flushed behind silence is not heard.
func (t *Writer) Close() error {
	if t.err != nil {
		return t.err
	}
	if t.err = t.finish(); t.err != nil {
		return t.err
	}
	t.err = errClosed
	return nil
}

func (t *Writer) finish() error {
	if t.sound.frames > 0 {
		if err := t.flushAudio(true); err != nil {
			return err
		}
	}
	if !t.begun {
		return fmt.Errorf("%w: segment without a frame", ErrMalformed)
	}
	// Zero bytes may follow the last NAL unit of a byte stream (H.264, B.1.1).
	for range t.video.short() {
		if err := t.z.packet(&t.video, false, none, []byte{0}); err != nil {
			return err
		}
	}
	return t.z.w.Flush()
}
