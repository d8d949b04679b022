package template

import (
	"encoding/base64"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// intrinsicFunc evaluates one intrinsic function on its unresolved argument.
type intrinsicFunc func(r *resolver, arg *yaml.Node, path string) (*Value, error)

// known lists what evaluator finds, for the text of an error.
const known = "Ref, Fn::Sub, Fn::GetAtt, Fn::Join, Fn::If, Fn::Select, Fn::Split, Fn::FindInMap, Fn::Base64 and the condition functions"

// evaluator returns the implementation of an intrinsic function, or nil.
func evaluator(name string) intrinsicFunc {
	switch name {
	case "Ref":
		return (*resolver).fnRef
	case "Fn::Sub":
		return (*resolver).fnSub
	case "Fn::GetAtt":
		return (*resolver).fnGetAtt
	case "Fn::Join":
		return (*resolver).fnJoin
	case "Fn::If":
		return (*resolver).fnIf
	case "Fn::Select":
		return (*resolver).fnSelect
	case "Fn::Split":
		return (*resolver).fnSplit
	case "Fn::FindInMap":
		return (*resolver).fnFindInMap
	case "Fn::Base64":
		return (*resolver).fnBase64
	case "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Condition":
		return (*resolver).fnCondition
	}
	return nil
}

// intrinsic returns the full name and the argument of an intrinsic function
// in its short form (!Sub x) or full form (Fn::Sub: x), or "".
func intrinsic(n *yaml.Node) (name string, arg *yaml.Node) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		plain := *n
		plain.Tag = ""
		switch short := n.Tag[1:]; short {
		case "Ref", "Condition":
			return short, &plain
		default:
			return "Fn::" + short, &plain
		}
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		if key := n.Content[0].Value; key == "Ref" || strings.HasPrefix(key, "Fn::") {
			return key, n.Content[1]
		}
	}
	return "", nil
}

func (r *resolver) fnRef(arg *yaml.Node, path string) (*Value, error) {
	if arg.Kind != yaml.ScalarNode {
		return nil, r.fault(arg, path, "Ref takes the name of a parameter or resource")
	}
	return r.ref(arg.Value, arg, path)
}

// ref returns what a name refers to: a pseudo parameter, a parameter or a
// resource's main identifier.
func (r *resolver) ref(name string, at *yaml.Node, path string) (*Value, error) {
	if strings.HasPrefix(name, "AWS::") {
		return r.pseudo(name, at, path)
	}
	if v, ok := r.parameters[name]; ok {
		return v, nil
	}
	text, err := r.attribute(name, "Ref", at, path)
	if err != nil {
		return nil, err
	}
	return scalar(path, at.Line, text), nil
}

func (r *resolver) pseudo(name string, at *yaml.Node, path string) (*Value, error) {
	o := r.options
	var text string
	switch name {
	case "AWS::NoValue":
		return nil, nil
	case "AWS::Region":
		text = o.Region
	case "AWS::AccountId":
		text = o.Account
	case "AWS::StackName":
		text = o.StackName
	case "AWS::StackId":
		text = "arn:aws:cloudformation:" + o.Region + ":" + o.Account + ":stack/" + o.StackName + "/embedded"
	case "AWS::Partition":
		text = "aws"
	case "AWS::URLSuffix":
		text = "amazonaws.com"
	default:
		return nil, r.fault(at, path, "there is no pseudo parameter %s", name)
	}
	return scalar(path, at.Line, text), nil
}

func (r *resolver) fnGetAtt(arg *yaml.Node, path string) (*Value, error) {
	var id, name string
	switch arg.Kind {
	case yaml.ScalarNode:
		id, name, _ = strings.Cut(arg.Value, ".")
	case yaml.SequenceNode:
		if len(arg.Content) == 2 {
			id, name = arg.Content[0].Value, arg.Content[1].Value
		}
	}
	if id == "" || name == "" {
		return nil, r.fault(arg, path, "Fn::GetAtt takes a resource and an attribute: Resource.Attribute")
	}
	text, err := r.attribute(id, name, arg, path)
	if err != nil {
		return nil, err
	}
	return scalar(path, arg.Line, text), nil
}

func (r *resolver) fnSub(arg *yaml.Node, path string) (*Value, error) {
	text, local := arg, (*Value)(nil)
	if arg.Kind == yaml.SequenceNode {
		if len(arg.Content) != 2 {
			return nil, r.fault(arg, path, "Fn::Sub takes a text, or a text and a mapping")
		}
		var err error
		if local, err = r.resolve(arg.Content[1], path); err != nil {
			return nil, err
		}
		text = arg.Content[0]
	}
	if text.Kind != yaml.ScalarNode {
		return nil, r.fault(arg, path, "Fn::Sub takes a text, or a text and a mapping")
	}
	out, err := r.substitute(text, local, path)
	if err != nil {
		return nil, err
	}
	return scalar(path, arg.Line, out), nil
}

// substitute replaces each ${name} of a text; ${!name} stands for a literal
// ${name}.
func (r *resolver) substitute(at *yaml.Node, local *Value, path string) (string, error) {
	var out strings.Builder
	rest := at.Value
	for {
		before, after, found := strings.Cut(rest, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return "", r.fault(at, path, "Fn::Sub: a ${ without its }")
		}
		rest = tail
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			out.WriteString("${" + literal + "}")
			continue
		}
		text, err := r.variable(strings.TrimSpace(name), local, at, path)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
}

func (r *resolver) variable(name string, local *Value, at *yaml.Node, path string) (string, error) {
	v := local.Get(name)
	if v == nil {
		if id, attribute, ok := strings.Cut(name, "."); ok {
			return r.attribute(id, attribute, at, path)
		}
		var err error
		if v, err = r.ref(name, at, path); err != nil {
			return "", err
		}
	}
	if v.Kind() != Scalar {
		return "", r.fault(at, path, "Fn::Sub: ${%s} is %s, not a plain value", name, v.Kind())
	}
	return v.Text(), nil
}

// arguments resolves the argument list of a function that takes count of
// them, each of which must exist.
func (r *resolver) arguments(name string, arg *yaml.Node, path string, count int) ([]*Value, error) {
	if arg.Kind != yaml.SequenceNode || len(arg.Content) != count {
		return nil, r.fault(arg, path, "%s takes a list of %d", name, count)
	}
	values := make([]*Value, count)
	for i, node := range arg.Content {
		v, err := r.resolve(node, path)
		if err != nil {
			return nil, err
		}
		if v == nil {
			return nil, r.fault(node, path, "%s can't take AWS::NoValue", name)
		}
		values[i] = v
	}
	return values, nil
}

func (r *resolver) fnJoin(arg *yaml.Node, path string) (*Value, error) {
	args, err := r.arguments("Fn::Join", arg, path, 2)
	if err != nil {
		return nil, err
	}
	if args[0].Kind() != Scalar || args[1].Kind() != List {
		return nil, r.fault(arg, path, "Fn::Join takes a delimiter and a list")
	}
	parts := make([]string, len(args[1].list))
	for i, item := range args[1].list {
		if item.Kind() != Scalar {
			return nil, r.fault(arg, path, "Fn::Join: element %d is %s, not a plain value", i, item.Kind())
		}
		parts[i] = item.Text()
	}
	return scalar(path, arg.Line, strings.Join(parts, args[0].Text())), nil
}

func (r *resolver) fnSplit(arg *yaml.Node, path string) (*Value, error) {
	args, err := r.arguments("Fn::Split", arg, path, 2)
	if err != nil {
		return nil, err
	}
	if args[0].Text() == "" || args[1].Kind() != Scalar {
		return nil, r.fault(arg, path, "Fn::Split takes a delimiter and a text")
	}
	v := &Value{path: path, line: arg.Line, kind: List}
	for _, part := range strings.Split(args[1].Text(), args[0].Text()) {
		v.list = append(v.list, scalar(path, arg.Line, part))
	}
	return v, nil
}

func (r *resolver) fnSelect(arg *yaml.Node, path string) (*Value, error) {
	args, err := r.arguments("Fn::Select", arg, path, 2)
	if err != nil {
		return nil, err
	}
	index, err := strconv.Atoi(args[0].Text())
	if err != nil || args[1].Kind() != List {
		return nil, r.fault(arg, path, "Fn::Select takes an index and a list")
	}
	if index < 0 || index >= len(args[1].list) {
		return nil, r.fault(arg, path, "Fn::Select: there is no element %d in a list of %d", index, len(args[1].list))
	}
	return args[1].list[index], nil
}

func (r *resolver) fnFindInMap(arg *yaml.Node, path string) (*Value, error) {
	args, err := r.arguments("Fn::FindInMap", arg, path, 3)
	if err != nil {
		return nil, err
	}
	node := r.sections["Mappings"]
	for _, name := range args {
		if node = member(node, name.Text()); node == nil {
			return nil, r.fault(arg, path, "Fn::FindInMap: Mappings has no %s.%s.%s", args[0].Text(), args[1].Text(), args[2].Text())
		}
	}
	return r.resolve(node, path)
}

func (r *resolver) fnBase64(arg *yaml.Node, path string) (*Value, error) {
	v, err := r.resolve(arg, path)
	if err != nil {
		return nil, err
	}
	if v.Kind() != Scalar {
		return nil, r.fault(arg, path, "Fn::Base64 takes a text")
	}
	return scalar(path, arg.Line, base64.StdEncoding.EncodeToString([]byte(v.Text()))), nil
}
