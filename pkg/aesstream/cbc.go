package aesstream

import (
	"crypto/cipher"
	"crypto/subtle"
	"runtime"
	"sync"
)

// cbcSealer encrypts in aes-cbc-pkcs7, a block after the other: each depends on
// the one before.
type cbcSealer struct{ mode cipher.BlockMode }

func newCBCSealer(block cipher.Block, iv []byte) *cbcSealer {
	return &cbcSealer{cipher.NewCBCEncrypter(block, iv)}
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

// minLane is how much ciphertext in bytes is worth a core: about 10 µs.
const minLane = 16 << 10

// cbcLanes decrypts on all cores: a block depends on two blocks of ciphertext
// only, so a chunk is cut into lanes that each begin with the block before.
type cbcLanes struct {
	iv    [blockSize]byte // the block of ciphertext before the next one
	lanes []cbcLane
	wait  sync.WaitGroup
}

// cbcLane is one core's part of a chunk.
type cbcLane struct {
	mode     cbcMode
	dst, src []byte
	run      func() // made once, since starting a goroutine of anything else allocates
}

// cbcMode is what the standard library's CBC offers beside cipher.BlockMode.
type cbcMode interface {
	cipher.BlockMode
	SetIV([]byte)
}

func newCBCLanes(block cipher.Block) *cbcLanes {
	c := &cbcLanes{lanes: make([]cbcLane, min(runtime.GOMAXPROCS(0), chunkSize/minLane))}
	for i := range c.lanes {
		lane := &c.lanes[i]
		lane.mode = cipher.NewCBCDecrypter(block, c.iv[:]).(cbcMode)
		lane.run = func() {
			defer c.wait.Done()
			lane.mode.CryptBlocks(lane.dst, lane.src)
		}
	}
	return c
}

// decrypt decrypts the next blocks into dst, which is src or apart from it.
func (c *cbcLanes) decrypt(dst, src []byte) {
	if len(src) == 0 {
		return
	}
	count := max(1, min(len(c.lanes), len(src)/minLane))
	size := (len(src)/blockSize + count - 1) / count * blockSize
	iv := c.iv[:]
	used := c.lanes[:0]
	for start := 0; start < len(src); start += size {
		end := min(start+size, len(src))
		used = used[:len(used)+1]
		lane := &used[len(used)-1]
		lane.dst, lane.src = dst[start:end], src[start:end]
		lane.mode.SetIV(iv)
		iv = src[end-blockSize : end]
	}
	// From here on src may be overwritten.
	copy(c.iv[:], iv)
	c.wait.Add(len(used))
	for i := range used[1:] {
		go used[1+i].run()
	}
	used[0].run()
	c.wait.Wait()
}

func (c *cbcLanes) wipe() { c.lanes = nil }
