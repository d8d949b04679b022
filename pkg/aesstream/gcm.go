package aesstream

import "crypto/cipher"

// gcmSealer encrypts in aes-gcm. Each chunk is one call of the standard library,
// which encrypts and hashes in one go, under a nonce that makes it count on where
// the chunk before ended: the counter block of a nonce N of 16 bytes is
// N·H² + L·H, where L is the nonce's length in bits, so the nonce that begins at
// J is (J + L·H)/H².
//
// H is 0 for one key in 2^128, and then there is no such nonce; no key is tried
// that often.
type gcmSealer struct {
	*ghash
	lengthH element // L·H
	invH2   element // 1/H²
}

func newGCMSealer(block cipher.Block, iv []byte) (*gcmSealer, error) {
	g, err := newGHASH(block, iv)
	if err != nil {
		return nil, err
	}
	return &gcmSealer{
		ghash:   g,
		lengthH: element{lo: 8 * blockSize}.mul(g.h),
		invH2:   g.h.mul(g.h).inverse(),
	}, nil
}

// seal needs room for a tag behind dst[:len(src)], which it overwrites.
func (s *gcmSealer) seal(dst, src []byte) {
	if len(src) == 0 {
		return
	}
	if cap(dst) < len(src)+tagSize {
		panic("aesstream: no room for the tag of a chunk")
	}
	counter := skip32(s.first, s.n/blockSize)
	counter.add(s.lengthH).mul(s.invH2).store(s.scratch.in[:])
	copy(s.scratch.nonce[:], s.scratch.in[:])
	sealed := s.aead.Seal(dst[:0], s.scratch.nonce[:], src, nil)
	s.fold(sealed[len(src):], s.encrypt(counter), len(src), element{lo: 8 * uint64(len(src))})
}

func (s *gcmSealer) finish(dst, src []byte) []byte {
	s.seal(dst, src)
	return s.tag(dst[:len(src)])
}

func (s *gcmSealer) wipe() {
	s.ghash.wipe()
	*s = gcmSealer{}
}

// gcmOpener decrypts in aes-gcm. It hashes and decrypts one after the other, as
// the standard library gives no plaintext before it has a tag to compare.
type gcmOpener struct {
	hash *ghash
	keys *keystream
}

func newGCMOpener(block cipher.Block, iv []byte) (*gcmOpener, error) {
	g, err := newGHASH(block, iv)
	if err != nil {
		return nil, err
	}
	return &gcmOpener{g, newKeystream(gcmCounter(block, g), 0)}, nil
}

// gcmCounter encrypts the bytes of a file: the first counter block encrypts the
// tag, and the data begin at the next one.
func gcmCounter(block cipher.Block, g *ghash) counter {
	return counter{block: block, first: skip32(g.first, 1), narrow: true}
}

func (o *gcmOpener) open(dst, src []byte) {
	o.hash.hash(src)
	o.keys.xor(dst, src)
}

func (o *gcmOpener) finish(b []byte) ([]byte, error) {
	if len(b) < tagSize {
		return nil, ErrDecrypt
	}
	b, tag := b[:len(b)-tagSize], b[len(b)-tagSize:]
	if o.hash.n+int64(len(b)) > maxGCM {
		return nil, ErrDecrypt
	}
	o.hash.hash(b)
	if err := o.hash.check(tag); err != nil {
		return nil, err
	}
	o.keys.xor(b, b)
	return b, nil
}

func (o *gcmOpener) wipe() {
	o.hash.wipe()
	o.keys.wipe()
}
