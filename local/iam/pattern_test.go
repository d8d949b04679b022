package iam

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestPattern(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a/b:c", true},
		{"a", "a", true},
		{"a", "A", false},
		{"a", "ab", false},
		{"ab", "a", false},
		{"?", "", false},
		{"?", "a", true},
		{"?", "ü", true},
		{"?", "ab", false},
		{"a*", "a", true},
		{"a*", "abc", true},
		{"*c", "abc", true},
		{"*c", "abcd", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"a**c", "abc", true},
		{"*?", "", false},
		{"*?", "x", true},
		{"in/${*}", "in/*", true},
		{"in/${*}", "in/x", false},
		{"in/${?}", "in/?", true},
		{"in/${?}", "in/x", false},
		{"${$}{*}", "${anything}", true},
		{"${$}{x}", "${x}", true},
		{"$", "$", true},
		{"\ufffd", "\xff", false},
		{"?", "\xff", true},
	} {
		p, err := newPattern(test.pattern, false)
		if err != nil {
			t.Fatalf("%q: %v", test.pattern, err)
		}
		if got := p.matches(test.text); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.text, got)
		}
	}
}

func TestPatternRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"a/${aws:username}/*":    "${aws:username} is not supported",
		"${aws:userid, 'me'}":    "not supported",
		"${}":                    "${} is not supported",
		"${**}":                  "not supported",
		"a${":                    "without }",
		"${*":                    "without }",
		"${s3:prefix}${*}${nope": "not supported",
	} {
		for _, literal := range []bool{false, true} {
			if _, err := newPattern(text, literal); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error %v, want %q", text, err, want)
			}
		}
	}
}

func TestPatternTakesNoExponentialTime(t *testing.T) {
	p, _ := newPattern(strings.Repeat("a*", 200)+"b", false)
	start := time.Now()
	if p.matches(strings.Repeat("a", 2000)) {
		t.Error("it has no b")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestResource(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "*", true},
		{"*", "arn:aws:s3:::b/k", true},
		{"arn:aws:s3:::b/k", "arn:aws:s3:::b/k", true},
		{"arn:aws:s3:::b/k", "arn:aws:s3:::b/K", false},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/k/l:m", true},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b", false},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::bb/k", false},
		{"arn:aws:s3:::b*", "arn:aws:s3:::bb/k", true},
		{"arn:aws:s3:::b/*/x", "arn:aws:s3:::b/1:2/x", true},
		{"arn:aws:s3:::b/*", "*", false},
		{"arn:aws:sqs:*:1:q", "arn:aws:sqs:eu-west-1:1:q", true},
		{"arn:aws:sqs:eu-*-1:1:q", "arn:aws:sqs:eu-west-1:1:q", true},
		{"arn:aws:sqs:eu*1:1:q", "arn:aws:sqs:eu-west-2:1:1:q", false}, // no * inside a part goes beyond a colon
		{"arn:aws:sqs:eu*:1:q", "arn:aws:sqs:eu-west-2:1:1:q", true},   // but one at its end does
		{"arn:aws:sqs:*", "arn:aws:sqs:eu-west-1:1:q", true},
		{"arn:aws:sqs:*", "arn:aws:s3:::b", false},
		{"arn:aws:sqs:eu-west-?:1:q", "arn:aws:sqs:eu-west-1:1:q", true},
		{"arn:aws:sqs:eu-west-1?1:q:r", "arn:aws:sqs:eu-west-1:1:q:r", false},
		{"arn:aws:sqs:eu-west-1:1:a?b", "arn:aws:sqs:eu-west-1:1:a:b", true},
		{"arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", true},
		{"arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", false},
	} {
		p, err := newResource(test.pattern)
		if err != nil {
			t.Fatalf("%q: %v", test.pattern, err)
		}
		if got := p.matches(test.text); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.text, got)
		}
	}
}

func TestResourceRefuses(t *testing.T) {
	for _, text := range []string{"", "b/k", "**", "?", "arn", "arn:*", "arn:aws*", "arn:aws:s3", "arn:aws:s3::1", "arn:aws:sqs:*:q",
		"arn:aws:*:::b", "arn:aws:s?:::b", "ARN:aws:s3:::b", "arn:aws:s3:::${aws:username}", "arn:aws:s3*"} {
		if _, err := newResource(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// FuzzPattern holds the matcher against regular expressions.
func FuzzPattern(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add("${*}*${?}", "*anything?")
	f.Add("*ab*ab", "abababa")
	f.Add("arn:aws:sqs:eu*1:*:q?", "arn:aws:sqs:eu-west-1:1:q:")
	f.Fuzz(func(t *testing.T, text, subject string) {
		if len(text) > 100 || len(subject) > 1000 {
			return
		}
		p, err := newPattern(text, false)
		if err != nil {
			return
		}
		var expression strings.Builder
		for _, r := range p.runes {
			switch r {
			case anyRun:
				expression.WriteString(".*")
			case anyOne:
				expression.WriteString(".")
			default:
				expression.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
		if strings.ToValidUTF8(subject, "") != subject {
			return // what equals a stray byte is not the same there
		}
		want := regexp.MustCompile(`(?s)\A` + expression.String() + `\z`).MatchString(subject)
		if got := p.matches(subject); got != want {
			t.Errorf("%q matches %q: %v", text, subject, got)
		}
	})
}
