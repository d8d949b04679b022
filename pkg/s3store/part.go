package s3store

import "io"

// part is a piece of an upload, in a buffer of the store's.
type part struct {
	data   []byte
	buffer *[]byte
	store  *Store
}

// release gives the buffer back; the data must no longer be used.
func (p part) release() { p.store.buffers.Put(p.buffer) }

// partReader cuts a stream into parts.
type partReader struct {
	store *Store
	r     io.Reader
	ended bool
}

// next returns the next part, which only at the stream's end is shorter than
// the part size and never empty; io.EOF when there is none. An error of the
// stream is returned without what was read ahead of it.
func (p *partReader) next() (part, error) {
	if p.ended {
		return part{}, io.EOF
	}
	next := part{buffer: p.store.buffers.Get().(*[]byte), store: p.store}
	n, err := fill(*next.buffer, p.r)
	p.ended = err != nil
	if err == nil || err == io.EOF && n > 0 {
		next.data = (*next.buffer)[:n]
		return next, nil
	}
	next.release()
	return part{}, err
}

// fill reads until b is full. Unlike io.ReadFull it tells a stream that broke
// off (io.ErrUnexpectedEOF) from one that has ended (io.EOF): only the latter
// may become an object.
func fill(b []byte, r io.Reader) (n int, err error) {
	for n < len(b) && err == nil {
		var more int
		more, err = r.Read(b[n:])
		n += more
	}
	if n == len(b) && err == io.EOF {
		err = nil // the next call finds the end
	}
	return n, err
}
