package transcode

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"sealreel/pkg/encode"
	"sealreel/pkg/fragment"
	"sealreel/pkg/object"
	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
	"sealreel/pkg/task"
)

// audio encodes the sound of each programme once, from start to end, and cuts it
// where the chunks end. Each chunk's message is sent as soon as the sound of the
// chunk is stored, so that pictures are encoded while the sound goes on.
func (a *attempt) audio(ctx context.Context) error {
	done, err := a.Ledger.Receipts(ctx, a.plan.Job)
	if err != nil {
		return err
	}
	pieces := newPieces(a, done)
	if err := pieces.releaseStored(ctx); err != nil {
		return err
	}
	if pieces.complete() {
		return nil
	}
	if err = a.encodeSound(ctx, pieces); err == nil || !a.permanent(err) {
		return err
	}
	a.Log.WarnContext(ctx, "the sound cannot be encoded", "err", err)
	return pieces.fail(ctx, err)
}

func (a *attempt) encodeSound(ctx context.Context, pieces *pieces) error {
	vault, err := a.Open(ctx, a.plan.Keys)
	if err != nil {
		return err
	}
	defer vault.Close()
	pieces.vault = vault
	for number, takes := range a.plan.Programmes {
		var places []int
		for i, s := range a.plan.Sounds {
			if s.Programme == number {
				places = append(places, i)
			}
		}
		switch {
		case len(places) == 0:
		case len(takes) == 1 && !takes[0].Audio.Silent:
			err = a.encodeTake(ctx, pieces, takes[0], places)
		default:
			err = (&relay{attempt: a, pieces: pieces, vault: vault, places: places}).run(ctx, takes)
		}
		if err != nil {
			return a.mediaError(err)
		}
	}
	if !pieces.complete() {
		return errors.New("the encoder ended before the sound of every chunk was there")
	}
	return nil
}

// encodeTake encodes the sound of a programme with a single take.
func (a *attempt) encodeTake(ctx context.Context, pieces *pieces, take plan.Take, places []int) error {
	in, done, err := a.openInputs(ctx, pieces.vault, []plan.Take{take})
	defer done()
	if err != nil {
		return err
	}
	streams := make([]stream, len(places))
	for i, place := range places {
		streams[i] = stream{name: fmt.Sprintf("sound-%d", place), take: func(ctx context.Context, body io.Reader) error {
			return pieces.take(ctx, place, body)
		}}
	}
	return a.encode(ctx, in, nil, streams, func(inputs, _, outputs [][]string) []string {
		return encode.Sounds(a.plan, places, inputs[0], outputs)
	})
}

// pieces are the stretches of sound that chunks wait for.
type pieces struct {
	*attempt
	vault Vault

	mu    sync.Mutex
	parts map[[2]int]map[int]task.Part // by group and chunk, then by encoding
	needs [][]int                      // encodings that a group's outputs use
	done  map[string]bool              // names of receipts
}

func newPieces(a *attempt, done map[string]bool) *pieces {
	p := &pieces{attempt: a, parts: map[[2]int]map[int]task.Part{}, needs: make([][]int, len(a.plan.Groups)), done: done}
	for g := range a.plan.Groups {
		p.needs[g] = a.plan.SoundsOf(g)
	}
	return p
}

// each calls f for every chunk that needs sound.
func (p *pieces) each(f func(group, chunk int) error) error {
	for g, group := range p.plan.Groups {
		if len(p.needs[g]) == 0 {
			continue
		}
		for c := range group.Chunks {
			if err := f(g, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *pieces) complete() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return nil == p.each(func(g, c int) error {
		if !p.done[task.Piece(g, c)] {
			return io.EOF
		}
		return nil
	})
}

// releaseStored queues the chunks whose sound an earlier attempt has stored: it
// may have ended between the two.
func (p *pieces) releaseStored(ctx context.Context) error {
	return p.each(func(g, c int) error {
		if p.done[task.Piece(g, c)] && !p.done[task.Chunk(g, c)] {
			return p.release(ctx, g, c)
		}
		return nil
	})
}

// release queues a chunk whose sound is stored. Behind the plan's window the task
// of the chunk before it does so, unless that has ended: each of the two writes
// its own record before it looks for the other's, so that one of them sees both.
func (p *pieces) release(ctx context.Context, group, chunk int) error {
	if gate, ok := p.plan.Gate(chunk); ok {
		_, err := p.Ledger.Receipt(ctx, p.plan.Job, task.Chunk(group, gate))
		if errors.Is(err, object.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return p.Queue.Send(ctx, task.Message{Version: task.Version, Job: p.plan.Job, Task: task.Chunk(group, chunk)})
}

// fail lets the chunks that wait for sound go on without it: their outputs
// fail, those without sound do not.
func (p *pieces) fail(ctx context.Context, cause error) error {
	return p.each(func(g, c int) error {
		if p.done[task.Piece(g, c)] {
			return nil
		}
		if err := p.Ledger.CreateSound(ctx, p.plan.Job, task.Piece(g, c), &task.Sound{Failure: task.Failed(cause)}); err != nil {
			return err
		}
		return p.release(ctx, g, c)
	})
}

// store notes that one encoding of a chunk's sound is stored, and with the last
// one writes the receipt and queues the chunk.
func (p *pieces) store(ctx context.Context, group, chunk, sound int, part task.Part) error {
	p.mu.Lock()
	at := [2]int{group, chunk}
	if p.parts[at] == nil {
		p.parts[at] = map[int]task.Part{}
	}
	p.parts[at][sound] = part
	all := len(p.parts[at]) == len(p.needs[group])
	p.mu.Unlock()
	if !all {
		return nil
	}
	name := task.Piece(group, chunk)
	if err := p.Ledger.CreateSound(ctx, p.plan.Job, name, &task.Sound{Parts: p.parts[at]}); err != nil {
		return err
	}
	if err := p.release(ctx, group, chunk); err != nil {
		return err
	}
	p.mu.Lock()
	p.done[name] = true
	p.mu.Unlock()
	return nil
}

// take reads one encoding from ffmpeg and cuts it for every group that uses it.
func (p *pieces) take(ctx context.Context, sound int, body io.Reader) error {
	r := whole{fragment.NewReader(bufio.NewReaderSize(body, 64<<10))}
	track, err := r.Track()
	if err != nil {
		return err
	}
	var cutters []*cutter
	defer func() {
		for _, c := range cutters {
			c.abandon()
		}
	}()
	delay := int64(-1)
	for g := range p.plan.Groups {
		if slices.Contains(p.needs[g], sound) {
			cutters = append(cutters, &cutter{pieces: p, sound: sound, group: g, track: track})
		}
	}
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if delay < 0 {
			delay = encode.Delay(p.plan.Sounds[sound], f.Samples[0].Duration)
		}
		f.Shift(-delay)
		for _, c := range cutters {
			if err := c.add(ctx, f.Samples); err != nil {
				return err
			}
		}
	}
	if !r.Complete() {
		return fmt.Errorf("%w: the sound ends early", errFrames)
	}
	for _, c := range cutters {
		if err := c.finish(ctx); err != nil {
			return err
		}
	}
	return nil
}

// cutter cuts one encoding at the ends of a group's chunks: a frame belongs to
// the chunk in which it begins to sound, the encoder's delay to the first.
type cutter struct {
	*pieces
	sound, group int
	track        *fragment.Track
	chunk        int
	open         *partWriter // of the piece, nil before its first sample
}

func (c *cutter) add(ctx context.Context, samples []fragment.Sample) error {
	for _, s := range samples {
		for c.chunk < c.last() && s.PTS >= c.end() {
			if err := c.flush(ctx); err != nil {
				return err
			}
		}
		c.begin(ctx)
		if c.open == nil {
			continue
		}
		if err := c.open.add(s); err != nil {
			return err
		}
	}
	return nil
}

func (c *cutter) last() int { return len(c.plan.Groups[c.group].Chunks) - 1 }

// end is the first sample after the chunk, counted from time zero.
func (c *cutter) end() int64 {
	g := c.plan.Groups[c.group]
	return firstTick(g.Rate, g.Chunks[c.chunk].End, int64(c.track.Timescale))
}

// firstTick is the first tick of a timescale not before a place on a grid.
func firstTick(rate rational.Rational, place, timescale int64) int64 {
	return rational.Int(timescale).Div(rate).Ceil(place)
}

// finish flushes what is left. A chunk that lies after the end of the sound
// gets a piece without frames.
func (c *cutter) finish(ctx context.Context) error {
	for c.chunk <= c.last() {
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// begin opens the piece of the chunk, unless it is open or an earlier attempt
// has stored it.
func (c *cutter) begin(ctx context.Context) {
	c.mu.Lock()
	stored := c.done[task.Piece(c.group, c.chunk)]
	c.mu.Unlock()
	if c.open == nil && !stored {
		name := fmt.Sprintf("%s-sound-%d", task.Piece(c.group, c.chunk), c.sound)
		c.open = c.newPart(ctx, c.vault, name, c.track)
	}
}

func (c *cutter) flush(ctx context.Context) error {
	c.begin(ctx)
	chunk, open := c.chunk, c.open
	c.chunk, c.open = c.chunk+1, nil
	if open == nil {
		return nil
	}
	part, err := open.end(ctx)
	if err != nil {
		return err
	}
	return c.store(ctx, c.group, chunk, c.sound, part)
}

// abandon lets go of the open piece, which is not stored then.
func (c *cutter) abandon() {
	if c.open != nil {
		c.open.abandon()
	}
}
