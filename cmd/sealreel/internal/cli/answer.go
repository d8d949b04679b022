package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"sealreel/cmd/sealreel/internal/site"
	"sealreel/pkg/registry"
)

// operation is a command of a command, such as list of pipeline list. It prints
// an answer of the API.
type operation struct {
	name string
	args []string // names of what follows it, and in brackets of what may
	flag string   // the one that it takes
	// document is what it sends, nil for nothing.
	document func(args []string) ([]byte, error)
	// run may answer and fail, too, when it is done in part.
	run func(ctx context.Context, r *registry.Registry, args []string, doc []byte) (answer []byte, err error)
}

// operate runs the operation that the arguments name, on the stack's registry.
// what is the command.
func (f flags) operate(ctx context.Context, t *terminal, what string, operations []operation, args []string) error {
	o, positional, err := f.operation(what, operations, args)
	if err != nil {
		return err
	}
	var doc []byte
	if o.document != nil {
		if doc, err = o.document(positional); err != nil {
			return err
		}
	}
	s, err := site.Connect(ctx, t.getenv)
	if err != nil {
		return err
	}
	answer, err := o.run(ctx, s.Registry(), positional, doc)
	if answer != nil {
		if err := showJSON(t.stdout, answer); err != nil {
			return err
		}
	}
	return err
}

// operation finds the one that the arguments name, and refuses what it does not
// take.
func (f flags) operation(what string, operations []operation, args []string) (operation, []string, error) {
	positional, err := f.split(args)
	if err != nil {
		return operation{}, nil, err
	}
	var names, flags []string
	for _, o := range operations {
		names, flags = append(names, o.name), append(flags, o.flag)
	}
	last := len(names) - 1
	if len(positional) == 0 {
		return operation{}, nil, usagef("missing: %s or %s", strings.Join(names[:last], ", "), names[last])
	}
	at := slices.Index(names, positional[0])
	if at < 0 {
		return operation{}, nil, usagef("there is no %s command %q, only %s and %s", what, positional[0], strings.Join(names[:last], ", "), names[last])
	}
	o := operations[at]
	for _, name := range flags {
		if name != "" && name != o.flag && f.given(name) {
			return operation{}, nil, usagef("%s %s takes no --%s", what, o.name, name)
		}
	}
	return o, positional[1:], match(positional[1:], o.args)
}

// deleted is what the API answered when something was deleted.
func deleted(err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return []byte(`{"Success":"true"}`), nil
}

// answered is an answer to what may have failed.
func answered(err error, marshal func() ([]byte, error)) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return marshal()
}

// showJSON prints a document in lines that people can read.
func showJSON(w io.Writer, doc []byte) error {
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, doc, "", "  "); err != nil {
		return err
	}
	pretty.WriteByte('\n')
	_, err := pretty.WriteTo(w)
	return err
}
