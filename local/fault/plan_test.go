package fault

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	text := `{"seed":7,"rules":[{"name":"a","when":{"service":"s3","operation":"PutObject","caller":"TranscodeFunction","resource":"*/plans/*",
		"event":"*job*","after":2,"times":3,"chance":0.5},"then":{"error":{"status":503,"code":"SlowDown"},"delay":"1.5s","jitter":"2s"}},
		{"name":"b","when":{"service":"lambda"},"then":{"limits":{"memoryMB":64,"diskMB":0,"timeout":"5s"}}},
		{"name":"c","when":{"service":"kms"},"then":{"skew":"-20m"}}]}`
	p, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	a, b := p.Rules[0], p.Rules[1]
	if p.Seed != 7 || a.When.After != 2 || a.Then.Delay != Duration(1500*time.Millisecond) || *b.Then.Limits.DiskMB != 0 || p.Rules[2].Then.Skew != Span(-20*time.Minute) {
		t.Errorf("read %+v", p)
	}
	again, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if q, err := Parse(again); err != nil || q.Rules[0].Then.Delay != a.Then.Delay {
		t.Errorf("written as %s, which reads as %+v, %v", again, q, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"rules":[{"name":"a","when":{"service":"s3","opration":"x"},"then":{"lost":true}}]}`: `unknown field "opration"`,
		`{} {}`: "more than one plan",
		`{"rules":[{"when":{"service":"s3"},"then":{"kill":"after"}}]}`:                                                                     "rule 1 needs a name",
		`{"rules":[{"name":"a","when":{"service":"s3"},"then":{}}]}`:                                                                        `rule "a": then says nothing`,
		`{"rules":[{"name":"a","when":{},"then":{"kill":"after"}}]}`:                                                                        "when.service",
		`{"rules":[{"name":"a","when":{"service":"s3"},"then":{"lost":true}}]}`:                                                             "then.lost is nothing that can happen to s3",
		`{"rules":[{"name":"a","when":{"service":"message"},"then":{"kill":"after"}}]}`:                                                     "then.kill is nothing that can happen to message",
		`{"rules":[{"name":"a","when":{"service":"s3"},"then":{"kill":"later"}}]}`:                                                          `then.kill is "later"`,
		`{"rules":[{"name":"a","when":{"service":"s3"},"then":{"reset":"body"}}]}`:                                                          `then.reset is "body"`,
		`{"rules":[{"name":"a","when":{"service":"s3"},"then":{"delay":"-1s"}}]}`:                                                           "no length of time",
		`{"rules":[{"name":"a","when":{"service":"s3"},"then":{"delay":"soon"}}]}`:                                                          "no length of time",
		`{"rules":[{"name":"a","when":{"service":"s3","chance":2},"then":{"delay":"1s"}}]}`:                                                 "from 0 to 1",
		`{"rules":[{"name":"a","when":{"service":"s3","times":-1},"then":{"delay":"1s"}}]}`:                                                 "negative",
		`{"rules":[{"name":"a","when":{"service":"s3"},"then":{"error":{"status":200,"code":"x"}}}]}`:                                       "needs a status",
		`{"rules":[{"name":"a","when":{"service":"s3"},"then":{"error":{"status":500,"code":"x"},"kill":"after"}}]}`:                        "a call can have one",
		`{"rules":[{"name":"a","when":{"service":"s3"},"then":{"delay":"1s","bytes":3}}]}`:                                                  "then.bytes is for",
		`{"rules":[{"name":"a","when":{"service":"event"},"then":{"lost":true,"copies":2}}]}`:                                               "what is lost",
		`{"rules":[{"name":"a","when":{"service":"message"},"then":{"copies":2,"delay":"1s"}}]}`:                                            "use two rules",
		`{"rules":[{"name":"a","when":{"service":"s3"},"then":{"slow":{}}}]}`:                                                               "then.slow needs",
		`{"rules":[{"name":"a","when":{"service":"lambda"},"then":{"limits":{}}}]}`:                                                         "then.limits needs",
		`{"rules":[{"name":"a","when":{"service":"lambda"},"then":{"kill":"before"}}]}`:                                                     "nobody to kill",
		`{"rules":[{"name":"a","when":{"service":"s3"},"then":{"delay":"1s"}},{"name":"a","when":{"service":"s3"},"then":{"delay":"1s"}}]}`: "two rules named",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"seed":7,"rules":[{"name":"a","when":{"service":"s3"},"then":{"delay":"1s"}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse([]byte(text))
		if err != nil {
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(again); err != nil {
			t.Errorf("%s was read, and written as %s, which isn't: %v", text, again, err)
		}
	})
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "anything", true}, {"a", "a", true}, {"a", "ab", false}, {"a*", "a/b/c", true}, {"*b", "aab", true}, {"a?c", "abc", true},
		{"a?c", "ac", false}, {"*a*b*", "xxaxxbxx", true}, {"*a*b*", "xxbxxaxx", false}, {"**", "", true}, {"*ab", "aab", true}, {"?", "", false},
	} {
		if got := fits(c.pattern, c.text); got != c.want {
			t.Errorf("%q fits %q: %t", c.text, c.pattern, got)
		}
	}
}
