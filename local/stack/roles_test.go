package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"sealreel/local/iam"
)

func TestReadRoles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roles.json")
	good := `{"RoleName":"tenant","AssumeRolePolicyDocument":{"a":1},"Policies":[{"PolicyName":"p","PolicyDocument":{"b":2}}]}`
	for text, want := range map[string]string{
		"[" + good + "]":     "",
		"[]":                 "",
		good:                 "is no list of roles",
		"[" + good + "] []":  "more than one list",
		`[{"RollName":"x"}]`: `unknown field "RollName"`,
		"[":                  "is no list of roles",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		roles, err := ReadRoles(path)
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: error is %v, want %q", text, err, want)
		case want == "" && text != "[]" && (len(roles) != 1 || string(roles[0].Policies[0].PolicyDocument) != `{"b":2}`):
			t.Errorf("%s: roles are %+v", text, roles)
		}
	}
	if _, err := ReadRoles(path + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

func TestAddRoleRefusals(t *testing.T) {
	s := &Stack{services: &services{directory: iam.NewDirectory()}}
	for _, c := range []struct{ name, trust, policy, want string }{
		{"a b", trustLambda, allowAll, `"a b" is no name for a role`},
		{"a", `{}`, allowAll, "role a: AssumeRolePolicyDocument: iam:"},
		{"a", trustLambda, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}`, "role a: p: iam:"},
	} {
		_, err := s.AddRole(Role{c.name, json.RawMessage(c.trust), []RolePolicy{{"p", json.RawMessage(c.policy)}}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error is %v, want %q", err, c.want)
		}
	}
}

const (
	trustLambda = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	trustUser   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`
	allowAll    = `{"Version":"2012-10-17","Statement":[{"Sid":"All","Effect":"Allow","Action":["s3:*","kms:*","sqs:*"],"Resource":"*"}]}`
)

// asked is the requests of a stack.
type asked struct {
	mu  sync.Mutex
	all []Request
}

func (a *asked) add(r Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, r)
}

func (a *asked) list() []Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.all)
}

// upPoliced brings the project up with a role that the user may assume.
func upPoliced(t *testing.T, k *sink) (*Stack, clients, *asked) {
	t.Helper()
	dir, requests := t.TempDir(), &asked{}
	s, err := Up(t.Context(), Config{
		Root: "testdata/project", Dir: dir, StackName: "test", Environment: map[string]string{"SINK": k.url}, OnRequest: requests.add,
		Roles: []Role{{"tenant", json.RawMessage(trustUser), []RolePolicy{{"all", json.RawMessage(allowAll)}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, connect(t, s, dir), requests
}

// TestPolicies: who may do what, by the services' own clients.
func TestPolicies(t *testing.T) {
	k := newSink(t)
	s, user, requests := upPoliced(t, k)
	bucket := aws.String(user.env["SEALREEL_INGEST_BUCKET"])
	tenant := assume(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::*/mine/*"},
		{"Effect":"Allow","Action":["kms:Encrypt","kms:GenerateDataKey"],"Resource":"*"}]}`)
	put := func(c clients, key, kmsKey string) error {
		in := &awss3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader("x")}
		if kmsKey != "" {
			in.ServerSideEncryption, in.SSEKMSKeyId = "aws:kms", &kmsKey
		}
		_, err := c.objects.PutObject(t.Context(), in)
		return err
	}
	own, err := user.keys.CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	master, ownARN := user.env["SEALREEL_KMS_KEY_ARN"], *own.KeyMetadata.Arn
	_, deleted := user.objects.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: bucket, Key: aws.String("x")})
	_, sent := tenant.queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(user.env["SEALREEL_QUEUE_URL"]), MessageBody: aws.String("x")})
	for name, c := range map[string]struct {
		err  error
		code string
	}{
		"the user by the bucket's policy":      {deleted, "AccessDenied"},
		"the session beyond its policy":        {put(tenant, "other", ""), "AccessDenied"},
		"the session within its policy":        {put(tenant, "mine/a", ""), ""},
		"another queue":                        {sent, "AccessDenied"},
		"a key whose policy names the account": {put(tenant, "mine/b", ownARN), ""},
		"the key of S3":                        {put(tenant, "mine/c", "alias/aws/s3"), ""},
		"the key by its policy":                {put(user, "mine/d", master), ""},
		"a key of another region":              {put(user, "mine/e", strings.Replace(master, Region, "eu-west-1", 1)), "KMS.NotFoundException"},
	} {
		var api smithy.APIError
		if c.code == "" && c.err != nil || c.code != "" && (!errors.As(c.err, &api) || api.ErrorCode() != c.code) {
			t.Errorf("%s: %v, want %q", name, c.err, c.code)
		}
	}
	checkRecords(t, requests.list(), ownARN)
	checkGrants(t, s, user, k, requests)
}

// assume returns clients of a session of the role tenant.
func assume(t *testing.T, policy string) clients {
	t.Helper()
	c, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, err := sts.NewFromConfig(c).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + Account + ":role/tenant"), RoleSessionName: aws.String("job"), Policy: &policy,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Credentials = awscredentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	return clients{objects: awss3.NewFromConfig(c), queues: sqs.NewFromConfig(c), keys: kms.NewFromConfig(c)}
}

// checkRecords: what is recorded of the session's requests.
func checkRecords(t *testing.T, all []Request, key string) {
	t.Helper()
	find := func(action, resource string) Request {
		i := slices.IndexFunc(all, func(r Request) bool { return r.Action == action && strings.HasSuffix(r.Resource, resource) })
		if i < 0 {
			t.Fatalf("no %s on %s in %+v", action, resource, all)
		}
		return all[i]
	}
	role, session := "arn:aws:iam::"+Account+":role/tenant", "arn:aws:sts::"+Account+":assumed-role/tenant/job"
	for _, r := range []Request{find("s3:PutObject", "/mine/a"), find("s3:PutObject", "/other"), find("kms:GenerateDataKey", key)} {
		if r.Caller != "user" || r.RoleARN != role || r.Session != session {
			t.Errorf("the record is %+v", r)
		}
	}
	if r := find("s3:PutObject", "/other"); !r.Denied || r.Status != 403 || len(r.By) > 0 {
		t.Errorf("the record is %+v", r)
	}
	if r := find("s3:PutObject", "/mine/a"); r.Denied || len(r.By) != 1 || r.By[0].Sid != "All" {
		t.Errorf("the record is %+v", r)
	}
	if r := find("kms:GenerateDataKey", key); r.Via != "s3.us-east-1.amazonaws.com" || !strings.HasSuffix(r.Context["aws:s3:arn"], "/mine/b") || len(r.By) != 2 {
		t.Errorf("the record is %+v", r)
	}
	if r := find("sts:AssumeRole", "role/tenant"); r.Service != "sts" || r.Caller != "user" || r.Status != 200 {
		t.Errorf("the record is %+v", r)
	}
}

// checkGrants: a drop uses what it needs of the grants, and nothing else.
func checkGrants(t *testing.T, s *Stack, user clients, k *sink, requests *asked) {
	t.Helper()
	drop, worker := "arn:aws:iam::"+Account+":role/test-DropFunctionRole", "arn:aws:iam::"+Account+":role/test-WorkerFunctionRole"
	text := func(grants []Grant) []string {
		var all []string
		for _, g := range grants {
			all = append(all, fmt.Sprintf("%s %s %s", g.Role[strings.LastIndex(g.Role, "/")+1:], g.Sid, g.Action))
		}
		slices.Sort(all)
		return all
	}
	user.put(t, "a")
	k.await(t, "work a")
	var left []string
	want := []string{
		"test-DropFunctionRole  logs:CreateLogGroup", "test-DropFunctionRole  sqs:SendMessage", // the destination of failures
		"test-DropFunctionRole Unwrap kms:Decrypt", "test-WorkerFunctionRole  logs:CreateLogGroup",
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if left = text(Unused(s.Grants(), requests.list())); slices.Equal(left, want) {
			break
		}
	}
	if !slices.Equal(left, want) {
		t.Errorf("unused are\n%s\nwant\n%s", strings.Join(left, "\n"), strings.Join(want, "\n"))
	}
	for _, r := range requests.list() {
		if r.Denied && r.RoleARN == drop || r.Denied && r.RoleARN == worker {
			t.Errorf("a function was denied %+v", r)
		}
		if r.Via == lambdaService && (r.Caller != "lambda" || r.RoleARN == "") {
			t.Errorf("Lambda acted as %+v", r)
		}
	}
}

// TestDeniedFunctions: a role that Lambda can't assume or poll with.
func TestDeniedFunctions(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	written := func() string {
		mu.Lock()
		defer mu.Unlock()
		return log.String()
	}
	config := func(parameters map[string]string) Config {
		return Config{Root: "testdata/denied", Dir: t.TempDir(), StackName: "test", Parameters: parameters,
			Log: slog.New(slog.NewTextHandler(writer(func(p []byte) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				return log.Write(p)
			}), nil))}
	}
	for _, c := range []struct{ name, value, want string }{
		{"Trusted", "s3.amazonaws.com", "deploy WorkerFunction: the role defined for the function cannot be assumed by Lambda"},
		{"Poll", "sqs:ReceiveMessage", "is not authorized to perform: sqs:getqueueattributes"},
	} {
		s, err := Up(t.Context(), config(map[string]string{c.name: c.value}))
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error is %v, want %q", err, c.want)
		}
	}
	s, err := Up(t.Context(), config(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !strings.Contains(written(), "nothing is delivered") && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	if got := written(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "sqs:receivemessage") {
		t.Errorf("the log is %s", got)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func FuzzParseRoles(f *testing.F) {
	f.Add([]byte(`[{"RoleName":"r","AssumeRolePolicyDocument":{"Version":"2012-10-17"},"Policies":[{"PolicyName":"p","PolicyDocument":{}}]}]`))
	f.Add([]byte(`[] []`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		roles, err := parseRoles("roles.json", text)
		if err != nil && (roles != nil || !strings.Contains(err.Error(), "roles.json")) {
			t.Errorf("%v, %v", roles, err)
		}
	})
}
