package source

import (
	"context"
	"math"
)

// block is one block of the object, on its way or there.
type block struct {
	index int64
	data  []byte        // as long as the block, valid when ready is closed without err
	ready chan struct{} // closed when the block is there or lost
	err   error
	users int   // reads and the load that need it; it is not evicted then
	used  int64 // the reader's clock at its last use
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
// buffer is in use.
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
			b = r.start(index, math.MaxInt64)
		}
		if b != nil {
			b.users++
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
// often followed by one. It takes only buffers that are
// free or whose blocks were used before that place's, and never waits.
func (r *Reader) readAhead(index int64) {
	if r.held[index-1] == nil {
		return
	}
	limit := r.held[index].used
	for next := index + 1; next <= index+int64(r.opts.ReadAhead) && next*int64(r.opts.BlockSize) < r.size; next++ {
		if r.held[next] != nil || r.lost[next] != nil {
			continue
		}
		if r.start(next, limit) == nil {
			return
		}
	}
}

// start begins to load a block in a buffer that is free, or in that of the block
// unused for longest, if it was last used before limit. It returns nil when
// there is no buffer. The lock is held.
func (r *Reader) start(index, limit int64) *block {
	buffer := r.buffer(limit)
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

// buffer returns a buffer of a whole block, nil when all are in use.
func (r *Reader) buffer(limit int64) []byte {
	if n := len(r.spare); n > 0 {
		b := r.spare[n-1]
		r.spare = r.spare[:n-1]
		return b
	}
	if r.made < r.opts.Blocks {
		r.made++
		return make([]byte, min(int64(r.opts.BlockSize), r.size))
	}
	var oldest *block
	for _, b := range r.held {
		if b.users == 0 && (oldest == nil || b.used < oldest.used) {
			oldest = b
		}
	}
	if oldest == nil || oldest.used >= limit && oldest.err == nil {
		return nil
	}
	delete(r.held, oldest.index)
	return oldest.data[:cap(oldest.data)]
}
