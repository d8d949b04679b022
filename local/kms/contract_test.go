package kms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"sealreel/local/internal/moto"
)

const (
	testRegion  = "eu-west-1"
	testAccount = "123456789012"
	testKey     = "AKIDTEST"
)

// contract is what a client of KMS relies on. Every case is put through the
// Go SDK to this package and to moto.
var contract = []struct {
	name string
	// motoDiffers says why the case is not put to moto.
	motoDiffers string
	run         func(t *testing.T, c *client)
}{
	{"create and describe", "", contractCreate},
	{"other kinds of keys", "moto has them", contractOtherKeys},
	{"aliases", "", contractAliases},
	{"bad aliases", "", contractBadAliases},
	{"encrypt and decrypt", "", contractRoundTrip},
	{"every way to name a key", "", contractNames},
	{"the context must be the same", "", contractContext},
	{"contexts that look alike", "moto joins names and values without a mark between them", contractAlikeContexts},
	{"tampered ciphertext", "moto answers AccessDeniedException when the key id was hit", contractTampered},
	{"the key asked for", "moto answers AccessDeniedException", contractIncorrectKey},
	{"unknown keys", "", contractUnknownKeys},
	{"disabled key", "moto lets a disabled key go on working", contractDisabled},
	{"lengths", "", contractLengths},
	{"length of a ciphertext", "moto has no limit", contractCiphertextLength},
	{"data keys", "", contractDataKeys},
	{"bad data keys", "", contractBadDataKeys},
	{"re-encrypt", "", contractReEncrypt},
	{"dry run", "moto ignores it", contractDryRun},
	{"random", "", contractRandom},
	{"pages", "moto lists aliases in one page, with those of AWS", contractPages},
}

func TestContract(t *testing.T) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			web := httptest.NewServer(open(t, t.TempDir(), nil))
			t.Cleanup(web.Close)
			c.run(t, newClient(web.URL))
		})
	}
}

func TestContractOnMoto(t *testing.T) {
	endpoint := moto.Start(t)
	for i, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			if c.motoDiffers != "" {
				t.Skip("moto: " + c.motoDiffers)
			}
			client := newClient(endpoint)
			client.moto, client.prefix = true, fmt.Sprintf("c%d-", i)
			c.run(t, client)
		})
	}
}

func open(t testing.TB, dir string, onRequest func(Request)) *Server {
	t.Helper()
	s, err := Open(Config{Dir: dir, Region: testRegion, Account: testAccount, OnRequest: onRequest,
		Known: func(id string) bool { return id == testKey }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// client is the SDK's, with shorter ways to say what the cases say often.
type client struct {
	*kms.Client
	moto   bool
	prefix string // of alias names
}

func newClient(endpoint string) *client {
	return &client{Client: kms.New(kms.Options{
		BaseEndpoint: aws.String(endpoint), Region: testRegion,
		Credentials: credentials.NewStaticCredentialsProvider(testKey, "secret", ""),
	})}
}

// key makes a key and returns its ARN.
func (c *client) key(t *testing.T) string {
	t.Helper()
	out, err := c.CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	return *out.KeyMetadata.Arn
}

func (c *client) seal(t *testing.T, keyID, plaintext string, context map[string]string) []byte {
	t.Helper()
	out, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &keyID, Plaintext: []byte(plaintext), EncryptionContext: context})
	if err != nil {
		t.Fatal(err)
	}
	return out.CiphertextBlob
}

func (c *client) open(blob []byte, context map[string]string) (*kms.DecryptOutput, error) {
	return c.Decrypt(noContext, &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: context})
}

var noContext = context.Background()

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Fatalf("error %v, want code %s", err, code)
	}
}

var keyARN = regexp.MustCompile(`^arn:aws:kms:eu-west-1:123456789012:key/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func contractCreate(t *testing.T, c *client) {
	made, err := c.CreateKey(t.Context(), &kms.CreateKeyInput{Description: aws.String("media"), KeySpec: types.KeySpecSymmetricDefault, KeyUsage: types.KeyUsageTypeEncryptDecrypt})
	if err != nil {
		t.Fatal(err)
	}
	described, err := c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: made.KeyMetadata.KeyId})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*types.KeyMetadata{made.KeyMetadata, described.KeyMetadata} {
		if !keyARN.MatchString(*m.Arn) || !strings.HasSuffix(*m.Arn, *m.KeyId) || *m.AWSAccountId != testAccount {
			t.Errorf("ARN %s, id %s, account %s", *m.Arn, *m.KeyId, *m.AWSAccountId)
		}
		if !m.Enabled || m.KeyState != types.KeyStateEnabled || *m.Description != "media" ||
			m.KeySpec != types.KeySpecSymmetricDefault || m.KeyUsage != types.KeyUsageTypeEncryptDecrypt ||
			m.Origin != types.OriginTypeAwsKms || m.KeyManager != types.KeyManagerTypeCustomer ||
			!slices.Equal(m.EncryptionAlgorithms, []types.EncryptionAlgorithmSpec{"SYMMETRIC_DEFAULT"}) {
			t.Errorf("metadata %+v", m)
		}
		if age := time.Since(*m.CreationDate); age < -time.Second || age > time.Minute {
			t.Errorf("created at %v", m.CreationDate)
		}
	}
}

func contractOtherKeys(t *testing.T, c *client) {
	for _, in := range []kms.CreateKeyInput{
		{KeySpec: types.KeySpecRsa2048}, {KeyUsage: types.KeyUsageTypeSignVerify}, {Origin: types.OriginTypeExternal}, {MultiRegion: aws.Bool(true)},
	} {
		_, err := c.CreateKey(t.Context(), &in)
		wantCode(t, err, "UnsupportedOperationException")
	}
}

func contractAliases(t *testing.T, c *client) {
	key, name := c.key(t), "alias/"+c.prefix+"media/one"
	if _, err := c.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &name, TargetKeyId: &key}); err != nil {
		t.Fatal(err)
	}
	_, err := c.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &name, TargetKeyId: &key})
	wantCode(t, err, "AlreadyExistsException")
	list, err := c.ListAliases(t.Context(), &kms.ListAliasesInput{KeyId: &key})
	if err != nil || len(list.Aliases) != 1 {
		t.Fatalf("aliases %v, %v; want one", list, err)
	}
	a := list.Aliases[0]
	if *a.AliasName != name || *a.AliasArn != "arn:aws:kms:eu-west-1:123456789012:"+name || !strings.HasSuffix(key, *a.TargetKeyId) {
		t.Errorf("alias %s, %s for %s", *a.AliasName, *a.AliasArn, *a.TargetKeyId)
	}
}

func contractBadAliases(t *testing.T, c *client) {
	key := c.key(t)
	for _, test := range []struct{ name, code string }{
		{"media", "ValidationException"}, {"alias/a b", "ValidationException"}, {"alias/aws/s3", "NotAuthorizedException"},
	} {
		_, err := c.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &test.name, TargetKeyId: &key})
		wantCode(t, err, test.code)
	}
	_, err := c.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: aws.String("alias/" + c.prefix + "x"), TargetKeyId: aws.String("1234abcd-12ab-34cd-56ef-1234567890ab")})
	wantCode(t, err, "NotFoundException")
}

func contractRoundTrip(t *testing.T, c *client) {
	key := c.key(t)
	context := map[string]string{"service": "elastictranscoder.amazonaws.com"}
	for _, size := range []int{1, 16, 24, 32, 4095, 4096} {
		plaintext := strings.Repeat("k", size)
		sealed, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte(plaintext), EncryptionContext: context})
		if err != nil {
			t.Fatal(err)
		}
		if *sealed.KeyId != key {
			t.Errorf("sealed with %s, want %s", *sealed.KeyId, key)
		}
		if !c.moto && sealed.EncryptionAlgorithm != types.EncryptionAlgorithmSpecSymmetricDefault { // moto does not say
			t.Errorf("algorithm %q", sealed.EncryptionAlgorithm)
		}
		opened, err := c.open(sealed.CiphertextBlob, context)
		if err != nil || string(opened.Plaintext) != plaintext || *opened.KeyId != key {
			t.Errorf("%d bytes did not come back: %v", size, err)
		}
	}
	if bytes.Equal(c.seal(t, key, "same", nil), c.seal(t, key, "same", nil)) {
		t.Error("the same plaintext gave the same ciphertext twice")
	}
}

func contractNames(t *testing.T, c *client) {
	arn, alias := c.key(t), "alias/"+c.prefix+"n"
	if _, err := c.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &alias, TargetKeyId: &arn}); err != nil {
		t.Fatal(err)
	}
	id := arn[strings.LastIndex(arn, "/")+1:]
	for _, name := range []string{id, arn, alias, "arn:aws:kms:eu-west-1:123456789012:" + alias} {
		blob := c.seal(t, name, "x", nil)
		out, err := c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob, KeyId: &name})
		if err != nil || *out.KeyId != arn {
			t.Errorf("by %s: %v", name, err)
		}
		if out, err := c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &name}); err != nil || *out.KeyMetadata.Arn != arn {
			t.Errorf("describe %s: %v", name, err)
		}
	}
}

func contractContext(t *testing.T, c *client) {
	key := c.key(t)
	for _, test := range []struct {
		sealed, opened map[string]string
		ok             bool
	}{
		{nil, nil, true},
		{map[string]string{}, nil, true},
		{map[string]string{"a": "1", "b": "2"}, map[string]string{"b": "2", "a": "1"}, true},
		{map[string]string{"a": "1"}, nil, false},
		{nil, map[string]string{"a": "1"}, false},
		{map[string]string{"a": "1"}, map[string]string{"a": "2"}, false},
		{map[string]string{"a": "1"}, map[string]string{"A": "1"}, false},
		{map[string]string{"a": "x"}, map[string]string{"a": "X"}, false},
		{map[string]string{"a": "1", "b": "2"}, map[string]string{"a": "1"}, false},
		{map[string]string{"a": "1"}, map[string]string{"a": "1", "b": "2"}, false},
	} {
		out, err := c.open(c.seal(t, key, "secret", test.sealed), test.opened)
		if test.ok {
			if err != nil || string(out.Plaintext) != "secret" {
				t.Errorf("%v opened with %v: %v", test.sealed, test.opened, err)
			}
			continue
		}
		wantCode(t, err, "InvalidCiphertextException")
		if typed := new(types.InvalidCiphertextException); !errors.As(err, &typed) || typed.ErrorMessage() != "" {
			t.Errorf("error %T with message %q, want InvalidCiphertextException without one", err, typed.ErrorMessage())
		}
	}
}

func contractAlikeContexts(t *testing.T, c *client) {
	blob := c.seal(t, c.key(t), "x", map[string]string{"ab": "c", "d": ""})
	for _, context := range []map[string]string{{"a": "bc", "d": ""}, {"abc": "d"}, {"ab": "cd"}, {"ab": "c"}} {
		_, err := c.open(blob, context)
		wantCode(t, err, "InvalidCiphertextException")
	}
}

func contractTampered(t *testing.T, c *client) {
	blob := c.seal(t, c.key(t), "0123456789abcdef", nil)
	for i := range blob {
		bad := slices.Clone(blob)
		bad[i] ^= 1
		_, err := c.open(bad, nil)
		wantCode(t, err, "InvalidCiphertextException")
	}
	for _, bad := range [][]byte{blob[:len(blob)-1], blob[:1], blob[:20], append(slices.Clone(blob), 0), []byte("plain text")} {
		_, err := c.open(bad, nil)
		wantCode(t, err, "InvalidCiphertextException")
	}
}

func contractIncorrectKey(t *testing.T, c *client) {
	key, other := c.key(t), c.key(t)
	_, err := c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: c.seal(t, key, "x", nil), KeyId: &other})
	wantCode(t, err, "IncorrectKeyException")
}

func contractUnknownKeys(t *testing.T, c *client) {
	for _, name := range []string{"1234abcd-12ab-34cd-56ef-1234567890ab", "alias/never", "alias/" + c.prefix + "never",
		"arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:kms:eu-west-1:123456789012:alias/never"} {
		_, encrypt := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &name, Plaintext: []byte("x")})
		_, describe := c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &name})
		_, generate := c.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &name, KeySpec: "AES_256"})
		for _, err := range []error{encrypt, describe, generate} {
			wantCode(t, err, "NotFoundException")
		}
	}
}

func contractDisabled(t *testing.T, c *client) {
	key := c.key(t)
	id := key[strings.LastIndex(key, "/")+1:] // moto fails on an ARN
	blob := c.seal(t, key, "x", nil)
	if _, err := c.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &id}); err != nil {
		t.Fatal(err)
	}
	_, decrypt := c.open(blob, nil)
	_, encrypt := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})
	_, generate := c.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: "AES_256"})
	for _, err := range []error{decrypt, encrypt, generate} {
		wantCode(t, err, "DisabledException")
	}
	described, err := c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
	if err != nil || described.KeyMetadata.Enabled || described.KeyMetadata.KeyState != types.KeyStateDisabled {
		t.Errorf("described %v, %v; want it disabled", described, err)
	}
	if _, err := c.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &id}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.open(blob, nil); err != nil {
		t.Errorf("enabled again: %v", err)
	}
}

func contractLengths(t *testing.T, c *client) {
	key := c.key(t)
	for _, size := range []int{0, 4097} {
		_, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: make([]byte, size)})
		wantCode(t, err, "ValidationException")
	}
}

func contractCiphertextLength(t *testing.T, c *client) {
	for _, test := range []struct {
		size int
		code string
	}{
		{0, "ValidationException"}, {6144, "InvalidCiphertextException"}, {6145, "ValidationException"},
	} {
		_, err := c.open(make([]byte, test.size), nil)
		wantCode(t, err, test.code)
	}
	key := c.key(t)
	long := map[string]string{"a": strings.Repeat("x", 8192)}
	_, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), EncryptionContext: long})
	wantCode(t, err, "ValidationException")
}

func contractDataKeys(t *testing.T, c *client) {
	key, context := c.key(t), map[string]string{"job": "1"}
	for _, test := range []struct {
		spec types.DataKeySpec
		size *int32
		want int
	}{
		{"AES_128", nil, 16}, {"AES_256", nil, 32}, {"", aws.Int32(1), 1}, {"", aws.Int32(24), 24}, {"", aws.Int32(1024), 1024},
	} {
		made, err := c.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: test.spec, NumberOfBytes: test.size, EncryptionContext: context})
		if err != nil {
			t.Fatal(err)
		}
		opened, err := c.open(made.CiphertextBlob, context)
		if err != nil || len(made.Plaintext) != test.want || !bytes.Equal(opened.Plaintext, made.Plaintext) || *made.KeyId != key {
			t.Errorf("data key of %d bytes: %v", test.want, err)
		}
		blind, err := c.GenerateDataKeyWithoutPlaintext(t.Context(), &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: &key, KeySpec: test.spec, NumberOfBytes: test.size, EncryptionContext: context})
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := c.open(blind.CiphertextBlob, context); err != nil || len(opened.Plaintext) != test.want || *blind.KeyId != key {
			t.Errorf("data key of %d bytes without plaintext: %v", test.want, err)
		}
	}
}

func contractBadDataKeys(t *testing.T, c *client) {
	key := c.key(t)
	for _, in := range []kms.GenerateDataKeyInput{
		{}, {KeySpec: "AES_256", NumberOfBytes: aws.Int32(32)}, {KeySpec: "AES_192"}, {NumberOfBytes: aws.Int32(1025)},
	} {
		in.KeyId = &key
		_, err := c.GenerateDataKey(t.Context(), &in)
		wantCode(t, err, "ValidationException")
	}
}

func contractReEncrypt(t *testing.T, c *client) {
	from, to := c.key(t), c.key(t)
	before, after := map[string]string{"c": "old"}, map[string]string{"c": "new"}
	blob := c.seal(t, from, "x", before)
	out, err := c.ReEncrypt(t.Context(), &kms.ReEncryptInput{CiphertextBlob: blob, SourceEncryptionContext: before, DestinationKeyId: &to, DestinationEncryptionContext: after})
	if err != nil {
		t.Fatal(err)
	}
	if *out.KeyId != to || *out.SourceKeyId != from {
		t.Errorf("from %s to %s, want %s to %s", *out.SourceKeyId, *out.KeyId, from, to)
	}
	opened, err := c.open(out.CiphertextBlob, after)
	if err != nil || string(opened.Plaintext) != "x" || *opened.KeyId != to {
		t.Errorf("opened %v, %v", opened, err)
	}
	_, err = c.ReEncrypt(t.Context(), &kms.ReEncryptInput{CiphertextBlob: blob, SourceEncryptionContext: after, DestinationKeyId: &to})
	wantCode(t, err, "InvalidCiphertextException")
}

func contractDryRun(t *testing.T, c *client) {
	key, yes := c.key(t), aws.Bool(true)
	blob := c.seal(t, key, "x", nil)
	_, encrypt := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), DryRun: yes})
	_, decrypt := c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob, DryRun: yes})
	_, generate := c.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: "AES_256", DryRun: yes})
	_, blind := c.GenerateDataKeyWithoutPlaintext(t.Context(), &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: &key, KeySpec: "AES_256", DryRun: yes})
	_, reEncrypt := c.ReEncrypt(t.Context(), &kms.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: &key, DryRun: yes})
	for _, err := range []error{encrypt, decrypt, generate, blind, reEncrypt} {
		wantCode(t, err, "DryRunOperationException")
	}
}

func contractRandom(t *testing.T, c *client) {
	a, err := c.GenerateRandom(t.Context(), &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(32)})
	if err != nil || len(a.Plaintext) != 32 || bytes.Equal(a.Plaintext, make([]byte, 32)) {
		t.Fatalf("%d random bytes, %v; want 32", len(a.Plaintext), err)
	}
	_, err = c.GenerateRandom(t.Context(), &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(1025)})
	wantCode(t, err, "ValidationException")
}

func contractPages(t *testing.T, c *client) {
	key := c.key(t)
	for _, name := range []string{"c", "a", "b"} {
		if _, err := c.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: aws.String("alias/" + name), TargetKeyId: &key}); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	pages := kms.NewListAliasesPaginator(c.Client, &kms.ListAliasesInput{Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Aliases) > 2 {
			t.Errorf("a page of %d", len(page.Aliases))
		}
		for _, a := range page.Aliases {
			names = append(names, *a.AliasName)
		}
	}
	if want := []string{"alias/a", "alias/b", "alias/c"}; !slices.Equal(names, want) {
		t.Errorf("aliases %v, want %v", names, want)
	}
	keys, err := c.ListKeys(t.Context(), &kms.ListKeysInput{})
	if err != nil || len(keys.Keys) != 1 || *keys.Keys[0].KeyArn != key {
		t.Errorf("keys %v, %v; want %s", keys, err, key)
	}
}
