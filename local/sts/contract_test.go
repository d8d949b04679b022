package sts

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"sealreel/local/internal/moto"
)

// contract is what a client of STS relies on. Every case is put through the
// Go SDK to this package and to moto, which lets everyone assume every role.
var contract = []struct {
	name string
	// motoDiffers says why the case is not put to moto.
	motoDiffers string
	run         func(t *testing.T, c *client)
}{
	{"assume a role", "", contractAssume},
	{"who am I", "", contractIdentity},
	{"provider of credentials", "", contractProvider},
	{"durations", "moto takes any", contractDurations},
	{"long sessions", "moto takes any duration", contractLong},
	{"chained roles", "moto takes any duration", contractChained},
	{"session names too long", "", contractLongName},
	{"session names", "moto takes any", contractNames},
	{"session policies too long", "moto takes any", contractPolicyLength},
	{"session policies", "moto takes any", contractPolicies},
	{"what is not supported", "moto ignores it", contractUnsupported},
	{"roles that may not be assumed", "moto evaluates no trust policy", contractDenied},
	{"external ids", "moto evaluates no trust policy", contractExternalID},
	{"tokens", "moto takes any", contractTokens},
}

func TestContract(t *testing.T) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			web := httptest.NewServer(newServer(t, nil))
			t.Cleanup(web.Close)
			c.run(t, newClient(web.URL, userKey, ""))
		})
	}
}

func TestContractOnMoto(t *testing.T) {
	endpoint := moto.Start(t)
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			if c.motoDiffers != "" {
				t.Skip("moto: " + c.motoDiffers)
			}
			client := newClient(endpoint, userKey, "")
			client.moto = true
			c.run(t, client)
		})
	}
}

// client is the SDK's.
type client struct {
	*sts.Client
	endpoint string
	moto     bool
}

func newClient(endpoint, key, token string) *client {
	return &client{endpoint: endpoint, Client: sts.New(sts.Options{
		BaseEndpoint: &endpoint, Region: "eu-west-1",
		Credentials: credentials.NewStaticCredentialsProvider(key, "secret", token),
	})}
}

// assume assumes a role in a session that is named job.
func (c *client) assume(t *testing.T, role string, change func(*sts.AssumeRoleInput)) (*sts.AssumeRoleOutput, error) {
	t.Helper()
	in := &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("job")}
	if change != nil {
		change(in)
	}
	return c.AssumeRole(t.Context(), in)
}

// as is a client with the credentials of a session.
func (c *client) as(out *sts.AssumeRoleOutput) *client {
	return newClient(c.endpoint, *out.Credentials.AccessKeyId, *out.Credentials.SessionToken)
}

// wantError checks the code and returns the message.
func wantError(t *testing.T, err error, code string) string {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Fatalf("error %v, want code %s", err, code)
	}
	return api.ErrorMessage()
}

func contractAssume(t *testing.T, c *client) {
	before := time.Now()
	out, err := c.assume(t, tenantRole, nil)
	if err != nil {
		t.Fatal(err)
	}
	keys := out.Credentials
	if !regexp.MustCompile(`^ASIA[A-Z2-7]{16}$`).MatchString(*keys.AccessKeyId) && !c.moto {
		t.Errorf("access key id %q", *keys.AccessKeyId)
	}
	if len(*keys.SecretAccessKey) != 40 || len(*keys.SessionToken) < 300 {
		t.Errorf("secret of %d characters, token of %d", len(*keys.SecretAccessKey), len(*keys.SessionToken))
	}
	if life := keys.Expiration.Sub(before); life < 3598*time.Second || life > 3602*time.Second {
		t.Errorf("it lives for %v, want an hour", life)
	}
	if !regexp.MustCompile(`^AROA[A-Z0-9]{17}:job$`).MatchString(*out.AssumedRoleUser.AssumedRoleId) {
		t.Errorf("id %q", *out.AssumedRoleUser.AssumedRoleId)
	}
	if want := "arn:aws:sts::123456789012:assumed-role/Tenant/job"; *out.AssumedRoleUser.Arn != want {
		t.Errorf("ARN %q, want %q", *out.AssumedRoleUser.Arn, want)
	}
	if !c.moto && out.PackedPolicySize != nil { // moto always says 6
		t.Errorf("packed policy of %d%% without a policy", *out.PackedPolicySize)
	}
	again, err := c.assume(t, tenantRole, nil)
	if err != nil || *again.Credentials.AccessKeyId == *keys.AccessKeyId || *again.Credentials.SecretAccessKey == *keys.SecretAccessKey {
		t.Errorf("a second session has the keys of the first, or: %v", err)
	}
}

func contractIdentity(t *testing.T, c *client) {
	me, err := c.GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !c.moto && (*me.Arn != userARN || *me.Account != "123456789012" || !regexp.MustCompile(`^AIDA[A-Z2-7]{17}$`).MatchString(*me.UserId)) {
		t.Errorf("user %s of %s with id %s", *me.Arn, *me.Account, *me.UserId)
	}
	out, err := c.assume(t, tenantRole, nil)
	if err != nil {
		t.Fatal(err)
	}
	me, err = c.as(out).GetCallerIdentity(t.Context(), nil)
	if err != nil || *me.Arn != *out.AssumedRoleUser.Arn || *me.Account != "123456789012" {
		t.Fatalf("session %v, %v; want %s", me, err, *out.AssumedRoleUser.Arn)
	}
	if !c.moto && *me.UserId != *out.AssumedRoleUser.AssumedRoleId { // moto makes up another each time
		t.Errorf("id %s, want %s", *me.UserId, *out.AssumedRoleUser.AssumedRoleId)
	}
}

func contractProvider(t *testing.T, c *client) {
	provider := stscreds.NewAssumeRoleProvider(c.Client, tenantRole, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "job"
		o.Policy = aws.String(readPolicy)
	})
	keys, err := provider.Retrieve(t.Context())
	if err != nil || !keys.CanExpire || keys.SessionToken == "" || time.Until(keys.Expires) > 15*time.Minute+time.Second {
		t.Errorf("credentials that expire %v: %v", keys.Expires, err)
	}
}

func contractDurations(t *testing.T, c *client) {
	for _, test := range []struct {
		seconds int32
		message string
	}{
		{-1, "greater than or equal to 900"}, {0, "greater than or equal to 900"}, {899, "greater than or equal to 900"},
		{900, ""}, {3600, ""}, {3601, "MaxSessionDuration set for this role"}, {43200, "MaxSessionDuration set for this role"},
		{43201, "less than or equal to 43200"},
	} {
		out, err := c.assume(t, tenantRole, func(in *sts.AssumeRoleInput) { in.DurationSeconds = &test.seconds })
		if test.message != "" {
			if got := wantError(t, err, "ValidationError"); !strings.Contains(got, test.message) {
				t.Errorf("%d seconds: %q, want %q", test.seconds, got, test.message)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%d seconds: %v", test.seconds, err)
		}
		if off := time.Until(*out.Credentials.Expiration) - time.Duration(test.seconds)*time.Second; off.Abs() > 2*time.Second {
			t.Errorf("%d seconds: off by %v", test.seconds, off)
		}
	}
}

func contractLong(t *testing.T, c *client) {
	for seconds, ok := range map[int32]bool{7200: true, 7201: false} {
		_, err := c.assume(t, longRole, func(in *sts.AssumeRoleInput) { in.DurationSeconds = &seconds })
		if (err == nil) != ok {
			t.Errorf("%d seconds of a role with two hours: %v", seconds, err)
		}
	}
}

func contractChained(t *testing.T, c *client) {
	out, err := c.assume(t, tenantRole, nil)
	if err != nil {
		t.Fatal(err)
	}
	session := c.as(out)
	if _, err := session.assume(t, longRole, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3600) }); err != nil {
		t.Errorf("an hour: %v", err)
	}
	_, err = session.assume(t, longRole, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) })
	if got := wantError(t, err, "ValidationError"); !strings.Contains(got, "role chaining") {
		t.Errorf("more than an hour: %q", got)
	}
}

func contractLongName(t *testing.T, c *client) {
	_, err := c.assume(t, tenantRole, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String(strings.Repeat("n", 65)) })
	wantError(t, err, "ValidationError")
	out, err := c.assume(t, tenantRole, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String(strings.Repeat("n", 64)) })
	if err != nil || !strings.HasSuffix(*out.AssumedRoleUser.Arn, strings.Repeat("n", 64)) {
		t.Errorf("64 characters: %v", err)
	}
}

func contractNames(t *testing.T, c *client) {
	for name, ok := range map[string]bool{
		"job=1@x.y,z+_-": true, "ab": true,
		"": false, "a": false, "a b": false, "a/b": false, "a:b": false, "jöb": false, "job\n": false,
	} {
		_, err := c.assume(t, tenantRole, func(in *sts.AssumeRoleInput) { in.RoleSessionName = &name })
		if ok && err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if !ok {
			wantError(t, err, "ValidationError")
		}
	}
}

const readPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::in/job/*"}}`

func contractPolicyLength(t *testing.T, c *client) {
	for length, ok := range map[int]bool{len(readPolicy): true, 2048: true, 2049: false} {
		policy := readPolicy + strings.Repeat(" ", length-len(readPolicy))
		out, err := c.assume(t, tenantRole, func(in *sts.AssumeRoleInput) { in.Policy = &policy })
		if !ok {
			wantError(t, err, "ValidationError")
			continue
		}
		if want := int32((100*length + 2047) / 2048); err != nil || *out.PackedPolicySize != want {
			t.Errorf("%d characters: %v, want %d%%", length, err, want)
		}
	}
}

func contractPolicies(t *testing.T, c *client) {
	for _, test := range []struct{ name, policy, code, message string }{
		{"empty", "", "ValidationError", "length"},
		{"beyond Latin-1", strings.Replace(readPolicy, "job", "j€b", 1), "ValidationError", "pattern"},
		{"no JSON", "{", "MalformedPolicyDocument", "EOF"},
		{"with a principal", strings.Replace(readPolicy, `"Effect"`, `"Principal":"*","Effect"`, 1), "MalformedPolicyDocument", "Principal"},
		{"with a variable", strings.Replace(readPolicy, "job", "${aws:username}", 1), "MalformedPolicyDocument", "${aws:username}"},
	} {
		_, err := c.assume(t, tenantRole, func(in *sts.AssumeRoleInput) { in.Policy = &test.policy })
		if got := wantError(t, err, test.code); !strings.Contains(got, test.message) {
			t.Errorf("%s: %q, want %q", test.name, got, test.message)
		}
	}
}

func contractUnsupported(t *testing.T, c *client) {
	for name, change := range map[string]func(*sts.AssumeRoleInput){
		"Tags":              func(in *sts.AssumeRoleInput) { in.Tags = tags },
		"TransitiveTagKeys": func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"a"} },
		"PolicyArns":        func(in *sts.AssumeRoleInput) { in.PolicyArns = policyARNs },
		"SerialNumber":      func(in *sts.AssumeRoleInput) { in.SerialNumber = aws.String("GAHT12345678") },
		"TokenCode":         func(in *sts.AssumeRoleInput) { in.TokenCode = aws.String("123456") },
		"SourceIdentity":    func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("someone") },
	} {
		_, err := c.assume(t, tenantRole, change)
		if got := wantError(t, err, "ValidationError"); !strings.Contains(got, name) {
			t.Errorf("%s: %q does not name it", name, got)
		}
	}
	_, err := c.GetSessionToken(t.Context(), nil)
	if got := wantError(t, err, "InvalidAction"); !strings.Contains(got, "GetSessionToken") {
		t.Errorf("%q", got)
	}
}

func contractDenied(t *testing.T, c *client) {
	out, err := c.assume(t, tenantRole, nil)
	if err != nil {
		t.Fatal(err)
	}
	session, user := c.as(out), "arn:aws:sts::123456789012:assumed-role/Tenant/job"
	for _, test := range []struct {
		name   string
		client *client
		caller string
		role   string
	}{
		{"trusts another only", c, userARN, functionRole},
		{"trusts the account, but no policy of the caller allows", session, user, tenantRole},
		{"does not exist", session, user, "arn:aws:iam::123456789012:role/Nobody"},
		{"of another account", c, userARN, "arn:aws:iam::999999999999:role/Tenant"},
	} {
		_, err := test.client.assume(t, test.role, nil)
		want := fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", test.caller, test.role)
		if got := wantError(t, err, "AccessDenied"); got != want {
			t.Errorf("%s: %q, want %q", test.name, got, want)
		}
	}
}

func contractExternalID(t *testing.T, c *client) {
	for id, ok := range map[string]bool{"tenant-7": true, "tenant-8": false} {
		_, err := c.assume(t, externalRole, func(in *sts.AssumeRoleInput) { in.ExternalId = &id })
		if (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
	}
	_, err := c.assume(t, externalRole, nil)
	wantError(t, err, "AccessDenied")
	_, err = c.assume(t, externalRole, func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("a b") })
	wantError(t, err, "ValidationError")
}

func contractTokens(t *testing.T, c *client) {
	out, err := c.assume(t, tenantRole, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string][2]string{
		"unknown key":         {"AKIAUNKNOWN", ""},
		"session without":     {*out.Credentials.AccessKeyId, ""},
		"session with wrong":  {*out.Credentials.AccessKeyId, "x" + *out.Credentials.SessionToken},
		"user with a token":   {userKey, *out.Credentials.SessionToken},
		"unknown with tokens": {"AKIAUNKNOWN", *out.Credentials.SessionToken},
	} {
		_, err := newClient(c.endpoint, keys[0], keys[1]).GetCallerIdentity(t.Context(), nil)
		if got := wantError(t, err, "InvalidClientTokenId"); got != "The security token included in the request is invalid." {
			t.Errorf("%s: %q", name, got)
		}
	}
}
