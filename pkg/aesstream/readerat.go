package aesstream

import (
	"crypto/cipher"
	"fmt"
	"io"

	"sealreel/pkg/shield"
)

// rangeOpener fills p with plaintext from off on, all of which is in the file,
// and says how much it could fill.
type rangeOpener interface {
	readAt(p []byte, off int64) (int, error)
}

// ReaderAt decrypts parts of a file. It is safe for concurrent use when the
// file's own io.ReaderAt is.
type ReaderAt struct {
	ranges rangeOpener
	size   int64
}

// NewReaderAt returns a ReaderAt of an encrypted file of size bytes. For CBC it
// reads the last two blocks at once, to know how long the padding is; it returns
// ErrDecrypt if that is wrong, or if no file can have this size (PlainSize tells
// more). Other errors are those of NewWriter and, wrapped, of ra.
//
// What is read may be forged: a part of a file can't be authenticated. In GCM,
// VerifyGCM must have found the same bytes genuine before.
func NewReaderAt(ra io.ReaderAt, size int64, p Params) (*ReaderAt, error) {
	block, err := p.block()
	if err != nil {
		return nil, err
	}
	least, _, err := PlainSize(p.Mode, size)
	if err != nil {
		return nil, ErrDecrypt
	}
	switch p.Mode {
	case CBC:
		return newCBCReaderAt(ra, size, block, p.IV)
	case CTR:
		return &ReaderAt{&ctrRanges{ra, ctrCounter(block, p.IV)}, least}, nil
	}
	g, err := newGHASH(block, p.IV)
	if err != nil {
		return nil, err
	}
	defer g.wipe()
	return &ReaderAt{&ctrRanges{ra, gcmCounter(block, g)}, least}, nil
}

// Size is the file's length in bytes when decrypted.
func (r *ReaderAt) Size() int64 { return r.size }

// ReadAt reads as io.ReaderAt demands. It fetches the bytes that are asked for
// and no others, in CBC from the block before them to the end of their last
// block. A file that turns out to be shorter than it was said to be is ErrDecrypt.
func (r *ReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("reading an encrypted file at the negative offset %d", off)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if off >= r.size {
		return 0, io.EOF
	}
	inside := p[:min(int64(len(p)), r.size-off)]
	n, err := r.ranges.readAt(inside, off)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// ctrRanges reads what a counter encrypts.
type ctrRanges struct {
	ra io.ReaderAt
	c  counter
}

func (r *ctrRanges) readAt(p []byte, off int64) (int, error) {
	n, err := fetch(r.ra, p, off)
	newKeystream(r.c, off).xor(p[:n], p[:n])
	return n, err
}

// fetch reads len(b) bytes of ciphertext that must be there.
func fetch(ra io.ReaderAt, b []byte, off int64) (int, error) {
	n, err := ra.ReadAt(b, off)
	switch {
	case n == len(b):
		return n, nil
	case err == nil || err == io.EOF:
		return n, ErrDecrypt
	}
	return n, fmt.Errorf("reading %d bytes at %d of an encrypted file: %w", len(b), off, err)
}

// lastBlock decrypts a CBC file's last block, whose predecessor is the IV in a
// file of one block.
func lastBlock(ra io.ReaderAt, size int64, block cipher.Block, iv []byte) ([blockSize]byte, error) {
	var two [2 * blockSize]byte
	copy(two[:], iv)
	b := two[max(0, 2*blockSize-size):]
	if _, err := fetch(ra, b, size-int64(len(b))); err != nil {
		return [blockSize]byte{}, err
	}
	shield.Do(func() { cipher.NewCBCDecrypter(block, two[:blockSize]).CryptBlocks(two[blockSize:], two[blockSize:]) })
	return [blockSize]byte(two[blockSize:]), nil
}
