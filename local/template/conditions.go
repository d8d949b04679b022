package template

import (
	"strconv"

	"go.yaml.in/yaml/v3"
)

// condition returns whether a named condition of the template holds.
func (r *resolver) condition(name string, at *yaml.Node, path string) (bool, error) {
	if holds, ok := r.conditions[name]; ok {
		return holds, nil
	}
	node := member(r.sections["Conditions"], name)
	if node == nil {
		return false, r.fault(at, path, "there is no condition %q under Conditions", name)
	}
	done, err := r.enter("Conditions."+name, at, path)
	if err != nil {
		return false, err
	}
	defer done()
	holds, err := r.evaluate(node, "Conditions."+name)
	if err == nil {
		r.conditions[name] = holds
	}
	return holds, err
}

// enter marks a place as being resolved, so that a place which needs itself
// is an error and not a loop. The caller calls done when it is resolved.
func (r *resolver) enter(place string, at *yaml.Node, path string) (done func(), err error) {
	if r.pending[place] {
		return nil, r.fault(at, path, "%s depends on itself", place)
	}
	r.pending[place] = true
	return func() { delete(r.pending, place) }, nil
}

// evaluate returns the truth of a condition function.
func (r *resolver) evaluate(n *yaml.Node, path string) (bool, error) {
	name, arg := intrinsic(n)
	if name == "" && n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Condition" {
		name, arg = "Condition", n.Content[1]
	}
	switch name {
	case "Condition":
		return r.condition(arg.Value, arg, path)
	case "Fn::Equals":
		args, err := r.arguments(name, arg, path, 2)
		if err != nil {
			return false, err
		}
		return args[0].Text() == args[1].Text(), nil
	case "Fn::Not":
		if arg.Kind != yaml.SequenceNode || len(arg.Content) != 1 {
			return false, r.fault(arg, path, "Fn::Not takes a list of one condition")
		}
		holds, err := r.evaluate(arg.Content[0], path)
		return !holds, err
	case "Fn::And":
		return r.quantify(arg, path, name, false)
	case "Fn::Or":
		return r.quantify(arg, path, name, true)
	}
	return false, r.fault(n, path, "a condition is Fn::Equals, Fn::Not, Fn::And, Fn::Or or the name of another condition")
}

// quantify evaluates conditions until one is decisive: true for Fn::Or,
// false for Fn::And.
func (r *resolver) quantify(arg *yaml.Node, path, name string, decisive bool) (bool, error) {
	if arg.Kind != yaml.SequenceNode || len(arg.Content) < 2 || len(arg.Content) > 10 {
		return false, r.fault(arg, path, "%s takes a list of 2 to 10 conditions", name)
	}
	for _, n := range arg.Content {
		holds, err := r.evaluate(n, path)
		if err != nil {
			return false, err
		}
		if holds == decisive {
			return decisive, nil
		}
	}
	return !decisive, nil
}

// fnCondition refuses a condition function where a value belongs.
func (r *resolver) fnCondition(arg *yaml.Node, path string) (*Value, error) {
	return nil, r.fault(arg, path, "a condition function gives no value here; name the condition under Conditions and use Fn::If")
}

func (r *resolver) fnIf(arg *yaml.Node, path string) (*Value, error) {
	if arg.Kind != yaml.SequenceNode || len(arg.Content) != 3 {
		return nil, r.fault(arg, path, "Fn::If takes a condition and two values")
	}
	holds, err := r.condition(arg.Content[0].Value, arg.Content[0], path)
	if err != nil {
		return nil, err
	}
	if holds {
		return r.resolve(arg.Content[1], path)
	}
	return r.resolve(arg.Content[2], path)
}

// parseBool reads a boolean as CloudFormation takes it.
func parseBool(text string) (bool, bool) {
	b, err := strconv.ParseBool(text)
	return b, err == nil
}
