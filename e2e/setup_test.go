package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/local/iam"
	"sealreel/pkg/pipeline"
)

// pretendedAWS answers as the aws and sam commands would, as far as
// docs/setup.md listens, and notes what it is asked.
const pretendedAWS = `#!/bin/sh
echo "$(basename "$0")" "$@" >> "$CALLS"
case "$*" in
*FunctionRoleArns*) echo arn:aws:iam::111122223333:role/a,arn:aws:iam::111122223333:role/b ;;
*StateBucketName*) echo state-bucket ;;
*IngestBucketName*) echo ingest-bucket ;;
*OutputBucketName*) echo output-bucket ;;
*MediaKeyArn*) echo arn:aws:kms:eu-west-1:111122223333:key/media ;;
*get-caller-identity*) echo 111122223333 ;;
*create-key*) echo arn:aws:kms:eu-west-1:111122223333:key/own ;;
"kms encrypt"*) echo AQIDAHh= ;;
esac
`

// setUp runs the commands of docs/setup.md and returns the folder with what they
// wrote, and the commands that they called.
func setUp(t *testing.T) (dir, calls string) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("the optional program openssl is not installed")
	}
	dir = t.TempDir()
	bin, record := t.TempDir(), filepath.Join(t.TempDir(), "calls")
	for _, name := range []string{"aws", "sam"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(pretendedAWS), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", script(t, dir, fences(t, "../docs/setup.md"), "", ""))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "CALLS="+record)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	made, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	return dir, string(made)
}

// TestDocumentedSetup: the policies of docs/setup.md say what the text says.
func TestDocumentedSetup(t *testing.T) {
	dir, calls := setUp(t)
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	policy := func(name string, parse func([]byte) (*iam.Document, error)) *iam.Policy {
		d, err := parse(read(name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return &iam.Policy{Name: name, Document: d}
	}
	const (
		account  = "111122223333"
		function = "arn:aws:iam::" + account + ":role/a"
		tenant   = "arn:aws:iam::" + account + ":role/sealreel-blue"
		editor   = "arn:aws:iam::" + account + ":role/editors"
		own      = "arn:aws:kms:eu-west-1:" + account + ":key/own"
	)
	key, tenantKey := policy("key-policy.json", iam.ParseResource), policy("tenant-key-policy.json", iam.ParseResource)
	trust, permissions := policy("trust.json", iam.ParseTrust), policy("permissions.json", iam.ParseIdentity)
	assumes := iam.Policy{Name: "assumes", Document: document(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`)}
	context := map[string][]string{"kms:EncryptionContext:service": {"elastictranscoder.amazonaws.com"}}
	for _, c := range []struct {
		what, who        string
		identity         []iam.Policy
		action, resource string
		context          map[string][]string
		policy           *iam.Policy
		kind             iam.Kind
		allowed          bool
	}{
		{"a function unwraps", function, nil, "kms:Decrypt", own, context, key, iam.KMSKey, true},
		{"a function unwraps in no context", function, nil, "kms:Decrypt", own, nil, key, iam.KMSKey, false},
		{"a function wraps", function, nil, "kms:Encrypt", own, context, key, iam.KMSKey, false},
		{"an editor wraps", editor, nil, "kms:Encrypt", own, context, key, iam.KMSKey, true},
		{"another role unwraps", tenant, []iam.Policy{*permissions}, "kms:Decrypt", own, context, key, iam.KMSKey, false},
		{"the tenant unwraps", tenant, []iam.Policy{*permissions}, "kms:Decrypt", own, context, tenantKey, iam.KMSKey, true},
		{"a function unwraps the tenant's", function, nil, "kms:Decrypt", own, context, tenantKey, iam.KMSKey, false},
		{"a function assumes", function, []iam.Policy{assumes}, "sts:AssumeRole", tenant, map[string][]string{"sts:ExternalId": {"1763000000001-bluetv"}}, trust, iam.RoleTrust, true},
		{"for another pipeline", function, []iam.Policy{assumes}, "sts:AssumeRole", tenant, map[string][]string{"sts:ExternalId": {"1763000000000-redkey"}}, trust, iam.RoleTrust, false},
		{"for none", function, []iam.Policy{assumes}, "sts:AssumeRole", tenant, nil, trust, iam.RoleTrust, false},
		{"somebody else assumes", editor, []iam.Policy{assumes}, "sts:AssumeRole", tenant, map[string][]string{"sts:ExternalId": {"1763000000001-bluetv"}}, trust, iam.RoleTrust, false},
		{"the tenant reads", tenant, []iam.Policy{*permissions}, "s3:GetObjectVersion", "arn:aws:s3:::blue-in/a.mp4", nil, nil, iam.AnyResource, true},
		{"the tenant writes", tenant, []iam.Policy{*permissions}, "s3:PutObject", "arn:aws:s3:::blue-out/a.mp4", nil, nil, iam.AnyResource, true},
		{"the tenant writes inputs", tenant, []iam.Policy{*permissions}, "s3:PutObject", "arn:aws:s3:::blue-in/a.mp4", nil, nil, iam.AnyResource, false},
		{"the tenant reads others", tenant, []iam.Policy{*permissions}, "s3:GetObject", "arn:aws:s3:::red-in/a.mp4", nil, nil, iam.AnyResource, false},
	} {
		got := iam.Evaluate(iam.Request{Principal: iam.Principal{ARN: c.who, Account: account, Identity: c.identity},
			Action: c.action, Resource: c.resource, Context: c.context}, c.policy, c.kind)
		if got.Allowed != c.allowed {
			t.Errorf("%s: allowed is %v %s", c.what, got.Allowed, got.Reason)
		}
	}
	for _, name := range []string{"pipeline.json", "tenant.json"} {
		if _, err := pipeline.Parse(read(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, want := range []string{"PipelineRoleArns=" + tenant, "KeyUserArns=" + editor, "--key pipelines/1763000000001-bluetv.json"} {
		if !strings.Contains(calls, want) {
			t.Errorf("no command has %s", want)
		}
	}
}

func document(t *testing.T, text string) *iam.Document {
	t.Helper()
	d, err := iam.ParseIdentity([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}
