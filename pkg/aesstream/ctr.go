package aesstream

import (
	"crypto/cipher"
	"math"
	"math/bits"

	"sealreel/pkg/shield"
)

// counter says which counter block encrypts which byte of a file.
type counter struct {
	block  cipher.Block
	first  element // the counter block of the file's first 16 bytes
	narrow bool    // only the low 32 bits count, as in aes-gcm
}

// skip32 is a counter block of aes-gcm n blocks on: its last 32 bits count
// modulo 2^32 and carry nothing into the others (SP 800-38D, 6.2).
func skip32(block element, n int64) element {
	block.lo = block.lo&^math.MaxUint32 | uint64(uint32(block.lo)+uint32(n))
	return block
}

// skip128 is a counter block of aes-ctr n blocks on: it counts modulo 2^128.
func skip128(block element, n int64) element {
	var carry uint64
	block.lo, carry = bits.Add64(block.lo, uint64(n), 0)
	block.hi += carry
	return block
}

// at returns the standard library's stream from the byte at off on, and for how
// many bytes it is the right one: it counts with 128 bits.
func (c counter) at(off int64) (cipher.Stream, int64) {
	start, run := c.first, int64(math.MaxInt64)
	into := off % blockSize
	if c.narrow {
		start = skip32(start, off/blockSize)
		run = (1<<32-int64(uint32(start.lo)))*blockSize - into
	} else {
		start = skip128(start, off/blockSize)
	}
	var block [blockSize]byte
	start.store(block[:])
	var stream cipher.Stream
	shield.Do(func() { stream = cipher.NewCTR(c.block, block[:]) }) // it copies the key schedule
	stream.XORKeyStream(block[:into], block[:into])
	return stream, run
}

// keystream encrypts and decrypts by a counter from some offset on.
type keystream struct {
	counter
	pos    int64
	stream cipher.Stream
	run    int64 // bytes that stream is good for
}

func newKeystream(c counter, off int64) *keystream {
	return &keystream{counter: c, pos: off}
}

// xor encrypts or decrypts the next len(src) bytes into dst, which is src or
// apart from it.
func (k *keystream) xor(dst, src []byte) {
	for len(src) > 0 {
		if k.run == 0 {
			k.stream, k.run = k.at(k.pos)
		}
		n := int(min(int64(len(src)), k.run))
		k.stream.XORKeyStream(dst[:n], src[:n])
		k.pos += int64(n)
		k.run -= int64(n)
		dst, src = dst[n:], src[n:]
	}
}

func (k *keystream) wipe() { *k = keystream{} }

// ctrSealer and ctrOpener are aes-ctr, whose directions differ in name alone.
type (
	ctrSealer struct{ *keystream }
	ctrOpener struct{ *keystream }
)

// ctrCounter begins at the IV.
func ctrCounter(block cipher.Block, iv []byte) counter {
	return counter{block: block, first: load(iv)}
}

func (s ctrSealer) seal(dst, src []byte) { s.xor(dst, src) }

func (s ctrSealer) finish(dst, src []byte) []byte {
	s.xor(dst, src)
	return dst[:len(src)]
}

func (o ctrOpener) open(dst, src []byte) { o.xor(dst, src) }

func (o ctrOpener) finish(b []byte) ([]byte, error) {
	o.xor(b, b)
	return b, nil
}
