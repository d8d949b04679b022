package s3

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// filesWith returns the files below dir that contain needle.
func filesWith(t *testing.T, dir string, needle []byte) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, needle) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestNothingLiesInPlaintext stores a marker in every way there is and looks for it, and for the customers' keys, in
// every file.
func TestNothingLiesInPlaintext(t *testing.T) {
	dir := t.TempDir()
	srv := openServer(t, dir, false)
	if err := srv.CreateBucket("media", BucketOptions{AllowSSEC: true}); err != nil {
		t.Fatal(err)
	}
	c, bucket := clientOf(t, srv), "media"
	raw := []byte("a customer's key of 32 bytes....")
	marker, k := []byte("CANARY-7f3a91-in-the-media"), trioOf(raw)
	content := bytes.Repeat(append(marker, pattern(1000)...), 6000) // more than one part of 5 MiB

	putBytes(t, c, bucket, "default", content)
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), k.put(&s3.PutObjectInput{Bucket: &bucket, Key: aws.String("customer"), Body: bytes.NewReader(content)})))
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: aws.String("kms"), Body: bytes.NewReader(content), ServerSideEncryption: types.ServerSideEncryptionAwsKms,
	}))
	uploadParts(t, c, bucket, "parts", content, 5<<20, trio{})
	uploadParts(t, c, bucket, "customer parts", content, 5<<20, k)
	must[*s3.CopyObjectOutput](t)(c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &bucket, Key: aws.String("copy"), CopySource: aws.String(bucket + "/default")}))

	if found := filesWith(t, dir, marker); found != nil {
		t.Errorf("plaintext in %v", found)
	}
	for _, form := range spellings(*k.key, raw) {
		if found := filesWith(t, dir, form); found != nil {
			t.Errorf("a customer's key in %v", found)
		}
	}
	// The search would find what is there: the object's key is stored as it is.
	if found := filesWith(t, dir, []byte("customer parts")); found == nil {
		t.Error("the search finds nothing at all")
	}
}

// TestCustomerKeyIsNeededOnTheDisk: whoever has the directory, server key included, still cannot read SSE-C content.
func TestCustomerKeyIsNeededOnTheDisk(t *testing.T) {
	dir := t.TempDir()
	store, err := openStore(dir, Config{AccessKey: testKey, Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer store.close()
	customer := newSecret(bytes.Repeat([]byte("k"), secretSize))
	content := pattern(100_000)
	stored, err := store.blobs.write(bytes.NewReader(content), customer)
	if err != nil {
		t.Fatal(err)
	}
	read := func(key secret) []byte {
		r := store.blobs.read([]blob{stored}, key, 0, stored.Size, nil)
		defer r.Close()
		return must[[]byte](t)(io.ReadAll(r))
	}
	if !bytes.Equal(read(customer), content) {
		t.Fatal("the right key does not read it")
	}
	for name, key := range map[string]secret{"the server's": store.key, "no": newSecret(make([]byte, secretSize))} {
		if got := read(key); bytes.Contains(got, content[:16]) || bytes.Equal(got, content) {
			t.Errorf("%s key reads it", name)
		}
	}
	file := must[[]byte](t)(os.ReadFile(store.blobs.path(stored.ID)))
	if len(file) != len(content) || bytes.Equal(file, content) {
		t.Fatalf("the file has %d bytes, want %d of ciphertext", len(file), len(content))
	}
	// Equal content under an equal key does not look equal.
	again, err := store.blobs.write(bytes.NewReader(content), customer)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(file, must[[]byte](t)(os.ReadFile(store.blobs.path(again.ID)))) {
		t.Fatal("two blobs share a key stream")
	}
}

func TestStateSurvivesARestart(t *testing.T) {
	dir, k := t.TempDir(), newTrio()
	content, bucket := pattern(70_000), "media"
	var version, uploadID, part *string
	var ca []byte
	t.Run("before", func(t *testing.T) {
		srv := openServer(t, dir, false)
		if err := srv.CreateBucket(bucket, BucketOptions{AllowSSEC: true, Versioning: true}); err != nil {
			t.Fatal(err)
		}
		c := clientOf(t, srv)
		version = putBytes(t, c, bucket, "k", []byte("first")).VersionId
		putBytes(t, c, bucket, "k", content)
		must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), k.put(&s3.PutObjectInput{Bucket: &bucket, Key: aws.String("sealed"), Body: bytes.NewReader(content)})))
		uploadID = must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("up")})).UploadId
		part = must[*s3.UploadPartOutput](t)(c.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: &bucket, Key: aws.String("up"), UploadId: uploadID, PartNumber: aws.Int32(1), Body: strings.NewReader("part"),
		})).ETag
		ca = must[[]byte](t)(srv.CAPEM())
	})
	srv := openServer(t, dir, false)
	if again := must[[]byte](t)(srv.CAPEM()); !bytes.Equal(ca, again) {
		t.Error("the authority changed")
	}
	c := clientOf(t, srv)
	if !bytes.Equal(getBytes(t, c, bucket, "k"), content) {
		t.Error("newest version differs")
	}
	if got := readAll(t, c, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k"), VersionId: version}); string(got) != "first" {
		t.Errorf("old version %q", got)
	}
	if !bytes.Equal(readAll(t, c, k.get(&s3.GetObjectInput{Bucket: &bucket, Key: aws.String("sealed")})), content) {
		t.Error("SSE-C object differs")
	}
	must[*s3.CompleteMultipartUploadOutput](t)(c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: &bucket, Key: aws.String("up"), UploadId: uploadID,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part}}},
	}))
	if got := getBytes(t, c, bucket, "up"); string(got) != "part" {
		t.Errorf("upload begun before the restart: %q", got)
	}
}

func TestBlobsGoWithTheirObjects(t *testing.T) {
	dir := t.TempDir()
	srv := openServer(t, dir, false)
	if err := srv.CreateBucket("media", BucketOptions{AllowSSEC: true}); err != nil {
		t.Fatal(err)
	}
	c, bucket := clientOf(t, srv), "media"
	count := func() (n int) {
		filepath.WalkDir(filepath.Join(dir, "blobs"), func(_ string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				n++
			}
			return err
		})
		return n
	}
	putBytes(t, c, bucket, "k", []byte("one"))
	putBytes(t, c, bucket, "k", []byte("two")) // no versioning: the first is gone
	if n := count(); n != 1 {
		t.Errorf("%d blobs after an overwrite, want 1", n)
	}
	c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("k"), Body: strings.NewReader("three"), IfNoneMatch: aws.String("*")})
	if n := count(); n != 1 {
		t.Errorf("%d blobs after a refused write, want 1", n)
	}
	created := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("up")}))
	for range 2 {
		must[*s3.UploadPartOutput](t)(c.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: &bucket, Key: aws.String("up"), UploadId: created.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("part"),
		}))
	}
	if n := count(); n != 2 {
		t.Errorf("%d blobs with one part uploaded twice, want 2", n)
	}
	must[*s3.AbortMultipartUploadOutput](t)(c.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: &bucket, Key: aws.String("up"), UploadId: created.UploadId}))
	must[*s3.DeleteObjectOutput](t)(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("k")}))
	if n := count(); n != 0 {
		t.Errorf("%d blobs left, want none", n)
	}
}

// TestReadersOutliveTheirObject: a download that has begun is finished from the content it began with.
func TestReadersOutliveTheirObject(t *testing.T) {
	_, c, bucket := start(t, BucketOptions{})
	content := pattern(30 << 20) // more than the sockets' buffers hold
	uploadParts(t, c, bucket, "k", content, 10<<20, trio{})
	out := must[*s3.GetObjectOutput](t)(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k")}))
	defer out.Body.Close()
	putBytes(t, c, bucket, "k", []byte("overwritten"))
	if got, err := io.ReadAll(out.Body); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("%d of %d bytes, error %v", len(got), len(content), err)
	}
}

func TestSweepRemovesWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	srv := openServer(t, dir, true)
	if err := srv.CreateBucket("media", BucketOptions{}); err != nil {
		t.Fatal(err)
	}
	putBytes(t, clientOf(t, srv), "media", "k", []byte("kept"))
	orphan := srv.store.blobs.path("00" + strings.Repeat("f", 30))
	os.MkdirAll(filepath.Dir(orphan), 0o700)
	if err := os.WriteFile(orphan, []byte("half an upload"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	srv = openServer(t, dir, true)
	if _, err := os.Stat(orphan); !os.IsNotExist(err) {
		t.Errorf("orphan: %v", err)
	}
	if got := getBytes(t, clientOf(t, srv), "media", "k"); string(got) != "kept" {
		t.Errorf("got %q", got)
	}
}

func TestOneProcessADirectory(t *testing.T) {
	dir := t.TempDir()
	openServer(t, dir, true)
	_, err := Open(t.Context(), Config{Dir: dir, AccessKey: testKey, SecretKey: testSecret})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("second server on the directory: %v", err)
	}
}

// TestSecretsDoNotFormat tries the verbs that print the insides of a value.
func TestSecretsDoNotFormat(t *testing.T) {
	s := newSecret([]byte("0123456789abcdef0123456789abcdef"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, value := range []any{s, &s, customerKey{secret: s}, &blobReader{key: s}, []secret{s}} {
			got := fmt.Sprintf(verb, value)
			for _, form := range []string{"0123456789abcdef", "3031323334", "48 49 50", base64.StdEncoding.EncodeToString(s.bytes())} {
				if strings.Contains(got, form) {
					t.Errorf("%s of %T shows the key", verb, value)
				}
			}
		}
	}
}
