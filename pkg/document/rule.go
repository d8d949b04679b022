package document

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Length is the rule that a value has least to most characters.
func Length(least, most int) Rule {
	return func(value string) string {
		switch n := utf8.RuneCountInString(value); {
		case n < least:
			return fmt.Sprintf("Member must have length greater than or equal to %d", least)
		case n > most:
			return fmt.Sprintf("Member must have length less than or equal to %d", most)
		}
		return ""
	}
}

// Pattern is the rule that a value matches a regular expression, which is
// compiled at once and must be valid.
func Pattern(expression string) Rule {
	compiled := regexp.MustCompile(expression)
	return func(value string) string {
		if compiled.MatchString(value) {
			return ""
		}
		return "Member must satisfy regular expression pattern: " + expression
	}
}

// OneOf is the rule that a value is one of those given. Its text is the pattern
// that the service has for such a member: (^jpg$)|(^png$).
func OneOf(values ...string) Rule {
	return func(value string) string {
		if slices.Contains(values, value) {
			return ""
		}
		alternatives := make([]string, len(values))
		for i, v := range values {
			alternatives[i] = "(^" + regexp.QuoteMeta(v) + "$)"
		}
		return "Member must satisfy regular expression pattern: " + strings.Join(alternatives, "|")
	}
}

// BlankOr is a rule that lets a member be "" too, which then counts as left
// out: clients write so what they don't set.
func BlankOr(rule Rule) Rule {
	return func(value string) string {
		if value == "" {
			return ""
		}
		return rule(value)
	}
}
