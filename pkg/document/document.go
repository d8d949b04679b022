// Package document reads the JSON documents that people write (jobs, presets,
// pipelines) strictly and reports every problem at once, in the words and
// with the member paths of Elastic Transcoder's validation errors.
//
// It guarantees that nothing is ignored in silence: malformed text is refused
// with its line and column, a member given twice or never asked for by the
// reader is a problem, and so is a value that breaks a rule. Error texts quote
// short scalars only, never a list, an object or a value read as secret.
package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// maxDepth is the deepest nesting read. The deepest member of the API lies at
// level 7 (Outputs[].Captions.CaptionFormats[].Encryption.Mode).
const maxDepth = 32

// A SyntaxError is text that is not one JSON object in UTF-8.
type SyntaxError struct {
	Line, Column int // from 1; Column counts characters
	Message      string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// A SizeError is a document that is too long to be read.
type SizeError struct {
	Size, Max int // bytes
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("the document has %d bytes, at most %d are allowed", e.Size, e.Max)
}

// Parse reads one JSON object of at most limit bytes. Its errors are
// *SizeError and *SyntaxError. A byte order mark is skipped.
func Parse(doc []byte, limit int) (*Object, error) {
	if len(doc) > limit {
		return nil, &SizeError{Size: len(doc), Max: limit}
	}
	doc = bytes.TrimPrefix(doc, []byte("\ufeff"))
	if at := invalidUTF8(doc); at >= 0 {
		return nil, syntaxError(doc, at, "the text is not UTF-8")
	}
	if len(bytes.TrimSpace(doc)) == 0 {
		return nil, syntaxError(doc, 0, "the document is empty, a JSON object was expected")
	}
	var raw json.RawMessage
	if err := json.Unmarshal(doc, &raw); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, syntaxError(doc, int(syntax.Offset)-1, syntax.Error())
		}
		return nil, syntaxError(doc, 0, err.Error())
	}
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	root, err := readNode(dec, 0)
	if err != nil {
		return nil, syntaxError(doc, int(dec.InputOffset())-1, err.Error())
	}
	if root.kind != object {
		return nil, syntaxError(doc, 0, "a JSON object was expected")
	}
	return &Object{node: root, problems: &Problems{}}, nil
}

type kind int

const (
	null kind = iota
	scalar
	list
	object
)

// node is one JSON value with its members in document order.
type node struct {
	kind     kind
	text     string   // of a scalar: a string's value, a number as written, true, false
	quoted   bool     // a scalar that is a string
	names    []string // of an object
	children []*node  // of an object or a list
}

func readNode(dec *json.Decoder, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case nil:
		return &node{kind: null}, nil
	case json.Delim:
		return readChildren(dec, v, depth)
	case string:
		return &node{kind: scalar, text: v, quoted: true}, nil
	default: // json.Number or bool
		return &node{kind: scalar, text: fmt.Sprint(v)}, nil
	}
}

func readChildren(dec *json.Decoder, open json.Delim, depth int) (*node, error) {
	n := &node{kind: list}
	if open == '{' {
		n.kind = object
	}
	for dec.More() {
		if n.kind == object {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			n.names = append(n.names, name.(string))
		}
		child, err := readNode(dec, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, child)
	}
	_, err := dec.Token() // the closing delimiter
	return n, err
}

// appendJSON writes the value as it was read, without its white space.
func (n *node) appendJSON(b []byte) []byte {
	switch n.kind {
	case null:
		return append(b, "null"...)
	case scalar:
		if n.quoted {
			return appendString(b, n.text)
		}
		return append(b, n.text...)
	}
	brackets := "[]"
	if n.kind == object {
		brackets = "{}"
	}
	b = append(b, brackets[0])
	for i, child := range n.children {
		if i > 0 {
			b = append(b, ',')
		}
		if n.kind == object {
			b = append(appendString(b, n.names[i]), ':')
		}
		b = child.appendJSON(b)
	}
	return append(b, brackets[1])
}

func appendString(b []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string always encodes
	return append(b, quoted...)
}

func invalidUTF8(doc []byte) int {
	if utf8.Valid(doc) {
		return -1
	}
	for i := 0; i < len(doc); {
		r, n := utf8.DecodeRune(doc[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func syntaxError(doc []byte, offset int, message string) *SyntaxError {
	before := doc[:max(0, min(offset, len(doc)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return &SyntaxError{
		Line:    line,
		Column:  1 + utf8.RuneCount(before[lineStart:]),
		Message: message,
	}
}
