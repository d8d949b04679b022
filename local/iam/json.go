package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// maxDepth is far more than the deepest policy: document, statements,
// statement, condition, operator, values.
const maxDepth = 10

// member is a name of a JSON object and its value.
type member struct {
	name  string
	value any // nil, bool, string, json.Number, []any or object
}

// object is a JSON object in its order. A map would hide that a name came
// twice, and so a statement's second Condition.
type object []member

// decode reads exactly one JSON value.
func decode(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decodeValue(d, maxDepth)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows the JSON value")
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth == 0 {
		return nil, fmt.Errorf("JSON nested deeper than %d", maxDepth)
	}
	if delim == '{' {
		return decodeObject(d, depth-1)
	}
	list := []any{}
	for d.More() {
		v, err := decodeValue(d, depth-1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err = d.Token() // the closing bracket
	return list, err
}

func decodeObject(d *json.Decoder, depth int) (any, error) {
	all := object{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decodeValue(d, depth)
		if err != nil {
			return nil, err
		}
		m := member{name.(string), v} // the decoder lets nothing else be a name
		if slices.ContainsFunc(all, func(o member) bool { return o.name == m.name }) {
			return nil, fmt.Errorf("%q is there twice", m.name)
		}
		all = append(all, m)
	}
	_, err := d.Token() // the closing brace
	return all, err
}

// list returns v as a list: itself, or the one value that it is.
func list(v any) []any {
	if all, ok := v.([]any); ok {
		return all
	}
	return []any{v}
}

// texts returns v as one or more strings.
func texts(v any) ([]string, error) {
	var all []string
	for _, each := range list(v) {
		s, ok := each.(string)
		if !ok {
			return nil, fmt.Errorf("%v is no string", each)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, errors.New("the list is empty")
	}
	return all, nil
}
