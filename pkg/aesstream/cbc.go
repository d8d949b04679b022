package aesstream

import (
	"crypto/cipher"
	"crypto/subtle"

	"sealreel/pkg/shield"
)

// cbcSealer encrypts in aes-cbc-pkcs7, a block after the other: each depends on
// the one before.
type cbcSealer struct{ mode cipher.BlockMode }

func newCBCSealer(block cipher.Block, iv []byte) *cbcSealer {
	s := new(cbcSealer)
	shield.Do(func() { s.mode = cipher.NewCBCEncrypter(block, iv) }) // it copies the key schedule
	return s
}

func (s *cbcSealer) seal(dst, src []byte) { s.mode.CryptBlocks(dst, src) }

// finish needs room for a block behind dst[:len(src)].
func (s *cbcSealer) finish(dst, src []byte) []byte {
	pad := blockSize - len(src)%blockSize
	padded := dst[:len(src)+pad]
	copy(padded, src)
	for i := range pad {
		padded[len(src)+i] = byte(pad)
	}
	s.mode.CryptBlocks(padded, padded)
	return padded
}

func (s *cbcSealer) wipe() { s.mode = nil }

// unpad returns how many bytes of a file's last block are not padding (PKCS #7,
// RFC 5652, 6.3), and 1 if the padding is right, else 0. Its time does not depend
// on the block.
func unpad(block []byte) (n, ok int) {
	pad := int(block[blockSize-1])
	ok = subtle.ConstantTimeLessOrEq(1, pad) & subtle.ConstantTimeLessOrEq(pad, blockSize)
	for i := range blockSize {
		inside := subtle.ConstantTimeLessOrEq(blockSize-i, pad)
		same := subtle.ConstantTimeByteEq(block[i], byte(pad))
		ok &= subtle.ConstantTimeSelect(inside, same, 1)
	}
	return blockSize - pad, ok
}

// cbcOpener decrypts in aes-cbc-pkcs7.
type cbcOpener struct{ *cbcLanes }

func newCBCOpener(block cipher.Block, iv []byte) cbcOpener {
	lanes := newCBCLanes(block)
	copy(lanes.iv[:], iv)
	return cbcOpener{lanes}
}

func (o cbcOpener) open(dst, src []byte) { o.decrypt(dst, src) }

func (o cbcOpener) finish(b []byte) ([]byte, error) {
	if len(b) == 0 || len(b)%blockSize != 0 {
		return nil, ErrDecrypt
	}
	o.decrypt(b, b)
	n, ok := unpad(b[len(b)-blockSize:])
	if ok != 1 {
		return nil, ErrDecrypt
	}
	return b[:len(b)-blockSize+n], nil
}
