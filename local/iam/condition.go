package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// condition is one key under one operator. All of a statement's must hold.
type condition struct {
	key     string // in lower case
	null    bool   // the operator is Null
	absent  bool   // what Null asks for
	each    quantifier
	negated bool // the operator has Not in its name
	lenient bool // the operator ends in IfExists
	tests   []func(string) bool
}

type quantifier int

const (
	single quantifier = iota
	forAny
	forAll
)

// holds decides the condition as the IAM User Guide has it under "Condition
// operators": a key that is not there fits no operator but the negated ones
// and those with IfExists; of a set, ForAllValues holds when nothing of it
// breaks the rule, so for the empty set, too, and ForAnyValue when something
// keeps it. A key of many values without either is asked as by ForAnyValue,
// or by ForAllValues if negated.
func (c *condition) holds(values []string) bool {
	if c.null {
		return c.absent == (len(values) == 0)
	}
	if len(values) == 0 {
		return c.lenient || c.each == forAll || c.negated && c.each == single
	}
	if c.each == forAll || c.negated && c.each == single {
		return !slices.ContainsFunc(values, func(v string) bool { return !c.fits(v) })
	}
	return slices.ContainsFunc(values, c.fits)
}

// fits asks for one value: it must fit one of the policy's, or if negated none.
func (c *condition) fits(value string) bool {
	return slices.ContainsFunc(c.tests, func(test func(string) bool) bool { return test(value) }) != c.negated
}

// operator makes the test of one value in a policy.
type operator func(want string) (func(got string) bool, error)

// operators by name; those with negation are these with Not.
var operators = map[string]operator{
	"StringEquals":             equalsTest,
	"StringEqualsIgnoreCase":   equalsFoldTest,
	"StringLike":               likeTest,
	"ArnEquals":                arnTest,
	"ArnLike":                  arnTest,
	"Bool":                     boolTest,
	"NumericEquals":            numericTest(func(got, want float64) bool { return got == want }),
	"NumericLessThan":          numericTest(func(got, want float64) bool { return got < want }),
	"NumericLessThanEquals":    numericTest(func(got, want float64) bool { return got <= want }),
	"NumericGreaterThan":       numericTest(func(got, want float64) bool { return got > want }),
	"NumericGreaterThanEquals": numericTest(func(got, want float64) bool { return got >= want }),
}

// negations are the operators with Not and what they negate.
var negations = map[string]string{
	"StringNotEquals":           "StringEquals",
	"StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
	"StringNotLike":             "StringLike",
	"ArnNotEquals":              "ArnEquals",
	"ArnNotLike":                "ArnLike",
	"NumericNotEquals":          "NumericEquals",
}

// globalKeys are the keys of every service that the embedded AWS can tell. A
// policy that asks for another aws: key is refused, since a key that never
// comes would let a Deny pass unseen.
var globalKeys = []string{
	"aws:principalaccount", "aws:principalarn", "aws:principalisawsservice", "aws:principalservicename",
	"aws:securetransport", "aws:sourceaccount", "aws:sourcearn",
}

func parseConditions(v any) ([]condition, error) {
	ops, ok := v.(object)
	if !ok {
		return nil, errors.New("Condition is no object")
	}
	var all []condition
	for _, op := range ops {
		keys, ok := op.value.(object)
		if !ok {
			return nil, fmt.Errorf("Condition %s is no object", op.name)
		}
		for _, key := range keys {
			c, err := parseCondition(op.name, key.name, key.value)
			if err != nil {
				return nil, fmt.Errorf("Condition %s of %s: %w", op.name, key.name, err)
			}
			all = append(all, c)
		}
	}
	return all, nil
}

func parseCondition(name, key string, v any) (condition, error) {
	c := condition{key: strings.ToLower(key)}
	if !strings.Contains(key, ":") || strings.Contains(key, "${") {
		return c, errors.New("the key is none of IAM's, such as aws:SecureTransport")
	}
	if strings.HasPrefix(c.key, "aws:") && !slices.Contains(globalKeys, c.key) {
		return c, errors.New("the key is not supported")
	}
	values, err := conditionValues(v)
	if err != nil {
		return c, err
	}
	if name == "Null" {
		return nullCondition(c, values)
	}
	name, c.lenient = strings.CutSuffix(name, "IfExists")
	if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		name, c.each = rest, forAny
	} else if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, c.each = rest, forAll
	}
	if positive, ok := negations[name]; ok {
		name, c.negated = positive, true
	}
	op, ok := operators[name]
	if !ok {
		return c, errors.New("the operator is not supported")
	}
	for _, want := range values {
		test, err := op(want)
		if err != nil {
			return c, err
		}
		c.tests = append(c.tests, test)
	}
	return c, nil
}

func nullCondition(c condition, values []string) (condition, error) {
	if len(values) != 1 {
		return c, errors.New("Null takes one value, true or false")
	}
	absent, err := parseBool(values[0])
	c.null, c.absent = true, absent
	return c, err
}

// conditionValues returns texts; JSON's true and 1.2 are as good as "true"
// and "1.2".
func conditionValues(v any) ([]string, error) {
	var all []string
	for _, each := range list(v) {
		switch each := each.(type) {
		case string:
			all = append(all, each)
		case bool:
			all = append(all, strconv.FormatBool(each))
		case json.Number:
			all = append(all, each.String())
		default:
			return nil, fmt.Errorf("the value %v is no text, number or truth value", each)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("the list of values is empty")
	}
	return all, nil
}

func equalsTest(text string) (func(string) bool, error) {
	want, err := newPattern(text, true)
	return func(got string) bool { return got == string(want.runes) }, err
}

func equalsFoldTest(text string) (func(string) bool, error) {
	want, err := newPattern(text, true)
	return func(got string) bool { return strings.EqualFold(got, string(want.runes)) }, err
}

func likeTest(text string) (func(string) bool, error) {
	want, err := newPattern(text, false)
	return want.matches, err
}

func boolTest(text string) (func(string) bool, error) {
	want, err := parseBool(text)
	return func(got string) bool {
		b, err := parseBool(got)
		return err == nil && b == want
	}, err
}

func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", text)
}

func numericTest(compare func(got, want float64) bool) operator {
	return func(text string) (func(string) bool, error) {
		want, err := parseNumber(text)
		return func(got string) bool {
			n, err := parseNumber(got)
			return err == nil && compare(n, want)
		}, err
	}
}

var decimal = regexp.MustCompile(`^[+-]?[0-9]{1,30}(\.[0-9]{1,30})?$`)

func parseNumber(text string) (float64, error) {
	if !decimal.MatchString(text) {
		return 0, fmt.Errorf("%q is no number", text)
	}
	return strconv.ParseFloat(text, 64)
}
