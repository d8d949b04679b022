package aesstream

import (
	"crypto/cipher"
	"io"
)

// opener decrypts a file: whole chunks, then the rest with padding or tag, which
// finish checks. dst is src or apart from it.
type opener interface {
	open(dst, src []byte)
	finish(b []byte) ([]byte, error) // in place
	wipe()
}

func newOpener(block cipher.Block, p Params) (opener, error) {
	switch p.Mode {
	case CBC:
		return newCBCOpener(block, p.IV), nil
	case CTR:
		return ctrOpener{newKeystream(ctrCounter(block, p.IV), 0)}, nil
	}
	return newGCMOpener(block, p.IV)
}

// chunksOf cuts a file in the mode for decryption. What is held back is not
// decrypted before it is known to be the end.
func chunksOf(mode Mode, r io.Reader) *chunks {
	switch mode {
	case CBC:
		return newChunks(r, cbcChunk, blockSize)
	case CTR:
		return newChunks(r, chunkSize, 0)
	}
	return newChunks(r, chunkSize, tagSize)
}

// Reader decrypts a file from its start to its end.
type Reader struct {
	src   *chunks
	o     opener
	plain []byte // decrypted and not yet read
	err   error
}

// NewReader returns a Reader of the file that r gives the ciphertext of. The
// errors are those of NewWriter.
//
// In GCM, what is read may be forged until io.EOF is returned: the tag is at the
// end, and of it all only the rest behind the last whole chunk of 256 KiB is held
// back until it is verified. Use nothing of it before that, or call VerifyGCM
// first. In CBC and CTR, what is read may be forged.
func NewReader(r io.Reader, p Params) (*Reader, error) {
	block, err := p.block()
	if err != nil {
		return nil, err
	}
	o, err := newOpener(block, p)
	if err != nil {
		return nil, err
	}
	return &Reader{src: chunksOf(p.Mode, r), o: o}, nil
}

// Read reads plaintext. The error at the end is io.EOF, or ErrDecrypt; else it is
// one of the underlying reader, wrapped.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.plain) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		if n := r.next(p); n > 0 {
			return n, nil
		}
	}
	n := copy(p, r.plain)
	clear(r.plain[:n])
	r.plain = r.plain[n:]
	return n, nil
}

// next decrypts a chunk, into p if it has room for all of it.
func (r *Reader) next(p []byte) int {
	b, last, err := r.src.next()
	switch {
	case err != nil:
		r.end(err)
	case last:
		r.last(b)
	case len(p) >= len(b):
		r.o.open(p[:len(b)], b)
		return len(b)
	default:
		r.o.open(b, b)
		r.plain = b
	}
	return 0
}

// last decrypts the rest of the file.
func (r *Reader) last(rest []byte) {
	plain, err := r.o.finish(rest)
	if err != nil {
		r.end(err)
		return
	}
	r.plain, r.src = plain, nil // Read clears what it returns
	r.end(io.EOF)
}

// end ends the stream.
func (r *Reader) end(err error) {
	r.err = err
	r.o.wipe()
	if r.src != nil {
		r.src.wipe()
	}
}
