package document

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Problem is one value that broke a rule.
type Problem struct {
	Path    string // lower camel case, lists counted from 1: outputs.1.member.presetId
	Value   string // as quoted in the text: 'x', null, {...}; empty for a problem of several values
	Message string // the rule that was broken
}

// String is the problem in the service's form when it belongs to one value,
// and its message alone otherwise.
func (p Problem) String() string {
	if p.Value == "" {
		return p.Message
	}
	return fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", p.Value, p.Path, p.Message)
}

// A ValidationError is every problem of one document.
type ValidationError struct {
	Problems []Problem
}

// maxShown bounds the text of an error over a document full of mistakes.
const maxShown = 50

// Error is "N validation errors detected: Value 'x' at 'path' failed to
// satisfy constraint: rule; ...".
func (e *ValidationError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d validation error", len(e.Problems))
	if len(e.Problems) != 1 {
		b.WriteByte('s')
	}
	b.WriteString(" detected: ")
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteString("; ")
		}
		if i == maxShown {
			fmt.Fprintf(&b, "and %d more", len(e.Problems)-i)
			break
		}
		b.WriteString(p.String())
	}
	return b.String()
}

// Problems collects what is wrong with a document. The zero value is ready.
type Problems struct {
	list []Problem
}

// Add records that the value at path broke the rule in message.
func (p *Problems) Add(path, value, message string) {
	p.list = append(p.list, Problem{Path: path, Value: Quote(value), Message: message})
}

// Addf records a problem that belongs to several values; path says where to
// look first.
func (p *Problems) Addf(path, format string, args ...any) {
	p.list = append(p.list, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// AddAll records the problems of a part of the document, whose paths begin
// below prefix.
func (p *Problems) AddAll(prefix string, problems []Problem) {
	for _, q := range problems {
		q.Path = join(prefix, q.Path)
		p.list = append(p.list, q)
	}
}

// NotYet records that the member at path asks for something that the API has
// and this version can't do. Value is the scalar that asks for it; without one
// the whole member does. What names it for the text.
func (p *Problems) NotYet(path, value, what string) {
	if value != "" {
		p.Add(path, value, fmt.Sprintf("this version of Sealreel can't do %s yet", what))
		return
	}
	p.Addf(path, "'%s': this version of Sealreel can't do %s yet, and does not ignore it in silence: leave the member out", path, what)
}

// Len is how many problems were recorded.
func (p *Problems) Len() int { return len(p.list) }

// Err is a *ValidationError with everything recorded, or nil.
func (p *Problems) Err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &ValidationError{Problems: p.list}
}

// maxQuoted is the longest value shown in a problem, in characters.
const maxQuoted = 80

// Quote shows a value in a problem's text: in single quotes, shortened.
func Quote(value string) string {
	if utf8.RuneCountInString(value) > maxQuoted {
		value = string([]rune(value)[:maxQuoted-3]) + "..."
	}
	return "'" + value + "'"
}

func join(prefix, path string) string {
	switch {
	case prefix == "":
		return path
	case path == "":
		return prefix
	}
	return prefix + "." + path
}

// LowerCamel is the name of a member as the service's messages write it.
func LowerCamel(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToLower(name[:1]) + name[1:]
}
