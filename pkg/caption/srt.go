package caption

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// SubRip has no specification. What is read: blocks of a counter, which may be
// missing, a timing line, and lines of text up to the next block. What players
// take for formatting, <i> and the like and {\an8}, is dropped; there is no way
// to escape it.
var srtFormatting = regexp.MustCompile(`(?i)</?(?:i|b|u|s|font)(?:\s[^<>\n]*)?>|\{\\[^{}\n]*\}`)

// block gathers the lines of one cue.
type block struct {
	start, end time.Duration
	begun      bool
	lines      []string
	size       int
}

// append adds a line of text. The bound is above MaxText since formatting is
// dropped later.
func (b *block) append(c *collector, line string) error {
	b.lines = append(b.lines, line)
	if b.size += len(line) + 1; b.size > 16*MaxText {
		return c.errorf("a caption has more than %d bytes of text", MaxText)
	}
	return nil
}

// flush adds the cue, if one was begun, and empties the block.
func (b *block) flush(c *collector, plain func(string) string) error {
	done := *b
	*b = block{}
	if !done.begun {
		return nil
	}
	return c.add(done.start, done.end, plain(strings.Join(done.lines, "\n")))
}

func decodeSRT(text string) ([]Cue, error) {
	c := &collector{format: SRT}
	var cue block
	head := 0           // lines since a blank one
	counter := false    // the line before was a counter
	headCounter := true // all lines since a blank one are counters
	for line := range strings.SplitSeq(text, "\n") {
		c.line++
		line = strings.TrimSpace(line)
		start, end, arrow, timing := parseTiming(line)
		switch {
		case line == "":
			head, headCounter = 0, true
		case timing:
			if counter && len(cue.lines) > 0 {
				cue.lines = cue.lines[:len(cue.lines)-1]
			}
			if err := cue.flush(c, plainSRT); err != nil {
				return nil, err
			}
			cue = block{start: start, end: end, begun: true}
			head, headCounter = 2, false
		case arrow && headCounter && head < 2:
			return nil, c.errorf("not a timing line; want 00:00:01,000 --> 00:00:02,500")
		case !cue.begun && !isCounter(line):
			return nil, c.errorf("neither a counter nor a timing line; is the file in srt, webvtt, dfxp or scc?")
		default:
			head, headCounter = head+1, headCounter && isCounter(line)
			if err := cue.append(c, line); err != nil {
				return nil, err
			}
		}
		counter = !timing && isCounter(line)
	}
	if !cue.begun {
		return nil, c.errorf("the file has no caption")
	}
	if err := cue.flush(c, plainSRT); err != nil {
		return nil, err
	}
	return c.finish(), nil
}

// isCounter says whether a line is a number alone.
func isCounter(line string) bool {
	return line != "" && strings.Trim(line, "0123456789") == ""
}

func plainSRT(text string) string { return srtFormatting.ReplaceAllString(text, "") }

// encodeSRT writes what would be taken for syntax in look-alikes.
func encodeSRT(cues []Cue) []byte {
	var b bytes.Buffer
	for i, cue := range cues {
		if i > 0 {
			b.WriteByte('\n')
		}
		text := strings.ReplaceAll(cue.Text, "-->", "\u2192")
		text = srtFormatting.ReplaceAllStringFunc(text, func(s string) string {
			return strings.NewReplacer("<", "\u2039", "{", "(", ">", "\u203a", "}", ")").Replace(s)
		})
		start, end := milliseconds(cue)
		fmt.Fprintf(&b, "%d\n%s --> %s\n%s\n", i+1, formatClock(start, ","), formatClock(end, ","), text)
	}
	return b.Bytes()
}
