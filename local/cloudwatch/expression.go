package cloudwatch

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/scanner"
)

// expression is metric math: what alarms need of it. A value is missing where
// a metric that it needs has none.
type expression struct {
	eval func(values map[string]float64) (float64, bool)
	ids  []string // metrics it names
}

// parseExpression reads metric math: numbers, ids, + - * /, comparisons (1 or
// 0), AND and OR, IF(condition, then, otherwise) and FILL(id, number); over lists
// SUM, MAX and MIN, which leave out what is missing. Anything else is refused by
// name.
func parseExpression(text string) (*expression, error) {
	p := &expressionParser{}
	p.scan.Init(strings.NewReader(text))
	p.scan.Mode = scanner.ScanIdents | scanner.ScanFloats | scanner.ScanInts
	p.scan.Error = func(*scanner.Scanner, string) {}
	p.next()
	f, err := p.binary(0)
	if err == nil && p.token != scanner.EOF {
		err = fmt.Errorf("%q is in the way", p.scan.TokenText())
	}
	if err != nil {
		return nil, fmt.Errorf("cloudwatch: expression %q: %w", text, err)
	}
	return &expression{f, p.ids}, nil
}

type node = func(values map[string]float64) (float64, bool)

type expressionParser struct {
	scan  scanner.Scanner
	token rune
	ids   []string
	depth int
}

func (p *expressionParser) next() { p.token = p.scan.Scan() }

// operator takes an operator of a level, the loosest being 0.
func (p *expressionParser) operator(level int) string {
	levels := [][]string{{"OR", "||"}, {"AND", "&&"}, {"<", "<=", ">", ">=", "==", "!="}, {"+", "-"}, {"*", "/"}}
	text := p.scan.TokenText()
	if p.token != scanner.Ident && p.token != scanner.EOF && strings.ContainsRune("<>=!|&", p.token) {
		if following := p.scan.Peek(); following == '=' || (following == p.token && (p.token == '|' || p.token == '&')) {
			text += string(following)
		}
	}
	if p.token == scanner.EOF || !slices.Contains(levels[level], text) {
		return ""
	}
	if p.token != scanner.Ident && len(text) == 2 {
		p.next()
	}
	p.next()
	return text
}

func (p *expressionParser) binary(level int) (node, error) {
	if level == 5 {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil {
		op := p.operator(level)
		if op == "" {
			return left, nil
		}
		var right node
		if right, err = p.binary(level + 1); err == nil {
			left = combine(op, left, right)
		}
	}
	return nil, err
}

func combine(op string, left, right node) node {
	return func(values map[string]float64) (float64, bool) {
		a, hasA := left(values)
		b, hasB := right(values)
		if !hasA || !hasB {
			return 0, false
		}
		v := apply(op, a, b)
		return v, !math.IsNaN(v) && !math.IsInf(v, 0) // a division by zero is missing
	}
}

func apply(op string, a, b float64) float64 {
	truth := func(holds bool) float64 {
		if holds {
			return 1
		}
		return 0
	}
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	case "<":
		return truth(a < b)
	case "<=":
		return truth(a <= b)
	case ">":
		return truth(a > b)
	case ">=":
		return truth(a >= b)
	case "==":
		return truth(a == b)
	case "!=":
		return truth(a != b)
	case "AND", "&&":
		return truth(a != 0 && b != 0)
	}
	return truth(a != 0 || b != 0)
}

// maxDepth bounds how deeply expressions and rules are nested.
const maxDepth = 50

func (p *expressionParser) unary() (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("it is nested too deeply")
	}
	defer func() { p.depth-- }()
	text := p.scan.TokenText()
	switch p.token {
	case '-':
		p.next()
		inner, err := p.unary()
		if err != nil {
			return nil, err
		}
		return combine("-", constant(0), inner), nil
	case '(':
		p.next()
		inner, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		return inner, p.expect(')')
	case scanner.Int, scanner.Float:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", text)
		}
		p.next()
		return constant(n), nil
	case scanner.Ident:
		p.next()
		if p.token == '(' {
			return p.call(text)
		}
		p.ids = append(p.ids, text)
		return func(values map[string]float64) (float64, bool) { v, ok := values[text]; return v, ok }, nil
	case scanner.EOF:
		return nil, errors.New("it ends too early")
	}
	return nil, fmt.Errorf("%q is in the way", text)
}

func constant(n float64) node { return func(map[string]float64) (float64, bool) { return n, true } }

func (p *expressionParser) expect(token rune) error {
	if p.token != token {
		return fmt.Errorf("%q is missing before %q", token, p.scan.TokenText())
	}
	p.next()
	return nil
}

// call reads the arguments of a function, behind its name.
func (p *expressionParser) call(name string) (node, error) {
	p.next()
	list := p.token == '['
	if list {
		p.next()
	}
	var arguments []node
	for {
		a, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, a)
		if p.token != ',' {
			break
		}
		p.next()
	}
	if list {
		if err := p.expect(']'); err != nil {
			return nil, err
		}
	}
	if err := p.expect(')'); err != nil {
		return nil, err
	}
	return function(name, list, arguments)
}

func function(name string, list bool, arguments []node) (node, error) {
	switch {
	case name == "IF" && !list && len(arguments) == 3:
		return func(values map[string]float64) (float64, bool) {
			condition, ok := arguments[0](values)
			if !ok {
				return 0, false
			}
			if condition != 0 {
				return arguments[1](values)
			}
			return arguments[2](values)
		}, nil
	case name == "FILL" && !list && len(arguments) == 2:
		return func(values map[string]float64) (float64, bool) {
			if v, ok := arguments[0](values); ok {
				return v, true
			}
			return arguments[1](values)
		}, nil
	case list && slices.Contains([]string{"SUM", "MAX", "MIN"}, name):
		return over(name, arguments), nil
	}
	return nil, fmt.Errorf("the embedded CloudWatch has no %s of %d arguments here; it has IF(c, a, b), FILL(a, b), SUM([...]), MAX([...]) and MIN([...])", name, len(arguments))
}

// over is SUM, MAX or MIN of what is not missing.
func over(name string, list []node) node {
	return func(values map[string]float64) (result float64, any bool) {
		for _, one := range list {
			v, ok := one(values)
			switch {
			case !ok:
			case !any:
				result, any = v, true
			case name == "SUM":
				result += v
			case name == "MAX":
				result = max(result, v)
			default:
				result = min(result, v)
			}
		}
		return result, any
	}
}
