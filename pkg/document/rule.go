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

// OneOf is the rule that a value is one of those given.
func OneOf(values ...string) Rule {
	return func(value string) string {
		if slices.Contains(values, value) {
			return ""
		}
		return "Member must satisfy enum value set: [" + strings.Join(values, ", ") + "]"
	}
}

// Later is the rule that a value, though the API has it, is not one of those
// which this version can't serve yet. What names the feature in the text.
func Later(what string, values ...string) Rule {
	return func(value string) string {
		if slices.Contains(values, value) {
			return fmt.Sprintf("this version of Sealreel can't do %s %s yet", what, value)
		}
		return ""
	}
}
