package gate

import (
	"errors"
	"testing"
	"time"

	"sealreel/local/iam"
)

const role = "arn:aws:iam::111122223333:role/worker"

func parse(t *testing.T, text string, read func([]byte) (*iam.Document, error)) *iam.Policy {
	t.Helper()
	d, err := read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &iam.Policy{Name: "p", Document: d}
}

func TestAdmit(t *testing.T) {
	d := iam.NewDirectory()
	own := parse(t, `{"Version":"2012-10-17","Statement":[{"Sid":"Own","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*",
		"Condition":{"StringEquals":{"aws:PrincipalArn":"`+role+`","s3:TlsVersion":"1.3"}}}]}`, iam.ParseIdentity)
	if err := errors.Join(d.AddRole(iam.Role{ARN: role, Policies: []iam.Policy{*own}}), d.AddFunction("F", "fn", role),
		d.AddUser("U", "arn:aws:iam::111122223333:user/me")); err != nil {
		t.Fatal(err)
	}
	old, err := d.Issue(iam.Session{Role: role, Name: "job", Duration: -time.Second})
	if err != nil {
		t.Fatal(err)
	}
	bucket := parse(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"*"},
		{"Sid":"Shared","Effect":"Allow","Principal":{"AWS":"`+role+`"},"Action":"s3:PutObject","Resource":"*"}]}`, iam.ParseResource)
	tls := map[string][]string{"s3:TlsVersion": {"1.3"}}
	const worker = "User: arn:aws:sts::111122223333:assumed-role/worker/fn is not authorized to perform: "
	for name, c := range map[string]struct {
		caller Caller
		action string
		facts  map[string][]string
		want   string // the error
		sid    string // that allowed it
	}{
		"by its own policy":    {Caller{AccessKeyID: "F"}, "s3:GetObject", tls, "", "Own"},
		"without the fact":     {Caller{AccessKeyID: "F"}, "s3:GetObject", nil, worker + "s3:GetObject on resource: arn:aws:s3:::b/k because no identity-based policy allows the s3:GetObject action", ""},
		"by the bucket's":      {Caller{AccessKeyID: "F"}, "s3:PutObject", nil, "", "Shared"},
		"denied":               {Caller{AccessKeyID: "F"}, "s3:DeleteObject", nil, worker + "s3:DeleteObject on resource: arn:aws:s3:::b/k with an explicit deny in a resource-based policy", ""},
		"the user":             {Caller{AccessKeyID: "U"}, "s3:GetObject", nil, "", ""},
		"the user, denied":     {Caller{AccessKeyID: "U"}, "s3:DeleteObject", nil, "User: arn:aws:iam::111122223333:user/me is not authorized to perform: s3:DeleteObject on resource: arn:aws:s3:::b/k with an explicit deny in a resource-based policy", ""},
		"nobody":               {Caller{AccessKeyID: "X"}, "s3:GetObject", nil, iam.ErrUnknownKey.Error(), ""},
		"a session's end":      {Caller{old.AccessKeyID, old.SessionToken}, "s3:GetObject", nil, iam.ErrExpired.Error(), ""},
		"a session, no token":  {Caller{AccessKeyID: old.AccessKeyID}, "s3:GetObject", nil, iam.ErrToken.Error(), ""},
		"a token out of place": {Caller{"U", "token"}, "s3:GetObject", nil, iam.ErrToken.Error(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var note Record
			g := &Gate{Directory: d}
			err := g.Admit(c.caller, Attempt{Action: c.action, Resource: "arn:aws:s3:::b/k", Context: c.facts, Policy: bucket}, &note)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != c.want || note.Denied != (c.want != "") {
				t.Errorf("error %q, denied %t; want %q", got, note.Denied, c.want)
			}
			sid := ""
			for _, g := range note.By {
				sid += g.Sid
			}
			if sid != c.sid {
				t.Errorf("allowed by %q, want %q", sid, c.sid)
			}
			if known := note.Who.ARN != ""; known != (err == nil || errors.As(err, new(*Refusal))) {
				t.Errorf("the record has the caller %+v with the error %v", note.Who, err)
			}
		})
	}
}

// TestRecordAddsUp: a request that needs several permissions has all in its
// record, and one refusal marks it.
func TestRecordAddsUp(t *testing.T) {
	d := iam.NewDirectory()
	own := parse(t, `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:GetObject","Resource":"*"},
		{"Sid":"B","Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}`, iam.ParseIdentity)
	if err := errors.Join(d.AddRole(iam.Role{ARN: role, Policies: []iam.Policy{*own}}), d.AddFunction("F", "fn", role)); err != nil {
		t.Fatal(err)
	}
	var note Record
	g := &Gate{Directory: d}
	for _, action := range []string{"s3:PutObject", "s3:DeleteObject", "s3:GetObject"} {
		g.Admit(Caller{AccessKeyID: "F"}, Attempt{Action: action, Resource: "arn:aws:s3:::b/k"}, &note)
	}
	if !note.Denied || len(note.By) != 2 || note.By[0].Sid != "B" || note.By[1].Sid != "A" {
		t.Errorf("the record is %+v", note)
	}
}

func TestNoGate(t *testing.T) {
	var note Record
	if err := (*Gate)(nil).Admit(Caller{}, Attempt{}, &note); err != nil || note.Denied {
		t.Errorf("%v, %+v", err, note)
	}
}
