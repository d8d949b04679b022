package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sealreel/pkg/caption"
	"sealreel/pkg/fragment"
)

const (
	// hope is how long a picture is read in which there is no line 21: with
	// captions in it, nearly every frame carries two bytes, if only to fill.
	hope = time.Minute

	maxPairs = 1 << 22 // of one input: sixty characters a second for a day
)

// errNone says that a picture carries no captions as far as it was read.
var errNone = errors.New("the picture carries no captions")

// line21 reads the CEA-608 captions, channel CC1, that a picture carries. One
// that can't be looked into has none.
func (x extraction) line21(ctx context.Context, index int) ([]caption.Cue, error) {
	var c carried
	err := x.stream(ctx, index, c.take)
	if errors.Is(err, errNone) || notOurs(err) && !c.found {
		return nil, nil
	}
	if notOurs(err) {
		return nil, &caption.SyntaxError{Format: caption.CEA708, Problem: "the picture that carries them can't be read to its end"}
	}
	if err != nil {
		return nil, err
	}
	return c.cues()
}

// carried are the bytes of line 21 that the frames of a picture carry.
type carried struct {
	found      bool // that there is any, be it filling
	frames     int
	begin, end time.Duration
	pairs      []timedPair
}

type timedPair struct {
	at   time.Duration
	pair [2]byte
}

func (c *carried) take(t *fragment.Track, s fragment.Sample) error {
	shown := ticks(s.PTS, t)
	if c.frames++; c.frames == 1 {
		c.begin = shown
	}
	c.end = max(c.end, ticks(s.PTS+s.Duration, t))
	pairs := caption.FieldPairs
	if t.Coding == fragment.MPEG2 {
		pairs = caption.FieldPairsMPEG2
	}
	for _, p := range pairs(s.Data) {
		c.found = true
		if p[0]&0x7f == 0 && p[1]&0x7f == 0 {
			continue
		}
		if len(c.pairs) == maxPairs {
			return &caption.SyntaxError{Format: caption.CEA708, Problem: fmt.Sprintf("more than %d bytes", 2*maxPairs)}
		}
		c.pairs = append(c.pairs, timedPair{shown, p})
	}
	if !c.found && shown-c.begin > hope {
		return errNone
	}
	return nil
}

// cues puts the bytes into the order in which they are shown.
func (c *carried) cues() ([]caption.Cue, error) {
	slices.SortStableFunc(c.pairs, func(a, b timedPair) int { return cmp.Compare(a.at, b.at) })
	var l caption.Line21
	for _, p := range c.pairs {
		if err := l.Pair(p.at, p.pair[0], p.pair[1]); err != nil {
			return nil, err
		}
	}
	return l.Finish(c.end)
}
