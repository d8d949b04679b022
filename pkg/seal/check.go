package seal

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"sealreel/pkg/job"
)

// checkMembers holds an element against its mode. Parsers refuse such elements
// at once; this one stands before the key service.
func checkMembers(mode Mode, e job.Encryption) error {
	given := e.Key != "" || e.KeyMd5 != ""
	switch {
	case !mode.TakesKey() && (given || e.InitializationVector != ""):
		return job.Fail(job.CodeValidation, "encryption mode %q takes no Key, KeyMd5 or InitializationVector", mode.Name)
	case mode.TakesKey() && e.Key == "":
		return job.Fail(job.CodeValidation, "encryption mode %q needs Key and KeyMd5", mode.Name)
	case mode.TakesKey() && e.KeyMd5 == "":
		return job.Fail(job.CodeUnwrapKey, "KeyMd5 is missing; it is the base64 of the MD5 of the decoded Key (the KMS ciphertext)")
	case mode.IVSize == 0 && e.InitializationVector != "":
		return job.Fail(job.CodeValidation, "encryption mode %q takes no InitializationVector", mode.Name)
	case mode.IVSize > 0 && e.InitializationVector == "":
		return job.Fail(job.CodeValidation, "encryption mode %q needs an InitializationVector", mode.Name)
	}
	return nil
}

// ivOf reads an InitializationVector: 16 bytes, and in GCM also 12.
func ivOf(mode Mode, e job.Encryption) ([]byte, error) {
	if mode.IVSize == 0 {
		return nil, nil
	}
	iv, err := base64.StdEncoding.DecodeString(e.InitializationVector)
	if err != nil || len(iv) != mode.IVSize && (mode.Name != job.ModeGCM || len(iv) != 12) {
		return nil, job.Fail(job.CodeValidation, "the InitializationVector for mode %s must be the base64 of %d bytes", mode.Name, mode.IVSize)
	}
	return iv, nil
}

// checkMD5 accepts the MD5 of the KMS ciphertext, which is what Elastic
// Transcoder checked, and that of the plaintext key, which is what its
// documents say. Neither comparison tells by its time how much was right.
func checkMD5(keyMD5 string, ciphertext []byte, key Key) error {
	want, _ := base64.StdEncoding.DecodeString(keyMD5) // what is no base64 is no digest either
	wrapped, plain := digest(ciphertext), key.MD5()
	if subtle.ConstantTimeCompare(want, wrapped[:])|subtle.ConstantTimeCompare(want, plain[:]) != 1 {
		return job.KeyMD5Mismatch(md5Of(ciphertext))
	}
	return nil
}

// md5Of is what KeyMd5 should be, and what failures name a key by: never the
// KeyMd5 that was given, which may be a key that was put there by mistake.
func md5Of(ciphertext []byte) string {
	sum := digest(ciphertext)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// keyOf makes a key of what was unwrapped and recognises the text of a key.
func keyOf(plaintext []byte, keyMD5 string) (Key, error) {
	if isKeyText(plaintext) {
		return Key{}, job.KeyIsBase64Text(keyMD5)
	}
	key, err := NewKey(plaintext)
	if err != nil {
		return Key{}, job.KeyLength(8*len(plaintext), keyMD5, "AES")
	}
	return key, nil
}

// isKeyText says whether b is the base64 text of an AES key, perhaps with white
// space around it. A random key looks like that with a chance of 2^-64 at most.
func isKeyText(b []byte) bool {
	text := bytes.TrimSpace(b)
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	defer clear(raw)
	n, err := base64.StdEncoding.Strict().Decode(raw, text)
	return err == nil && (n == 16 || n == 24 || n == 32)
}

// unwrapFailure is a *job.Failure for a lasting refusal of the key service, else
// err with what was being done.
func (r *Keyring) unwrapFailure(err error, keyMD5 string, hint func(refusal) string) error {
	var far *KeyRegionError
	if errors.As(err, &far) {
		return job.UnwrapFailed(err, keyMD5, far.remedy())
	}
	for _, refused := range refusals {
		if errors.Is(err, refused.err) {
			return job.UnwrapFailed(err, keyMD5, fmt.Sprintf(hint(refused), contextText(r.context)))
		}
	}
	return fmt.Errorf("unwrapping the key with MD5=%s: %w", keyMD5, err)
}

func (r *Keyring) generateFailure(err error) error {
	var far *KeyRegionError
	if errors.As(err, &far) {
		return job.GenerateFailed(err, r.keyARN, far.short())
	}
	for _, refused := range refusals {
		if errors.Is(err, refused.err) {
			return job.GenerateFailed(err, r.keyARN, refused.generating)
		}
	}
	return fmt.Errorf("generating a data key with %s: %w", r.keyARN, err)
}

// contextText shows an encryption context, which is not secret. Equal ones have
// the same text.
func contextText(context map[string]string) string {
	text, err := json.Marshal(context)
	if err != nil || len(context) == 0 {
		return "{}"
	}
	return string(text)
}
