package aesstream

import (
	"crypto/cipher"
	"io"
	"sync"
)

// cbcRanges reads what is encrypted in CBC, a window of the file at a time.
type cbcRanges struct {
	ra      io.ReaderAt
	iv      [blockSize]byte
	windows sync.Pool // of *cbcWindow
}

// cbcWindow is what a read needs: room for a chunk and the block before it.
type cbcWindow struct {
	lanes *cbcLanes
	buf   [blockSize + chunkSize]byte
}

func newCBCReaderAt(ra io.ReaderAt, size int64, block cipher.Block, iv []byte) (*ReaderAt, error) {
	last, err := lastBlock(ra, size, block, iv)
	if err != nil {
		return nil, err
	}
	n, ok := unpad(last[:])
	clear(last[:])
	if ok != 1 {
		return nil, ErrDecrypt
	}
	r := &cbcRanges{ra: ra, iv: [blockSize]byte(iv)}
	r.windows.New = func() any { return &cbcWindow{lanes: newCBCLanes(block)} }
	return &ReaderAt{r, size - blockSize + int64(n)}, nil
}

func (r *cbcRanges) readAt(p []byte, off int64) (int, error) {
	w := r.windows.Get().(*cbcWindow)
	defer r.windows.Put(w)
	into := int(off % blockSize)
	next := off - int64(into) // where the next block to decrypt begins
	w.lanes.iv = r.iv
	ahead := int(min(next, blockSize)) // the block before it, unless that is the IV
	done := 0
	for done < len(p) {
		rest := p[done:]
		// A long read is decrypted in p itself, on all cores, and moved into place.
		direct := len(rest) >= chunkSize
		b := rest[:len(rest)/blockSize*blockSize]
		if !direct {
			b = w.buf[:ahead+min((into+len(rest)+blockSize-1)/blockSize*blockSize, chunkSize)]
		}
		if _, err := fetch(r.ra, b, next-int64(ahead)); err != nil {
			return done, err
		}
		copy(w.lanes.iv[:], b[:ahead])
		b = b[ahead:]
		w.lanes.decrypt(b, b)
		done += copy(rest, b[into:])
		if !direct {
			clear(b)
		}
		next += int64(len(b))
		into, ahead = 0, 0 // the lanes know the block before
	}
	return done, nil
}
