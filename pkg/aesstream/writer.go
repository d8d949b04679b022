package aesstream

import (
	"crypto/cipher"
	"errors"
	"io"
)

// sealer encrypts a file: whole chunks, then the rest of less than one, perhaps
// empty. dst is src or apart from it, and has room for a block behind it.
type sealer interface {
	seal(dst, src []byte)
	finish(dst, src []byte) []byte // with padding or tag
	wipe()
}

func newSealer(block cipher.Block, p Params) (sealer, error) {
	switch p.Mode {
	case CBC:
		return newCBCSealer(block, p.IV), nil
	case CTR:
		return ctrSealer{newKeystream(ctrCounter(block, p.IV), 0)}, nil
	}
	return newGCMSealer(block, p.IV)
}

// errClosed is what a Writer says after Close.
var errClosed = errors.New("the encrypted file is complete: nothing can be written any more")

// Writer encrypts what is written to it. It passes on whole chunks of 256 KiB,
// and the rest when it is closed.
type Writer struct {
	w    io.Writer
	s    sealer
	buf  []byte // not yet encrypted, less than a chunk
	left int64  // how much more the mode takes
	err  error
}

// NewWriter returns a Writer of an encrypted file to w. The error is a
// *ParamError; a process that allows only FIPS 140 algorithms gets one for GCM,
// which it can't use with an IV of its own.
func NewWriter(w io.Writer, p Params) (*Writer, error) {
	block, err := p.block()
	if err != nil {
		return nil, err
	}
	s, err := newSealer(block, p)
	if err != nil {
		return nil, err
	}
	left, err := maxPlain(p.Mode)
	if err != nil {
		return nil, err
	}
	return &Writer{w: w, s: s, buf: make([]byte, 0, chunkSize+blockSize), left: left}, nil
}

// Write encrypts p. It returns ErrTooLong, and takes nothing of p, where the mode
// takes no more; else its errors are those of the underlying writer.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err == nil && int64(len(p)) > w.left {
		w.fail(ErrTooLong)
	}
	if w.err != nil {
		return 0, w.err
	}
	taken := 0
	for taken < len(p) {
		n := w.take(p[taken:])
		if w.err != nil {
			return taken, w.err
		}
		taken += n
		w.left -= int64(n)
	}
	return taken, nil
}

// take encrypts the chunk that p fills, if it does. A chunk that lies in p whole
// is not copied first.
func (w *Writer) take(p []byte) int {
	if len(w.buf) == 0 && len(p) >= chunkSize {
		w.flush(p[:chunkSize])
		return chunkSize
	}
	n := min(len(p), chunkSize-len(w.buf))
	w.buf = append(w.buf, p[:n]...)
	if len(w.buf) == chunkSize {
		w.flush(w.buf)
	}
	return n
}

func (w *Writer) flush(chunk []byte) {
	out := w.buf[:chunkSize]
	w.s.seal(out, chunk)
	w.buf = w.buf[:0]
	w.pass(out)
}

// pass hands ciphertext on.
func (w *Writer) pass(b []byte) {
	if len(b) == 0 {
		return
	}
	n, err := w.w.Write(b)
	if err == nil && n != len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.fail(err)
	}
}

// Close completes the file with the rest, and with its padding or tag. It must
// not be called for a file that is given up: what it writes makes any beginning
// of the file a whole one. The underlying writer stays open. After Close, or
// after an error, it returns the error that Write returns.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	w.pass(w.s.finish(w.buf, w.buf))
	if w.err != nil {
		return w.err
	}
	w.fail(errClosed)
	return nil
}

// fail ends the stream.
func (w *Writer) fail(err error) {
	w.err = err
	w.s.wipe()
	clear(w.buf[:cap(w.buf)])
	w.buf = nil
}
