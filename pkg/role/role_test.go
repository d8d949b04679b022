package role

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var usual = Keys{ARN: "arn:aws:kms:eu-west-1:111122223333:key/k", Context: map[string]string{"service": "elastictranscoder.amazonaws.com"}}

func jobRole(reads, writes []Place) Role {
	return Role{ARN: "arn:aws:iam::111122223333:role/tenant", ExternalID: "1762992000000-sealrl", Session: "sealreel-x", Reads: reads, Writes: writes}
}

// read takes a policy apart as IAM would.
func read(t *testing.T, text string) document {
	t.Helper()
	for _, c := range text {
		if c < ' ' || c > '~' {
			t.Errorf("character %U in the policy", c)
		}
	}
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return d
}

// resources are those of the statements that allow an action.
func (d document) resources(action string) []string {
	var all []string
	for _, s := range d.Statement {
		if slices.Contains(s.Action, action) {
			all = append(all, s.Resource...)
		}
	}
	return all
}

func TestPolicyNamesWhatTheJobNeeds(t *testing.T) {
	r := jobRole([]Place{{"in", "films/a.mp4"}}, []Place{{"out", "films/a/"}, {"out", "b"}, {"out", "b"}})
	text, err := r.Policy(usual, MaxPolicy)
	if err != nil {
		t.Fatal(err)
	}
	d := read(t, text)
	for action, want := range map[string][]string{
		"s3:GetObjectVersion":     {"arn:aws:s3:::in/films/a.mp4"},
		"s3:GetObject":            {"arn:aws:s3:::in/films/a.mp4", "arn:aws:s3:::out/b*", "arn:aws:s3:::out/films/a/*"},
		"s3:PutObject":            {"arn:aws:s3:::out/b*", "arn:aws:s3:::out/films/a/*"},
		"s3:AbortMultipartUpload": {"arn:aws:s3:::out/b*", "arn:aws:s3:::out/films/a/*"},
		"s3:ListBucket":           {"arn:aws:s3:::in", "arn:aws:s3:::out"},
		"s3:DeleteObject":         nil,
		"kms:Decrypt":             {usual.ARN, "*"},
		"kms:Encrypt":             nil,
	} {
		if got := d.resources(action); !slices.Equal(got, want) {
			t.Errorf("%s on %q, want %q", action, got, want)
		}
	}
	for _, s := range d.Statement {
		if strings.HasPrefix(s.Action[0], "kms:") == (len(s.Condition) == 0) {
			t.Errorf("the condition of %v is %v", s.Action, s.Condition)
		}
		for _, action := range s.Action {
			if strings.Contains(action, "*") {
				t.Errorf("action %s", action)
			}
		}
	}
}

// TestTopics: a session for messages may do nothing else.
func TestTopics(t *testing.T) {
	const topic = "arn:aws:sns:eu-west-1:111122223333:films"
	r := jobRole(nil, nil)
	r.Topics = []string{topic}
	text, err := r.Policy(usual, MaxPolicy)
	if err != nil {
		t.Fatal(err)
	}
	d := read(t, text)
	if got := d.resources("sns:Publish"); !slices.Equal(got, []string{topic}) || len(d.Statement) != 2 {
		t.Errorf("%s", text)
	}
	through := d.Statement[1]
	if !slices.Equal(through.Action, []string{"kms:Decrypt", "kms:GenerateDataKey"}) ||
		!slices.Equal(through.Condition["StringLike"]["kms:ViaService"], []string{"sns.*"}) ||
		!slices.Equal(through.Condition["StringLike"]["kms:EncryptionContext:aws:sns:topicArn"], []string{topic}) {
		t.Errorf("%+v", through)
	}
	plain, err := jobRole([]Place{{"in", "a"}}, []Place{{"out", "b"}}).Policy(usual, MaxPolicy)
	if err != nil || strings.Contains(plain, "sns") {
		t.Errorf("%s, %v", plain, err)
	}
}

// TestRightsToGiveRights: only a job whose objects have grants may give some, and
// to nothing else.
func TestRightsToGiveRights(t *testing.T) {
	r := jobRole([]Place{{"in", "a"}}, []Place{{"out", "b"}})
	for shares, want := range map[bool][]string{false: nil, true: {"arn:aws:s3:::out/b*"}} {
		r.Shares = shares
		text, err := r.Policy(usual, MaxPolicy)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, text).resources("s3:PutObjectAcl"); !slices.Equal(got, want) {
			t.Errorf("shares %v: s3:PutObjectAcl on %q", shares, got)
		}
	}
}

// TestNamesAreNoPatterns: a name can't widen the policy, whatever it is made of.
func TestNamesAreNoPatterns(t *testing.T) {
	r := jobRole([]Place{{"in", "a*b?c${aws:username}\"\\é世😀"}}, nil)
	r.ARN = "arn:aws-cn:iam::111122223333:role/tenant"
	keys := usual
	keys.Context = map[string]string{"tenant": "a${b}*"}
	text, err := r.Policy(keys, MaxPolicy)
	if err != nil {
		t.Fatal(err)
	}
	d := read(t, text)
	if got, want := d.resources("s3:GetObjectVersion"), "arn:aws-cn:s3:::in/a${*}b${?}c${$}{aws:username}\"\\é世😀"; !slices.Equal(got, []string{want}) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, s := range d.Statement {
		if pairs, ok := s.Condition["StringEquals"]; ok && pairs["kms:EncryptionContext:tenant"][0] != "a${$}{b}*" {
			t.Errorf("context %v", pairs)
		}
	}
}

// TestLongPoliciesAreShortenedNotCut: what doesn't fit is named by what it
// begins with, so that all the job needs stays allowed.
func TestLongPoliciesAreShortenedNotCut(t *testing.T) {
	outputs := func(n, length int) []Place {
		var all []Place
		for i := range n {
			all = append(all, Place{"out", fmt.Sprintf("tenant/%0*d", length, i)})
		}
		return all
	}
	for name, c := range map[string]struct {
		reads, writes []Place
		limit         int
	}{
		"thirty outputs":      {[]Place{{"in", "a.mp4"}}, outputs(30, 240), MaxPolicy},
		"two hundred inputs":  {append([]Place{{"in", "tenant/a.mp4"}}, inBucket("in", outputs(200, 200))...), outputs(1, 10), MaxPolicy},
		"one long name":       {[]Place{{"in", strings.Repeat("世", 300)}}, []Place{{"out", strings.Repeat("😀", 200)}}, MaxPolicy},
		"nothing in common":   {[]Place{{"in", "a"}}, append(outputs(20, 240), Place{"out", "zz"}), MaxPolicy},
		"packed size refused": {[]Place{{"in", strings.Repeat("a", 800)}}, outputs(3, 200), MaxPolicy / 2},
	} {
		text, err := jobRole(c.reads, c.writes).Policy(usual, c.limit)
		if err != nil || len(text) > c.limit {
			t.Errorf("%s: %d characters, %v", name, len(text), err)
			continue
		}
		d := read(t, text)
		for action, places := range map[string][]Place{"s3:GetObjectVersion": c.reads, "s3:PutObject": c.writes} {
			for _, p := range places {
				if !slices.ContainsFunc(d.resources(action), func(pattern string) bool {
					beginning, isPattern := strings.CutSuffix(pattern, "*")
					whole := "arn:aws:s3:::" + p.Bucket + "/" + p.Name
					return whole == pattern || isPattern && strings.HasPrefix(whole, beginning)
				}) {
					t.Errorf("%s: %s on %.60s is not allowed by %.200q", name, action, p.Name, d.resources(action))
				}
			}
		}
	}
	long := usual
	long.Context = map[string]string{"tenant": strings.Repeat("x", 3000)}
	if text, err := jobRole([]Place{{"in", "a"}}, nil).Policy(long, MaxPolicy); err == nil {
		t.Errorf("a policy of %d characters", len(text))
	}
}

func inBucket(bucket string, places []Place) []Place {
	for i := range places {
		places[i].Bucket = bucket
	}
	return places
}

// An alias is no resource that policies know, and no context is no condition.
func TestKeys(t *testing.T) {
	for arn, want := range map[string]string{usual.ARN: usual.ARN, "": "*", "alias/a": "*", "arn:aws:kms:eu-west-1:111122223333:alias/a": "*"} {
		text, err := jobRole([]Place{{"in", "a"}}, nil).Policy(Keys{ARN: arn}, MaxPolicy)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, text).resources("kms:GenerateDataKey"); got[0] != want {
			t.Errorf("%q: %q", arn, got)
		}
	}
}
