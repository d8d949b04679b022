// Package caption holds the rules of captions: it reads and writes the formats
// that Elastic Transcoder had, and says which captions an output gets, when and
// under which name. It opens no file and knows no service.
//
// What it guarantees:
//
//   - A document is read whole or refused: nothing is skipped in silence, save
//     what is never shown (comments, styles, pictures' names, a cue of length
//     0). Formatting is lost, as it was in the service.
//   - What a reader returns is ordered by start, each cue ends after it starts,
//     and its text is UTF-8 without control characters, blank lines, or space
//     around a line.
//   - Memory is bounded by MaxSize, MaxCues and MaxText whatever the input.
//   - No error holds text of a caption: captions may come from an encrypted
//     file, and errors end in logs and on jobs.
package caption

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The limits of what is read. Feature films have some thousand cues in some
// hundred kilobytes.
const (
	MaxSize = 8 << 20         // bytes of a caption file
	MaxCues = 100_000         // cues of a file or track
	MaxText = 4096            // bytes of a cue's text
	MaxTime = 100 * time.Hour // where a cue may end at most
)

// A Cue is a text that is shown from Start until End. Lines are separated by
// \n.
type Cue struct {
	Start, End time.Duration
	Text       string
}

// A Track is the captions of one language.
type Track struct {
	Language string // ISO 639, two or three letters, as it was given
	Label    string // what players show for it; may be empty
	Cues     []Cue
}

// open is the end of a cue that says no end: see closeOpen.
const open = time.Duration(math.MaxInt64)

// lastShown is how long the last cue of a document is shown that doesn't say.
const lastShown = 5 * time.Second

// collector gathers the cues of one document within the limits.
type collector struct {
	format Format
	line   int // where the reader is, from 1; 0 in a format without lines
	cues   []Cue
}

// add appends a cue with its text as the reader found it.
func (c *collector) add(start, end time.Duration, text string) error {
	switch {
	case start < 0 || end < 0:
		return c.errorf("a time is negative; shift the captions with TimeOffset instead")
	case end < start:
		return c.errorf("a caption ends before it starts")
	case end > MaxTime && end != open || start > MaxTime:
		return c.errorf("a time is beyond %d hours", MaxTime/time.Hour)
	}
	text = tidy(text)
	switch {
	case text == "" || start == end:
		return nil
	case len(text) > MaxText:
		return c.errorf("a caption has %d bytes of text, at most %d", len(text), MaxText)
	case len(c.cues) == MaxCues:
		return c.errorf("more than %d captions", MaxCues)
	}
	c.cues = append(c.cues, Cue{start, end, text})
	return nil
}

func (c *collector) errorf(format string, args ...any) error {
	return syntaxError(c.format, c.line, format, args...)
}

// finish orders the cues and gives those without an end one.
func (c *collector) finish() []Cue {
	sortCues(c.cues)
	closeOpen(c.cues)
	return c.cues
}

// closeOpen ends cues that say no end where the next one starts.
func closeOpen(cues []Cue) {
	next := open
	for i, cue := range slices.Backward(cues) {
		if i+1 < len(cues) && cues[i+1].Start > cue.Start {
			next = cues[i+1].Start
		}
		if cue.End == open {
			cues[i].End = next
			if next == open {
				cues[i].End = cue.Start + lastShown
			}
		}
	}
}

func sortCues(cues []Cue) {
	slices.SortStableFunc(cues, func(a, b Cue) int { return cmp.Compare(a.Start, b.Start) })
}

// tidy brings a cue's text into the form that the package promises.
func tidy(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(strings.Map(printable, line))
		if line == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(line)
	}
	return b.String()
}

// printable drops what no format can carry (XML 1.0, 2.2) and makes a space of
// every other way to move on.
func printable(r rune) rune {
	switch {
	case r == '\t' || r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\v' || r == '\f':
		return ' '
	case unicode.IsControl(r) || r == '\ufeff' || r == '\ufffe' || r == '\uffff':
		return -1
	}
	return r
}
