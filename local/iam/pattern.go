package iam

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// What a pattern has in place of a character. No rune of a text is negative.
const (
	anyOne    rune = -1 - iota // one character
	anyRun                     // any number of characters
	runInPart                  // any number of characters other than a colon
	oneInPart                  // one character other than a colon
)

// pattern is text with wildcards: * for any number of characters, ? for one.
// ${*}, ${?} and ${$} stand for the characters themselves.
type pattern struct {
	text  string // as the policy has it
	runes []rune
}

// newPattern reads a pattern, or text without wildcards if literal.
func newPattern(text string, literal bool) (pattern, error) {
	p := pattern{text: text}
	for rest := text; rest != ""; {
		r, width := utf8.DecodeRuneInString(rest)
		switch {
		case strings.HasPrefix(rest, "${"):
			name, _, closed := strings.Cut(rest[2:], "}")
			if !closed {
				return p, errors.New("${ without }")
			}
			if name != "*" && name != "?" && name != "$" {
				return p, fmt.Errorf("the policy variable ${%s} is not supported: write its value", name)
			}
			r, width = rune(name[0]), len("${*}")
		case literal:
		case r == '*':
			r = anyRun
		case r == '?':
			r = anyOne
		}
		p.runes = append(p.runes, r)
		rest = rest[width:]
	}
	return p, nil
}

// matches reports whether the whole text fits. Time grows with the product of
// both lengths and no faster, whatever the wildcards.
func (p pattern) matches(text string) bool {
	at, next := make([]bool, len(p.runes)+1), make([]bool, len(p.runes)+1) // the places that were reached
	at[0] = true
	p.skipRuns(at)
	for len(text) > 0 {
		r, width := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && width == 1 {
			r = utf8.MaxRune + 1 // a stray byte equals no character
		}
		clear(next)
		for i, want := range p.runes {
			switch {
			case !at[i] || !fits(want, r):
			case isRun(want):
				next[i] = true
			default:
				next[i+1] = true
			}
		}
		p.skipRuns(next)
		at, next, text = next, at, text[width:]
	}
	return at[len(p.runes)]
}

// skipRuns goes on from runs, which may stand for nothing.
func (p pattern) skipRuns(at []bool) {
	for i, want := range p.runes {
		if at[i] && isRun(want) {
			at[i+1] = true
		}
	}
}

func isRun(r rune) bool { return r == anyRun || r == runInPart }

func fits(want, r rune) bool {
	switch want {
	case anyOne, anyRun:
		return true
	case oneInPart, runInPart:
		return r != ':'
	}
	return want == r
}
