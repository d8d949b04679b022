package document

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// parse reads a small document or fails the test.
func parse(t *testing.T, doc string) *Object {
	t.Helper()
	o, err := Parse([]byte(doc), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// problems are the texts recorded so far.
func problems(o *Object) []string {
	var texts []string
	for _, p := range o.Problems().list {
		texts = append(texts, p.String())
	}
	return texts
}

func TestScalars(t *testing.T) {
	o := parse(t, `{"S":"text","N":10.50,"E":1e3,"B":true,"Null":null,"Empty":"","I":"12","J":7,"Uml":"ä\u00e4\n"}`)
	for name, want := range map[string]string{
		"S": "text", "N": "10.50", "E": "1e3", "B": "true", "Null": "", "Empty": "", "Absent": "", "Uml": "ää\n", "J": "7", "I": "12",
	} {
		if got := o.String(name); got != want {
			t.Errorf("String(%s) = %q, want %q", name, got, want)
		}
	}
	if o.Int("I") != 12 || o.Int("J") != 7 || o.Int("Null") != 0 {
		t.Error("integers are wrong")
	}
	for name, want := range map[string]bool{"S": true, "Empty": true, "Null": false, "Absent": false} {
		if o.Has(name) != want {
			t.Errorf("Has(%s) = %t", name, !want)
		}
	}
	o.Close()
	if err := o.Problems().Err(); err != nil {
		t.Error(err)
	}
}

func TestProblems(t *testing.T) {
	o := parse(t, `{"Int":"1.5","Str":{"a":1},"List":"x","Long":[1,2,3],"Obj":[],"Objs":[{"A":"1"},2,null],
	  "Map":{"k":"v","bad":"no","n":null,"o":[]},"Secret":"hunter2","Rule":"`+strings.Repeat("y", 200)+`","Twice":1,"Twice":2,"Odd":"value"}`)
	odd := func(value string) string {
		if value == "no" || len(value) > 100 || value == "hunter2" {
			return "Member is odd"
		}
		return ""
	}
	o.Int("Int")
	o.String("Str")
	o.Required("Gone")
	o.Strings("List", 3)
	o.Strings("Long", 2)
	o.Object("Obj")
	if objs := o.Objects("Objs", 3); len(objs) != 1 || objs[0].Path("A") != "objs.1.member.a" {
		t.Errorf("objects %v", objs)
	}
	if m := o.Map("Map", odd); !reflect.DeepEqual(m, map[string]string{"k": "v"}) {
		t.Errorf("map %v", m)
	}
	if o.Secret("Secret", odd) != "" || o.String("Rule", odd) != "" {
		t.Error("a value that broke a rule was returned")
	}
	o.String("Twice")
	o.Close()
	want := []string{
		"Value '1.5' at 'int' failed to satisfy constraint: Member must be a whole number of at least 0",
		"Value {...} at 'str' failed to satisfy constraint: Member must be a string",
		"Value null at 'gone' failed to satisfy constraint: Member must not be null",
		"Value (not shown) at 'list' failed to satisfy constraint: Member must be a list",
		"Value [...] at 'long' failed to satisfy constraint: Member must have length less than or equal to 2",
		"Value [...] at 'obj' failed to satisfy constraint: Member must be an object",
		"Value (not shown) at 'objs.2.member' failed to satisfy constraint: Member must be an object",
		"Value null at 'objs.3.member' failed to satisfy constraint: Member must be an object",
		"Value 'no' at 'map.bad' failed to satisfy constraint: Member is odd",
		"Value [...] at 'map.o' failed to satisfy constraint: Member must be a string",
		"Value (not shown) at 'secret' failed to satisfy constraint: Member is odd",
		"Value '" + strings.Repeat("y", 77) + "...' at 'rule' failed to satisfy constraint: Member is odd",
		"Value (not shown) at 'twice' failed to satisfy constraint: Member must be given once only",
		"Value (not shown) at 'odd' failed to satisfy constraint: Member is unknown; check its spelling or leave it out",
	}
	if got := problems(o); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestNotYet(t *testing.T) {
	var p Problems
	p.NotYet("video.codec", "vp9", "video in the codec vp9")
	p.NotYet("inputs.1.member.timeSpan", "", "TimeSpan")
	want := "2 validation errors detected: Value 'vp9' at 'video.codec' failed to satisfy constraint: this version of Sealreel can't do video in the codec vp9 yet; " +
		"'inputs.1.member.timeSpan': this version of Sealreel can't do TimeSpan yet, and does not ignore it in silence: leave the member out"
	if got := p.Err().Error(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestEmpty(t *testing.T) {
	o := parse(t, `{"A":null,"B":[],"C":[1],"D":{},"E":""}`)
	for name, want := range map[string]bool{"A": true, "B": true, "C": false, "D": false, "E": false, "Absent": true} {
		if o.Empty(name) != want {
			t.Errorf("Empty(%s) = %t", name, !want)
		}
	}
}

func TestJSON(t *testing.T) {
	const doc = `{"a":"x\"\\ä\n","b":1.50,"c":[true,null,{"d":[]}],"e":{},"1":"1"}`
	o := parse(t, strings.ReplaceAll(doc, ",", " ,\n "))
	if got := string(o.JSON()); got != doc {
		t.Errorf("got %s, want %s", got, doc)
	}
}

func TestErrorText(t *testing.T) {
	var p Problems
	if p.Err() != nil {
		t.Error("an error of no problem")
	}
	p.Add("a.b", "x", "rule one")
	if got := p.Err().Error(); got != "1 validation error detected: Value 'x' at 'a.b' failed to satisfy constraint: rule one" {
		t.Error(got)
	}
	p.Addf("c", "%d things disagree.", 2)
	var q Problems
	q.AddAll("", p.list)
	q.AddAll("below", []Problem{{Path: "z", Value: "null", Message: "m"}, {Value: "null", Message: "m"}})
	want := "4 validation errors detected: Value 'x' at 'a.b' failed to satisfy constraint: rule one; 2 things disagree.; " +
		"Value null at 'below.z' failed to satisfy constraint: m; Value null at 'below' failed to satisfy constraint: m"
	if got := q.Err().Error(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for range 100 {
		q.Add("p", "v", "m")
	}
	if got := q.Err().Error(); !strings.HasPrefix(got, "104 validation errors") || !strings.HasSuffix(got, "; and 54 more") {
		t.Errorf("a long list: %s", got)
	}
	if len(q.Err().(*ValidationError).Problems) != 104 {
		t.Error("problems were dropped")
	}
}

func TestRules(t *testing.T) {
	for name, c := range map[string]struct {
		rule    Rule
		good    []string
		bad     []string
		message string
	}{
		"length":  {Length(2, 3), []string{"ab", "äöü"}, []string{"", "a", "abcd"}, "Member must have length"},
		"pattern": {Pattern(`^\d+$`), []string{"1"}, []string{"", "a", "1\n"}, `Member must satisfy regular expression pattern: ^\d+$`},
		"one of":  {OneOf("a.b", "c"), []string{"a.b", "c"}, []string{"", "axb", "C"}, `Member must satisfy regular expression pattern: (^a\.b$)|(^c$)`},
		"blank":   {BlankOr(Length(2, 3)), []string{"", "ab"}, []string{"a"}, "Member must have length"},
	} {
		for _, v := range c.good {
			if m := c.rule(v); m != "" {
				t.Errorf("%s: %q is refused: %s", name, v, m)
			}
		}
		for _, v := range c.bad {
			if m := c.rule(v); !strings.HasPrefix(m, c.message) {
				t.Errorf("%s: %q: %q", name, v, m)
			}
		}
	}
}

func TestDepth(t *testing.T) {
	nested := func(n int) []byte {
		return []byte(`{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}")
	}
	if _, err := Parse(nested(maxDepth), 1<<20); err != nil {
		t.Errorf("the deepest allowed: %v", err)
	}
	for _, n := range []int{maxDepth + 1, 20000} {
		var syntax *SyntaxError
		if _, err := Parse(nested(n), 1<<20); !errors.As(err, &syntax) {
			t.Errorf("%d levels: %v", n, err)
		}
	}
}

// FuzzParse: what is read is written back as the same JSON value.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":"x\u0000","b":1.50,"c":[true,null,{"d":[]}],"a":{}}`))
	f.Add([]byte("\ufeff {} "))
	f.Add([]byte(`{"a":"\ud800"}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		o, err := Parse(doc, 1<<16)
		if err != nil {
			return
		}
		written := o.JSON()
		if !json.Valid(written) {
			t.Fatalf("%q was written as %q", doc, written)
		}
		again, err := Parse(written, 1<<20)
		if err != nil || !reflect.DeepEqual(again.node, o.node) {
			t.Fatalf("%q was written as %q: %v", doc, written, err)
		}
		o.Close()
		_ = o.Problems().Err()
	})
}
