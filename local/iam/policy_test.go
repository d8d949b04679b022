package iam

import (
	"slices"
	"strings"
	"testing"
)

const (
	allowGet = `{"Version":"2012-10-17","Statement":[{"Sid":"Get","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`
	trustAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`
)

// attached makes of a policy of an identity one of a resource.
func attached(text string) string {
	return strings.ReplaceAll(text, `"Effect"`, `"Principal":"*","Effect"`)
}

func TestParse(t *testing.T) {
	for name, test := range map[string]struct {
		parse func([]byte) (*Document, error)
		text  string
	}{
		"identity":             {ParseIdentity, allowGet},
		"resource":             {ParseResource, attached(allowGet)},
		"trust":                {ParseTrust, trustAll},
		"one statement":        {ParseIdentity, strings.NewReplacer("[", "", "]", "").Replace(allowGet)},
		"with an Id":           {ParseIdentity, strings.Replace(allowGet, "{", `{"Id":"x",`, 1)},
		"Sid with spaces":      {ParseResource, attached(strings.Replace(allowGet, "Get", "Enable IAM", 1))},
		"no Sid":               {ParseIdentity, strings.Replace(allowGet, `"Sid":"Get",`, "", 1)},
		"lists":                {ParseIdentity, strings.NewReplacer(`"s3:GetObject"`, `["s3:GetObject","s3:Put*"]`, `"arn:aws:s3:::b/*"`, `["*"]`).Replace(allowGet)},
		"NotAction":            {ParseIdentity, strings.Replace(allowGet, `"Action"`, `"NotAction"`, 1)},
		"NotResource":          {ParseIdentity, strings.Replace(allowGet, `"Resource"`, `"NotResource"`, 1)},
		"every action":         {ParseIdentity, strings.Replace(allowGet, "s3:GetObject", "*", 1)},
		"space around":         {ParseIdentity, " \n" + allowGet + "\t\n"},
		"kinds of principals":  {ParseTrust, strings.Replace(trustAll, `"*"`, `{"AWS":["123456789012","arn:aws:iam::123456789012:root","arn:aws:iam::123456789012:role/path/R","arn:aws:iam::123456789012:user/u","arn:aws:sts::123456789012:assumed-role/R/s1","*"],"Service":"lambda.amazonaws.com"}`, 1)},
		"other parts of AWS":   {ParseTrust, strings.Replace(trustAll, `"*"`, `{"AWS":"arn:aws-us-gov:iam::123456789012:role/R"}`, 1)},
		"a service's partner":  {ParseTrust, strings.Replace(trustAll, `"*"`, `{"Service":["lambda.amazonaws.com","s3.amazonaws.com"]}`, 1)},
		"condition of nothing": {ParseIdentity, strings.Replace(allowGet, `"Effect"`, `"Condition":{},"Effect"`, 1)},
	} {
		if _, err := test.parse([]byte(test.text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	edit := func(old, new string) string {
		text := strings.Replace(allowGet, old, new, 1)
		if text == allowGet {
			t.Fatalf("no %s to replace", old)
		}
		return text
	}
	trust := func(principal string) string { return strings.Replace(trustAll, `"*"`, principal, 1) }
	for _, test := range []struct {
		name  string
		parse func([]byte) (*Document, error)
		text  string
		want  string
	}{
		{"nothing", ParseIdentity, "", "unexpected EOF"},
		{"half", ParseIdentity, allowGet[:40], "EOF"},
		{"two", ParseIdentity, allowGet + "{}", "more follows"},
		{"not UTF-8", ParseIdentity, edit("Get", "\xff"), "UTF-8"},
		{"a list", ParseIdentity, "[]", "not a JSON object"},
		{"deep", ParseIdentity, strings.Repeat("[", 99999), "nested"},
		{"old version", ParseIdentity, edit("2012-10-17", "2008-10-17"), `Version "2008-10-17"`},
		{"no version", ParseIdentity, edit(`"Version":"2012-10-17",`, ""), `Version ""`},
		{"version that is no text", ParseIdentity, edit(`"2012-10-17"`, "2012"), "Version"},
		{"other element", ParseIdentity, edit(`{`, `{"Comment":"x",`), `"Comment" is not supported`},
		{"element in another case", ParseIdentity, edit("Version", "version"), `"version" is not supported`},
		{"Id that is no text", ParseIdentity, edit(`{`, `{"Id":1,`), "Id"},
		{"element twice", ParseIdentity, edit(`{`, `{"Version":"2012-10-17",`), `"Version" is there twice`},
		{"no statement", ParseIdentity, `{"Version":"2012-10-17"}`, "no Statement"},
		{"no statements", ParseIdentity, `{"Version":"2012-10-17","Statement":[]}`, "no Statement"},
		{"statement that is text", ParseIdentity, `{"Version":"2012-10-17","Statement":["x"]}`, "statement 1 is no object"},
		{"same Sid", ParseIdentity, edit("]}", `,{"Sid":"Get","Effect":"Deny","Action":"s3:*","Resource":"*"}]}`), "the Sid Get"},
		{"Sid that is no text", ParseIdentity, edit(`"Get"`, "1"), "Sid"},
		{"other element in a statement", ParseIdentity, edit(`"Effect"`, `"Conditions":{},"Effect"`), `statement 1 Get: element "Conditions"`},
		{"condition twice", ParseIdentity, edit(`"Effect"`, `"Condition":{},"Condition":{},"Effect"`), `"Condition" is there twice`},
		{"operator twice", ParseIdentity, edit(`"Effect"`, `"Condition":{"Null":{},"Null":{}},"Effect"`), `"Null" is there twice`},
		{"condition that is not known", ParseIdentity, edit(`"Effect"`, `"Condition":{"DateEquals":{"aws:CurrentTime":"x"}},"Effect"`), "statement 1 Get: Condition DateEquals of aws:CurrentTime"},
		{"no effect", ParseIdentity, edit(`"Effect":"Allow",`, ""), `Effect ""`},
		{"other effect", ParseIdentity, edit("Allow", "allow"), `Effect "allow"`},
		{"no action", ParseIdentity, edit(`"Action":"s3:GetObject",`, ""), "one of Action and NotAction"},
		{"both actions", ParseIdentity, edit(`"Effect"`, `"NotAction":"s3:*","Effect"`), "one of Action and NotAction"},
		{"action without a service", ParseIdentity, edit("s3:GetObject", "GetObject"), `Action "GetObject"`},
		{"service with a wildcard", ParseIdentity, edit("s3:GetObject", "s*:GetObject"), `Action "s*:GetObject"`},
		{"action with a variable", ParseIdentity, edit("s3:GetObject", "s3:${a}"), "Action"},
		{"action that is a number", ParseIdentity, edit(`"s3:GetObject"`, "1"), "Action: 1 is no string"},
		{"no actions", ParseIdentity, edit(`"s3:GetObject"`, "[]"), "Action: the list is empty"},
		{"no resource", ParseIdentity, edit(`,"Resource":"arn:aws:s3:::b/*"`, ""), "one of Resource and NotResource"},
		{"both resources", ParseIdentity, edit(`"Effect"`, `"NotResource":"*","Effect"`), "one of Resource and NotResource"},
		{"resource that is no ARN", ParseIdentity, edit("arn:aws:s3:::b/*", "b/*"), `Resource: resource "b/*"`},
		{"no resources", ParseIdentity, edit(`"arn:aws:s3:::b/*"`, "[]"), "Resource: the list is empty"},
		{"identity with a principal", ParseIdentity, attached(allowGet), "Principal"},
		{"resource without a principal", ParseResource, allowGet, "Principal"},
		{"trust without a principal", ParseTrust, strings.Replace(trustAll, `"Principal":"*",`, "", 1), "Principal"},
		{"trust with a resource", ParseTrust, attached(allowGet), "names no Resource"},
		{"NotPrincipal", ParseResource, strings.Replace(attached(allowGet), `"Principal"`, `"NotPrincipal"`, 1), `"NotPrincipal" is not supported`},
		{"principal that is text", ParseTrust, trust(`"123456789012"`), "neither * nor an object"},
		{"no principals", ParseTrust, trust(`{}`), "neither * nor an object"},
		{"Federated", ParseTrust, trust(`{"Federated":"cognito-identity.amazonaws.com"}`), "Principal Federated is not supported"},
		{"CanonicalUser", ParseTrust, trust(`{"CanonicalUser":"79a5"}`), "Principal CanonicalUser is not supported"},
		{"empty list of principals", ParseTrust, trust(`{"AWS":[]}`), "empty"},
		{"principal with a wildcard", ParseTrust, trust(`{"AWS":"arn:aws:iam::123456789012:role/*"}`), "wildcards"},
		{"principal by id", ParseTrust, trust(`{"AWS":"AIDAJQABLZS4A3QDU576Q"}`), "neither an account"},
		{"group as principal", ParseTrust, trust(`{"AWS":"arn:aws:iam::123456789012:group/g"}`), "neither an account"},
		{"service of others", ParseTrust, trust(`{"Service":"example.com"}`), "amazonaws.com"},
	} {
		d, err := test.parse([]byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
		if d != nil {
			t.Errorf("%s: a document beside the error", test.name)
		}
	}
}

func TestGrants(t *testing.T) {
	d, err := ParseResource([]byte(`{"Version":"2012-10-17","Statement":[
		{"Sid":"A","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/R"},"Action":["s3:Get*","s3:PutObject"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]},
		{"Sid":"B","Effect":"Allow","Principal":{"AWS":"123456789012"},"NotAction":["kms:*","iam:*"],"NotResource":"*"},
		{"Sid":"C","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	p := Policy{"bucket", d}
	a := []Grant{
		{"bucket", "A", "s3:Get*", "arn:aws:s3:::b"}, {"bucket", "A", "s3:Get*", "arn:aws:s3:::b/*"},
		{"bucket", "A", "s3:PutObject", "arn:aws:s3:::b"}, {"bucket", "A", "s3:PutObject", "arn:aws:s3:::b/*"},
	}
	b := []Grant{{"bucket", "B", "NotAction kms:*, iam:*", "NotResource *"}}
	if got, want := p.Grants(), slices.Concat(a, b); !slices.Equal(got, want) {
		t.Errorf("grants %v, want %v", got, want)
	}
	for _, test := range []struct {
		who  Principal
		want []Grant
	}{
		{Principal{ARN: "arn:aws:iam::123456789012:role/R", Account: "123456789012"}, slices.Concat(a, b)},
		{Principal{ARN: "arn:aws:iam::123456789012:role/S", Account: "123456789012"}, b},
		{Principal{ARN: "arn:aws:iam::999999999999:role/R", Account: "999999999999"}, nil},
		{Principal{Service: "lambda.amazonaws.com"}, nil},
	} {
		if got := p.GrantsTo(test.who); !slices.Equal(got, test.want) {
			t.Errorf("grants to %s: %v, want %v", test.who.Name(), got, test.want)
		}
	}
}

// FuzzParse holds that what was read can be asked, and that only what is not
// a kind's form is refused by that kind.
func FuzzParse(f *testing.F) {
	for _, text := range []string{allowGet, attached(allowGet), trustAll,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":["s3:*"],"NotResource":"*","Condition":{"ForAllValues:StringLikeIfExists":{"kms:EncryptionContextKeys":["a","b*"]},"Null":{"s3:prefix":true}}}]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		read := 0
		for _, parse := range []func([]byte) (*Document, error){ParseIdentity, ParseResource, ParseTrust} {
			d, err := parse(text)
			if (d == nil) == (err == nil) {
				t.Fatalf("document %v with error %v", d, err)
			}
			if err != nil {
				continue
			}
			read++
			p := Policy{"p", d}
			r := Request{Principal: Principal{ARN: "arn:aws:iam::123456789012:user/u", Account: "123456789012", Identity: []Policy{p}}, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}
			if got := Evaluate(r, nil, AnyResource); got.Allowed != (len(got.By) > 0) || got.Allowed == (got.Reason != "") {
				t.Fatalf("decision %+v", got)
			}
			for _, g := range p.Grants() {
				if g.Policy != "p" || g.Action == "" {
					t.Fatalf("grant %+v", g)
				}
			}
		}
		if read > 1 {
			t.Fatalf("%s is of %d kinds", text, read)
		}
	})
}
