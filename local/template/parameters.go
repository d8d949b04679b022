package template

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readParameters fills the parameters from the overrides and the defaults,
// checked against the constraints that the template declares.
func (r *resolver) readParameters() error {
	section := r.sections["Parameters"]
	if section != nil {
		for i := 0; i < len(section.Content); i += 2 {
			if err := r.readParameter(section.Content[i].Value, section.Content[i+1]); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.options.Parameters)) {
		if _, ok := r.parameters[name]; !ok {
			return r.fault(section, "Parameters", "the template has no parameter %q; it has %s", name,
				strings.Join(slices.Sorted(maps.Keys(r.parameters)), ", "))
		}
	}
	return nil
}

func (r *resolver) readParameter(name string, n *yaml.Node) error {
	path := "Parameters." + name
	text, given := r.options.Parameters[name]
	if !given {
		def := member(n, "Default")
		if def == nil {
			return r.fault(n, path, "has no default and was not given")
		}
		text = def.Value
	}
	kind := "String"
	if t := member(n, "Type"); t != nil {
		kind = t.Value
	}
	var parts []string
	switch kind {
	case "String":
		r.parameters[name] = scalar(path, n.Line, text)
		return r.checkParameter(n, path, text)
	case "Number":
		r.parameters[name] = scalar(path, n.Line, text)
		r.parameters[name].quoted = false
		return r.checkNumber(n, path, text)
	case "CommaDelimitedList", "List<String>", "List<Number>":
		parts = strings.Split(text, ",")
	default:
		return r.fault(n, path, "the embedded AWS has no parameters of type %s; it has String, Number and lists of them", kind)
	}
	list := &Value{path: path, line: n.Line, kind: List}
	for _, part := range parts {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if err := r.checkParameter(n, path, part); err != nil {
			return err
		}
		list.list = append(list.list, scalar(path, n.Line, part))
	}
	r.parameters[name] = list
	return nil
}

// checkParameter holds one value against AllowedValues, AllowedPattern,
// MinLength and MaxLength.
func (r *resolver) checkParameter(n *yaml.Node, path, text string) error {
	if allowed := member(n, "AllowedValues"); allowed != nil {
		values := make([]string, len(allowed.Content))
		for i, a := range allowed.Content {
			values[i] = a.Value
		}
		if !slices.Contains(values, text) {
			return r.fault(allowed, path, "%q is not one of %s", text, strings.Join(values, ", "))
		}
	}
	if p := member(n, "AllowedPattern"); p != nil {
		re, err := regexp.Compile("^(?:" + p.Value + ")$")
		if err != nil {
			return r.fault(p, path, "AllowedPattern: %v", err)
		}
		if !re.MatchString(text) {
			return r.fault(p, path, "%q doesn't match %s", text, p.Value)
		}
	}
	if low, high := member(n, "MinLength"), member(n, "MaxLength"); low != nil || high != nil {
		return r.within(n, path, "length", float64(len(text)), low, high)
	}
	return nil
}

func (r *resolver) checkNumber(n *yaml.Node, path, text string) error {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return r.fault(n, path, "%q is not a number", text)
	}
	if err := r.within(n, path, "value", number, member(n, "MinValue"), member(n, "MaxValue")); err != nil {
		return err
	}
	return r.checkParameter(n, path, text)
}

func (r *resolver) within(n *yaml.Node, path, what string, number float64, low, high *yaml.Node) error {
	bound := func(b *yaml.Node, outside func(limit float64) bool, word string) error {
		if b == nil {
			return nil
		}
		limit, err := strconv.ParseFloat(b.Value, 64)
		if err != nil {
			return r.fault(b, path, "the bound %q is not a number", b.Value)
		}
		if outside(limit) {
			return r.fault(n, path, "%s %v is %s %v", what, number, word, limit)
		}
		return nil
	}
	if err := bound(low, func(limit float64) bool { return number < limit }, "below"); err != nil {
		return err
	}
	return bound(high, func(limit float64) bool { return number > limit }, "above")
}
