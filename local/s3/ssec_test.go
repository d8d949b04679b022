package s3

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestCustomerKeyRoundTrip(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{AllowSSEC: true})
	for _, size := range []int{0, 1, 15, 16, 17, 1 << 20} {
		k, key, content := newTrio(), fmt.Sprint("size-", size), pattern(size)
		put := must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), k.put(&s3.PutObjectInput{
			Bucket: &bucket, Key: &key, Body: bytes.NewReader(content),
		})))
		if *put.SSECustomerAlgorithm != "AES256" || *put.SSECustomerKeyMD5 != *k.md5 || put.ServerSideEncryption != "" {
			t.Fatalf("put answers %v %v %v", *put.SSECustomerAlgorithm, *put.SSECustomerKeyMD5, put.ServerSideEncryption)
		}
		if got := readAll(t, c, k.get(&s3.GetObjectInput{Bucket: &bucket, Key: &key})); !bytes.Equal(got, content) {
			t.Fatalf("size %d: content differs", size)
		}
		head := must[*s3.HeadObjectOutput](t)(c.HeadObject(t.Context(), k.head(&s3.HeadObjectInput{Bucket: &bucket, Key: &key})))
		if *head.ContentLength != int64(size) || *head.SSECustomerKeyMD5 != *k.md5 || *head.ETag != *put.ETag {
			t.Fatalf("head: %d bytes, key %s, etag %s", *head.ContentLength, *head.SSECustomerKeyMD5, *head.ETag)
		}
	}
}

func TestCustomerKeyRanges(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{AllowSSEC: true})
	k, content := newTrio(), pattern(10<<20+100)
	uploadParts(t, c, bucket, "parts", content, 5<<20, k)
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), k.put(&s3.PutObjectInput{Bucket: &bucket, Key: aws.String("whole"), Body: bytes.NewReader(content)})))
	for _, key := range []string{"parts", "whole"} {
		for _, border := range []int{16, 5 << 20, 10 << 20} {
			for _, from := range []int{border - 17, border - 16, border - 1, border, border + 1} {
				for _, length := range []int{1, 15, 16, 17, 40} {
					if from < 0 {
						continue
					}
					header := fmt.Sprintf("bytes=%d-%d", from, from+length-1)
					got := readAll(t, c, k.get(&s3.GetObjectInput{Bucket: &bucket, Key: &key, Range: &header}))
					if !bytes.Equal(got, content[from:from+length]) {
						t.Fatalf("%s of %s differs", header, key)
					}
				}
			}
		}
		_, err := c.GetObject(t.Context(), newTrio().get(&s3.GetObjectInput{Bucket: &bucket, Key: &key, Range: aws.String("bytes=0-0")}))
		wantFailure(t, err, 403, "AccessDenied")
	}
}

func TestCustomerKeyETagIsOpaque(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{AllowSSEC: true})
	k, content := newTrio(), []byte("the same bytes twice")
	seen := []string{*putBytes(t, c, bucket, "plain", content).ETag}
	for _, key := range []string{"a", "b"} {
		out := must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), k.put(&s3.PutObjectInput{
			Bucket: &bucket, Key: &key, Body: bytes.NewReader(content),
		})))
		if slices.Contains(seen, *out.ETag) {
			t.Fatalf("ETag %s says something about the content", *out.ETag)
		}
		seen = append(seen, *out.ETag)
	}
}

// TestWriteRefusals is the table of reference section 1.3, as far as it is about the headers themselves.
func TestWriteRefusals(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{AllowSSEC: true})
	const must = "Requests specifying Server Side Encryption with Customer provided keys must "
	good, short := newTrio(), trioOf([]byte("sixteen bytes ok"))
	cases := []struct {
		name          string
		k             trio
		code, message string
	}{
		{"algorithm", trio{aws.String("AES128"), good.key, good.md5}, "InvalidEncryptionAlgorithmError",
			"The Encryption request you specified is not valid. Supported value: AES256."},
		{"no algorithm", trio{nil, good.key, good.md5}, "InvalidArgument", must + "provide a valid encryption algorithm."},
		{"no key", trio{good.algorithm, nil, good.md5}, "InvalidArgument", must + "provide an appropriate secret key."},
		{"no md5", trio{good.algorithm, good.key, nil}, "InvalidArgument", must + "provide the client calculated MD5 of the secret key."},
		{"length", short, "InvalidArgument", "The secret key was invalid for the specified algorithm."},
		{"not base64", trio{good.algorithm, aws.String("***"), good.md5}, "InvalidArgument", "The secret key was invalid for the specified algorithm."},
		{"md5", trio{good.algorithm, good.key, newTrio().md5}, "InvalidArgument",
			"The calculated MD5 hash of the key did not match the hash that was provided."},
		{"md5 before length", trio{good.algorithm, short.key, good.md5}, "InvalidArgument",
			"The calculated MD5 hash of the key did not match the hash that was provided."},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := c.PutObject(t.Context(), tc.k.put(&s3.PutObjectInput{
				Bucket: &bucket, Key: aws.String("k"), Body: bytes.NewReader(pattern(1 << 20)),
			}))
			wantFailure(t, err, 400, tc.code, tc.message)
			_, err = c.CreateMultipartUpload(t.Context(), tc.k.create(&s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("k")}))
			wantFailure(t, err, 400, tc.code, tc.message)
		})
	}
	t.Run("mixed", func(t *testing.T) {
		in := good.put(&s3.PutObjectInput{Bucket: &bucket, Key: aws.String("k"), Body: bytes.NewReader(nil)})
		in.ServerSideEncryption = types.ServerSideEncryptionAes256
		_, err := c.PutObject(t.Context(), in)
		wantFailure(t, err, 400, "InvalidArgument")
	})
	if list, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket}); err != nil || len(list.Contents) != 0 {
		t.Fatalf("refused writes left %d objects, error %v", len(list.Contents), err)
	}
}

func TestReadRefusals(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{AllowSSEC: true})
	k, other := newTrio(), newTrio()
	sealed, plain := aws.String("sealed"), aws.String("plain")
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), k.put(&s3.PutObjectInput{Bucket: &bucket, Key: sealed, Body: bytes.NewReader([]byte("secret"))})))
	putBytes(t, c, bucket, *plain, []byte("open"))

	const needed = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."
	const unneeded = "The encryption parameters are not applicable to this object."
	const wrong = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key."
	cases := []struct {
		name, key     string
		k             trio
		status        int
		code, message string
	}{
		{"no key", "sealed", trio{}, 400, "InvalidRequest", needed},
		{"wrong key", "sealed", other, 403, "AccessDenied", wrong},
		{"key for nothing", "plain", k, 400, "InvalidRequest", unneeded},
		{"md5", "sealed", trio{k.algorithm, k.key, other.md5}, 400, "InvalidArgument", "The calculated MD5 hash of the key did not match the hash that was provided."},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := c.GetObject(t.Context(), tc.k.get(&s3.GetObjectInput{Bucket: &bucket, Key: &tc.key}))
			wantFailure(t, err, tc.status, tc.code, tc.message)
			_, err = c.HeadObject(t.Context(), tc.k.head(&s3.HeadObjectInput{Bucket: &bucket, Key: &tc.key}))
			if got := failureOf(t, err); got.status != tc.status || got.message != http.StatusText(tc.status) {
				t.Fatalf("HEAD: status %d message %q, want %d and no body (which the SDK reports so)", got.status, got.message, tc.status)
			}
			_, err = c.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
				Bucket: &bucket, Key: &tc.key, ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesEtag},
				SSECustomerAlgorithm: tc.k.algorithm, SSECustomerKey: tc.k.key, SSECustomerKeyMD5: tc.k.md5,
			})
			wantFailure(t, err, tc.status, tc.code, tc.message)
			_, err = c.CopyObject(t.Context(), &s3.CopyObjectInput{
				Bucket: &bucket, Key: aws.String("copy"), CopySource: aws.String(bucket + "/" + tc.key),
				CopySourceSSECustomerAlgorithm: tc.k.algorithm, CopySourceSSECustomerKey: tc.k.key, CopySourceSSECustomerKeyMD5: tc.k.md5,
			})
			wantFailure(t, err, tc.status, tc.code, tc.message)
		})
	}
	// Deleting needs no key.
	must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: sealed}))
}

func TestCustomerKeyOverHTTPIsRefused(t *testing.T) {
	srv := openServer(t, t.TempDir(), true)
	if err := srv.CreateBucket("media", BucketOptions{AllowSSEC: true}); err != nil {
		t.Fatal(err)
	}
	c := clientOf(t, srv, func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired })
	bucket, k := "media", newTrio()
	_, err := c.PutObject(t.Context(), k.put(&s3.PutObjectInput{Bucket: &bucket, Key: aws.String("k"), Body: bytes.NewReader([]byte("x"))}))
	wantFailure(t, err, 400, "InvalidArgument", "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.")
	putBytes(t, c, bucket, "plain", []byte("works"))
	if got := getBytes(t, c, bucket, "plain"); string(got) != "works" {
		t.Fatalf("got %q", got)
	}
}

func TestNewBucketsBlockCustomerKeys(t *testing.T) {
	srv, c, _ := start(t, BucketOptions{})
	must[*s3.CreateBucketOutput](t)(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("wire")}))
	if err := srv.CreateBucket("go", BucketOptions{}); err == nil {
		t.Fatal("bucket name of two letters accepted")
	}
	for _, bucket := range []string{"media", "wire"} {
		k, want := newTrio(), fmt.Sprintf(`User: arn:aws:iam::000000000000:user/%s is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::%s/dir/k" because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type`, testKey, bucket)
		key := "dir/k"
		_, err := c.PutObject(t.Context(), k.put(&s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte("x"))}))
		wantFailure(t, err, 403, "AccessDenied", want)
		_, err = c.CreateMultipartUpload(t.Context(), k.create(&s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key}))
		wantFailure(t, err, 403, "AccessDenied", want)
		putBytes(t, c, bucket, "source", []byte("x"))
		_, err = c.CopyObject(t.Context(), &s3.CopyObjectInput{
			Bucket: &bucket, Key: &key, CopySource: aws.String(bucket + "/source"),
			SSECustomerAlgorithm: k.algorithm, SSECustomerKey: k.key, SSECustomerKeyMD5: k.md5,
		})
		wantFailure(t, err, 403, "AccessDenied", want)
	}
}

func TestBucketEncryptionOverTheWire(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{})
	configure := func(rules ...types.ServerSideEncryptionRule) error {
		_, err := c.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{
			Bucket: &bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: rules},
		})
		return err
	}
	shown := func() types.ServerSideEncryptionRule {
		out := must[*s3.GetBucketEncryptionOutput](t)(c.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: &bucket}))
		return out.ServerSideEncryptionConfiguration.Rules[0]
	}
	if got := shown(); got.BlockedEncryptionTypes.EncryptionType[0] != types.EncryptionTypeSseC ||
		got.ApplyServerSideEncryptionByDefault.SSEAlgorithm != types.ServerSideEncryptionAes256 {
		t.Fatalf("a new bucket shows %+v", got)
	}
	allow := types.ServerSideEncryptionRule{BlockedEncryptionTypes: &types.BlockedEncryptionTypes{EncryptionType: []types.EncryptionType{types.EncryptionTypeNone}}}
	if err := configure(allow); err != nil {
		t.Fatal(err)
	}
	k := newTrio()
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), k.put(&s3.PutObjectInput{Bucket: &bucket, Key: aws.String("k"), Body: bytes.NewReader([]byte("x"))})))

	arn := "arn:aws:kms:us-east-1:000000000000:key/1234"
	kms := types.ServerSideEncryptionRule{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{
		SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &arn,
	}}
	if err := configure(kms); err != nil { // does not mention the block, so it stays lifted
		t.Fatal(err)
	}
	if got := shown(); got.BlockedEncryptionTypes.EncryptionType[0] != types.EncryptionTypeNone || *got.ApplyServerSideEncryptionByDefault.KMSMasterKeyID != arn {
		t.Fatalf("got %+v", got)
	}
	if out := putBytes(t, c, bucket, "default", nil); out.ServerSideEncryption != types.ServerSideEncryptionAwsKms || *out.SSEKMSKeyId != arn {
		t.Fatalf("put under a KMS default answers %v", out.ServerSideEncryption)
	}
	wantFailure(t, configure(kms, kms), 400, "MalformedXML")

	must[*s3.DeleteBucketEncryptionOutput](t)(c.DeleteBucketEncryption(t.Context(), &s3.DeleteBucketEncryptionInput{Bucket: &bucket}))
	if got := shown(); got.ApplyServerSideEncryptionByDefault.SSEAlgorithm != types.ServerSideEncryptionAes256 {
		t.Fatalf("after delete: %+v", got)
	}
	stranger := newClient(*c.Options().BaseEndpoint, func(o *s3.Options) {
		o.HTTPClient, o.Credentials = c.Options().HTTPClient, aws.AnonymousCredentials{}
	})
	_, err := stranger.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{
		Bucket: &bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{allow}},
	})
	wantFailure(t, err, 403, "AccessDenied")
}

func TestManagedEncryptionIsRememberedAndAnswered(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{AllowSSEC: true})
	arn := "arn:aws:kms:us-east-1:000000000000:key/1234"
	cases := []struct {
		method     types.ServerSideEncryption
		keyID      *string
		want       types.ServerSideEncryption
		wantKeyID  string
		contentMD5 bool
	}{
		{"", nil, types.ServerSideEncryptionAes256, "", true},
		{types.ServerSideEncryptionAes256, nil, types.ServerSideEncryptionAes256, "", true},
		{types.ServerSideEncryptionAwsKms, nil, types.ServerSideEncryptionAwsKms, "arn:aws:kms:us-east-1:000000000000:alias/aws/s3", false},
		{types.ServerSideEncryptionAwsKms, &arn, types.ServerSideEncryptionAwsKms, arn, false},
	}
	for i, tc := range cases {
		key := fmt.Sprint("k", i)
		put := must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte("hello")), ServerSideEncryption: tc.method, SSEKMSKeyId: tc.keyID,
		}))
		head := must[*s3.HeadObjectOutput](t)(c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key}))
		get := must[*s3.GetObjectOutput](t)(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key}))
		get.Body.Close()
		for _, got := range []struct {
			method types.ServerSideEncryption
			keyID  *string
		}{{put.ServerSideEncryption, put.SSEKMSKeyId}, {head.ServerSideEncryption, head.SSEKMSKeyId}, {get.ServerSideEncryption, get.SSEKMSKeyId}} {
			if got.method != tc.want || aws.ToString(got.keyID) != tc.wantKeyID {
				t.Errorf("%v: answers %v %q", tc, got.method, aws.ToString(got.keyID))
			}
		}
		if isMD5 := *put.ETag == `"5d41402abc4b2a76b9719d911017c592"`; isMD5 != tc.contentMD5 {
			t.Errorf("%v: ETag %s", tc, *put.ETag)
		}
	}
	_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("k"), ServerSideEncryption: "rot13"})
	wantFailure(t, err, 400, "InvalidArgument")
	_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("k"), SSEKMSKeyId: &arn})
	wantFailure(t, err, 400, "InvalidArgument")
}

func TestMultipartWithCustomerKey(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{AllowSSEC: true})
	k, other, key := newTrio(), newTrio(), "movie"
	content := pattern(5<<20 + 5<<20 + 123)
	done := uploadParts(t, c, bucket, key, content, 5<<20, k)
	if got := readAll(t, c, k.get(&s3.GetObjectInput{Bucket: &bucket, Key: &key})); !bytes.Equal(got, content) {
		t.Fatal("content differs")
	}
	if want := `-3"`; (*done.ETag)[len(*done.ETag)-3:] != want {
		t.Fatalf("ETag %s", *done.ETag)
	}
	_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	wantFailure(t, err, 400, "InvalidRequest")

	const unlike = "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters."
	created := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(t.Context(), k.create(&s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key})))
	if *created.SSECustomerKeyMD5 != *k.md5 {
		t.Fatalf("create answers key %s", *created.SSECustomerKeyMD5)
	}
	part := func(id *string, k trio) (*s3.UploadPartOutput, error) {
		return c.UploadPart(t.Context(), k.part(&s3.UploadPartInput{
			Bucket: &bucket, Key: &key, UploadId: id, PartNumber: aws.Int32(1), Body: bytes.NewReader([]byte("part")),
		}))
	}
	_, err = part(created.UploadId, trio{})
	wantFailure(t, err, 400, "InvalidRequest", unlike)
	_, err = part(created.UploadId, other)
	wantFailure(t, err, 400, "InvalidRequest", "The provided encryption parameters did not match the ones used originally.")
	sent := must[*s3.UploadPartOutput](t)(part(created.UploadId, k))
	if *sent.SSECustomerKeyMD5 != *k.md5 {
		t.Fatalf("part answers key %s", *sent.SSECustomerKeyMD5)
	}
	complete := &s3.CompleteMultipartUploadInput{
		Bucket: &bucket, Key: &key, UploadId: created.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32}}},
	}
	_, err = c.CompleteMultipartUpload(t.Context(), complete) // created with a checksum, so the key is needed
	wantFailure(t, err, 400, "InvalidRequest", unlike)
	_, err = c.CompleteMultipartUpload(t.Context(), other.complete(complete))
	wantFailure(t, err, 400, "InvalidRequest")
	must[*s3.CompleteMultipartUploadOutput](t)(c.CompleteMultipartUpload(t.Context(), k.complete(complete)))

	open := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key}))
	_, err = part(open.UploadId, k)
	wantFailure(t, err, 400, "InvalidRequest", unlike)
}

func TestCopyBetweenKeys(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{AllowSSEC: true})
	from, to := newTrio(), newTrio()
	content := pattern(300_000)
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), from.put(&s3.PutObjectInput{
		Bucket: &bucket, Key: aws.String("a b"), Body: bytes.NewReader(content), Metadata: map[string]string{"who": "me"},
	})))
	in := &s3.CopyObjectInput{
		Bucket: &bucket, Key: aws.String("sealed"), CopySource: aws.String(bucket + "/a%20b"),
		CopySourceSSECustomerAlgorithm: from.algorithm, CopySourceSSECustomerKey: from.key, CopySourceSSECustomerKeyMD5: from.md5,
		SSECustomerAlgorithm: to.algorithm, SSECustomerKey: to.key, SSECustomerKeyMD5: to.md5,
	}
	out := must[*s3.CopyObjectOutput](t)(c.CopyObject(t.Context(), in))
	if *out.SSECustomerKeyMD5 != *to.md5 {
		t.Fatalf("copy answers key %s", *out.SSECustomerKeyMD5)
	}
	if got := readAll(t, c, to.get(&s3.GetObjectInput{Bucket: &bucket, Key: aws.String("sealed")})); !bytes.Equal(got, content) {
		t.Fatal("copy differs")
	}
	// Without the destination's headers the copy is silently no SSE-C object any more.
	in.Key, in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = aws.String("open"), nil, nil, nil
	must[*s3.CopyObjectOutput](t)(c.CopyObject(t.Context(), in))
	head := must[*s3.HeadObjectOutput](t)(c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("open")}))
	if head.ServerSideEncryption != types.ServerSideEncryptionAes256 || head.Metadata["who"] != "me" {
		t.Fatalf("downgraded copy: %v %v", head.ServerSideEncryption, head.Metadata)
	}
	part := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(t.Context(), to.create(&s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("parts")})))
	copied := must[*s3.UploadPartCopyOutput](t)(c.UploadPartCopy(t.Context(), &s3.UploadPartCopyInput{
		Bucket: &bucket, Key: aws.String("parts"), UploadId: part.UploadId, PartNumber: aws.Int32(1),
		CopySource: aws.String(bucket + "/a%20b"), CopySourceRange: aws.String("bytes=100-299"),
		CopySourceSSECustomerAlgorithm: from.algorithm, CopySourceSSECustomerKey: from.key, CopySourceSSECustomerKeyMD5: from.md5,
		SSECustomerAlgorithm: to.algorithm, SSECustomerKey: to.key, SSECustomerKeyMD5: to.md5,
	}))
	must[*s3.CompleteMultipartUploadOutput](t)(c.CompleteMultipartUpload(t.Context(), to.complete(&s3.CompleteMultipartUploadInput{
		Bucket: &bucket, Key: aws.String("parts"), UploadId: part.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{
			PartNumber: aws.Int32(1), ETag: copied.CopyPartResult.ETag, ChecksumCRC32: copied.CopyPartResult.ChecksumCRC32,
		}}},
	})))
	if got := readAll(t, c, to.get(&s3.GetObjectInput{Bucket: &bucket, Key: aws.String("parts")})); !bytes.Equal(got, content[100:300]) {
		t.Fatal("copied part differs")
	}
}

// TestWrongSignatureDoesNotQuoteTheKey: the refusal of a wrong signature quotes the signed headers.
func TestWrongSignatureDoesNotQuoteTheKey(t *testing.T) {
	srv, _, bucket := start(t, BucketOptions{AllowSSEC: true})
	k := newTrio()
	c := clientOf(t, srv, wrongSecret)
	body := refusalBody(t, c, k.put(&s3.PutObjectInput{Bucket: &bucket, Key: aws.String("k"), Body: bytes.NewReader([]byte("x"))}))
	if !bytes.Contains(body, []byte("SignatureDoesNotMatch")) || !bytes.Contains(body, []byte("(redacted)")) {
		t.Fatalf("refusal: %s", body)
	}
	raw, _ := base64.StdEncoding.DecodeString(*k.key)
	for _, form := range spellings(*k.key, raw) {
		if bytes.Contains(bytes.ToLower(body), bytes.ToLower(form)) {
			t.Fatalf("refusal quotes the key: %s", body)
		}
	}
}
