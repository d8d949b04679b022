package caption

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// maxDepth bounds how deep elements of a TTML document may be nested.
const maxDepth = 64

// decodeTTML reads TTML with its profiles: DFXP, SMPTE-TT, EBU-TT (also -D). Of
// a document with several languages the first is read, as the service read the
// first div only.
//
// An encoding declaration is not heeded: the bytes are known to be UTF-8.
func decodeTTML(text string) ([]Cue, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	r := &ttmlReader{c: &collector{format: DFXP}}
	for {
		token, err := d.Token()
		r.c.line, _ = d.InputPos()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // its text would quote the document
			return nil, r.c.errorf("not well-formed XML")
		}
		if err := r.token(token); err != nil {
			return nil, err
		}
	}
	if !r.begun {
		return nil, r.c.errorf("the document has no element tt of TTML")
	}
	if len(r.c.cues) == 0 && r.pictures {
		return nil, r.c.errorf("the captions are pictures; give captions as text")
	}
	return r.c.finish(), nil
}

// ttmlReader follows the elements of a document.
type ttmlReader struct {
	c        *collector
	clock    ttmlClock
	begun    bool
	pictures bool
	language *string // of the first div
	stack    []ttmlElement
	text     strings.Builder // of the paragraph, or of a span with its own times
	from, to time.Duration   // when text is shown
}

// ttmlElement is an open element.
type ttmlElement struct {
	begin, end time.Duration // on the document's time line; end may be open
	cursor     time.Duration // where the next child begins
	sequence   bool          // children follow each other
	preserve   bool          // white space counts
	language   string
	paragraph  bool // is p or within it
	ignored    bool
}

func (r *ttmlReader) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return r.start(t)
	case xml.EndElement:
		return r.finish(t)
	case xml.CharData:
		return r.characters(string(t))
	}
	return nil
}

func (r *ttmlReader) start(e xml.StartElement) error {
	if len(r.stack) == maxDepth {
		return r.c.errorf("elements are nested deeper than %d", maxDepth)
	}
	var parent ttmlElement
	if len(r.stack) > 0 {
		parent = r.stack[len(r.stack)-1]
	} else {
		if r.begun || !isTTML(e.Name) || e.Name.Local != "tt" {
			return r.c.errorf("the document's root is no element tt of TTML")
		}
		var bad string
		if r.clock, bad = newTTMLClock(e); bad != "" {
			return r.c.errorf("attribute %s has a value that is unknown or not supported", bad)
		}
		r.begun, parent = true, ttmlElement{end: open}
	}
	child, err := r.open(parent, e)
	if err != nil {
		return err
	}
	if child.paragraph && !child.ignored && e.Name.Local == "br" {
		return r.push(child, r.append(child, "\n"))
	}
	return r.push(child, nil)
}

func (r *ttmlReader) push(e ttmlElement, err error) error {
	r.stack = append(r.stack, e)
	return err
}

// open resolves what an element inherits.
func (r *ttmlReader) open(parent ttmlElement, e xml.StartElement) (ttmlElement, error) {
	child := parent
	child.sequence = false
	child.ignored = parent.ignored || !isTTML(e.Name)
	switch e.Name.Local {
	case "tt", "body", "span", "br":
	case "div", "p":
		child.paragraph = parent.paragraph || e.Name.Local == "p"
	default:
		child.ignored = true
	}
	if child.ignored {
		return child, nil
	}
	base := parent.begin
	if parent.sequence {
		base = parent.cursor
	}
	return child, r.attributes(&child, base, e)
}

func (r *ttmlReader) attributes(child *ttmlElement, base time.Duration, e xml.StartElement) error {
	times := map[string]time.Duration{}
	for _, a := range e.Attr {
		switch a.Name.Local {
		case "begin", "end", "dur":
			if a.Name.Space != "" {
				continue
			}
			d, ok := r.clock.parse(strings.TrimSpace(a.Value))
			if !ok {
				return r.c.errorf("attribute %s is no time of TTML", a.Name.Local)
			}
			times[a.Name.Local] = d
		case "timeContainer":
			child.sequence = a.Value == "seq"
		case "space":
			child.preserve = a.Value == "preserve"
		case "lang":
			child.language = a.Value
		case "backgroundImage":
			r.pictures = true
		}
	}
	if e.Name.Local == "div" {
		if r.language == nil {
			r.language = &child.language
		}
		child.ignored = child.language != *r.language
	}
	return r.interval(child, base, times)
}

// interval sets when an element is shown: its own times count from base, and
// its parent's end bounds it.
func (r *ttmlReader) interval(child *ttmlElement, base time.Duration, times map[string]time.Duration) error {
	limit := child.end
	child.begin, child.end = base+times["begin"], open
	if end, ok := times["end"]; ok {
		child.end = base + end
	}
	if dur, ok := times["dur"]; ok {
		child.end = min(child.end, child.begin+dur)
	}
	if child.begin > 2*MaxTime { // before sums of them can overflow
		return r.c.errorf("a time is beyond %d hours", MaxTime/time.Hour)
	}
	if child.end < child.begin {
		return r.c.errorf("an element ends before it begins")
	}
	child.end = min(child.end, limit)
	child.cursor = child.begin
	return nil
}

func (r *ttmlReader) characters(s string) error {
	if len(r.stack) == 0 {
		return nil
	}
	e := r.stack[len(r.stack)-1]
	if !e.paragraph || e.ignored {
		return nil
	}
	blank := strings.TrimSpace(s) == ""
	if blank && (e.begin != r.from || e.end != r.to) {
		return nil // only lays out spans with times of their own
	}
	if !e.preserve {
		s = collapse(s)
	}
	return r.append(e, s)
}

// append adds text to what is shown with it; text of other times is complete.
func (r *ttmlReader) append(e ttmlElement, s string) error {
	if e.begin != r.from || e.end != r.to {
		if err := r.flush(); err != nil {
			return err
		}
		r.from, r.to = e.begin, e.end
	}
	r.text.WriteString(s)
	if r.text.Len() > 16*MaxText {
		return r.c.errorf("a caption has more than %d bytes of text", MaxText)
	}
	return nil
}

func (r *ttmlReader) flush() error {
	text := r.text.String()
	r.text.Reset()
	if r.to <= r.from { // its parent has ended: never shown
		return nil
	}
	return r.c.add(r.from, r.to, text)
}

func (r *ttmlReader) finish(e xml.EndElement) error {
	child := r.stack[len(r.stack)-1]
	r.stack = r.stack[:len(r.stack)-1]
	if len(r.stack) > 0 && child.end != open {
		parent := &r.stack[len(r.stack)-1]
		parent.cursor = max(parent.cursor, child.end)
	}
	if child.paragraph && e.Name.Local == "p" {
		return r.flush()
	}
	return nil
}

// isTTML says whether a name is in one of TTML's namespaces, of which drafts
// had their own, or in none. EBU-TT uses TTML's.
func isTTML(name xml.Name) bool {
	base, _, _ := strings.Cut(name.Space, "#")
	switch base {
	case "", "http://www.w3.org/ns/ttml", "http://www.w3.org/2006/10/ttaf1", "http://www.w3.org/2006/04/ttaf1":
		return true
	}
	return false
}

// collapse makes one space of each run of white space.
func collapse(s string) string {
	var b strings.Builder
	space := false
	for _, c := range s {
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			space = true
			continue
		}
		if space {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(c)
	}
	if space {
		b.WriteByte(' ')
	}
	return b.String()
}

// encodeTTML writes a document that is valid as DFXP (presentation profile),
// TTML1 and SMPTE-TT: one div, and plain paragraphs at the bottom.
func encodeTTML(track Track) []byte {
	var b strings.Builder
	b.WriteString(xml.Header)
	b.WriteString(`<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"` +
		` xmlns:tts="http://www.w3.org/ns/ttml#styling" ttp:timeBase="media" xml:lang="` + escapeXML(track.Language) + `">
  <head>
    <layout>
      <region xml:id="bottom" tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="after" tts:textAlign="center"/>
    </layout>
  </head>
  <body region="bottom">
    <div>
`)
	for _, cue := range track.Cues {
		start, end := milliseconds(cue)
		text := strings.ReplaceAll(escapeXML(cue.Text), "&#xA;", "<br/>")
		fmt.Fprintf(&b, "      <p begin=%q end=%q xml:space=\"preserve\">%s</p>\n", formatClock(start, "."), formatClock(end, "."), text)
	}
	b.WriteString("    </div>\n  </body>\n</tt>\n")
	return []byte(b.String())
}

func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
