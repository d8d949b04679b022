package template

import (
	"slices"
	"strconv"
	"strings"
)

// reader reads typed properties out of Values and gathers every fault, so
// that a template is refused with all of them at once.
type reader struct {
	file   string
	faults []error
}

func (d *reader) fault(v *Value, message string) {
	e := &Error{File: d.file, Message: message}
	if v != nil {
		e.Path, e.Line = v.path, v.line
	}
	d.faults = append(d.faults, e)
}

// only reports members that are not in the list: a property that has no
// effect here must be one that is known to have none that matters.
func (d *reader) only(v *Value, names ...string) {
	for _, key := range v.Keys() {
		if !slices.Contains(names, key) {
			d.fault(v.Get(key), "the embedded AWS doesn't know this property; it knows "+strings.Join(names, ", "))
		}
	}
}

// text returns a plain value's text, or the default when it is absent.
func (d *reader) text(v *Value, otherwise string) string {
	switch v.Kind() {
	case Null:
		return otherwise
	case Scalar:
		return v.Text()
	}
	d.fault(v, "must be a plain value, not "+v.Kind().String())
	return otherwise
}

// integer returns a whole number within low and high, or the default.
func (d *reader) integer(v *Value, otherwise, low, high int) int {
	if v.Kind() == Null {
		return otherwise
	}
	n, err := strconv.Atoi(v.Text())
	if v.Kind() != Scalar || err != nil || n < low || n > high {
		d.fault(v, "must be a whole number from "+strconv.Itoa(low)+" to "+strconv.Itoa(high)+", not "+strconv.Quote(v.Text()))
		return otherwise
	}
	return n
}

func (d *reader) boolean(v *Value, otherwise bool) bool {
	if v.Kind() == Null {
		return otherwise
	}
	b, ok := parseBool(v.Text())
	if !ok {
		d.fault(v, "must be true or false, not "+strconv.Quote(v.Text()))
	}
	return b
}

// oneOf returns a plain value that must be one of the choices, the first of
// which is the default.
func (d *reader) oneOf(v *Value, choices ...string) string {
	text := d.text(v, choices[0])
	if !slices.Contains(choices, text) {
		d.fault(v, "must be "+strings.Join(choices, " or ")+" for the embedded AWS, not "+strconv.Quote(text))
	}
	return text
}

// texts returns a list of plain values; a single plain value is a list of
// one, as SAM takes it.
func (d *reader) texts(v *Value) []string {
	switch v.Kind() {
	case Null:
		return nil
	case Scalar:
		return []string{v.Text()}
	case Map:
		d.fault(v, "must be a list")
		return nil
	}
	var list []string
	for _, item := range v.Items() {
		list = append(list, d.text(item, ""))
	}
	return list
}

// list returns the elements of a list; absent it has none.
func (d *reader) list(v *Value) []*Value {
	if kind := v.Kind(); kind != Null && kind != List {
		d.fault(v, "must be a list")
	}
	return v.Items()
}

// textMap returns a mapping of plain values.
func (d *reader) textMap(v *Value) map[string]string {
	fields := map[string]string{}
	for _, key := range v.Keys() {
		fields[key] = d.text(v.Get(key), "")
	}
	return fields
}
