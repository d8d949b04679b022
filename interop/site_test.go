// Package interop holds mode s3-encryption-client against AWS's own S3 Encryption
// Client, version 3 of the one for Go: what one writes, the other reads, over the
// embedded S3 and KMS. It is a module of its own, so that nothing else depends on
// that client.
package interop

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/aws/amazon-s3-encryption-client-go/v3/client"
	"github.com/aws/amazon-s3-encryption-client-go/v3/materials"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	localkms "sealreel/local/kms"
	locals3 "sealreel/local/s3"
	"sealreel/pkg/job"
	"sealreel/pkg/kmskeys"
	"sealreel/pkg/plan"
	"sealreel/pkg/s3store"
	"sealreel/pkg/vault"
)

const (
	bucket    = "media"
	accessKey = "AKIDINTEROP"
	region    = "us-east-1"
)

// transcoder is the pipelines' default encryption context.
var transcoder = map[string]string{"service": "elastictranscoder.amazonaws.com"}

// site is the one S3 and KMS of all tests.
var site struct {
	keyARN, otherARN    string
	objectsURL, keysURL string
	aws                 aws.Config
	objects             *s3.Client
	keys                *kms.Client
	vault               *vault.Vault
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sealreel-interop-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	keys, err := localkms.Open(localkms.Config{Dir: dir + "/kms", Region: region, Account: "123456789012", Known: func(id string) bool { return id == accessKey }})
	if err != nil {
		panic(err)
	}
	web := httptest.NewServer(keys)
	defer web.Close()
	objects, err := locals3.Open(context.Background(), locals3.Config{Dir: dir + "/s3", AccessKey: accessKey, SecretKey: "secret"})
	if err != nil {
		panic(err)
	}
	defer objects.Close()
	if err := objects.CreateBucket(bucket, locals3.BucketOptions{Versioning: true}); err != nil {
		panic(err)
	}
	for alias, arn := range map[string]*string{"alias/ours": &site.keyARN, "alias/other": &site.otherARN} {
		if *arn, err = keys.EnsureKey(alias, ""); err != nil {
			panic(err)
		}
	}
	site.aws = aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider(accessKey, "secret", ""), HTTPClient: &http.Client{}}
	site.objectsURL, site.keysURL = objects.URL(), web.URL
	s3Config, kmsConfig := site.aws.Copy(), site.aws.Copy()
	s3Config.BaseEndpoint, kmsConfig.BaseEndpoint = aws.String(objects.URL()), &web.URL
	site.objects = s3.NewFromConfig(s3Config, func(o *s3.Options) { o.UsePathStyle = true })
	site.keys = kms.NewFromConfig(kmsConfig)
	site.vault = vault.New(s3store.New(s3Config, s3store.Options{PartSize: 5 << 20}), kmskeys.New(kmsConfig), bucket, nil)
	return m.Run()
}

// theirs is AWS's client over a KMS key.
func theirs(t *testing.T, keyARN string) *client.S3EncryptionClientV3 {
	t.Helper()
	manager, err := materials.NewCryptographicMaterialsManager(materials.NewKmsKeyring(site.keys, keyARN))
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(site.objects, manager)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// theyWrite stores content by AWS's client under the encryption context.
func theyWrite(t *testing.T, keyARN string, pairs map[string]string, content []byte) (key string) {
	t.Helper()
	key = strings.ReplaceAll(t.Name(), "#", "-")
	ctx := context.WithValue(t.Context(), client.EncryptionContext, pairs)
	if _, err := theirs(t, keyARN).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: bytes.NewReader(content)}); err != nil {
		t.Fatal(err)
	}
	return key
}

func theyRead(t *testing.T, keyARN, key string) ([]byte, error) {
	t.Helper()
	out, err := theirs(t, keyARN).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

// session is a job's, in a pipeline with the context.
func session(t *testing.T, keyARN string, pairs map[string]string) *vault.Session {
	t.Helper()
	s, err := site.vault.Open(t.Context(), plan.Keys{KeyARN: keyARN, WorkKeyARN: keyARN, Context: pairs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// asked is the element that asks for the mode.
func asked() *job.Encryption { return &job.Encryption{Mode: job.ModeS3EC} }

// raw is an object as it is stored, with its metadata.
func raw(t *testing.T, key string) ([]byte, map[string]string) {
	t.Helper()
	out, err := site.objects.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b, out.Metadata
}

// put stores an object as it is.
func put(t *testing.T, key string, body []byte, metadata map[string]string) {
	t.Helper()
	if _, err := site.objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: bytes.NewReader(body), Metadata: metadata}); err != nil {
		t.Fatal(err)
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	rng.Read(b)
	return b
}
