package template

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Kind says what a Value holds.
type Kind int

// The kinds of a Value. A scalar is kept as the text the template has: like
// CloudFormation, this package compares values as text.
const (
	Null Kind = iota
	Scalar
	List
	Map
)

func (k Kind) String() string {
	return [...]string{"nothing", "a plain value", "a list", "a mapping"}[k]
}

// Value is a place of the template after its intrinsic functions were
// resolved. It remembers where it stands, so that an error can say so.
type Value struct {
	path   string
	line   int
	kind   Kind
	text   string
	quoted bool // a scalar that is text even if it looks like a number
	list   []*Value
	keys   []string
	fields map[string]*Value
}

// Kind returns what the value holds; an absent value holds nothing.
func (v *Value) Kind() Kind {
	if v == nil {
		return Null
	}
	return v.kind
}

// Get returns the member of a mapping, or nil when there is none.
func (v *Value) Get(names ...string) *Value {
	for _, name := range names {
		if v == nil || v.kind != Map {
			return nil
		}
		v = v.fields[name]
	}
	return v
}

// Keys returns the member names of a mapping in the template's order.
func (v *Value) Keys() []string {
	if v == nil {
		return nil
	}
	return v.keys
}

// Items returns the elements of a list.
func (v *Value) Items() []*Value {
	if v == nil {
		return nil
	}
	return v.list
}

// Text returns the text of a scalar, or "".
func (v *Value) Text() string {
	if v == nil {
		return ""
	}
	return v.text
}

// Plain returns the value as encoding/json would have decoded it.
func (v *Value) Plain() any {
	switch v.Kind() {
	case Scalar:
		return v.plainScalar()
	case List:
		list := make([]any, len(v.list))
		for i, item := range v.list {
			list[i] = item.Plain()
		}
		return list
	case Map:
		fields := make(map[string]any, len(v.fields))
		for name, field := range v.fields {
			fields[name] = field.Plain()
		}
		return fields
	}
	return nil
}

func (v *Value) plainScalar() any {
	if v.quoted {
		return v.text
	}
	switch v.text {
	case "true":
		return true
	case "false":
		return false
	}
	if _, err := strconv.ParseFloat(v.text, 64); err == nil && json.Valid([]byte(v.text)) {
		return json.Number(v.text)
	}
	return v.text
}

func (v *Value) set(name string, field *Value) {
	if v.fields == nil {
		v.fields = map[string]*Value{}
	}
	if _, ok := v.fields[name]; !ok {
		v.keys = append(v.keys, name)
	}
	v.fields[name] = field
}

func scalar(path string, line int, text string) *Value {
	return &Value{path: path, line: line, kind: Scalar, text: text, quoted: true}
}

// Error is a fault of the template: where it is and what is wrong.
type Error struct {
	File    string
	Line    int    // 0 when the fault has no single line
	Path    string // such as Resources.ChunkQueue.Properties.VisibilityTimeout
	Message string
}

func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Path == "" {
		return where + ": " + e.Message
	}
	return where + ": " + e.Path + ": " + e.Message
}
