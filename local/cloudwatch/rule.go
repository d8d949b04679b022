package cloudwatch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// rule is that of a composite alarm.
type rule struct {
	holds  func(state func(alarm string) State) bool
	alarms []string // that it names, by name or ARN
}

// parseRule reads an AlarmRule: ALARM, OK and INSUFFICIENT_DATA of an alarm's
// name or ARN, which may be quoted, TRUE and FALSE, with AND, OR, NOT and
// parentheses; AND binds more tightly than OR.
func parseRule(text string) (*rule, error) {
	p := &ruleParser{rest: text, rule: &rule{}}
	var err error
	if p.rule.holds, err = p.or(); err == nil {
		if word := p.peek(); word != "" {
			err = fmt.Errorf("%q is in the way", word)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cloudwatch: alarm rule %q: %w", text, err)
	}
	return p.rule, nil
}

type truth = func(state func(alarm string) State) bool

type ruleParser struct {
	rest  string
	rule  *rule
	depth int
}

// peek is the next word or parenthesis, "" at the end.
func (p *ruleParser) peek() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" {
		return ""
	}
	end := strings.IndexAny(p.rest, "() \t\r\n")
	switch end {
	case 0:
		return p.rest[:1]
	case -1:
		return p.rest
	}
	return p.rest[:end]
}

func (p *ruleParser) take(word string) bool {
	if !strings.EqualFold(p.peek(), word) {
		return false
	}
	p.rest = p.rest[len(word):]
	return true
}

func (p *ruleParser) or() (truth, error) {
	left, err := p.and()
	for err == nil && p.take("OR") {
		var right truth
		if right, err = p.and(); err == nil {
			a := left
			left = func(s func(string) State) bool { return a(s) || right(s) }
		}
	}
	return left, err
}

func (p *ruleParser) and() (truth, error) {
	left, err := p.not()
	for err == nil && p.take("AND") {
		var right truth
		if right, err = p.not(); err == nil {
			a := left
			left = func(s func(string) State) bool { return a(s) && right(s) }
		}
	}
	return left, err
}

func (p *ruleParser) not() (truth, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("it is nested too deeply")
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("NOT"):
		inner, err := p.not()
		if err != nil {
			return nil, err
		}
		return func(s func(string) State) bool { return !inner(s) }, nil
	case p.take("TRUE"):
		return func(func(string) State) bool { return true }, nil
	case p.take("FALSE"):
		return func(func(string) State) bool { return false }, nil
	case p.take("("):
		inner, err := p.or()
		if err == nil && !p.take(")") {
			err = errors.New("a ) is missing")
		}
		return inner, err
	}
	word := p.peek()
	wanted := State(strings.ToUpper(word))
	if !slices.Contains([]State{Alarming, OK, InsufficientData}, wanted) {
		return nil, fmt.Errorf("there must be ALARM, OK or INSUFFICIENT_DATA of an alarm, not %q", word)
	}
	p.take(word)
	name, err := p.argument()
	if err != nil {
		return nil, err
	}
	p.rule.alarms = append(p.rule.alarms, name)
	return func(s func(string) State) bool { return s(name) == wanted }, nil
}

// argument reads an alarm's name or ARN in parentheses.
func (p *ruleParser) argument() (string, error) {
	if !p.take("(") {
		return "", errors.New("the name of an alarm stands in parentheses")
	}
	end := strings.IndexByte(p.rest, ')')
	if end < 0 {
		return "", errors.New("a ) is missing")
	}
	name := strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end+1:]
	if len(name) > 1 && (name[0] == '"' || name[0] == '\'') && name[len(name)-1] == name[0] {
		name = name[1 : len(name)-1]
	}
	if name == "" {
		return "", errors.New("an alarm without a name")
	}
	return name, nil
}
