package caption

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// SubRip has no specification. What is read: blocks of a counter, which may be
// missing, a timing line, and lines of text up to the next block. What players
// take for formatting, <i> and the like and {\an8}, is dropped; there is no way
// to escape it.
var srtFormatting = regexp.MustCompile(`(?i)</?(?:i|b|u|s|font)(?:\s[^<>\n]*)?>|\{\\[^{}\n]*\}`)

// srtReader follows the lines of a document.
type srtReader struct {
	block
	head     int  // lines since a blank one; above 1 also behind a timing line
	counters bool // all of those are counters
	counter  bool // the line before is a counter
}

func decodeSRT(text string) ([]Cue, error) {
	r := srtReader{block: block{c: &collector{format: SRT}, plain: plainSRT}, counters: true}
	for line := range strings.SplitSeq(text, "\n") {
		r.c.line++
		if err := r.line(strings.TrimSpace(line)); err != nil {
			return nil, err
		}
	}
	if !r.begun {
		return nil, r.c.errorf("the file has no caption")
	}
	if err := r.flush(); err != nil {
		return nil, err
	}
	return r.c.finish(), nil
}

func (r *srtReader) line(line string) error {
	counter := r.counter
	r.counter = isCounter(line)
	start, end, arrow, timing := parseTiming(line)
	switch {
	case line == "":
		r.head, r.counters = 0, true
	case timing:
		if counter && len(r.lines) > 0 {
			r.lines = r.lines[:len(r.lines)-1]
		}
		r.head, r.counters = 2, false
		return r.begin(start, end)
	case arrow && r.counters && r.head < 2:
		return r.c.errorf("not a timing line; want 00:00:01,000 --> 00:00:02,500")
	case !r.begun && !r.counter:
		return r.c.errorf("neither a counter nor a timing line; is the file in srt, webvtt, dfxp or scc?")
	default:
		r.head, r.counters = r.head+1, r.counters && r.counter
		return r.append(line)
	}
	return nil
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
