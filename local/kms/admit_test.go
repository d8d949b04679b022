package kms

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"sealreel/local/iam"
	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/gate"
)

const workerARN = "arn:aws:iam::" + testAccount + ":role/worker"

// policed is a server with a key, a user who may do all, and WORKER, which
// may do what its role's policy and the key's say.
type policed struct {
	*Server
	user, worker *client
	directory    *iam.Directory
	key          string // ARN

	mu   sync.Mutex
	seen []Request
}

// last returns the record of the request that was answered last.
func (p *policed) last() Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[len(p.seen)-1]
}

func police(t *testing.T, identity string) *policed {
	t.Helper()
	p := &policed{directory: iam.NewDirectory()}
	p.allow(t, identity)
	if err := errors.Join(p.directory.AddFunction("WORKER", "session", workerARN),
		p.directory.AddUser(testKey, "arn:aws:iam::"+testAccount+":user/me")); err != nil {
		t.Fatal(err)
	}
	var err error
	p.Server, err = Open(Config{Dir: t.TempDir(), Region: testRegion, Account: testAccount, Known: func(string) bool { return true },
		Gate: &gate.Gate{Directory: p.directory}, OnRequest: func(r Request) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.seen = append(p.seen, r)
		}})
	if err != nil {
		t.Fatal(err)
	}
	if p.key, err = p.EnsureKey("alias/media", ""); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(p.Server)
	t.Cleanup(web.Close)
	p.user, p.worker = newClient(web.URL), newClient(web.URL)
	worker := p.worker.Options()
	worker.Credentials = credentials.NewStaticCredentialsProvider("WORKER", "secret", "")
	p.worker.Client = kms.New(worker)
	return p
}

func (p *policed) allow(t *testing.T, statement string) {
	t.Helper()
	d, err := iam.ParseIdentity([]byte(`{"Version":"2012-10-17","Statement":[` + statement + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.directory.AddRole(iam.Role{ARN: workerARN, Policies: []iam.Policy{{Name: "p", Document: d}}}); err != nil {
		t.Fatal(err)
	}
}

const (
	nothing    = `{"Effect":"Deny","Action":"kms:CancelKeyDeletion","Resource":"*"}`
	everything = `{"Sid":"Own","Effect":"Allow","Action":"kms:*","Resource":"*"}`
)

func toWorker(rest string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"Key","Effect":"Allow","Principal":{"AWS":"` + workerARN + `"},"Resource":"*",` + rest + `}]}`
}

// TestKeyPolicy: the key's policy decides; the default one leaves it to the
// caller's.
func TestKeyPolicy(t *testing.T) {
	p := police(t, nothing)
	context := map[string]string{"service": "x"}
	blob := p.user.seal(t, p.key, "key", context)
	decrypt := func() error {
		_, err := p.worker.open(blob, context)
		return err
	}
	refused := func(reason string) {
		t.Helper()
		err := decrypt()
		wantCode(t, err, "AccessDeniedException")
		want := "User: arn:aws:sts::" + testAccount + ":assumed-role/worker/session is not authorized to perform: kms:Decrypt on resource: " + p.key + " " + reason
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
		if r := p.last(); !r.Denied || r.KeyARN != p.key || r.Status != 400 {
			t.Errorf("the record is %+v", r)
		}
	}
	allowed := func(sids string) {
		t.Helper()
		if err := decrypt(); err != nil {
			t.Error(err)
		}
		var by []string
		for _, g := range p.last().By {
			by = append(by, g.Sid)
		}
		if got := strings.Join(by, " "); got != sids {
			t.Errorf("allowed by %q, want %q", got, sids)
		}
	}
	refused("because no identity-based policy allows the kms:Decrypt action")
	p.allow(t, everything)
	allowed("Own Enable IAM User Permissions")

	if err := p.SetKeyPolicy(p.key, toWorker(`"Action":"kms:Encrypt"`)); err != nil {
		t.Fatal(err)
	}
	refused("because no resource-based policy allows the kms:Decrypt action")
	p.allow(t, nothing)
	if err := p.SetKeyPolicy(p.key, toWorker(`"Action":"kms:Decrypt","Condition":{"StringEquals":{"kms:EncryptionContext:service":"x"},"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["service"]}}`)); err != nil {
		t.Fatal(err)
	}
	allowed("Key")
	if err := p.SetKeyPolicy(p.key, toWorker(`"Action":"kms:Decrypt","Condition":{"StringEquals":{"kms:EncryptionContext:service":"y"}}`)); err != nil {
		t.Fatal(err)
	}
	refused("because no resource-based policy allows the kms:Decrypt action")
	if err := p.SetKeyPolicy(p.key, ""); err != nil {
		t.Fatal(err)
	}
	refused("because no identity-based policy allows the kms:Decrypt action")
}

// TestActionsNeedTheirPermission denies each action by name.
func TestActionsNeedTheirPermission(t *testing.T) {
	p := police(t, everything)
	blob := p.user.seal(t, p.key, "key", nil)
	id, ctx, c := &p.key, t.Context(), p.worker
	for _, test := range []struct {
		permission string
		do         func() error
	}{
		{"Encrypt", func() error {
			_, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte("x")})
			return err
		}},
		{"Decrypt", func() error { _, err := c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blob}); return err }},
		{"Decrypt", func() error { _, err := c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blob, KeyId: id}); return err }},
		{"ReEncryptFrom", func() error {
			_, err := c.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: id})
			return err
		}},
		{"ReEncryptTo", func() error {
			_, err := c.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: id})
			return err
		}},
		{"GenerateDataKey", func() error {
			_, err := c.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: id, KeySpec: types.DataKeySpecAes256})
			return err
		}},
		{"GenerateDataKeyWithoutPlaintext", func() error {
			_, err := c.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: id, KeySpec: types.DataKeySpecAes256})
			return err
		}},
		{"GenerateRandom", func() error {
			_, err := c.GenerateRandom(ctx, &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(1)})
			return err
		}},
		{"CreateKey", func() error { _, err := c.CreateKey(ctx, &kms.CreateKeyInput{}); return err }},
		{"CreateAlias", func() error {
			_, err := c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/more"), TargetKeyId: id})
			return err
		}},
		{"ListKeys", func() error { _, err := c.ListKeys(ctx, &kms.ListKeysInput{}); return err }},
		{"ListAliases", func() error { _, err := c.ListAliases(ctx, &kms.ListAliasesInput{}); return err }},
		{"DescribeKey", func() error { _, err := c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id}); return err }},
		{"GetKeyPolicy", func() error { _, err := c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id}); return err }},
		{"PutKeyPolicy", func() error {
			_, err := c.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: id, Policy: aws.String(fmt.Sprintf(defaultPolicy, testAccount))})
			return err
		}},
		{"DisableKey", func() error { _, err := c.DisableKey(ctx, &kms.DisableKeyInput{KeyId: id}); return err }},
		{"EnableKey", func() error { _, err := c.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id}); return err }},
	} {
		p.allow(t, everything+`,{"Effect":"Deny","Action":"kms:`+test.permission+`","Resource":"*"}`)
		wantCode(t, test.do(), "AccessDeniedException")
		p.allow(t, everything)
		if err := test.do(); err != nil {
			t.Errorf("%s: %v", test.permission, err)
		}
	}
}

// TestThrough: what S3 asks in a caller's name.
func TestThrough(t *testing.T) {
	p := police(t, nothing)
	s3, caller := p.Through("s3"), gate.Caller{AccessKeyID: "WORKER"}
	context := map[string]string{"aws:s3:arn": "arn:aws:s3:::media/a"}
	code := func(err error) string {
		var e *awsjson.Error
		if !errors.As(err, &e) {
			return fmt.Sprint(err)
		}
		return e.Code()
	}
	_, err := s3.Use(caller, "Decrypt", p.key, context)
	if code(err) != "AccessDeniedException" {
		t.Errorf("without a grant: %v", err)
	}
	policy := `"Action":"kms:Decrypt","Condition":{"StringEquals":{"kms:ViaService":"s3.` + testRegion + `.amazonaws.com"},"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::media/*"}}`
	if err := p.SetKeyPolicy(p.key, toWorker(policy)); err != nil {
		t.Fatal(err)
	}
	arn, err := s3.Use(caller, "Decrypt", "alias/media", context)
	if err != nil || arn != p.key {
		t.Errorf("%s, %v", arn, err)
	}
	if r := p.last(); r.Service != "s3."+testRegion+".amazonaws.com" || r.AccessKeyID != "WORKER" || r.KeyARN != p.key || len(r.By) != 1 {
		t.Errorf("the record is %+v", r)
	}
	blob := p.user.seal(t, p.key, "key", context)
	_, err = p.worker.open(blob, context) // the same, but not through S3
	wantCode(t, err, "AccessDeniedException")
	for id, want := range map[string]string{
		"arn:aws:kms:us-west-2:" + testAccount + ":key/x": "NotFoundException: Invalid arn us-west-2",
		"none": "NotFoundException: Key '" + p.arn("key/none") + "' does not exist",
	} {
		if _, err := s3.Use(caller, "Decrypt", id, context); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", id, err, want)
		}
	}
	for _, id := range []string{"alias/aws/s3", p.arn("alias/aws/s3")} {
		if arn, err := s3.Use(caller, "GenerateDataKey", id, context); err != nil || arn != p.arn("alias/aws/s3") {
			t.Errorf("the managed key: %s, %v", arn, err)
		}
	}
	if _, err := s3.Use(caller, "CreateGrant", "alias/aws/s3", context); code(err) != "AccessDeniedException" {
		t.Errorf("the managed key lets through what it should not: %v", err)
	}
	if _, err := p.user.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &p.key}); err != nil {
		t.Fatal(err)
	}
	if _, err := s3.Use(caller, "Decrypt", p.key, context); code(err) != "DisabledException" {
		t.Errorf("a disabled key: %v", err)
	}
}

func TestPoliciesAreKept(t *testing.T) {
	dir := t.TempDir()
	c := serve(t, open(t, dir, nil))
	policy := toWorker(`"Action":"kms:Decrypt"`)
	made, err := c.CreateKey(t.Context(), &kms.CreateKeyInput{Policy: &policy})
	if err != nil {
		t.Fatal(err)
	}
	plain := c.key(t)
	c = serve(t, open(t, dir, nil))
	for id, want := range map[string]string{*made.KeyMetadata.KeyId: policy, plain: fmt.Sprintf(defaultPolicy, testAccount)} {
		got, err := c.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &id})
		if err != nil || *got.Policy != want || *got.PolicyName != "default" || !json.Valid([]byte(*got.Policy)) {
			t.Errorf("policy is %+v, %v; want %s", got, err, want)
		}
	}
	for _, bad := range []string{"{", `{"Version":"2012-10-17","Statement":[]}`, strings.Repeat(" ", maxPolicy+1)} {
		_, err := c.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &plain, Policy: &bad})
		if code := "MalformedPolicyDocumentException"; len(bad) <= maxPolicy {
			wantCode(t, err, code)
		} else {
			wantCode(t, err, "ValidationException")
		}
	}
	_, err = c.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &plain, PolicyName: aws.String("other")})
	wantCode(t, err, "NotFoundException")
}
