package s3store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
)

// Parts that end inside of, at and behind the border of a block, filled in
// pieces of every kind.
func TestPartsOverBlocks(t *testing.T) {
	for _, limit := range []int{2, blockSize - 1, blockSize, blockSize + 1} {
		for _, length := range []int{1, limit - 1, limit, limit + 1} {
			want := noise(length)
			for name, r := range map[string]io.Reader{
				"whole": bytes.NewReader(want), "halves": iotest.HalfReader(bytes.NewReader(want)), "end with data": iotest.DataErrReader(bytes.NewReader(want)),
			} {
				if err := checkParts(&partReader{store: storeOf(limit), r: r}, want, limit); err != nil {
					t.Errorf("%d bytes in parts of %d, %s: %v", length, limit, name, err)
				}
			}
		}
	}
}

func storeOf(partSize int) *Store {
	s := &Store{partSize: partSize}
	s.blocks.New = func() any { return new(block) }
	return s
}

func checkParts(r *partReader, want []byte, limit int) error {
	for len(want) > 0 {
		p, err := r.next()
		if err != nil {
			return err
		}
		length := min(len(want), limit)
		if err := iotest.TestReader(p.body(), want[:length]); err != nil {
			return err
		}
		if most := length/blockSize + 1; len(p.blocks) > most { // one may wait for what does not come
			return fmt.Errorf("a part of %d bytes takes %d blocks, want at most %d", length, len(p.blocks), most)
		}
		want = want[length:]
		p.release()
	}
	if _, err := r.next(); err != io.EOF {
		return fmt.Errorf("at the end: %v", err)
	}
	return nil
}

// A stream that breaks off gives no part, also where a part was full.
func TestBrokenStreamGivesNoPart(t *testing.T) {
	broken := errors.New("broken")
	for _, cut := range []error{broken, io.ErrUnexpectedEOF} {
		r := &partReader{store: storeOf(10), r: io.MultiReader(bytes.NewReader(noise(15)), iotest.ErrReader(cut))}
		if p, err := r.next(); err != nil || p.size != 10 {
			t.Fatalf("%d bytes, %v", p.size, err)
		}
		if _, err := r.next(); err != cut {
			t.Errorf("error %v, want %v", err, cut)
		}
	}
}
