package caption

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strings"
	"time"
)

// vttPart is where in a WebVTT document (W3C WebVTT, 4.1) the reader is.
type vttPart int

const (
	vttHeader  vttPart = iota // the signature and what stands right below it
	vttBetween                // before a block
	vttNamed                  // after the identifier of a cue
	vttText                   // in the text of a cue
	vttOther                  // in a comment, a style sheet or a region
)

// vttReader follows the lines of a document.
type vttReader struct {
	block
	part vttPart
}

// decodeWebVTT reads WebVTT. Settings and formatting are dropped, and so is
// X-TIMESTAMP-MAP: a file by itself counts from the start of its video.
func decodeWebVTT(text string) ([]Cue, error) {
	r := vttReader{block: block{c: &collector{format: WebVTT, line: 1}, plain: plainVTT}}
	first, text, _ := strings.Cut(text, "\n")
	if rest, ok := strings.CutPrefix(first, "WEBVTT"); !ok || strings.Trim(rest[:min(1, len(rest))], " \t") != "" {
		return nil, r.c.errorf("the file doesn't start with a line WEBVTT")
	}
	for line := range strings.SplitSeq(text, "\n") {
		r.c.line++
		if err := r.line(line); err != nil {
			return nil, err
		}
	}
	if r.part == vttNamed {
		return nil, r.c.errorf("the last cue has no timing line")
	}
	if err := r.flush(); err != nil {
		return nil, err
	}
	return r.c.finish(), nil
}

func (r *vttReader) line(line string) error {
	if line == "" || r.part != vttText && strings.TrimSpace(line) == "" {
		if r.part == vttNamed {
			return r.c.errorf("a cue has no timing line")
		}
		r.part = vttBetween
		return r.flush()
	}
	if r.part == vttOther {
		return nil
	}
	start, end, arrow, timing := parseTiming(line)
	switch {
	case timing:
		r.part = vttText
		return r.begin(start, end)
	case r.part == vttText:
		return r.append(line)
	case r.part == vttHeader:
	case arrow:
		return r.c.errorf("not a timing line; want 00:00:01.000 --> 00:00:02.500")
	case r.part == vttNamed:
		return r.c.errorf("a cue has no timing line below its identifier")
	case isVTTBlock(line):
		r.part = vttOther
	default:
		r.part = vttNamed
	}
	return nil
}

// isVTTBlock says whether a line opens a block that is no cue.
func isVTTBlock(line string) bool {
	word, _, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
	return word == "NOTE" || word == "STYLE" || word == "REGION"
}

// vttTag is a tag or time stamp in a cue's text; one that is not closed goes to
// the end (W3C WebVTT, 6.4). A bare < that starts neither is text here, since
// files with one are about.
var vttTag = regexp.MustCompile(`</?(?:[A-Za-z.][^>]*|\d+:[\d:.]*)?(?:>|\z)`)

// plainVTT drops the tags of a cue's text and resolves character references.
func plainVTT(text string) string {
	return html.UnescapeString(vttTag.ReplaceAllString(text, ""))
}

var vttEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// encodeWebVTT writes a document with a line below the signature, unless it is
// empty.
func encodeWebVTT(cues []Cue, below string) []byte {
	var b bytes.Buffer
	b.WriteString("WEBVTT\n")
	if below != "" {
		b.WriteString(below + "\n")
	}
	for _, cue := range cues {
		start, end := milliseconds(cue)
		fmt.Fprintf(&b, "\n%s --> %s\n%s\n", formatClock(start, "."), formatClock(end, "."), vttEscapes.Replace(cue.Text))
	}
	return b.Bytes()
}

// EncodeWebVTTSegment writes a segment of an HLS rendition: cues count from the
// start of the presentation, whose picture starts at the time stamp mpegts of
// its transport stream, in 1/90000 s (RFC 8216, 3.5).
func EncodeWebVTTSegment(cues []Cue, mpegts int64) []byte {
	return encodeWebVTT(cues, fmt.Sprintf("X-TIMESTAMP-MAP=MPEGTS:%d,LOCAL:%s", mpegts, formatClock(time.Duration(0), ".")))
}
