package cli

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"sealreel/pkg/job"
	"sealreel/pkg/s3store"
	"sealreel/pkg/seal"
)

// opens FRAGMENT KEYFILE SEALED PLAIN checks with the standard library alone
// that a file holds what it should, in the mode of the fragment.
func opens(ts *testscript.TestScript, _ bool, args []string) {
	var e job.Encryption
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &e))
	iv, err := base64.StdEncoding.DecodeString(e.InitializationVector)
	ts.Check(err)
	plain, err := decrypted(e.Mode, []byte(ts.ReadFile(args[1])), iv, []byte(ts.ReadFile(args[2])))
	ts.Check(err)
	if string(plain) != ts.ReadFile(args[3]) {
		ts.Fatalf("%s is not %s encrypted", args[2], args[3])
	}
}

func decrypted(mode string, key, iv, sealed []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(sealed))
	switch mode {
	case job.ModeGCM:
		gcm, err := cipher.NewGCMWithNonceSize(block, len(iv))
		if err != nil {
			return nil, err
		}
		return gcm.Open(nil, iv, sealed, nil)
	case job.ModeCTR:
		cipher.NewCTR(block, iv).XORKeyStream(plain, sealed)
		return plain, nil
	case job.ModeCBC:
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, sealed)
		padding := int(plain[len(plain)-1])
		rest, ok := bytes.CutSuffix(plain, bytes.Repeat([]byte{byte(padding)}, padding))
		if padding < 1 || padding > 16 || !ok {
			return nil, errors.New("the padding is wrong")
		}
		return rest, nil
	}
	return nil, errors.New("no mode " + mode)
}

// damage FILE flips the first bit of a file.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	b := []byte(ts.ReadFile(args[0]))
	b[0] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// alter KEY WHAT puts another object in the place of an output: with its first
// bit flipped (bit), without the last byte (cut), without metadata (bare), under
// the name of another output (as:OTHER), with a metadatum of its own (NAME=VALUE)
// or without one (-NAME).
func (s *service) alter(ts *testscript.TestScript, _ bool, args []string) {
	key := args[0]
	b, metadata := s.object(ts, "out-bucket", key)
	name, value, _ := strings.Cut(args[1], "=")
	other, renamed := strings.CutPrefix(name, "as:")
	stripped, strips := strings.CutPrefix(name, "-")
	switch {
	case renamed:
		key = other
	case strips:
		delete(metadata, stripped)
	case name == "bit":
		b[0] ^= 1
	case name == "cut":
		b = b[:len(b)-1]
	case name == "bare":
		metadata = nil
	default:
		metadata[name] = value
	}
	s.replace(ts, "out-bucket", key, b, metadata)
}

// object is an object as it is stored, and its metadata.
func (s *service) object(ts *testscript.TestScript, bucket, key string) ([]byte, map[string]string) {
	o := s3store.Object{Bucket: bucket, Key: key}
	info, err := s.store.Head(context.Background(), o, nil)
	ts.Check(err)
	r, err := s.store.ReadRange(context.Background(), o, nil, 0, info.Size)
	ts.Check(err)
	defer r.Close()
	b, err := io.ReadAll(r)
	ts.Check(err)
	return b, info.Metadata
}

// replace puts an object where another may be.
func (s *service) replace(ts *testscript.TestScript, bucket, key string, b []byte, metadata map[string]string) {
	ts.Check(s.store.Delete(context.Background(), bucket, key))
	_, err := s.store.Upload(context.Background(), s3store.UploadTarget{Bucket: bucket, Key: key, Metadata: metadata}, bytes.NewReader(b))
	ts.Check(err)
}

// kmswrap KEYFILE BLOB [CONTEXT] does what a user of KMS does: wraps the bytes of
// a file, under the pipeline's context or another, and keeps the CiphertextBlob.
func (s *service) kmswrap(ts *testscript.TestScript, _ bool, args []string) {
	raw, err := seal.NewKey([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	under := s.context
	if len(args) > 2 {
		under = map[string]string{"service": args[2]}
	}
	blob, err := s.keys.Wrap(context.Background(), raw, s.keyARN, under)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), blob, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]+".base64"), []byte(base64.StdEncoding.EncodeToString(blob)+"\n"), 0o600))
}

// template FRAGMENT MODE FILE writes a template whose input is encrypted with
// the key of a fragment in the mode.
func template(ts *testscript.TestScript, _ bool, args []string) {
	var e job.Encryption
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &e))
	e.Mode = args[1]
	doc, err := json.Marshal(map[string]any{
		"Input":  map[string]any{"Encryption": e},
		"Output": map[string]any{"Key": "x", "PresetId": "1351620000001-000010"},
	})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), doc, 0o600))
}
