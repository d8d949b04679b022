package s3

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzEncryptionDocument: whatever the document says, a bucket is left with a known method and shows what it has.
func FuzzEncryptionDocument(f *testing.F) {
	for _, document := range []string{
		``, `<`, `<ServerSideEncryptionConfiguration/>`,
		`<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>`,
		`<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>`,
		`<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>`,
	} {
		f.Add([]byte(document))
	}
	s := &store{region: "us-east-1"}
	f.Fuzz(func(t *testing.T, document []byte) {
		b := &bucketRecord{BlockSSEC: true, Default: encryption{Method: methodS3}}
		if s.configure(b, document) != nil {
			return
		}
		switch b.Default.Method {
		case methodS3, methodKMS, methodKMSTwice:
		default:
			t.Fatalf("method %q", b.Default.Method)
		}
		shown, err := b.document()
		if err != nil {
			t.Fatal(err)
		}
		again := &bucketRecord{BlockSSEC: !b.BlockSSEC}
		if err := s.configure(again, shown); err != nil || again.BlockSSEC != b.BlockSSEC || again.Default.Method != b.Default.Method {
			t.Fatalf("what is shown does not configure the same: %v\n%s", err, shown)
		}
	})
}

// FuzzSplitPath: a path splits into a bucket without a slash and the rest, and never panics.
func FuzzSplitPath(f *testing.F) {
	for _, path := range []string{"", "/", "/b", "/b/", "/b/k%20a+b", "/%", "//", "/b/%zz"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		bucket, _ := splitPath(path)
		for i := range len(bucket) {
			if bucket[i] == '/' {
				t.Fatalf("bucket %q", bucket)
			}
		}
	})
}

func TestRefusedDocumentsChangeNothing(t *testing.T) {
	s := &store{region: "us-east-1"}
	for _, document := range []string{
		`<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>rot13</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`,
		`<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`,
		`<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>SSEC</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>`,
		`<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>`,
		`<ServerSideEncryptionConfiguration><Rule></Rule><Rule></Rule></ServerSideEncryptionConfiguration>`,
	} {
		if err := s.configure(&bucketRecord{}, []byte(document)); err != errMalformedXML {
			t.Errorf("%s: %v", document, err)
		}
	}
}

func TestAuthority(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	a, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	read := func(path string) *x509.Certificate {
		block, _ := pem.Decode(must[[]byte](t)(os.ReadFile(path)))
		return must[*x509.Certificate](t)(x509.ParseCertificate(block.Bytes))
	}
	ca, leaf := read(a.CAFile()), read(a.CertFile())
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	for _, name := range []string{"127.0.0.1", "localhost", "[::1]"} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"example.com", "127.0.0.2"} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	entries := must[[]os.DirEntry](t)(os.ReadDir(dir))
	for _, entry := range entries {
		if info := must[os.FileInfo](t)(entry.Info()); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", entry.Name(), info.Mode())
		}
	}
	if len(entries) != 3 {
		t.Errorf("%d files, want no key of the authority among them", len(entries))
	}

	if _, err := OpenAuthority(dir); err != nil || !read(a.CAFile()).Equal(ca) {
		t.Errorf("opened again it is another, error %v", err)
	}
	if err := a.make(time.Now().Add(-certificateLife)); err != nil { // as if it had been made long ago
		t.Fatal(err)
	}
	if _, err := OpenAuthority(dir); err != nil || time.Until(read(a.CertFile()).NotAfter) < renewBefore {
		t.Errorf("it is not renewed, error %v", err)
	}
	if err := os.WriteFile(a.CAFile(), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAuthority(dir); err == nil {
		t.Error("a damaged file goes unnoticed")
	}
}
