package s3

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sealreel/local/iam"
	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/gate"
)

const roleARN = "arn:aws:iam::111122223333:role/worker"

// policed is a server whose caller has a role.
type policed struct {
	*Server
	user, worker *s3.Client
	directory    *iam.Directory
	fakeKeys     *fakeKeys

	mu   sync.Mutex
	seen []Request
}

// fakeKeys is a KMS that notes what it is asked for.
type fakeKeys struct {
	asked  []string
	denies error
}

func (k *fakeKeys) Use(_ gate.Caller, action, keyID string, context map[string]string) (string, error) {
	k.asked = append(k.asked, fmt.Sprintf("%s %s %s", action, keyID, context["aws:s3:arn"]))
	return "arn:of:" + strings.TrimPrefix(keyID, "arn:of:"), k.denies
}

func identity(t *testing.T, statements string) []iam.Policy {
	t.Helper()
	d, err := iam.ParseIdentity([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return []iam.Policy{{Name: "inline", Document: d}}
}

// police starts a server with a bucket "media", a user who may do all and a
// worker that may do what the statements say.
func police(t *testing.T, statements string) *policed {
	t.Helper()
	p := &policed{directory: iam.NewDirectory(), fakeKeys: &fakeKeys{}}
	p.allow(t, statements)
	if err := errors.Join(p.directory.AddUser(testKey, "arn:aws:iam::111122223333:user/me"),
		p.directory.AddFunction("WORKER", "session", roleARN)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	authority, err := OpenAuthority(dir + "/tls")
	if err != nil {
		t.Fatal(err)
	}
	p.Server, err = Open(t.Context(), Config{Dir: dir, AccessKey: testKey, SecretKey: testSecret, TLS: authority,
		Gate: &gate.Gate{Directory: p.directory}, Keys: p.fakeKeys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if err := errors.Join(p.CreateBucket("media", BucketOptions{Versioning: true, AllowSSEC: true}), p.CreateBucket("open", BucketOptions{ACLs: true})); err != nil {
		t.Fatal(err)
	}
	p.OnRequest(func(r Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.seen = append(p.seen, r)
	})
	p.AddAccount("WORKER", "secret")
	p.user, p.worker = clientOf(t, p.Server), p.client(t, "WORKER", "secret", "")
	return p
}

func (p *policed) client(t *testing.T, id, secret, token string) *s3.Client {
	t.Helper()
	return clientOf(t, p.Server, func(o *s3.Options) { o.Credentials = credentials.NewStaticCredentialsProvider(id, secret, token) })
}

func (p *policed) allow(t *testing.T, statements string) {
	t.Helper()
	if err := p.directory.AddRole(iam.Role{ARN: roleARN, Policies: identity(t, statements)}); err != nil {
		t.Fatal(err)
	}
}

// last returns the record of the request that was answered last.
func (p *policed) last(t *testing.T) Request {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) == 0 {
		t.Fatal("no request was recorded")
	}
	return p.seen[len(p.seen)-1]
}

const allowNothing = `{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}`

func granting(actions, resource string) string {
	return fmt.Sprintf(`{"Sid":"S","Effect":"Allow","Action":["%s"],"Resource":["arn:aws:s3:::%s"]}`, strings.ReplaceAll(actions, " ", `","`), resource)
}

// TestOperationsNeedTheirPermission tries each operation with no permission at all, with all that it needs, and with
// each of those missing.
func TestOperationsNeedTheirPermission(t *testing.T) {
	p := police(t, allowNothing)
	first := putBytes(t, p.user, "media", "a", []byte("content"))
	bucket, key, source := aws.String("media"), aws.String("a"), aws.String("media/a")
	etag := first.ETag
	upload := must[*s3.CreateMultipartUploadOutput](t)(p.user.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key}))
	second := must[*s3.CreateMultipartUploadOutput](t)(p.user.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key}))
	ctx, c := t.Context(), p.worker
	for _, test := range []struct {
		name  string
		needs []string // action and resource
		do    func() error
	}{
		{"PutObject", []string{"s3:PutObject media/b"}, func() error {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("b"), Body: strings.NewReader("x")})
			return err
		}},
		{"GetObject", []string{"s3:GetObject media/a"}, func() error {
			_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
			return err
		}},
		{"GetObject of a version", []string{"s3:GetObjectVersion media/a"}, func() error {
			_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, VersionId: first.VersionId})
			return err
		}},
		{"HeadObject", []string{"s3:GetObject media/a"}, func() error {
			_, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
			return err
		}},
		{"GetObjectAttributes", []string{"s3:GetObjectAttributes media/a", "s3:GetObject media/a"}, func() error {
			_, err := c.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: bucket, Key: key,
				ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesEtag}})
			return err
		}},
		{"CopyObject", []string{"s3:PutObject media/c", "s3:GetObject media/a"}, func() error {
			_, err := c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("c"), CopySource: source})
			return err
		}},
		{"PutObjectTagging", []string{"s3:PutObjectTagging media/a"}, func() error {
			_, err := c.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: bucket, Key: key, Tagging: &types.Tagging{TagSet: []types.Tag{}}})
			return err
		}},
		{"GetObjectTagging", []string{"s3:GetObjectTagging media/a"}, func() error {
			_, err := c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key})
			return err
		}},
		{"CreateMultipartUpload", []string{"s3:PutObject media/a"}, func() error {
			_, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
			return err
		}},
		{"UploadPart", []string{"s3:PutObject media/a"}, func() error {
			_, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("p")})
			return err
		}},
		{"UploadPartCopy", []string{"s3:PutObject media/a", "s3:GetObject media/a"}, func() error {
			_, err := c.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(2), CopySource: source})
			return err
		}},
		{"ListParts", []string{"s3:ListMultipartUploadParts media/a"}, func() error {
			_, err := c.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: key, UploadId: upload.UploadId})
			return err
		}},
		{"AbortMultipartUpload", []string{"s3:AbortMultipartUpload media/a"}, func() error {
			_, err := c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: second.UploadId})
			return err
		}},
		{"ListObjectsV2", []string{"s3:ListBucket media"}, func() error {
			_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
			return err
		}},
		{"ListObjectVersions", []string{"s3:ListBucketVersions media"}, func() error {
			_, err := c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket})
			return err
		}},
		{"ListMultipartUploads", []string{"s3:ListBucketMultipartUploads media"}, func() error {
			_, err := c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket})
			return err
		}},
		{"HeadBucket", []string{"s3:ListBucket media"}, func() error {
			_, err := c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: bucket})
			return err
		}},
		{"ListBuckets", []string{"s3:ListAllMyBuckets *"}, func() error {
			_, err := c.ListBuckets(ctx, &s3.ListBucketsInput{})
			return err
		}},
		{"CreateBucket", []string{"s3:CreateBucket more"}, func() error {
			_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("more")})
			return err
		}},
		{"DeleteBucket", []string{"s3:DeleteBucket more"}, func() error {
			_, err := c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("more")})
			return err
		}},
		{"GetBucketVersioning", []string{"s3:GetBucketVersioning media"}, func() error {
			_, err := c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: bucket})
			return err
		}},
		{"GetBucketAcl", []string{"s3:GetBucketAcl media"}, func() error {
			_, err := c.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: bucket})
			return err
		}},
		{"GetBucketEncryption", []string{"s3:GetEncryptionConfiguration media"}, func() error {
			_, err := c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: bucket})
			return err
		}},
		{"PutObject on a condition", []string{"s3:PutObject media/a", "s3:GetObject media/a"}, func() error {
			out, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("y"), IfMatch: etag})
			if err == nil {
				etag = out.ETag
			}
			return err
		}},
		{"PutObject with tags", []string{"s3:PutObject media/a", "s3:PutObjectTagging media/a"}, func() error {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("y"), Tagging: aws.String("a=b")})
			return err
		}},
		{"PutObject with grants", []string{"s3:PutObject open/a", "s3:PutObjectAcl open/a"}, func() error {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("open"), Key: key, Body: strings.NewReader("y"), GrantRead: aws.String(`id="1"`)})
			return err
		}},
		{"CreateMultipartUpload with grants", []string{"s3:PutObject open/a", "s3:PutObjectAcl open/a"}, func() error {
			_, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String("open"), Key: key, GrantRead: aws.String(`id="1"`)})
			return err
		}},
		{"GetObjectAcl", []string{"s3:GetObjectAcl media/a"}, func() error {
			_, err := c.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: bucket, Key: key})
			return err
		}},
		{"GetObjectAcl of a version", []string{"s3:GetObjectVersionAcl media/a"}, func() error {
			_, err := c.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: bucket, Key: key, VersionId: first.VersionId})
			return err
		}},
		{"DeleteObject", []string{"s3:DeleteObject media/b"}, func() error {
			_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("b")})
			return err
		}},
		{"DeleteObject of a version", []string{"s3:DeleteObjectVersion media/a"}, func() error {
			_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key, VersionId: first.VersionId})
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			grant := func(needs []string) {
				all := []string{allowNothing}
				for _, need := range needs {
					action, resource, _ := strings.Cut(need, " ")
					all = append(all, strings.Replace(granting(action, resource), `"Sid":"S",`, "", 1))
				}
				p.allow(t, strings.Join(all, ","))
			}
			for i, need := range test.needs {
				grant(slices.Delete(slices.Clone(test.needs), i, i+1))
				if got := failureOf(t, test.do()); got.status != 403 {
					t.Errorf("without %s: %+v", need, got)
				} else if got.message != "" && got.code != "Forbidden" { // HEAD has no body
					action, resource, _ := strings.Cut(need, " ")
					want := fmt.Sprintf("User: arn:aws:sts::111122223333:assumed-role/worker/session is not authorized to perform: %s on resource: \"arn:aws:s3:::%s\" because no identity-based policy allows the %s action", action, resource, action)
					if got.code != "AccessDenied" || got.message != want {
						t.Errorf("%s: %s, want AccessDenied: %s", got.code, got.message, want)
					}
				}
				if r := p.last(t); !r.Denied {
					t.Errorf("the refusal is not in the record: %+v", r)
				}
			}
			grant(test.needs)
			if err := test.do(); err != nil {
				t.Errorf("with %v: %v", test.needs, err)
			}
			if r := p.last(t); r.Denied || len(r.By) != len(test.needs) {
				t.Errorf("the record is %+v", r.Record)
			}
		})
	}
}

func TestMissingObjectIsToldToThoseWhoMayList(t *testing.T) {
	p := police(t, granting("s3:GetObject", "media/*"))
	bucket, none := aws.String("media"), aws.String("none")
	get := func() error {
		_, err := p.worker.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: none})
		return err
	}
	head := func() error {
		_, err := p.worker.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: none})
		return err
	}
	wantFailure(t, get(), 403, "AccessDenied", `User: arn:aws:sts::111122223333:assumed-role/worker/session is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::media" because no identity-based policy allows the s3:ListBucket action`)
	if got := failureOf(t, head()); got.status != 403 {
		t.Errorf("HEAD: %+v", got)
	}
	p.allow(t, granting("s3:GetObject", "media/*")+","+strings.Replace(granting("s3:ListBucket", "media"), `"S"`, `"Tell"`, 1))
	wantFailure(t, get(), 404, "NoSuchKey")
	if got := failureOf(t, head()); got.status != 404 {
		t.Errorf("HEAD: %+v", got)
	}
	if by := p.last(t).By; len(by) != 2 || by[1].Sid != "Tell" {
		t.Errorf("the record has %+v", by)
	}
}

// TestManyDeletes: what may not be deleted doesn't keep the rest.
func TestManyDeletes(t *testing.T) {
	p := police(t, granting("s3:DeleteObject", "media/mine/*"))
	out := must[*s3.DeleteObjectsOutput](t)(p.worker.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("media"),
		Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("mine/a")}, {Key: aws.String("other")}}}}))
	if len(out.Deleted) != 1 || len(out.Errors) != 1 || aws.ToString(out.Errors[0].Code) != "AccessDenied" || aws.ToString(out.Errors[0].Key) != "other" {
		t.Errorf("deleted %+v, errors %+v", out.Deleted, out.Errors)
	}
}

// TestFactsOfARequest: what conditions see of it.
func TestFactsOfARequest(t *testing.T) {
	p := police(t, allowNothing)
	bucket, key := aws.String("media"), aws.String("k")
	put := func(change func(*s3.PutObjectInput)) error {
		in := &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x")}
		change(in)
		_, err := p.worker.PutObject(t.Context(), in)
		return err
	}
	list := func(prefix string) error {
		_, err := p.worker.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket, Prefix: &prefix})
		return err
	}
	plain := func(*s3.PutObjectInput) {}
	for name, test := range map[string]struct {
		condition string
		good, bad func() error
	}{
		"method": {`"StringEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}`,
			func() error { return put(func(in *s3.PutObjectInput) { in.ServerSideEncryption = "aws:kms" }) }, func() error { return put(plain) }},
		"key": {`"StringEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"k1"}`,
			func() error {
				return put(func(in *s3.PutObjectInput) { in.ServerSideEncryption, in.SSEKMSKeyId = "aws:kms", aws.String("k1") })
			},
			func() error {
				return put(func(in *s3.PutObjectInput) { in.ServerSideEncryption, in.SSEKMSKeyId = "aws:kms", aws.String("k2") })
			}},
		"customer's key": {`"Null":{"s3:x-amz-server-side-encryption-customer-algorithm":"false"}`,
			func() error { return put(func(in *s3.PutObjectInput) { newTrio().put(in) }) }, func() error { return put(plain) }},
		"creation only": {`"Null":{"s3:if-none-match":"false"},"Bool":{"s3:ObjectCreationOperation":"true"}`,
			func() error {
				return put(func(in *s3.PutObjectInput) { in.IfNoneMatch, in.Key = aws.String("*"), aws.String("new") })
			},
			func() error { return put(plain) }},
		"prefix": {`"StringLike":{"s3:prefix":"jobs/*"}`, func() error { return list("jobs/a") }, func() error { return list("other/") }},
		"secure": {`"Bool":{"aws:SecureTransport":"true"},"NumericGreaterThanEquals":{"s3:TlsVersion":"1.2"}`,
			func() error { return put(plain) }, nil},
		"insecure": {`"Bool":{"aws:SecureTransport":"false"}`, nil, func() error { return put(plain) }},
	} {
		p.allow(t, `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{`+test.condition+`}}`)
		if test.good != nil {
			if err := test.good(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if test.bad != nil {
			if got := failureOf(t, test.bad()); got.status != 403 {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
}

// TestBucketPolicy: it admits and it denies, the user too.
func TestBucketPolicy(t *testing.T) {
	p := police(t, allowNothing)
	d, err := iam.ParseResource([]byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"` + roleARN + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::media/open/*"},
		{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::media/*","Condition":{"Null":{"s3:x-amz-server-side-encryption-customer-algorithm":"true"}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	putBytes(t, p.user, "media", "open/a", []byte("content"))
	p.SetBucketPolicy("media", &iam.Policy{Name: "media", Document: d})
	if got := getBytes(t, p.worker, "media", "open/a"); string(got) != "content" {
		t.Errorf("got %q", got)
	}
	_, err = p.user.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("media"), Key: aws.String("b"), Body: strings.NewReader("x")})
	wantFailure(t, err, 403, "AccessDenied", `User: arn:aws:iam::111122223333:user/me is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::media/b" with an explicit deny in a resource-based policy`)
}

// TestSessions: a session needs its token and ends in time.
func TestSessions(t *testing.T) {
	p := police(t, granting("s3:GetObject s3:ListBucket", "media/*"))
	putBytes(t, p.user, "media", "a", []byte("content"))
	issue := func(d time.Duration) iam.Credentials {
		c, err := p.directory.Issue(iam.Session{Role: roleARN, Name: "job", Duration: d})
		if err != nil {
			t.Fatal(err)
		}
		p.AddAccount(c.AccessKeyID, c.SecretAccessKey)
		return c
	}
	get := func(id, secret, token string) error {
		_, err := p.client(t, id, secret, token).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("media"), Key: aws.String("a")})
		return err
	}
	good, old := issue(time.Hour), issue(-time.Minute)
	if err := get(good.AccessKeyID, good.SecretAccessKey, good.SessionToken); err != nil {
		t.Error(err)
	}
	wantFailure(t, get(good.AccessKeyID, good.SecretAccessKey, ""), 400, "InvalidToken")
	wantFailure(t, get(good.AccessKeyID, good.SecretAccessKey, old.SessionToken), 400, "InvalidToken")
	wantFailure(t, get(old.AccessKeyID, old.SecretAccessKey, old.SessionToken), 400, "ExpiredToken")
	wantFailure(t, get(good.AccessKeyID, "another secret", good.SessionToken), 403, "SignatureDoesNotMatch")
}

// TestKeysAreAskedFor: SSE-KMS asks KMS in the caller's name and passes its refusals on.
func TestKeysAreAskedFor(t *testing.T) {
	p := police(t, allowNothing)
	bucket, key := aws.String("media"), aws.String("k")
	in := func(bucketKey bool) *s3.PutObjectInput {
		return &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x"), ServerSideEncryption: "aws:kms", SSEKMSKeyId: aws.String("id"), BucketKeyEnabled: &bucketKey}
	}
	expect := func(want ...string) {
		t.Helper()
		if !slices.Equal(p.fakeKeys.asked, want) {
			t.Errorf("KMS was asked for %q, want %q", p.fakeKeys.asked, want)
		}
		p.fakeKeys.asked = nil
	}
	out := must[*s3.PutObjectOutput](t)(p.user.PutObject(t.Context(), in(false)))
	if aws.ToString(out.SSEKMSKeyId) != "arn:of:id" {
		t.Errorf("the answer names the key %s", aws.ToString(out.SSEKMSKeyId))
	}
	expect("GenerateDataKey id arn:aws:s3:::media/k")
	getBytes(t, p.user, "media", "k")
	expect("Decrypt arn:of:id arn:aws:s3:::media/k")
	must[*s3.PutObjectOutput](t)(p.user.PutObject(t.Context(), in(true)))
	expect("GenerateDataKey id arn:aws:s3:::media")
	must[*s3.HeadObjectOutput](t)(p.user.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: key}))
	expect()
	must[*s3.HeadObjectOutput](t)(p.user.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: key, ChecksumMode: "ENABLED"}))
	expect("Decrypt arn:of:id arn:aws:s3:::media")
	upload := must[*s3.CreateMultipartUploadOutput](t)(p.user.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key, ServerSideEncryption: "aws:kms", SSEKMSKeyId: aws.String("id")}))
	must[*s3.UploadPartOutput](t)(p.user.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("p")}))
	expect("GenerateDataKey id arn:aws:s3:::media/k", "Decrypt arn:of:id arn:aws:s3:::media/k")

	p.fakeKeys.denies = &awsjson.Error{Type: "NotFoundException", Message: "Invalid arn eu-west-1"}
	_, err := p.user.PutObject(t.Context(), in(false))
	wantFailure(t, err, 400, "KMS.NotFoundException", "Invalid arn eu-west-1")
	p.fakeKeys.denies = &awsjson.Error{Type: "AccessDeniedException", Message: "not you"}
	_, err = p.user.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
	wantFailure(t, err, 403, "AccessDenied", "not you")
}
