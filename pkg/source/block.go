package source

import "context"

// block is one block of the object, on its way or there.
type block struct {
	index int64
	data  []byte        // as long as the block, valid when ready is closed without err
	ready chan struct{} // closed when the block is there or lost
	err   error
	users int   // reads and the load that need it; it is not evicted then
	used  int64 // the reader's clock at its last use
	read  bool  // not only fetched ahead
}

// acquire returns a block when it is there. The caller releases it.
func (r *Reader) acquire(index int64) (*block, error) {
	b, err := r.take(index)
	if err != nil {
		return nil, err
	}
	select {
	case <-b.ready:
	case <-r.ctx.Done():
		r.release(b)
		return nil, context.Cause(r.ctx)
	}
	if b.err != nil {
		r.release(b)
		return nil, b.err
	}
	return b, nil
}

// release ends one use of a block.
func (r *Reader) release(b *block) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.users--
	if b.users == 0 {
		r.freed.Broadcast()
	}
}

// take returns a block that may be on its way, in use by the caller, and starts
// the blocks after it when the one before it was read. It waits while every
// buffer is in use; whatever uses one ends when the reader does.
func (r *Reader) take(index int64) (*block, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.ctx.Err() != nil {
			return nil, context.Cause(r.ctx)
		}
		if err := r.lost[index]; err != nil {
			return nil, err
		}
		b := r.held[index]
		if b == nil {
			b = r.start(index, anyBlock)
		}
		if b != nil {
			b.users++
			b.read = true
			r.touch(b)
			r.readAhead(index)
			return b, nil
		}
		r.freed.Wait()
	}
}

func (r *Reader) touch(b *block) {
	r.clock++
	b.used = r.clock
}

// readAhead starts the blocks after index when the one before it is held, which
// tells a place that is read forward from a jump; a header at the beginning is
// often followed by one. It never waits, and takes no buffer of a block that was
// itself fetched ahead and not yet read.
func (r *Reader) readAhead(index int64) {
	if r.held[index-1] == nil {
		return
	}
	for next := index + 1; next <= index+int64(r.opts.ReadAhead) && next*int64(r.opts.BlockSize) < r.size; next++ {
		if r.held[next] == nil && r.lost[next] == nil && r.start(next, readBlock) == nil {
			return
		}
	}
}

// start begins to load a block in a buffer that is new, or in that of the block
// which is missed least, up to the rank worst. It returns nil when there is no
// such buffer. The lock is held.
func (r *Reader) start(index int64, worst rank) *block {
	buffer := r.buffer(worst)
	if buffer == nil {
		return nil
	}
	off := index * int64(r.opts.BlockSize)
	b := &block{index: index, data: buffer[:min(int64(len(buffer)), r.size-off)], ready: make(chan struct{}), users: 1}
	r.touch(b)
	r.held[index] = b
	r.loads.Go(func() { r.finish(b, r.load(r.ctx, b.data, off)) })
	return b
}

// finish makes a loaded block, or its loss, known.
func (r *Reader) finish(b *block, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		b.err = err
		if r.ctx.Err() == nil {
			r.lost[b.index] = err
		}
	}
	close(b.ready)
	b.users--
	if b.users == 0 {
		r.freed.Broadcast()
	}
}

// rank says how much a block would be missed.
type rank int

const (
	passedBlock rank = iota // the block after it was read as well
	readBlock               // somebody may still be reading it
	anyBlock                // it was fetched ahead and is about to be read
)

func (r *Reader) rank(b *block) rank {
	switch after := r.held[b.index+1]; {
	case b.err != nil, b.read && after != nil && after.read:
		return passedBlock
	case b.read:
		return readBlock
	}
	return anyBlock
}

// buffer returns a buffer of a whole block. Among blocks of the same rank it
// takes that of the one unused for longest.
func (r *Reader) buffer(worst rank) []byte {
	if r.made < r.opts.Blocks {
		r.made++
		return make([]byte, min(int64(r.opts.BlockSize), r.size))
	}
	var least *block
	for _, b := range r.held {
		if b.users > 0 || r.rank(b) > worst {
			continue
		}
		if least == nil || r.rank(b) < r.rank(least) || r.rank(b) == r.rank(least) && b.used < least.used {
			least = b
		}
	}
	if least == nil {
		return nil
	}
	delete(r.held, least.index)
	return least.data[:cap(least.data)]
}
