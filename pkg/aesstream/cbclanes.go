package aesstream

import (
	"crypto/cipher"
	"runtime"
	"sync"

	"sealreel/pkg/shield"
)

// minLane is how much ciphertext in bytes is worth a core. It takes 0.1 ms, about
// what it takes to wake an idle core of a virtual machine: lanes of 128 KiB gained
// nothing there.
const minLane = 192 << 10

// cbcChunk is how much a Reader decrypts at a time, for there to be a few lanes.
const cbcChunk = 3 * chunkSize

// cbcLanes decrypts on all cores: a block depends on two blocks of ciphertext
// only, so ciphertext is cut into lanes that each begin with the block before.
type cbcLanes struct {
	block cipher.Block
	iv    [blockSize]byte // the block of ciphertext before the next one
	lanes []*cbcLane      // made when they are needed
	wait  sync.WaitGroup
}

// cbcLane is one core's part.
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

func newCBCLanes(block cipher.Block) *cbcLanes { return &cbcLanes{block: block} }

// lane returns the lane of the index, which is at most one more than there were.
func (c *cbcLanes) lane(i int) *cbcLane {
	if i == len(c.lanes) {
		lane := new(cbcLane)
		shield.Do(func() { lane.mode = cipher.NewCBCDecrypter(c.block, c.iv[:]).(cbcMode) }) // it copies the key schedule
		lane.run = func() {
			defer c.wait.Done()
			lane.mode.CryptBlocks(lane.dst, lane.src)
			lane.dst, lane.src = nil, nil
		}
		c.lanes = append(c.lanes, lane)
	}
	return c.lanes[i]
}

// decrypt decrypts the next blocks into dst, which is src or apart from it.
func (c *cbcLanes) decrypt(dst, src []byte) {
	if len(src) == 0 {
		return
	}
	count := max(1, min(runtime.GOMAXPROCS(0), len(src)/minLane))
	size := (len(src)/blockSize + count - 1) / count * blockSize
	iv, used := c.iv[:], 0
	for start := 0; start < len(src); start += size {
		end := min(start+size, len(src))
		lane := c.lane(used)
		lane.dst, lane.src = dst[start:end], src[start:end]
		lane.mode.SetIV(iv)
		iv = src[end-blockSize : end]
		used++
	}
	copy(c.iv[:], iv) // from here on src may be overwritten
	c.wait.Add(used)
	for _, lane := range c.lanes[1:used] {
		go lane.run()
	}
	c.lanes[0].run()
	c.wait.Wait()
}

func (c *cbcLanes) wipe() { c.block, c.lanes = nil, nil }
