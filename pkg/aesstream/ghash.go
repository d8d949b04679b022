package aesstream

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"sealreel/pkg/shield"
)

// ghash works out the tag of a file in aes-gcm a chunk at a time, with the
// standard library's one-shot GCM, which alone may use the processor's
// carry-less multiplication.
//
// GHASH makes of the blocks c1...cm the sum of ci·H^(m-i+1); call it Y. The
// one-shot tag of a chunk under a nonce whose counter block is J is
//
//	T = (Y + L)·H + E(J)
//
// where L is the block with the chunk's lengths and E the block cipher. H, L and
// E(J) are known, so T yields Y·H, the chunk's share. A file's sum is that of its
// chunks, each times H to the power of the blocks that follow it:
//
//	Z' = Z·H^m + Y·H, where Z begins as 0 and m is the number of the chunk's blocks
//
// and the file's own tag, with its own lengths and first counter block, is
// Z + L·H + E(J).
type ghash struct {
	block cipher.Block
	aead  cipher.AEAD // with nonces of 16 bytes
	h     element     // the key of GHASH
	z     element
	n     int64   // bytes so far
	first element // the counter block J of the file

	mask    element // E(J) of the nonce that chunks are hashed under
	chunkH  element // H^m of a whole chunk
	scratch struct{ nonce, in, out, tag [blockSize]byte }
}

// newGHASH returns the hash of an empty file.
func newGHASH(block cipher.Block, iv []byte) (g *ghash, err error) {
	shield.Do(func() { g, err = prepareGHASH(block, iv) })
	return g, err
}

func prepareGHASH(block cipher.Block, iv []byte) (*ghash, error) {
	aead, err := cipher.NewGCMWithNonceSize(block, blockSize)
	if err != nil {
		return nil, fmt.Errorf("preparing the key of %s: %w", GCM, err)
	}
	g := &ghash{block: block, aead: aead}
	g.h = g.encrypt(element{})
	g.first = g.counter(iv)
	g.mask = g.encrypt(g.counter(g.scratch.nonce[:]))
	g.chunkH = g.h.pow(chunkSize / blockSize)
	return g, nil
}

// counter is the first counter block J of an IV (SP 800-38D, 7.1, step 2).
func (g *ghash) counter(iv []byte) element {
	if len(iv) == 12 {
		return element{binary.BigEndian.Uint64(iv), uint64(binary.BigEndian.Uint32(iv[8:]))<<32 | 1}
	}
	return load(iv).mul(g.h).add(element{lo: 8 * blockSize}).mul(g.h)
}

// hash takes the next chunk of ciphertext, of which only the last one may have a
// length other than chunkSize. To the AEAD it is additional data of an empty
// text: that is hashed and not encrypted.
func (g *ghash) hash(ciphertext []byte) {
	if len(ciphertext) == 0 {
		return
	}
	tag := g.aead.Seal(g.scratch.tag[:0], g.scratch.nonce[:], nil, ciphertext)
	g.fold(tag, g.mask, len(ciphertext), element{hi: 8 * uint64(len(ciphertext))})
}

// fold adds the share of a chunk of n bytes, which it takes from the chunk's tag,
// its E(J) and its lengths in bits.
func (g *ghash) fold(tag []byte, mask element, n int, lengths element) {
	if g.n%chunkSize != 0 {
		panic("aesstream: a chunk after the last one")
	}
	power := g.chunkH
	if n != chunkSize {
		power = g.h.pow((n + blockSize - 1) / blockSize)
	}
	share := load(tag).add(mask).add(lengths.mul(g.h))
	g.z = g.z.mul(power).add(share)
	g.n += int64(n)
}

// tag appends the file's tag.
func (g *ghash) tag(b []byte) []byte {
	tag := g.z.add(element{lo: 8 * uint64(g.n)}.mul(g.h)).add(g.encrypt(g.first))
	tag.store(g.scratch.tag[:])
	return append(b, g.scratch.tag[:]...)
}

// check compares the file's tag with want in constant time.
func (g *ghash) check(want []byte) error {
	var tag [tagSize]byte
	if subtle.ConstantTimeCompare(g.tag(tag[:0]), want) != 1 {
		return ErrDecrypt
	}
	return nil
}

// encrypt is the block cipher. It works in scratch, since what is passed to an
// interface would be allocated.
func (g *ghash) encrypt(e element) element {
	e.store(g.scratch.in[:])
	g.block.Encrypt(g.scratch.out[:], g.scratch.in[:])
	return load(g.scratch.out[:])
}

// wipe forgets what derives from the key.
func (g *ghash) wipe() { *g = ghash{} }
