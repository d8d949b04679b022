package aesstream

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/big"
	"testing"
	"testing/iotest"
)

// polynomial is e as a polynomial over GF(2), the coefficient of x^i being bit i.
func polynomial(e element) *big.Int {
	p := new(big.Int)
	for i := range 64 {
		p.SetBit(p, i, uint(e.hi>>(63-i)&1))
		p.SetBit(p, 64+i, uint(e.lo>>(63-i)&1))
	}
	return p
}

// slowMul multiplies polynomials as at school and takes the remainder.
func slowMul(a, b element) *big.Int {
	x, y, product := polynomial(a), polynomial(b), new(big.Int)
	for i := range 128 {
		if x.Bit(i) == 1 {
			product.Xor(product, new(big.Int).Lsh(y, uint(i)))
		}
	}
	modulus := big.NewInt(0b10000111) // x^128 + x^7 + x^2 + x + 1
	modulus.SetBit(modulus, 128, 1)
	for i := product.BitLen() - 1; i >= 128; i-- {
		if product.Bit(i) == 1 {
			product.Xor(product, new(big.Int).Lsh(modulus, uint(i-128)))
		}
	}
	return product
}

func randomElement(seed byte) element { return load(random(16, seed)) }

func TestField(t *testing.T) {
	for i := range byte(50) {
		a, b := randomElement(i), randomElement(i+100)
		if got, want := polynomial(a.mul(b)), slowMul(a, b); got.Cmp(want) != 0 {
			t.Fatalf("%x times %x is %x, not %x", a, b, got, want)
		}
		if a.mul(b) != b.mul(a) || a.mul(one) != a || a.mul(a.inverse()) != one {
			t.Fatalf("the laws of a field don't hold for %x and %x", a, b)
		}
		power := one
		for n := range 40 {
			if a.pow(n) != power {
				t.Fatalf("%x to the power of %d is wrong", a, n)
			}
			power = power.mul(a)
		}
		var block [16]byte
		if a.store(block[:]); load(block[:]) != a || !bytes.Equal(block[:], random(16, i)) {
			t.Fatalf("%x is stored as %x", a, block)
		}
	}
	if (element{}).inverse() != (element{}) || one.inverse() != one {
		t.Error("0 or 1 has a wrong inverse")
	}
}

// ivOf is the IV of 16 bytes that makes the given first counter block.
func ivOf(t *testing.T, key []byte, first element) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newGCMSealer(block, make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	iv := make([]byte, 16)
	first.add(s.lengthH).mul(s.invH2).store(iv)
	if s.counter(iv) != first {
		t.Fatalf("the counter block of the IV is %x", s.counter(iv))
	}
	return iv
}

// The counter of aes-gcm has 32 bits, and comes round where the standard
// library's does, wherever in a chunk, a block or a range that is.
func TestGCMCounterWraps(t *testing.T) {
	const chunkBlocks = chunkSize / 16
	for _, before := range []uint32{0, 1, 2, 3, 17, chunkBlocks - 1, chunkBlocks, chunkBlocks + 1, 2*chunkBlocks - 1, 2 * chunkBlocks, 2*chunkBlocks + 5} {
		first := randomElement(9)
		first.lo = first.lo&^0xffffffff | uint64(0xffffffff-before)
		p := format{GCM, 16}.params(32)
		p.IV = ivOf(t, p.Key.Bytes(), first)
		plain := random(3*chunkSize+40, 3)
		file := oneShot(t, p, plain)
		for _, step := range []int{1009, 2 * chunkSize} {
			if !bytes.Equal(sealed(t, p, plain, step), file) {
				t.Errorf("%d blocks before the counter wraps: written wrongly", before)
			}
			got, err := readAll(newReader(t, bytes.NewReader(file), p), step)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d blocks before the counter wraps: read wrongly, %v", before, err)
			}
		}
		r := newReaderAt(t, bytes.NewReader(file), len(file), p)
		for _, off := range []int{0, 1, max(0, 16*int(before)-33), 16 * int(before), 16*int(before) + 17} {
			checkRange(t, r, plain, off, 70)
			checkRange(t, r, plain, off, 2*chunkSize)
		}
		if err := VerifyGCM(t.Context(), iotest.HalfReader(bytes.NewReader(file)), int64(len(file)), p); err != nil {
			t.Errorf("%d blocks before the counter wraps: %v", before, err)
		}
	}
}

// The counter of aes-ctr has 128 bits: compared with AES block by block.
func TestCTRCounterWraps(t *testing.T) {
	for _, low := range []uint64{0, 1, 5, chunkSize/16 + 1} {
		for _, high := range []uint64{0xffffffffffffffff, 0x00000000ffffffff, 0} {
			p := format{CTR, 16}.params(16)
			p.IV = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, high), ^low)
			plain := random(chunkSize+1000, 3)
			want := slowCTR(t, p, plain)
			if !bytes.Equal(sealed(t, p, plain, 4099), want) {
				t.Errorf("%x: written wrongly", p.IV)
			}
			r := newReaderAt(t, bytes.NewReader(want), len(want), p)
			for _, off := range []int{0, 1, 16*int(low) + 3, 16*int(low) + 16} {
				checkRange(t, r, plain, off, 100)
			}
		}
	}
}

func slowCTR(t *testing.T, p Params, plain []byte) []byte {
	block, err := aes.NewCipher(p.Key.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	out, n := bytes.Clone(plain), new(big.Int).SetBytes(p.IV)
	var in, key [16]byte
	for i := range out {
		if i%16 == 0 {
			n.FillBytes(in[:])
			block.Encrypt(key[:], in[:])
			if n.Add(n, big.NewInt(1)); n.BitLen() > 128 {
				n.SetInt64(0)
			}
		}
		out[i] ^= key[i%16]
	}
	return out
}

// Far into a file, a counter is right too; the standard library can't be asked
// without a file of that length.
func TestGCMCounterFarIn(t *testing.T) {
	p := format{GCM, 12}.params(16)
	block, err := aes.NewCipher(p.Key.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	const off = maxGCM - 100
	last := append(bytes.Clone(p.IV), 0xff, 0xff, 0xff, 0xff)
	binary.BigEndian.PutUint32(last[12:], uint32(off/16+2))
	want := make([]byte, 100)
	stream := cipher.NewCTR(block, last)
	stream.XORKeyStream(make([]byte, off%16), make([]byte, off%16))
	stream.XORKeyStream(want, want)
	r, err := NewReaderAt(zeros{}, maxGCM+tagSize, p)
	if err != nil {
		t.Fatal(err)
	}
	checkRangeAt(t, r, want, off)
	g, err := newGCMSealer(block, p.IV)
	if err != nil {
		t.Fatal(err)
	}
	const chunk = int64(maxGCM) / chunkSize * chunkSize
	g.n = chunk
	got := g.finish(make([]byte, 0, chunkSize+16), make([]byte, maxGCM-chunk))
	if !bytes.Equal(got[off-chunk:maxGCM-chunk], want) {
		t.Error("the end of the longest file is encrypted wrongly")
	}
}

// zeros is an endless file.
type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

func checkRangeAt(t *testing.T, r *ReaderAt, want []byte, off int64) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := r.ReadAt(got, off); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes at %d are wrong, %v", len(want), off, err)
	}
}
