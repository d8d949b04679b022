package fragment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Reader reads a stream of fragments. Its first error is its last: it is
// returned by every later call. A Reader is for one goroutine.
type Reader struct {
	r        io.Reader
	pos      int64 // bytes read of the stream
	track    *Track
	id       uint32
	defaults defaults
	trailer  bool
	err      error
}

// NewReader returns a Reader of the stream. It reads in small pieces: give it a
// buffered reader when reads are dear.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: r}
}

// Track describes the stream's only track. The first call reads the init
// segment; io.ErrUnexpectedEOF says that the stream ended before it did.
func (r *Reader) Track() (*Track, error) {
	for r.track == nil && r.err == nil {
		h, err := r.header()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		switch {
		case err != nil:
		case h.start == 0 && h.name != "ftyp":
			err = fmt.Errorf("%w: it begins with %q, not with a box ftyp", ErrMalformed, h.name)
		case h.name == "moov":
			err = r.readInit(h)
		case h.name == "moof" || h.name == "mdat":
			err = fmt.Errorf("%w: box %q in front of moov: ask the muxer for empty_moov", ErrMalformed, h.name)
		default:
			err = r.skip(h)
		}
		r.err = err
	}
	if r.track == nil {
		return nil, r.err
	}
	return r.track, nil
}

// Next returns the next fragment, and io.EOF where the stream ends between two
// of them. io.ErrUnexpectedEOF says that it ended inside one; other errors wrap
// ErrMalformed, ErrTooLarge or are the underlying reader's.
func (r *Reader) Next() (*Fragment, error) {
	if _, err := r.Track(); err != nil {
		return nil, err
	}
	for r.err == nil {
		h, err := r.header()
		switch {
		case err != nil:
			r.err = err
		case h.name == "moof":
			f, err := r.fragment(h)
			r.err = err
			return f, err
		case h.name == "moov" || h.name == "mdat":
			r.err = fmt.Errorf("%w: box %q where a fragment must begin", ErrMalformed, h.name)
		default:
			r.err = r.skip(h)
			r.trailer = r.trailer || h.name == "mfra" && r.err == nil
		}
	}
	return nil, r.err
}

// Complete says, once Next returned io.EOF, whether the muxer ended the stream
// by its own will: it then wrote an index of random access points (mfra) last.
// A stream cut between two fragments has none.
func (r *Reader) Complete() bool { return r.err == io.EOF && r.trailer }

// boxHeader is a box of the stream whose body is still to be read.
type boxHeader struct {
	name  string
	start int64
	body  int64 // bytes
}

// header returns io.EOF only when the stream ends in front of the box.
func (r *Reader) header() (boxHeader, error) {
	h := boxHeader{start: r.pos}
	var b [16]byte
	n, err := io.ReadFull(r.r, b[:8])
	r.pos += int64(n)
	if err != nil {
		return h, err
	}
	size, length := uint64(binary.BigEndian.Uint32(b[:])), uint64(8)
	h.name = string(b[4:8])
	if size == 1 {
		if err := r.full(b[8:]); err != nil {
			return h, err
		}
		size, length = binary.BigEndian.Uint64(b[8:]), 16
	}
	if size < length || size > maxTime {
		return h, fmt.Errorf("%w: box %q at byte %d has size %d", ErrMalformed, h.name, h.start, size)
	}
	h.body = int64(size - length)
	return h, nil
}

func (r *Reader) readInit(h boxHeader) error {
	body, err := r.index(h)
	if err != nil {
		return err
	}
	r.track, r.id, r.defaults, err = parseInit(body)
	return err
}

// index reads the body of a moov or moof.
func (r *Reader) index(h boxHeader) ([]byte, error) {
	if h.body > maxIndex {
		return nil, fmt.Errorf("%w: box %q of %d bytes, at most %d are read", ErrTooLarge, h.name, h.body, maxIndex)
	}
	body := make([]byte, h.body)
	return body, r.full(body)
}

// fragment reads the moof of the header and the mdat behind it.
func (r *Reader) fragment(h boxHeader) (*Fragment, error) {
	body, err := r.index(h)
	if err != nil {
		return nil, err
	}
	run, err := parseMoof(body, r.id, r.defaults)
	if err != nil {
		return nil, fmt.Errorf("fragment at byte %d: %w", h.start, err)
	}
	mdat, err := r.mdat()
	if err != nil {
		return nil, err
	}
	base := r.pos - h.start
	if err := within(run, base, mdat.body); err != nil {
		return nil, fmt.Errorf("fragment at byte %d: %w", h.start, err)
	}
	data := make([]byte, mdat.body)
	if err := r.full(data); err != nil {
		return nil, err
	}
	for i, e := range run.extents {
		from, to := e.offset-base, e.offset-base+e.size
		run.samples[i].Data = data[from:to:to]
	}
	return &Fragment{Samples: run.samples}, nil
}

// mdat finds the header of the data that a moof was about.
func (r *Reader) mdat() (boxHeader, error) {
	for {
		h, err := r.header()
		switch {
		case err == io.EOF:
			return h, io.ErrUnexpectedEOF
		case err != nil:
			return h, err
		case h.name == "moof" || h.name == "moov":
			return h, fmt.Errorf("%w: box %q where data must be", ErrMalformed, h.name)
		case h.name == "mdat" && h.body > MaxFragment:
			return h, fmt.Errorf("%w: %d bytes of data, at most %d are read", ErrTooLarge, h.body, MaxFragment)
		case h.name == "mdat":
			return h, nil
		}
		if err := r.skip(h); err != nil {
			return h, err
		}
	}
}

// within checks that all samples lie in the mdat body at base.
func within(run *run, base, size int64) error {
	for i, e := range run.extents {
		if e.offset < base || e.offset+e.size > base+size {
			return fmt.Errorf("%w: sample %d at %d, %d bytes, lies outside of its mdat", ErrMalformed, i, e.offset, e.size)
		}
	}
	return nil
}

// full fills b; the stream must not end before.
func (r *Reader) full(b []byte) error {
	n, err := io.ReadFull(r.r, b)
	r.pos += int64(n)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// skip passes over a body.
func (r *Reader) skip(h boxHeader) error {
	n, err := io.CopyN(io.Discard, r.r, h.body)
	r.pos += n
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
