package cli

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"sealreel/pkg/job"
	"sealreel/pkg/vault"
)

// clientwrites BUCKET KEY FILE [SERVICE] stores a file as AWS's S3 Encryption
// Client does, by the standard library alone, under the pipeline's encryption
// context or that of another service. Module interop holds the format against the
// client itself.
func (s *service) clientwrites(ts *testscript.TestScript, _ bool, args []string) {
	under := map[string]string{"aws:x-amz-cek-alg": "AES/GCM/NoPadding"}
	for name, value := range s.context {
		under[name] = value
	}
	if len(args) > 3 {
		under["service"] = args[3]
	}
	key, wrapped, err := s.keys.Generate(context.Background(), s.keyARN, 32, under)
	ts.Check(err)
	iv := make([]byte, 12)
	rand.Read(iv)
	sealed, err := encryptedGCM(key, iv, []byte(ts.ReadFile(args[2])))
	ts.Check(err)
	description, err := json.Marshal(under)
	ts.Check(err)
	s.replace(ts, args[0], args[1], sealed, map[string]string{
		"x-amz-key-v2": base64.StdEncoding.EncodeToString(wrapped), "x-amz-iv": base64.StdEncoding.EncodeToString(iv),
		"x-amz-matdesc": string(description), "x-amz-wrap-alg": "kms+context", "x-amz-cek-alg": "AES/GCM/NoPadding", "x-amz-tag-len": "128",
		"x-amz-unencrypted-content-length": lengthOf(sealed),
	})
}

// clientreads BUCKET KEY FILE checks that AWS's client would read from an object
// what the file holds.
func (s *service) clientreads(ts *testscript.TestScript, _ bool, args []string) {
	sealed, metadata := s.object(ts, args[0], args[1])
	decoded := func(name string) []byte {
		b, err := base64.StdEncoding.DecodeString(metadata[name])
		ts.Check(err)
		return b
	}
	var under map[string]string
	ts.Check(json.Unmarshal([]byte(metadata["x-amz-matdesc"]), &under))
	key, err := s.keys.Decrypt(context.Background(), decoded("x-amz-key-v2"), s.keyARN, under)
	ts.Check(err)
	plain, err := decrypted(job.ModeGCM, key, decoded("x-amz-iv"), sealed)
	ts.Check(err)
	if string(plain) != ts.ReadFile(args[2]) || under["aws:x-amz-cek-alg"] != "AES/GCM/NoPadding" || metadata["x-amz-unencrypted-content-length"] != lengthOf(sealed) {
		ts.Fatalf("%s holds %q and says of itself %v", args[1], plain, metadata)
	}
	if metadata[vault.MetadataMode] != job.ModeS3EC || metadata[vault.MetadataCommitment] == "" {
		ts.Fatalf("%s does not say who wrote it: %v", args[1], metadata)
	}
}

// swap KEY OTHER NAME gives an output a metadatum of another output, and undoes
// what it did before.
func (s *service) swap(ts *testscript.TestScript, _ bool, args []string) {
	b, metadata := s.object(ts, "out-bucket", args[0])
	_, other := s.object(ts, "out-bucket", args[1])
	for name := range metadata {
		if former, ok := strings.CutPrefix(name, "former-"); ok {
			metadata[former] = metadata[name]
			delete(metadata, name)
		}
	}
	if metadata[args[2]] == other[args[2]] {
		ts.Fatalf("both have the same %s", args[2])
	}
	metadata["former-"+args[2]], metadata[args[2]] = metadata[args[2]], other[args[2]]
	s.replace(ts, "out-bucket", args[0], b, metadata)
}

func lengthOf(sealed []byte) string { return strconv.Itoa(len(sealed) - 16) }

func encryptedGCM(key, iv, plain []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return gcm.Seal(nil, iv, plain, nil), nil
}
