package caption

import (
	"strings"
	"time"
)

// block gathers the lines of one cue after the other, in the formats that have
// lines.
type block struct {
	c     *collector
	plain func(string) string // drops what the format has for formatting

	begun      bool // a timing line was read
	start, end time.Duration
	lines      []string
	size       int
}

// begin ends the cue before and begins another.
func (b *block) begin(start, end time.Duration) error {
	err := b.flush()
	b.begun, b.start, b.end = true, start, end
	return err
}

// append adds a line of text. The bound is above MaxText since formatting is
// dropped later.
func (b *block) append(line string) error {
	b.lines = append(b.lines, line)
	if b.size += len(line) + 1; b.size > 16*MaxText {
		return b.c.errorf("a caption has more than %d bytes of text", MaxText)
	}
	return nil
}

// flush adds the cue, if one has begun, and forgets its lines.
func (b *block) flush() error {
	begun, text := b.begun, strings.Join(b.lines, "\n")
	b.begun, b.lines, b.size = false, nil, 0
	if !begun {
		return nil
	}
	return b.c.add(b.start, b.end, b.plain(text))
}
