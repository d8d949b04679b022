package stsrole

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sealreel/pkg/job"
	"sealreel/pkg/role"
	"sealreel/pkg/seal"
)

// service answers AssumeRole.
type service struct {
	asked   []url.Values
	refuse  func(url.Values) (status int, code string)
	expires time.Duration
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	s.asked = append(s.asked, form)
	if s.refuse != nil {
		if status, code := s.refuse(form); code != "" {
			w.WriteHeader(status)
			fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>no</Message></Error></ErrorResponse>`, code)
			return
		}
	}
	fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA%d</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		len(s.asked), time.Now().Add(s.expires).UTC().Format(time.RFC3339))
}

func serve(t *testing.T, s *service) *Roles {
	t.Helper()
	if s.expires == 0 {
		s.expires = lifetime
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return at(server.URL)
}

func at(endpoint string) *Roles {
	return New(aws.Config{Region: "eu-west-1", BaseEndpoint: &endpoint, ClientLogMode: aws.LogRequestWithBody | aws.LogResponseWithBody,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} }})
}

var (
	wanted = role.Role{ARN: "arn:aws:iam::111122223333:role/tenant", ExternalID: "1762992000000-tenant", Session: "sealreel-j",
		Reads: []role.Place{{Bucket: "in", Name: "a"}}, Writes: []role.Place{{Bucket: "out", Name: strings.Repeat("b", 900)}}}
	keys = role.Keys{ARN: "arn:aws:kms:eu-west-1:111122223333:key/k", Context: map[string]string{"service": "s"}}
)

func TestAssume(t *testing.T) {
	s := &service{}
	session, err := serve(t, s).Assume(t.Context(), wanted, keys)
	if err != nil {
		t.Fatal(err)
	}
	c, err := session.Retrieve(t.Context())
	if err != nil || c.AccessKeyID != "ASIA1" || c.SessionToken != "t" || len(s.asked) != 1 {
		t.Errorf("%+v, %v, asked %d times", c, err, len(s.asked))
	}
	policy, err := wanted.Policy(keys, role.MaxPolicy)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Action": "AssumeRole", "RoleArn": wanted.ARN, "ExternalId": wanted.ExternalID,
		"RoleSessionName": wanted.Session, "DurationSeconds": "900", "Policy": policy} {
		if got := s.asked[0].Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestSessionsAreRenewed: an invocation that outlasts its session goes on.
func TestSessionsAreRenewed(t *testing.T) {
	s := &service{expires: renewBefore / 2}
	session, err := serve(t, s).Assume(t.Context(), wanted, keys)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := session.Retrieve(t.Context()); err != nil || c.AccessKeyID != "ASIA2" {
		t.Errorf("%+v, %v", c.AccessKeyID, err)
	}
}

// TestRefusals: what STS refuses for good is error 2000, and what may pass is not.
func TestRefusals(t *testing.T) {
	for code, c := range map[string]struct {
		status  int
		forGood bool
	}{
		"AccessDenied": {403, true}, "ValidationError": {400, true}, "MalformedPolicyDocument": {400, true}, "PackedPolicyTooLarge": {400, true},
		"RegionDisabledException": {403, true}, "Throttling": {400, false}, "InternalFailure": {500, false}, "ExpiredToken": {403, false},
	} {
		s := &service{refuse: func(url.Values) (int, string) { return c.status, code }}
		_, err := serve(t, s).Assume(t.Context(), wanted, keys)
		var failure *job.Failure
		switch {
		case err == nil:
			t.Errorf("%s: no error", code)
		case errors.As(err, &failure) != c.forGood:
			t.Errorf("%s: %v", code, err)
		case c.forGood && (failure.Code != job.CodeAssumeRole || !strings.Contains(failure.Detail, wanted.ARN)):
			t.Errorf("%s: %v", code, failure)
		}
	}
	endless := keys
	endless.Context = map[string]string{"tenant": strings.Repeat("x", role.MaxPolicy)}
	_, err := serve(t, &service{}).Assume(t.Context(), wanted, endless)
	if f := job.FailureOf(err); f.Code != job.CodeAssumeRole {
		t.Errorf("a context that fits no policy: %v", err)
	}
}

// TestPackedPolicies: STS has a limit of its own for how a policy packs.
func TestPackedPolicies(t *testing.T) {
	s := &service{refuse: func(form url.Values) (int, string) {
		if len(form.Get("Policy")) > role.MaxPolicy/2 {
			return 400, "PackedPolicyTooLarge"
		}
		return 0, ""
	}}
	if _, err := serve(t, s).Assume(t.Context(), wanted, keys); err != nil || len(s.asked) != 2 {
		t.Errorf("%v after %d requests", err, len(s.asked))
	}
}

// TestCredentialsStayOffTheNetwork: nothing is asked of an unprotected endpoint.
func TestCredentialsStayOffTheNetwork(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := at("http://sts.example.com").Assume(ctx, wanted, keys)
	var plaintext *seal.PlaintextEndpointError
	if !errors.As(err, &plaintext) {
		t.Errorf("error %v", err)
	}
}
