package iam

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func testDirectory(t testing.TB) *Directory {
	t.Helper()
	d := NewDirectory()
	err := errors.Join(
		d.AddRole(Role{ARN: roleR, Policies: []Policy{*statements(t, ParseIdentity, "p", "Allow s3:GetObject *")}}),
		d.AddRole(Role{ARN: "arn:aws:iam::123456789012:role/media/Deep", MaxSession: 2 * time.Hour}),
		d.AddUser("AKIAUSER", "arn:aws:iam::123456789012:user/test"),
		d.AddUser("AKIAROOT", "arn:aws:iam::123456789012:root"),
		d.AddFunction("AKIAFUNCTION", "ingest", roleR),
	)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPrincipals(t *testing.T) {
	d := testDirectory(t)
	deep, err := d.Issue(Session{Role: "arn:aws:iam::123456789012:role/media/Deep", Name: "job", Duration: time.Hour, Origin: "AKIAFUNCTION",
		Policy: statements(t, ParseIdentity, "s", "Allow s3:* *")})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		id, token            string
		name, arn, user      string
		origin               string
		unrestricted, narrow bool
		policies             int
	}{
		{"AKIAUSER", "", "arn:aws:iam::123456789012:user/test", "arn:aws:iam::123456789012:user/test", `^AIDA[A-Z2-7]{17}$`, "AKIAUSER", true, false, 0},
		{"AKIAROOT", "", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root", `^123456789012$`, "AKIAROOT", true, false, 0},
		{"AKIAFUNCTION", "", "arn:aws:sts::123456789012:assumed-role/R/ingest", roleR, `^AROA[A-Z2-7]{17}:ingest$`, "AKIAFUNCTION", false, false, 1},
		{deep.AccessKeyID, deep.SessionToken, "arn:aws:sts::123456789012:assumed-role/Deep/job", "arn:aws:iam::123456789012:role/media/Deep", `^AROA[A-Z2-7]{17}:job$`, "AKIAFUNCTION", false, true, 0},
	} {
		p, err := d.Principal(test.id, test.token)
		if err != nil {
			t.Errorf("%s: %v", test.id, err)
			continue
		}
		if p.Name() != test.name || p.ARN != test.arn || p.Account != testAccount || p.AccessKeyID != test.id || p.Origin != test.origin ||
			p.Unrestricted != test.unrestricted || (p.Session != nil) != test.narrow || len(p.Identity) != test.policies {
			t.Errorf("%s: %+v", test.id, p)
		}
		if got := p.UserID(); !regexp.MustCompile(test.user).MatchString(got) {
			t.Errorf("%s: user id %q, want %s", test.id, got, test.user)
		}
	}
}

func TestWrongCredentials(t *testing.T) {
	d := testDirectory(t)
	one, _ := d.Issue(Session{Role: roleR, Name: "one", Duration: time.Hour})
	two, err := d.Issue(Session{Role: roleR, Name: "two", Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		id, token string
		want      error
	}{
		{"AKIAOTHER", "", ErrUnknownKey},
		{"", "", ErrUnknownKey},
		{"AKIAOTHER", one.SessionToken, ErrUnknownKey},
		{"AKIAUSER", one.SessionToken, ErrToken},
		{"AKIAFUNCTION", one.SessionToken, ErrToken},
		{one.AccessKeyID, "", ErrToken},
		{one.AccessKeyID, two.SessionToken, ErrToken},
		{one.AccessKeyID, one.SessionToken + "x", ErrToken},
		{one.AccessKeyID, one.SessionToken, nil},
	} {
		p, err := d.Principal(test.id, test.token)
		if !errors.Is(err, test.want) || (err != nil && (p.ARN != "" || p.Unrestricted)) {
			t.Errorf("%s with a token of %d characters: %+v, %v; want %v", test.id, len(test.token), p, err, test.want)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := testDirectory(t)
		c, err := d.Issue(Session{Role: roleR, Name: "job", Duration: 15 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		check := func(when string, want error) {
			t.Helper()
			if _, err := d.Principal(c.AccessKeyID, c.SessionToken); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", when, err, want)
			}
		}
		time.Sleep(15*time.Minute - 1)
		check("just before", nil)
		time.Sleep(1)
		check("at the end", ErrExpired)
		if _, err := d.Principal(c.AccessKeyID, "x"); !errors.Is(err, ErrToken) {
			t.Errorf("a wrong token is told that the session has ended: %v", err)
		}
		time.Sleep(keepExpired + 1)
		if _, err := d.Issue(Session{Role: roleR, Name: "next", Duration: time.Hour}); err != nil {
			t.Fatal(err)
		}
		check("long after", ErrUnknownKey)
		if _, err := d.Principal("AKIAFUNCTION", ""); err != nil {
			t.Errorf("a function's key ended: %v", err)
		}
	})
}

func TestRolesChangeUnderSessions(t *testing.T) {
	d := testDirectory(t)
	c, err := d.Issue(Session{Role: roleR, Name: "job", Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.AddRole(Role{ARN: roleR}); err != nil {
		t.Fatal(err)
	}
	if p, err := d.Principal(c.AccessKeyID, c.SessionToken); err != nil || p.Identity != nil {
		t.Errorf("policies %v, %v; want none", p.Identity, err)
	}
}

func TestDirectoryRefuses(t *testing.T) {
	d := testDirectory(t)
	issue := func(s Session) error { _, err := d.Issue(s); return err }
	for name, err := range map[string]error{
		"user without a key":       d.AddUser("", "arn:aws:iam::123456789012:user/test"),
		"role as a user":           d.AddUser("AKIAX", roleR),
		"user as a role":           d.AddRole(Role{ARN: "arn:aws:iam::123456789012:user/test"}),
		"role without an account":  d.AddRole(Role{ARN: "arn:aws:iam:::role/R"}),
		"function without a key":   d.AddFunction("", "f", roleR),
		"function without a role":  d.AddFunction("AKIAX", "f2", roleR+"2"),
		"function's name":          d.AddFunction("AKIAX", "a/b", roleR),
		"session of no role":       issue(Session{Role: roleR + "2", Name: "job"}),
		"session of a wrong name":  issue(Session{Role: roleR, Name: "a b"}),
		"session of a short name":  issue(Session{Role: roleR, Name: "a"}),
		"session without anything": issue(Session{}),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := d.Principal("AKIAX", ""); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("what was refused is known: %v", err)
	}
	if r, ok := d.Role(roleR); !ok || r.MaxSession != time.Hour {
		t.Errorf("role %+v, %v; want an hour", r, ok)
	}
	if _, ok := d.Role(roleR + "2"); ok {
		t.Error("a role that was never added")
	}
}

func TestCredentialsPrintNoSecrets(t *testing.T) {
	c, err := testDirectory(t).Issue(Session{Role: roleR, Name: "job", Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, c); strings.Contains(text, c.SecretAccessKey) || strings.Contains(text, c.SessionToken) {
			t.Errorf("%s shows a secret", verb)
		}
	}
}

func TestDirectoryAtOnce(t *testing.T) {
	d := testDirectory(t)
	seen := sync.Map{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				c, err := d.Issue(Session{Role: roleR, Name: "job", Duration: time.Hour})
				if _, twice := seen.LoadOrStore(c.AccessKeyID, true); err != nil || twice {
					t.Errorf("key %s twice, or %v", c.AccessKeyID, err)
				}
				if _, err := d.Principal(c.AccessKeyID, c.SessionToken); err != nil {
					t.Error(err)
				}
				if err := d.AddRole(Role{ARN: roleR}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestAddKey: a further key stands for another until it is removed.
func TestAddKey(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/worker"
	d := NewDirectory()
	if err := errors.Join(d.AddRole(Role{ARN: role}), d.AddFunction("F", "fn", role)); err != nil {
		t.Fatal(err)
	}
	if err := d.AddKey("F.1", "F"); err != nil {
		t.Fatal(err)
	}
	p, err := d.Principal("F.1", "")
	if err != nil || p.Origin != "F" || p.AccessKeyID != "F.1" || p.ARN != role {
		t.Errorf("%+v, %v", p, err)
	}
	for _, wrong := range [][2]string{{"F.2", "G"}, {"F", "F"}, {"", "F"}} {
		if err := d.AddKey(wrong[0], wrong[1]); err == nil {
			t.Errorf("%q stands for %q", wrong[0], wrong[1])
		}
	}
	d.Remove("F.1")
	if _, err := d.Principal("F.1", ""); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("after its removal: %v", err)
	}
}
