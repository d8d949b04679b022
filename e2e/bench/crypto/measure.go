package main

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// measure gives a row for each stream of each cipher over a file of that size.
func measure(ctx context.Context, size, rounds int) ([]*row, error) {
	var all []*row
	for _, c := range ciphers() {
		rows := rowsOf(c)
		p, f := c.params(), newFile(c.mode, size)
		std, err := c.standard(p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c, err)
		}
		for range rounds {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			b := bench{ctx: ctx, f: f, std: std, streams: streams(p), rows: rows}
			if err := b.round(size); err != nil {
				return nil, fmt.Errorf("%s: %w", c, err)
			}
		}
		all = append(all, rows...)
	}
	return all, nil
}

func rowsOf(c cipherOf) []*row {
	var rows []*row
	for _, s := range streams(c.params()) {
		rows = append(rows, &row{cipher: c, does: s.does, encrypts: s.encrypts})
	}
	return rows
}

// bench is what one round works on.
type bench struct {
	ctx     context.Context
	f       *file
	std     oneShot
	streams []stream
	rows    []*row // of the streams, in their order
}

// round takes the file, which is plaintext, through the streams that encrypt and
// the one-shot call, which makes ciphertext of it in place; and back.
func (b bench) round(size int) error {
	cached, err := b.cached(size)
	if err != nil {
		return err
	}
	for _, way := range []struct {
		encrypts bool
		oneShot  func(*file) error
		cached   time.Duration
	}{{true, b.std.seal, cached.seal}, {false, b.std.open, cached.open}} {
		took, err := b.run(way.encrypts)
		if err != nil {
			return err
		}
		whole, err := timed(func() error { return way.oneShot(b.f) })
		if err != nil {
			return err
		}
		for i, t := range took {
			r := b.rows[i]
			r.rate = max(r.rate, float64(size)/t.Seconds())
			r.whole = append(r.whole, whole.Seconds()/t.Seconds())
			r.cached = append(r.cached, way.cached.Seconds()/t.Seconds())
		}
	}
	return nil
}

// run times the streams of one direction, by their index.
func (b bench) run(encrypts bool) (map[int]time.Duration, error) {
	all := map[int]time.Duration{}
	for i, s := range b.streams {
		if s.encrypts != encrypts {
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		took, err := timed(func() error { return s.run(b.ctx, b.f) })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.does, err)
		}
		runtime.ReadMemStats(&after)
		b.rows[i].allocated = after.TotalAlloc - before.TotalAlloc
		all[i] = took
	}
	return all, nil
}

// sums are how long one-shot calls of both directions take.
type sums struct{ seal, open time.Duration }

// cached times one-shot calls over as many bytes in pieces, each of which lies
// in the processor's cache as a stream's chunk does.
func (b bench) cached(size int) (sums, error) {
	var total sums
	f := newFile(b.rows[0].cipher.mode, piece)
	for range max(size/piece, 1) {
		seal, err := timed(func() error { return b.std.seal(f) })
		if err != nil {
			return sums{}, err
		}
		open, err := timed(func() error { return b.std.open(f) })
		if err != nil {
			return sums{}, err
		}
		total.seal += seal
		total.open += open
	}
	return total, nil
}

func timed(do func() error) (time.Duration, error) {
	start := time.Now()
	err := do()
	return time.Since(start), err
}
