package iam

import (
	"fmt"
	"regexp"
	"strings"
)

// parts is how many parts an ARN has between its first five colons; the last
// may hold colons of its own.
const parts = 6

// newResource reads an element of Resource. In the first five parts ? and *
// stand for no colon, but for a * at a part's end, which reaches beyond (IAM
// User Guide, "Resource").
func newResource(text string) (pattern, error) {
	p, err := newPattern(text, false)
	if err != nil || text == "*" {
		return p, err
	}
	split := strings.SplitN(text, ":", parts)
	switch {
	case split[0] != "arn" || len(split) < 3:
		return p, fmt.Errorf("resource %q is neither * nor an ARN", text)
	case len(split) < parts && !strings.HasSuffix(text, "*"):
		return p, fmt.Errorf("resource %q ends before its sixth part", text)
	case strings.ContainsAny(split[2], "*?"):
		return p, fmt.Errorf("resource %q has a wildcard in the place of the service", text)
	}
	colons := 0
	for i, r := range p.runes {
		last := i == len(p.runes)-1 || p.runes[i+1] == ':'
		switch {
		case colons == parts-1:
			return p, nil
		case r == ':':
			colons++
		case r == anyOne:
			p.runes[i] = oneInPart
		case r == anyRun && !last:
			p.runes[i] = runInPart
		}
	}
	return p, nil
}

// arnTest compares as ArnEquals and ArnLike do: each of the six parts by
// itself, with wildcards.
func arnTest(text string) (func(string) bool, error) {
	split := strings.SplitN(text, ":", parts)
	if len(split) < parts || split[0] != "arn" {
		return nil, fmt.Errorf("%q is no ARN of six parts", text)
	}
	var want [parts]pattern
	for i, part := range split {
		var err error
		if want[i], err = newPattern(part, false); err != nil {
			return nil, err
		}
	}
	return func(got string) bool {
		split := strings.SplitN(got, ":", parts)
		if len(split) < parts {
			return false
		}
		for i, part := range split {
			if !want[i].matches(part) {
				return false
			}
		}
		return true
	}, nil
}

var (
	roleARN    = regexp.MustCompile(`^arn:(aws[a-z-]*):iam::([0-9]{12}):role/(?:[!-~]+/)?([\w+=,.@-]{1,64})$`)
	userARN    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):(?:root|user/[!-~]+)$`)
	rootARN    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):root$`)
	sessionARN = regexp.MustCompile(`^arn:aws[a-z-]*:sts::[0-9]{12}:assumed-role/[\w+=,.@-]{1,64}/[\w+=,.@-]{2,64}$`)
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
)
