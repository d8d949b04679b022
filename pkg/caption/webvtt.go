package caption

import (
	"bytes"
	"fmt"
	"html"
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

// decodeWebVTT reads WebVTT. Settings and formatting are dropped, and so is
// X-TIMESTAMP-MAP: a file by itself counts from the start of its video.
func decodeWebVTT(text string) ([]Cue, error) {
	c := &collector{format: WebVTT}
	var cue block
	part := vttHeader
	for line := range strings.SplitSeq(text, "\n") {
		c.line++
		if c.line == 1 {
			if rest, ok := strings.CutPrefix(line, "WEBVTT"); !ok || strings.Trim(rest[:min(1, len(rest))], " \t") != "" {
				return nil, c.errorf("the file doesn't start with a line WEBVTT")
			}
			continue
		}
		start, end, arrow, timing := parseTiming(line)
		switch {
		case line == "":
			if err := cue.flush(c, plainVTT); err != nil {
				return nil, err
			}
			if part == vttNamed {
				return nil, c.errorf("a cue has no timing line")
			}
			part = vttBetween
		case part == vttOther:
		case timing:
			if err := cue.flush(c, plainVTT); err != nil {
				return nil, err
			}
			cue, part = block{start: start, end: end, begun: true}, vttText
		case part == vttText:
			if err := cue.append(c, line); err != nil {
				return nil, err
			}
		case part == vttHeader:
		case arrow:
			return nil, c.errorf("not a timing line; want 00:00:01.000 --> 00:00:02.500")
		case part == vttNamed:
			return nil, c.errorf("a cue has no timing line below its identifier")
		case isVTTBlock(line):
			part = vttOther
		default:
			part = vttNamed
		}
	}
	if part == vttNamed {
		return nil, c.errorf("the last cue has no timing line")
	}
	if err := cue.flush(c, plainVTT); err != nil {
		return nil, err
	}
	return c.finish(), nil
}

// isVTTBlock says whether a line opens a block that is no cue.
func isVTTBlock(line string) bool {
	word, _, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
	return word == "NOTE" || word == "STYLE" || word == "REGION"
}

// plainVTT drops the tags of a cue's text, also one that is not closed, and
// resolves character references.
func plainVTT(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "<")
		b.WriteString(before)
		if !found {
			break
		}
		if _, text, found = strings.Cut(rest, ">"); !found {
			break
		}
	}
	return html.UnescapeString(b.String())
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
