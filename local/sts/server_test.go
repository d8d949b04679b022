package sts

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"sealreel/local/iam"
)

const (
	userKey      = "AKIATEST"
	functionKey  = "AKIAFUNCTION"
	userARN      = "arn:aws:iam::123456789012:user/test"
	tenantRole   = "arn:aws:iam::123456789012:role/Tenant"
	longRole     = "arn:aws:iam::123456789012:role/Long"
	externalRole = "arn:aws:iam::123456789012:role/External"
	functionRole = "arn:aws:iam::123456789012:role/Ingest"
)

var (
	tags       = []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
	policyARNs = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}}
)

const trustsAccount = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}`

func newServer(t testing.TB, edit func(*Config)) *Server {
	t.Helper()
	policy := func(parse func([]byte) (*iam.Document, error), text string) iam.Policy {
		d, err := parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return iam.Policy{Name: "test", Document: d}
	}
	trust := policy(iam.ParseTrust, trustsAccount)
	withID := policy(iam.ParseTrust, strings.Replace(trustsAccount, `"Action"`, `"Condition":{"StringEquals":{"sts:ExternalId":"tenant-7"}},"Action"`, 1))
	lambda := policy(iam.ParseTrust, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
	may := policy(iam.ParseIdentity, `{"Version":"2012-10-17","Statement":{"Sid":"Act","Effect":"Allow","Action":"sts:AssumeRole","Resource":"`+longRole+`"}}`)

	d := iam.NewDirectory()
	for _, r := range []iam.Role{
		{ARN: tenantRole, Trust: &trust, Policies: []iam.Policy{may}},
		{ARN: longRole, Trust: &trust, MaxSession: 2 * time.Hour},
		{ARN: externalRole, Trust: &withID},
		{ARN: functionRole, Trust: &lambda, Policies: []iam.Policy{may}},
	} {
		if err := d.AddRole(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(d.AddUser(userKey, userARN), d.AddFunction(functionKey, "ingest", functionRole)); err != nil {
		t.Fatal(err)
	}
	config := Config{Directory: d}
	if edit != nil {
		edit(&config)
	}
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func post(parameters string) *http.Request {
	r := httptest.NewRequest("POST", "http://localhost/", strings.NewReader("Version=2011-06-15&"+parameters))
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", signed(userKey))
	return r
}

func signed(id string) string {
	return "AWS4-HMAC-SHA256 Credential=" + id + "/20261124/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature=0a1b"
}

func TestProtocol(t *testing.T) {
	change := func(f func(*http.Request)) *http.Request {
		r := post("Action=GetCallerIdentity")
		f(r)
		return r
	}
	header := func(name, value string) *http.Request {
		return change(func(r *http.Request) { r.Header.Set(name, value) })
	}
	for _, test := range []struct {
		name    string
		request *http.Request
		status  int
		body    string // a part of it
	}{
		{"answer", post("Action=GetCallerIdentity"), 200, "<GetCallerIdentityResponse xmlns=\"" + service.Namespace + "\"><GetCallerIdentityResult><Arn>" + userARN + "</Arn>"},
		{"request id", post("Action=GetCallerIdentity"), 200, "</GetCallerIdentityResult><ResponseMetadata><RequestId>"},
		{"TLS from afar", change(func(r *http.Request) { r.RemoteAddr, r.TLS = "192.0.2.1:80", &tls.ConnectionState{} }), 200, userARN},
		{"plaintext from afar", change(func(r *http.Request) { r.RemoteAddr = "192.0.2.1:80" }), 403, "<Code>AccessDenied</Code>"},
		{"GET", change(func(r *http.Request) { r.Method = "GET" }), 405, "InvalidAction"},
		{"JSON", header("Content-Type", "application/x-amz-json-1.1"), 415, "application/x-amz-json-1.1"},
		{"no content type", header("Content-Type", ""), 415, "InvalidAction"},
		{"unsigned", header("Authorization", ""), 403, "<Code>MissingAuthenticationToken</Code>"},
		{"half signed", header("Authorization", "AWS4-HMAC-SHA256 Credential=a"), 403, "<Code>IncompleteSignature</Code>"},
		{"unknown caller", header("Authorization", signed("OTHER")), 403, "<ErrorResponse xmlns=\"" + service.Namespace + "\"><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>"},
		{"unknown action", post("Action=Sing"), 400, "Could not find operation Sing for version 2011-06-15"},
		{"no action", post(""), 400, "InvalidAction"},
		{"other version", change(func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("Action=GetCallerIdentity&Version=1")) }), 400, "InvalidAction"},
		{"unknown parameter", post("Action=GetCallerIdentity&Foo=1"), 400, "Foo"},
		{"parameter of another action", post("Action=GetCallerIdentity&RoleArn=1"), 400, "RoleArn"},
		{"twice", post("Action=GetCallerIdentity&Action=AssumeRole"), 400, "Action is there 2 times"},
		{"not form-encoded", post("Action=%zz"), 400, "MalformedQueryString"},
		{"too long", post("Action=" + strings.Repeat("x", int(service.MaxBody))), 413, "RequestEntityTooLarge"},
		{"broken body", change(func(r *http.Request) { r.Body = io.NopCloser(iotest.ErrReader(errors.New("reset"))) }), 500, "<Type>Receiver</Type><Code>InternalFailure</Code>"},
		{"no role", post("Action=AssumeRole&RoleSessionName=job"), 400, "Value at &#39;roleArn&#39;"},
		{"no ARN", post("Action=AssumeRole&RoleSessionName=job&RoleArn=Tenant"), 400, "Value at &#39;roleArn&#39;"},
		{"no session name", post("Action=AssumeRole&RoleArn=" + tenantRole), 400, "Value at &#39;roleSessionName&#39;"},
		{"duration in words", post("Action=AssumeRole&RoleSessionName=job&DurationSeconds=hour&RoleArn=" + tenantRole), 400, "Value at &#39;durationSeconds&#39;"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			newServer(t, nil).ServeHTTP(w, test.request)
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.body) {
				t.Errorf("status %d, body %s; want %d with %s", w.Code, w.Body, test.status, test.body)
			}
			if id := w.Header().Get("X-Amzn-Requestid"); id == "" || !strings.Contains(w.Body.String(), "<RequestId>"+id) {
				t.Errorf("request id %q is not in %s", id, w.Body)
			}
		})
	}
}

func TestHooks(t *testing.T) {
	var requests []Request
	secrets := map[string]string{}
	s := newServer(t, func(c *Config) {
		c.OnRequest = func(r Request) { requests = append(requests, r) }
		c.Issued = func(id, secret, _ string) { secrets[id] = secret }
	})
	web := httptest.NewServer(s)
	defer web.Close()
	function := newClient(web.URL, functionKey, "")
	out, err := function.assume(t, longRole, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := function.assume(t, tenantRole, nil); err == nil {
		t.Fatal("a role was assumed that no policy of the function allows")
	}
	if _, err := function.as(out).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	id := *out.Credentials.AccessKeyId
	if secrets[id] != *out.Credentials.SecretAccessKey || len(secrets) != 1 {
		t.Error("the secret was not told")
	}
	if len(requests) != 3 {
		t.Fatalf("%d requests, want 3", len(requests))
	}
	first, second, third := requests[0], requests[1], requests[2]
	if first.Action != "AssumeRole" || first.RoleARN != longRole || first.AccessKeyID != functionKey || first.Issued != id || first.Status != 200 || first.Denied() ||
		len(first.By) != 2 || first.By[0] != (iam.Grant{Policy: "test", Sid: "Act", Action: "sts:AssumeRole", Resource: longRole}) {
		t.Errorf("first %+v", first)
	}
	if second.RoleARN != tenantRole || second.Status != 403 || !second.Denied() || second.Issued != "" || second.By != nil {
		t.Errorf("second %+v", second)
	}
	if third.Action != "GetCallerIdentity" || third.AccessKeyID != id || third.Caller.ARN != longRole || third.Caller.Origin != functionKey {
		t.Errorf("third %+v", third)
	}
}

func TestSessionPolicyReachesTheDirectory(t *testing.T) {
	var d *iam.Directory
	web := httptest.NewServer(newServer(t, func(c *Config) { d = c.Directory }))
	defer web.Close()
	out, err := newClient(web.URL, userKey, "").assume(t, tenantRole, func(in *sts.AssumeRoleInput) { in.Policy = aws.String(readPolicy) })
	if err != nil {
		t.Fatal(err)
	}
	who, err := d.Principal(*out.Credentials.AccessKeyId, *out.Credentials.SessionToken)
	if err != nil || who.Session == nil {
		t.Fatalf("principal %+v, %v; want one with a session policy", who, err)
	}
	want := iam.Grant{Policy: "session job", Action: "s3:GetObject", Resource: "arn:aws:s3:::in/job/*"}
	if got := who.Session.Grants(); len(got) != 1 || got[0] != want {
		t.Errorf("grants %v, want %v", got, want)
	}
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, nil)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, post("Action=AssumeRole&RoleSessionName=job&DurationSeconds=900&RoleArn="+tenantRole))
		id, token := element(t, w.Body.String(), "AccessKeyId"), element(t, w.Body.String(), "SessionToken")
		ask := func() string {
			r := post("Action=GetCallerIdentity")
			r.Header.Set("Authorization", signed(id))
			r.Header.Set("X-Amz-Security-Token", token)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w.Body.String()
		}
		time.Sleep(900*time.Second - 1)
		if got := ask(); !strings.Contains(got, "assumed-role/Tenant/job") {
			t.Errorf("before the end: %s", got)
		}
		time.Sleep(1)
		if got := ask(); !strings.Contains(got, "<Code>ExpiredToken</Code>") {
			t.Errorf("at the end: %s", got)
		}
	})
}

func element(t *testing.T, body, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, "<"+name+">")
	value, _, closed := strings.Cut(rest, "</"+name+">")
	if !ok || !closed {
		t.Fatalf("no %s in %s", name, body)
	}
	return value
}

func TestNewNeedsADirectory(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a Server without a Directory")
	}
}

// FuzzParameters holds every answer to be XML with a status that fits it.
func FuzzParameters(f *testing.F) {
	f.Add("Action=AssumeRole&RoleSessionName=job&RoleArn=" + tenantRole)
	f.Add("Action=AssumeRole&Policy=" + url.QueryEscape(readPolicy) + "&RoleSessionName=job&RoleArn=" + tenantRole)
	f.Add("Action=AssumeRole&ExternalId=%00&DurationSeconds=-1")
	s := newServer(f, nil)
	f.Fuzz(func(t *testing.T, parameters string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, post(parameters))
		if body := w.Body.String(); (w.Code == 200) != strings.Contains(body, "Result>") || !strings.HasSuffix(body, "Response>") {
			t.Errorf("status %d with %s", w.Code, body)
		}
	})
}
