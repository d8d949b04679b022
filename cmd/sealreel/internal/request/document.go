package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

// object is a JSON object, whose members are kept whatever they are.
type object = map[string]any

// Document is a job document that is being written.
type Document struct{ members object }

// ErrInputs is a template that names more than one input.
var ErrInputs = errors.New("the template has several Inputs: one file is put, so give one Input or none")

// Parse reads a template. Text that is not JSON is a *document.SyntaxError with
// line and column.
func Parse(template []byte) (*Document, error) {
	if _, err := document.Parse(template, job.MaxDocument); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(template, []byte("\ufeff"))))
	decoder.UseNumber()
	d := &Document{}
	if err := decoder.Decode(&d.members); err != nil {
		return nil, err
	}
	if inputs, ok := d.members["Inputs"].([]any); ok && len(inputs) > 1 {
		return nil, ErrInputs
	}
	return d, nil
}

// Pipeline is the template's PipelineId, "" when it has none.
func (d *Document) Pipeline() string { return text(d.members, "PipelineId") }

// Key is the key of the template's input, "" when it has none.
func (d *Document) Key() string { return text(d.input(), "Key") }

// Encryption is that of the template's input, the zero value when it has none.
func (d *Document) Encryption() job.Encryption {
	e, _ := d.input()["Encryption"].(object)
	return job.Encryption{Mode: text(e, "Mode"), Key: text(e, "Key"), KeyMd5: text(e, "KeyMd5"),
		InitializationVector: text(e, "InitializationVector")}
}

// input is the one input of the template, which may have neither form.
func (d *Document) input() object {
	if inputs, ok := d.members["Inputs"].([]any); ok && len(inputs) == 1 {
		in, _ := inputs[0].(object)
		return in
	}
	in, _ := d.members["Input"].(object)
	return in
}

func text(o object, name string) string {
	s, _ := o[name].(string)
	return s
}

// Filling is what completes a template.
type Filling struct {
	PipelineID string
	Key        string         // of the input in the ingest bucket
	Encryption job.Encryption // of the input
	Name       string         // the path that {name}, {stem} and {prefix} are made of
	Prefix     string         // OutputKeyPrefix of a template without one
	OutMode    string         // mode of outputs without an Encryption; "" leaves them without
}

// Complete is the job document: the template with what it lacks filled in, and
// with {name}, {stem} and {prefix} replaced in the keys of its outputs, prefix
// and playlists.
func (d *Document) Complete(f Filling) ([]byte, error) {
	m := maps.Clone(d.members)
	absent(m, "PipelineId", f.PipelineID)
	for _, in := range inputs(m) {
		in["Key"] = f.Key
		if f.Encryption != (job.Encryption{}) {
			in["Encryption"] = f.Encryption
		}
	}
	names := newPlaceholders(f.Name)
	names.fill(m, "OutputKeyPrefix")
	absent(m, "OutputKeyPrefix", f.Prefix)
	for _, o := range objects(m, "Output", "Outputs") {
		names.fill(o, "Key")
		if _, given := o["Encryption"].(object); !given && f.OutMode != "" {
			o["Encryption"] = job.Encryption{Mode: f.OutMode}
		}
	}
	for _, p := range objects(m, "", "Playlists") {
		names.fill(p, "Name")
		names.fillAll(p, "OutputKeys")
	}
	if err := names.err(); err != nil {
		return nil, err
	}
	return json.MarshalIndent(m, "", "  ")
}

// inputs are the inputs of a document, which gets one when it has neither form.
func inputs(m object) []object {
	if m["Input"] == nil && m["Inputs"] == nil {
		m["Input"] = object{}
	}
	return objects(m, "Input", "Inputs")
}

// absent sets a member that is not there.
func absent(o object, name, value string) {
	if o[name] == nil && value != "" {
		o[name] = value
	}
}

// objects are the objects of a member in either form, as copies that stand in
// their place.
func objects(m object, one, many string) []object {
	var all []object
	if o, ok := m[one].(object); ok && one != "" {
		o = maps.Clone(o)
		m[one] = o
		all = append(all, o)
	}
	list, _ := m[many].([]any)
	list = slices.Clone(list)
	for i := range list {
		if o, ok := list[i].(object); ok {
			o = maps.Clone(o)
			list[i] = o
			all = append(all, o)
		}
	}
	if list != nil {
		m[many] = list
	}
	return all
}

// placeholders replaces {name}, {stem} and {prefix} as a pipeline's drop
// template does.
type placeholders struct {
	values  map[string]string
	unknown map[string]bool
}

// Parts are the folder of a path with its slash, its last element, and that
// without extension. A name that is all extension, like .mp4, is its own stem.
func Parts(name string) (folder, base, stem string) {
	folder, base = path.Split(name)
	if stem = strings.TrimSuffix(base, path.Ext(base)); stem == "" {
		stem = base
	}
	return folder, base, stem
}

func newPlaceholders(name string) *placeholders {
	folder, base, stem := Parts(name)
	return &placeholders{map[string]string{"{name}": base, "{stem}": stem, "{prefix}": folder}, map[string]bool{}}
}

var placeholder = regexp.MustCompile(`\{\w*\}`)

func (p *placeholders) in(value string) string {
	return placeholder.ReplaceAllStringFunc(value, func(found string) string {
		replacement, known := p.values[found]
		if !known {
			p.unknown[found] = true
		}
		return replacement
	})
}

func (p *placeholders) fill(o object, name string) {
	if value, ok := o[name].(string); ok {
		o[name] = p.in(value)
	}
}

func (p *placeholders) fillAll(o object, name string) {
	list, _ := o[name].([]any)
	list = slices.Clone(list)
	for i := range list {
		if value, ok := list[i].(string); ok {
			list[i] = p.in(value)
		}
	}
	if list != nil {
		o[name] = list
	}
}

func (p *placeholders) err() error {
	if len(p.unknown) == 0 {
		return nil
	}
	return fmt.Errorf("the template has %s: only {name}, {stem} and {prefix} are replaced", strings.Join(slices.Sorted(maps.Keys(p.unknown)), ", "))
}
