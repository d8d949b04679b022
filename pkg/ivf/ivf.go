// Package ivf reads the VP8 that ffmpeg streams to us: MP4 as ffmpeg writes it
// has no place for that codec, and IVF is the simplest container that has.
//
// A Reader gives the same samples that package fragment gives of other codecs,
// so that all that is checked of frames is checked of these. It reads strictly
// forward, holds one frame in memory, never more than MaxFrame bytes, and
// guarantees for any input an error instead of a panic. It refuses frames that
// are not shown, since a frame's place is told by what is shown. Layout: the
// header of 32 bytes and the frames' of 12 that libvpx's tools write; the
// frame's own header is that of RFC 6386, 9.1.
package ivf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"sealreel/pkg/fragment"
)

// MaxFrame is the most bytes of one frame.
const MaxFrame = 64 << 20

// ErrMalformed is what every error about the content of a stream wraps.
var ErrMalformed = errors.New("malformed IVF of VP8")

const (
	fileHeader  = 32
	frameHeader = 12
	maxTime     = 1 << 60

	// leastScale is below what timescales are made finer, so that they are those
	// of the other codecs' streams.
	leastScale = 1000
)

// Reader reads a stream. Its first error is its last. A Reader is for one
// goroutine.
type Reader struct {
	r      io.Reader
	shape  Shape
	track  *fragment.Track
	tick   int64 // units of the track's timescale in one of the stream's
	width  int
	height int
	next   *fragment.Sample // read already, for the first frame has what the track needs
	err    error
}

// Shape is that of a pixel, width to height. The stream does not tell it; the
// zero value is a square.
type Shape struct{ Width, Height uint32 }

// NewReader returns a Reader of the stream, whose pixels have the shape. It reads
// in small pieces: give it a buffered reader when reads are dear.
func NewReader(r io.Reader, shape Shape) *Reader { return &Reader{r: r, shape: shape} }

// Track describes the stream. The first call reads up to the first frame, which
// must be a keyframe and have the size that the stream's header says.
func (r *Reader) Track() (*fragment.Track, error) {
	if r.track != nil || r.err != nil {
		return r.track, r.err
	}
	scale, err := r.header()
	if err == nil {
		r.next, err = r.frame()
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		r.track, err = r.describe(scale, r.next)
	}
	r.err = err
	return r.track, err
}

// Next returns the next frame as a fragment of its own, and io.EOF where the
// stream ends between two of them. io.ErrUnexpectedEOF says that it ended inside
// one; other errors wrap ErrMalformed or are the underlying reader's.
func (r *Reader) Next() (*fragment.Fragment, error) {
	if _, err := r.Track(); err != nil {
		return nil, err
	}
	sample := r.next
	r.next = nil
	if sample == nil {
		sample, r.err = r.frame()
	}
	if r.err != nil {
		return nil, r.err
	}
	return &fragment.Fragment{Samples: []fragment.Sample{*sample}}, nil
}

// Complete says, once Next returned io.EOF, that the stream is whole as far as
// can be seen: IVF has no mark at its end, so whoever reads must know how many
// frames there are.
func (r *Reader) Complete() bool { return r.err == io.EOF }

// header reads that of the stream and returns the track's timescale.
func (r *Reader) header() (uint32, error) {
	var h [fileHeader]byte
	if _, err := io.ReadFull(r.r, h[:]); err != nil {
		return 0, err
	}
	if string(h[:4]) != "DKIF" || binary.LittleEndian.Uint16(h[6:]) != fileHeader {
		return 0, fmt.Errorf("%w: it does not begin as IVF does", ErrMalformed)
	}
	if string(h[8:12]) != "VP80" {
		return 0, fmt.Errorf("%w: its codec is %q", ErrMalformed, h[8:12])
	}
	r.width, r.height = int(binary.LittleEndian.Uint16(h[12:])), int(binary.LittleEndian.Uint16(h[14:]))
	rate, unit := int64(binary.LittleEndian.Uint32(h[16:])), int64(binary.LittleEndian.Uint32(h[20:]))
	if rate == 0 || unit == 0 {
		return 0, fmt.Errorf("%w: time base %d/%d", ErrMalformed, unit, rate)
	}
	scale := rate
	for scale < leastScale {
		scale *= 10
	}
	r.tick = unit * (scale / rate)
	if r.tick > math.MaxUint32 {
		return 0, fmt.Errorf("%w: time base %d/%d", ErrMalformed, unit, rate)
	}
	return uint32(scale), nil
}

// frame reads one frame.
func (r *Reader) frame() (*fragment.Sample, error) {
	var h [frameHeader]byte
	if _, err := io.ReadFull(r.r, h[:]); err != nil {
		return nil, err
	}
	size, place := binary.LittleEndian.Uint32(h[:]), binary.LittleEndian.Uint64(h[4:])
	if size > MaxFrame || place > uint64(maxTime/r.tick) {
		return nil, fmt.Errorf("%w: a frame of %d bytes at time %d", ErrMalformed, size, place)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r.r, data); err != nil {
		if err == io.EOF && size > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if len(data) < tagLength || data[0]&shown == 0 {
		return nil, fmt.Errorf("%w: the frame at time %d is not shown: ask the encoder for no alternate references", ErrMalformed, place)
	}
	at := int64(place) * r.tick
	return &fragment.Sample{DTS: at, PTS: at, Duration: r.tick, Key: data[0]&interframe == 0, Data: data}, nil
}

// Of a frame's tag, three bytes in front of each frame.
const (
	tagLength   = 3
	interframe  = 0x01
	version     = 0x0e // in its bits 1 to 3
	shown       = 0x10
	keyHeader   = tagLength + 7
	startCode   = "\x9d\x01\x2a"
	sizeOfFrame = 0x3fff // without the scale in the two bits above
)

// describe makes the track of the first frame.
func (r *Reader) describe(scale uint32, first *fragment.Sample) (*fragment.Track, error) {
	b := first.Data
	if !first.Key || len(b) < keyHeader || string(b[tagLength:tagLength+len(startCode)]) != startCode {
		return nil, fmt.Errorf("%w: the first frame is no keyframe", ErrMalformed)
	}
	w, h := int(binary.LittleEndian.Uint16(b[6:])&sizeOfFrame), int(binary.LittleEndian.Uint16(b[8:])&sizeOfFrame)
	if w != r.width || h != r.height {
		return nil, fmt.Errorf("%w: frames of %d x %d in a stream of %d x %d", ErrMalformed, w, h, r.width, r.height)
	}
	track, err := fragment.NewTrack(scale, sampleEntry(w, h, r.shape, b[0]&version>>1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return track, nil
}

// sampleEntry is what MP4 would say of the track: the box vp08 with a vpcC of 8
// bits a sample, 4:2:0, of no known colours.
func sampleEntry(width, height int, shape Shape, profile byte) []byte {
	body := make([]byte, 24, 256)
	body[7] = 1 // data reference
	body = binary.BigEndian.AppendUint16(body, uint16(width))
	body = binary.BigEndian.AppendUint16(body, uint16(height))
	body = append(body, make([]byte, 46)...)
	body = append(body, 0, 24, 0xff, 0xff) // depth, no palette
	const depth, unknown = 8, 2
	config := []byte{1, 0, 0, 0, profile, 10, depth<<4 | 1<<1, unknown, unknown, unknown, 0, 0}
	body = append(body, box("vpcC", config)...)
	if shape.Width != shape.Height {
		body = append(body, box("pasp", binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, shape.Width), shape.Height))...)
	}
	return box("vp08", body)
}

func box(name string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(append(b, name...), body...)
}
