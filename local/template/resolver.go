package template

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// resolver turns YAML nodes into Values: it evaluates parameters,
// conditions and intrinsic functions, on demand and with cycles detected.
type resolver struct {
	options    Options
	sections   map[string]*yaml.Node // top-level members by name
	parameters map[string]*Value
	resources  map[string]*resource
	pending    map[string]bool // resources and conditions being resolved
	conditions map[string]bool // outcomes so far
}

// resource is an entry of Resources before it is resolved.
type resource struct {
	id         string
	kind       string // CloudFormation type
	node       *yaml.Node
	properties *yaml.Node // nil when it has none
	resolved   *Value
}

func (r *resolver) fault(n *yaml.Node, path, format string, args ...any) error {
	line := 0
	if n != nil {
		line = n.Line
	}
	return &Error{File: r.options.File, Line: line, Path: path, Message: fmt.Sprintf(format, args...)}
}

// resolve returns the value of a node. It returns nil without an error for
// AWS::NoValue, which removes the member or element that holds it.
func (r *resolver) resolve(n *yaml.Node, path string) (*Value, error) {
	if n.Kind == yaml.AliasNode {
		return nil, r.fault(n, path, "CloudFormation takes no YAML aliases; write the value out")
	}
	if name, arg := intrinsic(n); name != "" {
		call := evaluator(name)
		if call == nil {
			return nil, r.fault(n, path, "the embedded AWS doesn't evaluate %s; it knows %s", name, known)
		}
		v, err := call(r, arg, path)
		if err != nil || v == nil {
			return nil, err
		}
		moved := *v // the same value, found at this place
		moved.path, moved.line = path, n.Line
		return &moved, nil
	}
	v := &Value{path: path, line: n.Line}
	switch n.Kind {
	case yaml.ScalarNode:
		r.resolveScalar(n, v)
		return v, nil
	case yaml.SequenceNode:
		return v, r.resolveList(n, v)
	case yaml.MappingNode:
		return v, r.resolveMap(n, v)
	}
	return nil, r.fault(n, path, "can't read this YAML")
}

func (r *resolver) resolveScalar(n *yaml.Node, v *Value) {
	if n.Tag == "!!null" {
		return
	}
	v.kind, v.text = Scalar, n.Value
	v.quoted = n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	if n.Tag == "!!bool" { // yes, Yes, TRUE are booleans of YAML 1.1 too
		v.text = strings.ToLower(v.text)
	}
}

func (r *resolver) resolveList(n *yaml.Node, v *Value) error {
	v.kind = List
	for i, item := range n.Content {
		element, err := r.resolve(item, fmt.Sprintf("%s[%d]", v.path, i))
		if err != nil {
			return err
		}
		if element != nil {
			v.list = append(v.list, element)
		}
	}
	return nil
}

func (r *resolver) resolveMap(n *yaml.Node, v *Value) error {
	v.kind = Map
	for i := 0; i < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		if _, twice := v.fields[key.Value]; twice {
			return r.fault(key, v.path+"."+key.Value, "stands here twice")
		}
		field, err := r.resolve(item, v.path+"."+key.Value)
		if err != nil {
			return err
		}
		if field != nil {
			v.set(key.Value, field)
		}
	}
	return nil
}

// member returns the value node of a mapping's member, or nil.
func member(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// readResources lists the resources whose condition holds.
func (r *resolver) readResources() error {
	section := r.sections["Resources"]
	if section == nil || section.Kind != yaml.MappingNode || len(section.Content) == 0 {
		return r.fault(section, "Resources", "a template needs resources")
	}
	for i := 0; i < len(section.Content); i += 2 {
		id, node := section.Content[i].Value, section.Content[i+1]
		path := "Resources." + id
		if _, twice := r.resources[id]; twice {
			return r.fault(section.Content[i], path, "stands here twice")
		}
		kind := member(node, "Type")
		if kind == nil || kind.Kind != yaml.ScalarNode || kind.Value == "" {
			return r.fault(node, path, "needs a Type")
		}
		if c := member(node, "Condition"); c != nil {
			holds, err := r.condition(c.Value, c, path+".Condition")
			if err != nil {
				return err
			}
			if !holds {
				continue
			}
		}
		r.resources[id] = &resource{id: id, kind: kind.Value, node: node, properties: member(node, "Properties")}
	}
	return nil
}

// resourceProperties resolves the properties of a resource, once, with the
// template's Globals merged in.
func (r *resolver) resourceProperties(res *resource) (*Value, error) {
	if res.resolved != nil {
		return res.resolved, nil
	}
	path := "Resources." + res.id + ".Properties"
	v := &Value{path: path, line: res.node.Line, kind: Map}
	if res.properties != nil {
		var err error
		if v, err = r.resolve(res.properties, path); err != nil {
			return nil, err
		}
		if v.Kind() != Map {
			return nil, r.fault(res.properties, path, "must be a mapping, not %s", v.Kind())
		}
	}
	if globals := r.globalsFor(res.kind); globals != nil {
		g, err := r.resolve(globals, "Globals."+strings.TrimPrefix(res.kind, "AWS::Serverless::"))
		if err != nil {
			return nil, err
		}
		v = merge(g, v)
	}
	res.resolved = v
	return v, nil
}

func (r *resolver) globalsFor(kind string) *yaml.Node {
	name, serverless := strings.CutPrefix(kind, "AWS::Serverless::")
	if !serverless {
		return nil
	}
	return member(r.sections["Globals"], name)
}

// merge lays a resource's value over the Globals' one as SAM does: mappings
// are merged, lists joined with the global elements first, and anything
// else is replaced.
func merge(global, local *Value) *Value {
	switch {
	case global.Kind() == Map && local.Kind() == Map:
		merged := &Value{path: local.path, line: local.line, kind: Map}
		for _, key := range global.keys {
			merged.set(key, global.fields[key])
		}
		for _, key := range local.keys {
			merged.set(key, merge(global.Get(key), local.fields[key]))
		}
		return merged
	case global.Kind() == List && local.Kind() == List:
		joined := *local
		joined.list = slices.Concat(global.list, local.list)
		return &joined
	}
	return local
}
