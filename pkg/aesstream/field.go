package aesstream

import "encoding/binary"

// element is a member of the field GF(2^128) of GHASH, in the bit order of
// SP 800-38D, 6.3: the first bit of a block is the top bit of hi and the
// coefficient of x^0. Elements derive from the key, so no step of the arithmetic
// branches on their bits nor takes them as an index.
type element struct{ hi, lo uint64 }

// one is the field's 1.
var one = element{hi: 1 << 63}

// load makes an element of a block of 16 bytes.
func load(block []byte) element {
	return element{binary.BigEndian.Uint64(block), binary.BigEndian.Uint64(block[8:])}
}

// store writes the block of e.
func (e element) store(block []byte) {
	binary.BigEndian.PutUint64(block, e.hi)
	binary.BigEndian.PutUint64(block[8:], e.lo)
}

// add is the field's addition, and its subtraction too.
func (e element) add(f element) element { return element{e.hi ^ f.hi, e.lo ^ f.lo} }

// mul is the field's multiplication (SP 800-38D, algorithm 1), about 0.2 µs.
func (e element) mul(f element) element {
	var product element
	for _, word := range [2]uint64{e.hi, e.lo} {
		for range 64 {
			bit := -(word >> 63) // all ones, or none
			product.hi ^= f.hi & bit
			product.lo ^= f.lo & bit
			word <<= 1
			// f times x: what is shifted out comes back as x^7+x^2+x+1.
			out := -(f.lo & 1)
			f.lo = f.lo>>1 | f.hi<<63
			f.hi = f.hi>>1 ^ out&(0xe1<<56)
		}
	}
	return product
}

// pow is e to the power of n, which is not secret.
func (e element) pow(n int) element {
	power := one
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			power = power.mul(e)
		}
		e = e.mul(e)
	}
	return power
}

// inverse is 1/e, that is e to the power of 2^128-2; the inverse of 0 is 0.
func (e element) inverse() element {
	// power is e to the power of 2^ones-1, whose bits are ones times 1. Each round
	// writes those bits behind themselves, then one more: 3, 7, 15, 31, 63, 127.
	power := e
	for ones := 1; ones < 127; ones = 2*ones + 1 {
		shifted := power
		for range ones {
			shifted = shifted.mul(shifted)
		}
		power = shifted.mul(power)
		power = power.mul(power).mul(e)
	}
	return power.mul(power)
}
