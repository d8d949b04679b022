package vault

import "testing"

// TestInputsShareTheirMemory: what is read together takes no more than two inputs
// do, and each has enough blocks to be read in two places.
func TestInputsShareTheirMemory(t *testing.T) {
	two := window(2)
	most := 2 * two.BlockSize * two.Blocks
	for together := 1; together <= 90; together++ {
		w := window(together)
		if memory := together * w.BlockSize * w.Blocks; memory > most || w.Blocks < 4 || w.BlockSize < 64<<10 || w.ReadAhead < 1 {
			t.Errorf("%d inputs have %+v, %d bytes together", together, w, memory)
		}
	}
}
