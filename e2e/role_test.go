package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"sealreel/local/stack"
	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/object"
	"sealreel/pkg/role"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
	"sealreel/pkg/stsrole"
)

// pipelineRoles are the roles that the stack lets its functions assume
// (PipelineRoleArns).
var pipelineRoles = []string{"tenant-a", "tenant-b", "closed", "another-pipelines", "herald", "sharing"}

func roleARN(name string) string { return "arn:aws:iam::" + stack.Account + ":role/" + name }

// tenant is somebody with a role, a key and a pipeline of their own. Its files
// have names that begin with its own.
type tenant struct {
	name, role, pipeline, keyARN string
	external                     string // what the role's trust demands
	ring                         *seal.Keyring
}

// newTenant makes the role, which may do anything under the tenant's names and
// trusts the functions on behalf of one pipeline.
func newTenant(t *testing.T, roleName, pipelineID, externalID string) tenant {
	t.Helper()
	a := tenant{name: unique(t), role: roleARN(roleName), pipeline: pipelineID}
	a.keyARN = newKey(t, a.role)
	a.ring = seal.NewKeyring(kmskeys.New(site.aws), a.keyARN, elasticContext)
	t.Cleanup(a.ring.Close)
	a.external = externalID
	a.grant(t)
	document, err := json.Marshal(map[string]any{"Id": pipelineID, "Name": roleName, "Role": a.role,
		"InputBucket": site.ingest, "OutputBucket": site.output, "AwsKmsKeyArn": a.keyARN,
		"Sealreel": map[string]any{"Drop": map[string]any{"Prefix": a.name + "/", "Template": map[string]any{
			"Outputs": []any{map[string]any{"Key": "{prefix}{stem}/web.mp4", "PresetId": systemPreset + "000040"}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := site.store.Create(t.Context(), site.state, "pipelines/"+pipelineID+".json", document); err != nil {
		t.Fatal(err)
	}
	return a
}

// grant lets the tenant's role do anything under the tenant's names, and more. It
// trusts whom the account lets: so the functions' own policies count, too.
func (a tenant) grant(t *testing.T, more ...any) {
	t.Helper()
	media := []any{allow([]string{"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"},
		"arn:aws:s3:::"+site.ingest+"/"+a.name+"/*", "arn:aws:s3:::"+site.output+"/"+a.name+"/*"),
		allow([]string{"s3:ListBucket"}, "arn:aws:s3:::"+site.ingest, "arn:aws:s3:::"+site.output)}
	addRole(t, a.role[strings.LastIndexByte(a.role, '/')+1:], map[string]any{"AWS": "arn:aws:iam::" + stack.Account + ":root"},
		map[string]any{"StringEquals": map[string]any{"sts:ExternalId": a.external}}, append(media, more...)...)
}

func allow(actions []string, resources ...string) map[string]any {
	return map[string]any{"Effect": "Allow", "Action": actions, "Resource": resources}
}

func addRole(t *testing.T, name string, trusted, condition map[string]any, statements ...any) {
	t.Helper()
	trust := map[string]any{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
	if condition != nil {
		trust["Condition"] = condition
	}
	policy := func(statements ...any) json.RawMessage {
		text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if _, err := site.AddRole(stack.Role{RoleName: name, AssumeRolePolicyDocument: policy(trust),
		Policies: []stack.RolePolicy{{PolicyName: "media", PolicyDocument: policy(statements...)}}}); err != nil {
		t.Fatal(err)
	}
}

// newKey makes a KMS key that only the role may use, and only in Elastic
// Transcoder's context.
func newKey(t *testing.T, roleARN string) string {
	t.Helper()
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Sid": "Administer", "Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + stack.Account + ":root"},
			"Action": []string{"kms:DescribeKey", "kms:PutKeyPolicy"}, "Resource": "*"},
		map[string]any{"Sid": "Use", "Effect": "Allow", "Principal": map[string]any{"AWS": roleARN},
			"Action": []string{"kms:Decrypt", "kms:GenerateDataKey"}, "Resource": "*",
			"Condition": map[string]any{"StringEquals": map[string]any{"kms:EncryptionContext:service": elasticContext["service"]}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	made, err := kms.NewFromConfig(site.aws).CreateKey(t.Context(), &kms.CreateKeyInput{Policy: aws.String(string(policy))})
	if err != nil {
		t.Fatal(err)
	}
	return *made.KeyMetadata.Arn
}

// drop uploads a film under the tenant's key and asks for a job that seals what
// it makes.
func (a tenant) drop(t *testing.T, input, output string, key job.Encryption) string {
	t.Helper()
	req := sealedFile(input, output, &key)
	req.PipelineID = a.pipeline
	return submit(t, req)
}

func (a tenant) upload(t *testing.T, body []byte) (key string, e job.Encryption) {
	t.Helper()
	e, err := a.ring.Generate(t.Context(), job.ModeSSEC)
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.ring.Unwrap(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	key = a.name + "/in.mp4"
	if _, err := site.store.Upload(t.Context(), s3store.UploadTarget{Bucket: site.ingest, Key: key, Material: m}, bytes.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	return key, e
}

// TestJobsUnderTheirPipelinesRole: the media and keys of a pipeline with a role
// are touched under that role and under no other, in sessions of the job that
// touch nothing else; and one tenant's job can't reach another's media or key.
func TestJobsUnderTheirPipelinesRole(t *testing.T) {
	a := newTenant(t, "tenant-a", "1762992000000-tenana", "1762992000000-tenana")
	b := newTenant(t, "tenant-b", "1762992000000-tenanb", "1762992000000-tenanb")
	body := read(t, brief(t))
	input, key := a.upload(t, body)
	theirs, theirKey := b.upload(t, body)

	id := a.drop(t, input, a.name+"/", key)
	rec := completed(t, id)
	m, err := a.ring.Unwrap(t.Context(), *rec.Job.Outputs[0].Encryption)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := site.store.Head(t.Context(), s3store.Object{Bucket: site.output, Key: a.name + "/web.mp4"}, m); err != nil || info.Size == 0 {
		t.Errorf("the output: %+v, %v", info, err)
	}
	for what, c := range map[string]struct {
		id   string
		code string
	}{
		"another's file":           {a.drop(t, theirs, a.name+"/1/", key), "3003 "},
		"a place of another":       {a.drop(t, input, b.name+"/2/", key), "3004 "},
		"a key wrapped by another": {a.drop(t, input, a.name+"/3/", theirKey), "4018 "},
	} {
		if rec := ended(t, c.id); rec.Job.Status != job.Error || !strings.HasPrefix(rec.Job.Outputs[0].StatusDetail, c.code) {
			t.Errorf("%s: %s, %s", what, rec.Job.Status, details(rec))
		}
	}
	if made := append(keys(t, b.name), keys(t, a.name+"/")...); !slices.Equal(made, []string{a.name + "/web.mp4"}) {
		t.Errorf("made %q", made)
	}
	checkSessions(t, a, id, input)
}

// checkSessions looks at all that functions did with the tenant's things.
func checkSessions(t *testing.T, a tenant, id, input string) {
	t.Helper()
	site.mu.Lock()
	defer site.mu.Unlock()
	under := 0
	for _, r := range site.calls {
		if !strings.HasSuffix(r.Caller, "Function") {
			continue
		}
		media := strings.HasPrefix(r.Resource, site.ingest+"/"+a.name+"/") || strings.HasPrefix(r.Resource, site.output+"/"+a.name+"/")
		if (media || r.Resource == a.keyARN) && r.RoleARN != a.role {
			t.Errorf("%s did %s on %s as %s", r.Caller, r.Action, r.Resource, r.RoleARN)
		}
		if !strings.HasSuffix(r.Session, "/sealreel-"+id) {
			continue
		}
		under++
		if r.Action == "s3:ListBucket" { // whether a missing object may be known to be missing
			continue
		}
		if r.Resource != site.ingest+"/"+input && r.Resource != site.output+"/"+a.name+"/web.mp4" && r.Resource != a.keyARN || r.Denied {
			t.Errorf("the job's session did %s on %s, denied: %v", r.Action, r.Resource, r.Denied)
		}
	}
	if under < 6 {
		t.Errorf("only %d requests under the role", under)
	}
}

// TestRolesThatCannotBeAssumed: such a pipeline's jobs end in error 2000, and
// nothing is done with the functions' own rights instead.
func TestRolesThatCannotBeAssumed(t *testing.T) {
	body := read(t, brief(t))
	for name, a := range map[string]tenant{
		"it trusts nobody":           newTenantTrusting(t, "closed", "1762992000000-shuttd"),
		"it trusts another pipeline": newTenant(t, "another-pipelines", "1762992000000-stranr", "1762992000000-tenana"),
		"the stack doesn't list it":  missing(t, "1762992000000-nolist"),
	} {
		input, key := a.upload(t, body)
		rec := ended(t, a.drop(t, input, a.name+"/", key))
		detail := rec.Job.Outputs[0].StatusDetail
		if rec.Job.Status != job.Error || !strings.HasPrefix(detail, "2000 ") || !strings.Contains(detail, a.role) || !strings.Contains(detail, "PipelineRoleArns") {
			t.Errorf("%s: %s, %s", name, rec.Job.Status, details(rec))
		}
		if made := keys(t, a.name); len(made) > 0 {
			t.Errorf("%s: made %q", name, made)
		}
	}
}

// newTenantTrusting is a tenant whose role trusts an account that isn't there.
func newTenantTrusting(t *testing.T, roleName, pipelineID string) tenant {
	t.Helper()
	a := newTenant(t, roleName, pipelineID, pipelineID)
	addRole(t, roleName, map[string]any{"AWS": "arn:aws:iam::999988887777:root"}, nil, allow([]string{"s3:GetObject"}, "arn:aws:s3:::"+site.ingest+"/*"))
	return a
}

// missing is a tenant whose role there isn't.
func missing(t *testing.T, pipelineID string) tenant {
	t.Helper()
	a := tenant{name: unique(t), role: roleARN("nobody"), pipeline: pipelineID, keyARN: site.keyARN, ring: keyring(t)}
	document := fmt.Sprintf(`{"Id":%q,"Name":"m","Role":%q,"InputBucket":%q,"OutputBucket":%q,"AwsKmsKeyArn":%q}`, pipelineID, a.role, site.ingest, site.output, a.keyARN)
	if err := site.store.Create(t.Context(), site.state, "pipelines/"+pipelineID+".json", []byte(document)); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestSessionsReachNothingElse takes on a role that may do anything, as a
// function does for one job, and tries what the job has no need of.
func TestSessionsReachNothingElse(t *testing.T) {
	name := unique(t)
	addRole(t, "mighty", map[string]any{"AWS": "arn:aws:iam::" + stack.Account + ":root"}, nil,
		allow([]string{"s3:*"}, "*"), allow([]string{"kms:*"}, "*"))
	for _, key := range []string{name + "/mine", name + "/mine.not", name + "/yours"} {
		if _, err := site.store.Upload(t.Context(), s3store.UploadTarget{Bucket: site.ingest, Key: key}, strings.NewReader("film")); err != nil {
			t.Fatal(err)
		}
	}
	keyARN := newKey(t, roleARN("mighty"))
	session, err := stsrole.New(site.aws).Assume(t.Context(), role.Role{ARN: roleARN("mighty"), ExternalID: "1762992000000-mighty", Session: "sealreel-" + name,
		Reads: []role.Place{{Bucket: site.ingest, Name: name + "/mine"}}, Writes: []role.Place{{Bucket: site.output, Name: name + "/mine"}}},
		role.Keys{ARN: keyARN, Context: elasticContext})
	if err != nil {
		t.Fatal(err)
	}
	store, service := site.store.As(session), kmskeys.New(site.aws).As(session)
	put := func(bucket, key string) error {
		_, err := store.Upload(t.Context(), s3store.UploadTarget{Bucket: bucket, Key: key}, strings.NewReader("film"))
		return err
	}
	get := func(bucket, key string) error {
		info, err := store.Head(t.Context(), s3store.Object{Bucket: bucket, Key: key}, nil)
		if err != nil {
			return err
		}
		r, err := store.ReadRange(t.Context(), s3store.Object{Bucket: bucket, Key: key, VersionID: info.VersionID}, nil, 0, info.Size)
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(io.Discard, r)
		return err
	}
	generate := func(arn string, context map[string]string) error {
		_, _, err := service.Generate(t.Context(), arn, 16, context)
		return err
	}
	for what, c := range map[string]struct {
		err     error
		allowed bool
	}{
		"the job's input":            {get(site.ingest, name+"/mine"), true},
		"a name that begins like it": {get(site.ingest, name+"/mine.not"), false},
		"another input":              {get(site.ingest, name+"/yours"), false},
		"an output":                  {put(site.output, name+"/mine/a.ts"), true},
		"its own output again":       {get(site.output, name+"/mine/a.ts"), true},
		"another's output":           {put(site.output, name+"/yours.ts"), false},
		"an input to be overwritten": {put(site.ingest, name+"/mine2"), false},
		"the state of jobs":          {get(site.state, "pipelines/"+site.pipeline+".json"), false},
		"an output to be deleted":    {store.Delete(t.Context(), site.output, name+"/mine/a.ts"), false},
		"the pipeline's key":         {generate(keyARN, elasticContext), true},
		"the key in another context": {generate(keyARN, map[string]string{"service": "other"}), false},
		"another key":                {generate(site.keyARN, elasticContext), false},
	} {
		denied := errors.Is(c.err, object.ErrAccess) || errors.Is(c.err, seal.ErrAccess)
		if c.allowed != (c.err == nil) || !c.allowed && !denied {
			t.Errorf("%s: %v", what, c.err)
		}
	}
}
