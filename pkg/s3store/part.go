package s3store

import "io"

// blockSize is what a part grows by, in bytes: most uploads are short, and many
// run at once, so none takes memory for more than it holds.
const blockSize = 128 << 10

type block [blockSize]byte

// part is a piece of an upload, in blocks of the store's.
type part struct {
	store  *Store
	blocks []*block
	size   int64
}

// body reads the part; it can be read again.
func (p part) body() io.ReadSeeker { return io.NewSectionReader(p, 0, p.size) }

// ReadAt reads as io.ReaderAt demands, within the part's size.
func (p part) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) && off < p.size {
		end := min(p.size-off/blockSize*blockSize, blockSize)
		more := copy(b[n:], p.blocks[off/blockSize][off%blockSize:end])
		n, off = n+more, off+int64(more)
	}
	if n < len(b) {
		err = io.EOF
	}
	return n, err
}

// room is where the part goes on, at most limit bytes in all.
func (p *part) room(limit int64) []byte {
	used := p.size - blockSize*int64(len(p.blocks)-1)
	if len(p.blocks) == 0 || used == blockSize {
		p.blocks = append(p.blocks, p.store.blocks.Get().(*block))
		used = 0
	}
	return p.blocks[len(p.blocks)-1][used:min(blockSize, used+limit-p.size)]
}

// release gives the blocks back; the part must no longer be used.
func (p part) release() {
	for _, b := range p.blocks {
		p.store.blocks.Put(b)
	}
}

// partReader cuts a stream into parts.
type partReader struct {
	store *Store
	r     io.Reader
	ended bool
}

// next returns the next part, which only at the stream's end is shorter than
// the part size and never empty; io.EOF when there is none. An error of the
// stream is returned without what was read ahead of it. Unlike io.ReadFull it
// tells a stream that broke off (io.ErrUnexpectedEOF) from one that has ended
// (io.EOF): only the latter may become an object.
func (p *partReader) next() (part, error) {
	if p.ended {
		return part{}, io.EOF
	}
	next, limit := part{store: p.store}, int64(p.store.partSize)
	var err error
	for next.size < limit && err == nil {
		var n int
		n, err = p.r.Read(next.room(limit))
		next.size += int64(n)
	}
	if next.size == limit && err == io.EOF {
		err = nil // the next call finds the end
	}
	p.ended = err != nil
	if err == nil || err == io.EOF && next.size > 0 {
		return next, nil
	}
	next.release()
	return part{}, err
}
