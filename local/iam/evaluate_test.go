package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	testAccount = "123456789012"
	roleR       = "arn:aws:iam::123456789012:role/R"
	sessionR    = "arn:aws:sts::123456789012:assumed-role/R/job"
)

// statements make policies: each is EFFECT [WHO] ACTION RESOURCE, and no
// RESOURCE for a trust policy.
func statements(t testing.TB, parse func([]byte) (*Document, error), name string, lines ...string) *Policy {
	t.Helper()
	var all []string
	for i, line := range lines {
		f := strings.Fields(line)
		s := fmt.Sprintf(`"Sid":"S%d","Effect":%q`, i, f[0])
		f = f[1:]
		switch who := f[0]; {
		case strings.HasPrefix(who, "service="):
			s += fmt.Sprintf(`,"Principal":{"Service":%q}`, who[len("service="):])
			f = f[1:]
		case strings.HasPrefix(who, "who="):
			s += fmt.Sprintf(`,"Principal":{"AWS":%q}`, who[len("who="):])
			f = f[1:]
		}
		s += fmt.Sprintf(`,"Action":%q`, f[0])
		if len(f) > 1 {
			s += fmt.Sprintf(`,"Resource":%q`, f[1])
		}
		if len(f) > 2 {
			s += `,"Condition":` + strings.Join(f[2:], " ")
		}
		all = append(all, "{"+s+"}")
	}
	d, err := parse([]byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return &Policy{name, d}
}

type evaluation struct {
	name                        string
	kind                        Kind
	identity, session, resource []string
	unrestricted                bool
	service                     string
	action, on                  string // s3:GetObject on arn:aws:s3:::b/k unless given
	allowed                     bool
	reason                      string   // a part of it
	by                          []string // policy.sid
}

var evaluations = []evaluation{
	// Nothing is allowed by default.
	{name: "no policies", reason: "because no identity-based policy allows the s3:GetObject action"},
	{name: "no policies on a key", kind: KMSKey, reason: "because no resource-based policy allows the s3:GetObject action"},
	{name: "no policies on a role", kind: RoleTrust, reason: "because no resource-based policy"},

	// Statements: the action in any case, the resource in its own.
	{name: "identity", identity: []string{"Allow s3:GetObject arn:aws:s3:::b/*"}, allowed: true, by: []string{"identity.S0"}},
	{name: "action in another case", identity: []string{"Allow S3:GETOBJECT arn:aws:s3:::b/*"}, allowed: true, by: []string{"identity.S0"}},
	{name: "asked in another case", identity: []string{"Allow s3:GetObject arn:aws:s3:::b/*"}, action: "s3:getobject", allowed: true, by: []string{"identity.S0"}},
	{name: "wildcard action", identity: []string{"Allow s3:Get* arn:aws:s3:::b/*"}, allowed: true, by: []string{"identity.S0"}},
	{name: "another action", identity: []string{"Allow s3:PutObject arn:aws:s3:::b/*"}, reason: "no identity-based policy"},
	{name: "longer action", identity: []string{"Allow s3:GetObject arn:aws:s3:::b/*"}, action: "s3:GetObjectVersion", reason: "allows the s3:GetObjectVersion action"},
	{name: "another service", identity: []string{"Allow kms:* *"}, reason: "no identity-based policy"},
	{name: "another resource", identity: []string{"Allow s3:* arn:aws:s3:::c/*"}, reason: "no identity-based policy"},
	{name: "the bucket is not its objects", identity: []string{"Allow s3:* arn:aws:s3:::b"}, reason: "no identity-based policy"},
	{name: "no resource", identity: []string{"Allow kms:GenerateRandom *"}, action: "kms:GenerateRandom", on: "*", allowed: true, by: []string{"identity.S0"}},
	{name: "no resource by an ARN", identity: []string{"Allow kms:GenerateRandom arn:aws:kms:*"}, action: "kms:GenerateRandom", on: "*", reason: "no identity-based policy"},
	{name: "all that allows", identity: []string{"Allow s3:* arn:aws:s3:::b/*", "Allow s3:GetObject *", "Allow s3:PutObject *"}, allowed: true, by: []string{"identity.S0", "identity.S1"}},

	// Explicit denies win, wherever they are.
	{name: "identity denies", identity: []string{"Allow s3:* *", "Deny s3:GetObject *"}, reason: "with an explicit deny in an identity-based policy"},
	{name: "identity denies something else", identity: []string{"Allow s3:* *", "Deny s3:PutObject *"}, allowed: true, by: []string{"identity.S0"}},
	{name: "resource denies", identity: []string{"Allow s3:* *"}, resource: []string{"Deny who=* s3:* *"}, reason: "with an explicit deny in a resource-based policy"},
	{name: "resource denies the account", identity: []string{"Allow s3:* *"}, resource: []string{"Deny who=123456789012 s3:* *"}, reason: "explicit deny in a resource-based"},
	{name: "resource denies the role", identity: []string{"Allow s3:* *"}, resource: []string{"Deny who=" + roleR + " s3:* *"}, reason: "explicit deny in a resource-based"},
	{name: "resource denies the session", identity: []string{"Allow s3:* *"}, resource: []string{"Deny who=" + sessionR + " s3:* *"}, reason: "explicit deny in a resource-based"},
	{name: "resource denies another", identity: []string{"Allow s3:* *"}, resource: []string{"Deny who=" + roleR + "2 s3:* *"}, allowed: true, by: []string{"identity.S0"}},
	{name: "session denies", identity: []string{"Allow s3:* *"}, session: []string{"Allow s3:* *", "Deny s3:Get* *"}, reason: "with an explicit deny in a session policy"},
	{name: "session denies what is given to it", session: []string{"Deny s3:Get* *"}, resource: []string{"Allow who=" + sessionR + " s3:* *"}, reason: "explicit deny in a session policy"},
	{name: "deny of the unrestricted", unrestricted: true, resource: []string{`Deny who=* s3:* * {"Bool":{"aws:SecureTransport":"false"}}`}, reason: "explicit deny in a resource-based"},
	{name: "deny under a condition that is not met", unrestricted: true, resource: []string{`Deny who=* s3:* * {"Bool":{"aws:SecureTransport":"true"}}`}, allowed: true},

	// Either policy suffices on most resources.
	{name: "resource allows the role", resource: []string{"Allow who=" + roleR + " s3:* *"}, allowed: true, by: []string{"resource.S0"}},
	{name: "resource allows everybody", resource: []string{"Allow who=* s3:* *"}, allowed: true, by: []string{"resource.S0"}},
	{name: "resource allows another", resource: []string{"Allow who=" + roleR + "2 s3:* *"}, reason: "no identity-based policy"},
	{name: "the account is not its roles", resource: []string{"Allow who=123456789012 s3:* *"}, reason: "no identity-based policy"},
	{name: "both", identity: []string{"Allow s3:* *"}, resource: []string{"Allow who=" + roleR + " s3:* *", "Allow who=123456789012 s3:* *"}, allowed: true, by: []string{"resource.S0", "identity.S0"}},

	// A key's policy must agree.
	{name: "key: identity alone", kind: KMSKey, identity: []string{"Allow s3:* *"}, reason: "because no resource-based policy allows"},
	{name: "key: names the role", kind: KMSKey, resource: []string{"Allow who=" + roleR + " s3:* *"}, allowed: true, by: []string{"resource.S0"}},
	{name: "key: names the role, identity has no say", kind: KMSKey, identity: []string{"Allow s3:* *"}, resource: []string{"Allow who=" + roleR + " s3:* *"}, allowed: true, by: []string{"resource.S0"}},
	{name: "key: names the account", kind: KMSKey, resource: []string{"Allow who=123456789012 s3:* *"}, reason: "because no identity-based policy allows"},
	{name: "key: names the account, identity allows", kind: KMSKey, identity: []string{"Allow s3:* *"}, resource: []string{"Allow who=123456789012 s3:* *"}, allowed: true, by: []string{"identity.S0", "resource.S0"}},
	{name: "key: names the account for something else", kind: KMSKey, identity: []string{"Allow s3:* *"}, resource: []string{"Allow who=123456789012 s3:Put* *"}, reason: "no resource-based policy"},
	{name: "key: names another account", kind: KMSKey, identity: []string{"Allow s3:* *"}, resource: []string{"Allow who=999999999999 s3:* *"}, reason: "no resource-based policy"},
	{name: "key: unrestricted", kind: KMSKey, unrestricted: true, allowed: true},

	// So must a role's.
	{name: "role: names the caller", kind: RoleTrust, resource: []string{"Allow who=" + roleR + " sts:AssumeRole"}, action: "sts:AssumeRole", allowed: true, by: []string{"resource.S0"}},
	{name: "role: names another", kind: RoleTrust, identity: []string{"Allow sts:* *"}, resource: []string{"Allow who=" + roleR + "2 sts:AssumeRole"}, action: "sts:AssumeRole", reason: "no resource-based policy"},
	{name: "role: names the account", kind: RoleTrust, resource: []string{"Allow who=123456789012 sts:AssumeRole"}, action: "sts:AssumeRole", reason: "no identity-based policy"},
	{name: "role: names the account, identity allows", kind: RoleTrust, identity: []string{"Allow sts:AssumeRole *"}, resource: []string{"Allow who=123456789012 sts:AssumeRole"}, action: "sts:AssumeRole", allowed: true, by: []string{"identity.S0", "resource.S0"}},
	{name: "role: unrestricted", kind: RoleTrust, unrestricted: true, resource: []string{"Allow who=" + roleR + "2 sts:AssumeRole"}, action: "sts:AssumeRole", reason: "no resource-based policy"},
	{name: "role: unrestricted, names the account", kind: RoleTrust, unrestricted: true, resource: []string{"Allow who=123456789012 sts:AssumeRole"}, action: "sts:AssumeRole", allowed: true, by: []string{"resource.S0"}},
	{name: "role: names a service", kind: RoleTrust, service: "lambda.amazonaws.com", resource: []string{"Allow service=lambda.amazonaws.com sts:AssumeRole"}, action: "sts:AssumeRole", allowed: true, by: []string{"resource.S0"}},
	{name: "role: names another service", kind: RoleTrust, service: "lambda.amazonaws.com", resource: []string{"Allow service=ec2.amazonaws.com sts:AssumeRole"}, action: "sts:AssumeRole", reason: "no resource-based policy"},
	{name: "role: a service is not the account", kind: RoleTrust, service: "lambda.amazonaws.com", resource: []string{"Allow who=123456789012 sts:AssumeRole"}, action: "sts:AssumeRole", reason: "no resource-based policy"},
	{name: "a service has no policies of its own", service: "lambda.amazonaws.com", reason: "no resource-based policy"},

	// A session's policy takes away, and gives nothing.
	{name: "session: gives nothing", session: []string{"Allow s3:* *"}, reason: "no identity-based policy"},
	{name: "session: allows, too", identity: []string{"Allow s3:* *"}, session: []string{"Allow s3:GetObject arn:aws:s3:::b/k"}, allowed: true, by: []string{"identity.S0"}},
	{name: "session: allows another", identity: []string{"Allow s3:* *"}, session: []string{"Allow s3:GetObject arn:aws:s3:::b/l"}, reason: "because no session policy allows the s3:GetObject action"},
	{name: "session: takes from the resource's grant to the role", resource: []string{"Allow who=" + roleR + " s3:* *"}, session: []string{"Allow s3:Put* *"}, reason: "no session policy"},
	{name: "session: takes from the grant to everybody", resource: []string{"Allow who=* s3:* *"}, session: []string{"Allow s3:Put* *"}, reason: "no session policy"},
	{name: "session: agrees with the resource's grant", resource: []string{"Allow who=" + roleR + " s3:* *"}, session: []string{"Allow s3:Get* *"}, allowed: true, by: []string{"resource.S0"}},
	{name: "session: takes nothing from a grant to itself", identity: []string{"Allow s3:* *"}, resource: []string{"Allow who=" + sessionR + " s3:* *"}, session: []string{"Allow s3:Put* *"}, allowed: true, by: []string{"resource.S0"}},
	{name: "session: of another session's grant", resource: []string{"Allow who=" + sessionR + "2 s3:* *"}, session: []string{"Allow s3:* *"}, reason: "no identity-based policy"},
	{name: "session: takes from a key's grant", kind: KMSKey, resource: []string{"Allow who=" + roleR + " s3:* *"}, session: []string{"Allow s3:Put* *"}, reason: "no session policy"},
	{name: "session: takes from what a key delegates", kind: KMSKey, identity: []string{"Allow s3:* *"}, resource: []string{"Allow who=123456789012 s3:* *"}, session: []string{"Allow s3:Put* *"}, reason: "no session policy"},
	{name: "session: takes nothing from a key's grant to itself", kind: KMSKey, resource: []string{"Allow who=" + sessionR + " s3:* *"}, session: []string{"Allow s3:Put* *"}, allowed: true, by: []string{"resource.S0"}},
	{name: "session: takes from a role's trust", kind: RoleTrust, resource: []string{"Allow who=" + roleR + " sts:AssumeRole"}, session: []string{"Allow s3:* *"}, action: "sts:AssumeRole", reason: "no session policy"},
	{name: "session: takes from the unrestricted", unrestricted: true, session: []string{"Allow s3:Put* *"}, reason: "no session policy"},

	// Conditions: all keys of all operators must hold.
	{name: "conditions hold", identity: []string{`Allow s3:* * {"StringEquals":{"s3:prefix":"p","kms:EncryptionContext:Tenant":"t"},"Bool":{"aws:SecureTransport":"false"}}`}, allowed: true, by: []string{"identity.S0"}},
	{name: "one key does not", identity: []string{`Allow s3:* * {"StringEquals":{"s3:prefix":"p","kms:EncryptionContext:Tenant":"T"},"Bool":{"aws:SecureTransport":"false"}}`}, reason: "no identity-based policy"},
	{name: "one operator does not", identity: []string{`Allow s3:* * {"StringEquals":{"s3:prefix":"p"},"Bool":{"aws:SecureTransport":"true"}}`}, reason: "no identity-based policy"},
	{name: "keys in any case", identity: []string{`Allow s3:* * {"StringEquals":{"S3:PREFIX":"p","kms:encryptioncontext:tenant":"t"}}`}, allowed: true, by: []string{"identity.S0"}},
	{name: "who asks", identity: []string{`Allow s3:* * {"ArnEquals":{"aws:PrincipalArn":"` + roleR + `"},"StringEquals":{"aws:PrincipalAccount":"123456789012"},"Bool":{"aws:PrincipalIsAWSService":"false"}}`}, allowed: true, by: []string{"identity.S0"}},
	{name: "who asks is not what the context claims", identity: []string{`Allow s3:* * {"StringEquals":{"aws:PrincipalServiceName":"lambda.amazonaws.com"}}`}, reason: "no identity-based policy"},
	{name: "session's condition", identity: []string{"Allow s3:* *"}, session: []string{`Allow s3:* * {"StringEquals":{"s3:prefix":"q"}}`}, reason: "no session policy"},
}

func TestEvaluate(t *testing.T) {
	for _, test := range evaluations {
		t.Run(test.name, func(t *testing.T) {
			r := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: map[string][]string{
				"s3:prefix": {"p"}, "kms:EncryptionContext:Tenant": {"t"}, "aws:SecureTransport": {"false"}, "aws:PrincipalServiceName": {"lambda.amazonaws.com"},
			}}
			if test.action != "" {
				r.Action = test.action
			}
			if test.on != "" {
				r.Resource = test.on
			}
			if test.kind == RoleTrust {
				r.Resource = "arn:aws:iam::123456789012:role/Other"
			}
			who := Principal{ARN: roleR, SessionARN: sessionR, Account: testAccount, Unrestricted: test.unrestricted}
			if test.service != "" {
				who = Principal{Service: test.service}
			}
			if test.identity != nil {
				who.Identity = []Policy{*statements(t, ParseIdentity, "identity", test.identity...)}
			}
			if test.session != nil {
				who.Session = statements(t, ParseIdentity, "session", test.session...)
			}
			r.Principal = who
			var resource *Policy
			if test.resource != nil {
				parse := ParseResource
				if test.kind == RoleTrust {
					parse = ParseTrust
				}
				if len(test.resource) > 0 && test.kind == RoleTrust && !strings.Contains(test.resource[0], "sts:") {
					t.Fatal("a trust policy is about sts")
				}
				resource = statements(t, parse, "resource", test.resource...)
			}
			got := Evaluate(r, resource, test.kind)
			var by []string
			for _, g := range got.By {
				by = append(by, g.Policy+"."+g.Sid)
			}
			if got.Allowed != test.allowed || !slices.Equal(by, test.by) {
				t.Errorf("allowed %v by %v because %q; want %v by %v", got.Allowed, by, got.Reason, test.allowed, test.by)
			}
			if !strings.Contains(got.Reason, test.reason) || (got.Reason == "") != got.Allowed {
				t.Errorf("reason %q, want %q", got.Reason, test.reason)
			}
		})
	}
}

// TestGrantsAreThePatterns: a grant names the pattern that matched, not what was asked for.
func TestGrantsAreThePatterns(t *testing.T) {
	d, err := ParseIdentity([]byte(`{"Version":"2012-10-17","Statement":[
		{"Sid":"A","Effect":"Allow","Action":["s3:GetObject","s3:Get*","s3:PutObject"],"Resource":["arn:aws:s3:::b/*","arn:aws:s3:::c/*"]},
		{"Sid":"B","Effect":"Allow","NotAction":["kms:*"],"NotResource":["arn:aws:s3:::c/*","arn:aws:s3:::d/*"]},
		{"Sid":"C","Effect":"Allow","NotAction":["kms:*","s3:GetObject"],"Resource":"*"},
		{"Sid":"D","Effect":"Allow","Action":"*","NotResource":["arn:aws:s3:::c/*","arn:aws:s3:::b/*"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	who := Principal{ARN: roleR, Account: testAccount, Identity: []Policy{{"p", d}}}
	got := Evaluate(Request{Principal: who, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}, nil, AnyResource)
	want := []Grant{
		{"p", "A", "s3:GetObject", "arn:aws:s3:::b/*"}, {"p", "A", "s3:Get*", "arn:aws:s3:::b/*"},
		{"p", "B", "NotAction kms:*", "NotResource arn:aws:s3:::c/*, arn:aws:s3:::d/*"},
	}
	if !slices.Equal(got.By, want) {
		t.Errorf("by %v, want %v", got.By, want)
	}
	all := Policy{"p", d}.Grants()
	for _, g := range got.By {
		if !slices.Contains(all, g) {
			t.Errorf("%v is not among the policy's grants %v", g, all)
		}
	}
}

func TestEncryptionContextKeys(t *testing.T) {
	p := statements(t, ParseIdentity, "p", `Allow kms:Decrypt * {"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["service","tenant"]},"Null":{"kms:EncryptionContextKeys":"false"}}`)
	for _, test := range []struct {
		keys []string
		want bool
	}{{[]string{"service"}, true}, {[]string{"service", "tenant"}, true}, {[]string{"service", "other"}, false}, {nil, false}} {
		r := Request{Principal: Principal{ARN: roleR, Account: testAccount, Identity: []Policy{*p}}, Action: "kms:Decrypt", Resource: "*",
			Context: map[string][]string{"kms:EncryptionContextKeys": test.keys}}
		if got := Evaluate(r, nil, AnyResource); got.Allowed != test.want {
			t.Errorf("%v: %+v", test.keys, got)
		}
	}
}
