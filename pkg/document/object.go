package document

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An Object is one JSON object being read. Each member is asked for by name;
// Close then reports the members that nobody asked for. A value that breaks a
// rule is recorded as a problem and read as absent, so that what is returned
// is safe to show.
//
// A member that is null counts as absent.
type Object struct {
	node     *node
	path     string
	problems *Problems
	asked    []string
}

// A Rule says what is wrong with a value, or "".
type Rule func(value string) string

// Problems is where the whole document's problems are collected.
func (o *Object) Problems() *Problems { return o.problems }

// Path is the path of a member of this object; of the object itself for "".
func (o *Object) Path(name string) string { return join(o.path, LowerCamel(name)) }

// JSON is the object as it was read, without its white space.
func (o *Object) JSON() json.RawMessage { return o.node.appendJSON(nil) }

// Has says whether the member is there and not null.
func (o *Object) Has(name string) bool { return o.member(name) != nil }

// Empty says whether the member is absent, null or a list without elements.
func (o *Object) Empty(name string) bool {
	n := o.member(name)
	return n == nil || n.kind == list && len(n.children) == 0
}

// String reads a string; a number or a boolean is taken as its text, as the
// wire format had either.
func (o *Object) String(name string, rules ...Rule) string {
	return o.scalar(name, Quote, rules)
}

// Required is String for a member that must be there.
func (o *Object) Required(name string, rules ...Rule) string {
	if !o.Has(name) {
		o.Missing(name)
		return ""
	}
	return o.String(name, rules...)
}

// Secret is String for a value that no error text may quote.
func (o *Object) Secret(name string, rules ...Rule) string {
	return o.scalar(name, func(string) string { return "(not shown)" }, rules)
}

// Int reads a whole number of at least 0, given as a number or as a string.
func (o *Object) Int(name string) int64 {
	text := o.String(name, func(v string) string {
		if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < 0 {
			return "Member must be a whole number of at least 0"
		}
		return ""
	})
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// Object reads a member that is an object, or nil when it is absent. The
// caller closes it.
func (o *Object) Object(name string) *Object {
	n := o.member(name)
	if n == nil {
		return nil
	}
	return o.object(n, o.Path(name))
}

// Objects reads a list of objects, of which there may be at most limit. The
// caller closes each.
func (o *Object) Objects(name string, limit int) []*Object {
	var objects []*Object
	for i, n := range o.list(name, limit) {
		if child := o.object(n, o.element(name, i)); child != nil {
			objects = append(objects, child)
		}
	}
	return objects
}

// Strings reads a list of strings, of which there may be at most limit.
func (o *Object) Strings(name string, limit int, rules ...Rule) []string {
	var values []string
	for i, n := range o.list(name, limit) {
		if value, ok := o.check(n, o.element(name, i), Quote, rules); ok {
			values = append(values, value)
		}
	}
	return values
}

// Map reads an object of strings, or nil when it is absent or empty. The rules
// hold for each value; keys are the caller's to check.
func (o *Object) Map(name string, rules ...Rule) map[string]string {
	child := o.Object(name)
	if child == nil {
		return nil
	}
	values := make(map[string]string, len(child.node.names))
	for _, key := range child.node.names {
		if n := child.member(key); n != nil {
			if value, ok := child.check(n, join(child.path, key), Quote, rules); ok {
				values[key] = value
			}
		}
	}
	child.Close()
	if len(values) == 0 {
		return nil
	}
	return values
}

// Close reports the members that are unknown or given twice.
func (o *Object) Close() {
	seen := make(map[string]bool, len(o.node.names))
	for i, name := range o.node.names {
		switch {
		case seen[name]:
			o.add(o.Path(name), o.node.children[i], "Member must be given once only")
		case !slices.Contains(o.asked, name):
			o.add(o.Path(name), o.node.children[i], "Member is unknown"+o.suggestion(name))
		}
		seen[name] = true
	}
}

func (o *Object) suggestion(name string) string {
	for _, known := range o.asked {
		if strings.EqualFold(known, name) {
			return fmt.Sprintf("; did you mean '%s'?", known)
		}
	}
	return "; check its spelling or leave it out"
}

func (o *Object) member(name string) *node {
	o.asked = append(o.asked, name)
	if i := slices.Index(o.node.names, name); i >= 0 && o.node.children[i].kind != null {
		return o.node.children[i]
	}
	return nil
}

// Missing records that a member is absent which must be there.
func (o *Object) Missing(name string) {
	o.problems.list = append(o.problems.list, Problem{Path: o.Path(name), Value: "null", Message: "Member must not be null"})
}

func (o *Object) scalar(name string, quote func(string) string, rules []Rule) string {
	n := o.member(name)
	if n == nil {
		return ""
	}
	value, _ := o.check(n, o.Path(name), quote, rules)
	return value
}

func (o *Object) check(n *node, path string, quote func(string) string, rules []Rule) (string, bool) {
	if n.kind != scalar {
		o.add(path, n, "Member must be a string")
		return "", false
	}
	for _, rule := range rules {
		if message := rule(n.text); message != "" {
			o.problems.list = append(o.problems.list, Problem{Path: path, Value: quote(n.text), Message: message})
			return "", false
		}
	}
	return n.text, true
}

func (o *Object) object(n *node, path string) *Object {
	if n.kind != object {
		o.add(path, n, "Member must be an object")
		return nil
	}
	return &Object{node: n, path: path, problems: o.problems}
}

func (o *Object) list(name string, limit int) []*node {
	n := o.member(name)
	if n == nil {
		return nil
	}
	if n.kind != list {
		o.add(o.Path(name), n, "Member must be a list")
		return nil
	}
	if len(n.children) > limit {
		o.add(o.Path(name), n, fmt.Sprintf("Member must have length less than or equal to %d", limit))
		return nil
	}
	return n.children
}

func (o *Object) element(name string, i int) string {
	return fmt.Sprintf("%s.%d.member", o.Path(name), i+1)
}

func (o *Object) add(path string, n *node, message string) {
	o.problems.list = append(o.problems.list, Problem{Path: path, Value: show(n), Message: message})
}

// show is a value of unknown meaning in a problem's text. It never quotes
// scalars: an unknown member may well be a misspelt Key.
func show(n *node) string {
	switch n.kind {
	case null:
		return "null"
	case list:
		return "[...]"
	case object:
		return "{...}"
	}
	return "(not shown)"
}
