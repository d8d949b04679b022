package seal

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sealreel/pkg/job"
)

// TestFailureTexts pins what a job shows of each error with keys: Elastic
// Transcoder's text of the code with its parameters, and what to do behind it.
// All fits where 255 characters do, with ordinary names.
func TestFailureTexts(t *testing.T) {
	const (
		transcoderText = `{"service":"elastictranscoder.amazonaws.com"}`
		far            = "arn:aws:kms:us-west-2:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
		keyID          = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
		unable         = "Elastic Transcoder was unable to decrypt the ciphered key with MD5=%s; "
		generate       = "Elastic Transcoder was unable to generate a data key using the KMS key ARN " + keyID + "; "
		size           = "The AES key was encrypted with a %d-bit encryption key. AES supports only 128-, 192-, and 256-bit encryption keys. MD5=%%s; "
		input          = "Elastic Transcoder could not decrypt the input file from tv/pilot.mp4 using "
	)
	otherContext := map[string]string{"service": "other"}
	// unwrapping is what an element with a key of the plaintext comes to.
	unwrapping := func(mode, plaintext string, context map[string]string, answer error) (err error, md5 string) {
		kms := &fakeKMS{}
		e := ssec(kms.wrap(plaintext, keyARN, context))
		if e.Mode = mode; mode != job.ModeSSEC {
			e.InitializationVector = encode(make([]byte, 16))
		}
		kms.err = answer
		ring := NewKeyring(kms, keyARN, transcoder)
		defer ring.Close()
		_, err = ring.Unwrap(t.Context(), e)
		return err, e.KeyMd5
	}
	generating := func(keyARN string, answer error) error {
		ring := NewKeyring(&fakeKMS{err: answer}, keyARN, transcoder)
		defer ring.Close()
		_, err := ring.Generate(t.Context(), job.ModeGCM)
		return err
	}
	apart := &KeyRegionError{KeyARN: keyID, KeyRegion: "us-west-2", Region: "eu-west-1"}
	replicated := &KeyRegionError{KeyARN: far, KeyRegion: "us-west-2", Region: "eu-west-1"}
	for _, c := range []struct {
		code job.Code
		text string // %s: the MD5 of the wrapped key
		fail func() (error, string)
	}{
		{4016, input + "aes-gcm; check Key, KeyMd5, InitializationVector and Mode, and that the file is whole",
			func() (error, string) { return job.DecryptFailed(nil, "tv/pilot.mp4", job.ModeGCM), "" }},
		{4016, input + "s3-encryption-client; check that the file is whole and its metadata are its own",
			func() (error, string) { return job.DecryptFailed(nil, "tv/pilot.mp4", job.ModeS3EC), "" }},
		{4017, fmt.Sprintf(size, 128) + "sse-c takes 256 bits, not 128 bits",
			func() (error, string) { return unwrapping(job.ModeSSEC, rawKey[:16], transcoder, nil) }},
		{4017, fmt.Sprintf(size, 160) + "AES takes 128, 192 or 256 bits, not 160 bits",
			func() (error, string) { return unwrapping(job.ModeCTR, rawKey[:20], transcoder, nil) }},
		{4017, "MD5=%s: the KMS ciphertext wraps the base64 text of a key, not the key; give KMS Encrypt the raw bytes (aws kms encrypt --plaintext fileb://key.bin)",
			func() (error, string) {
				return unwrapping(job.ModeCBC, encode([]byte(rawKey[:16])), transcoder, nil)
			}},
		{4018, unable + "wrap the raw key again with KMS, under the encryption context " + transcoderText,
			func() (error, string) { return unwrapping(job.ModeGCM, rawKey, otherContext, nil) }},
		{4018, unable + "wrap it with the pipeline's AwsKmsKeyArn under the context " + transcoderText,
			func() (error, string) { return unwrapping(job.ModeGCM, rawKey, transcoder, ErrIncorrectKey) }},
		{4018, unable + "allow kms:Decrypt to the function's role under the context " + transcoderText,
			func() (error, string) { return unwrapping(job.ModeGCM, rawKey, transcoder, ErrAccess) }},
		{4018, unable + "its KMS key, or the AwsKmsKeyArn, does not exist (context " + transcoderText + ")",
			func() (error, string) { return unwrapping(job.ModeGCM, rawKey, transcoder, ErrNoKey) }},
		{4018, unable + "enable the KMS key that wrapped it (context " + transcoderText + ")",
			func() (error, string) { return unwrapping(job.ModeGCM, rawKey, transcoder, ErrDisabled) }},
		{4018, unable + "the KMS key must be in the pipeline's region eu-west-1, not in us-west-2",
			func() (error, string) { return unwrapping(job.ModeGCM, rawKey, transcoder, apart) }},
		{4018, unable + "the KMS key must be in the pipeline's region eu-west-1, not in us-west-2; name its replica there, if there is one",
			func() (error, string) { return unwrapping(job.ModeGCM, rawKey, transcoder, replicated) }},
		{4019, "Elastic Transcoder was unable to generate a data key: the pipeline has no AwsKmsKeyArn; set it, or give Key and KeyMd5 on the output",
			func() (error, string) { return generating("", nil), "" }},
		{4019, generate + "allow the function's role kms:GenerateDataKey with it", func() (error, string) { return generating(keyID, ErrAccess), "" }},
		{4019, generate + "it does not exist", func() (error, string) { return generating(keyID, ErrNoKey), "" }},
		{4019, generate + "enable it", func() (error, string) { return generating(keyID, ErrDisabled), "" }},
		{4019, generate + "check that it is the ARN of a KMS key", func() (error, string) { return generating(keyID, ErrInvalidCiphertext), "" }},
		{4019, generate + "it must be in the pipeline's region eu-west-1", func() (error, string) { return generating(keyID, apart), "" }},
		{4019, "Elastic Transcoder was unable to generate a data key using the KMS key ARN " + far + "; name its replica in the pipeline's region eu-west-1",
			func() (error, string) { return generating(far, replicated), "" }},
	} {
		err, md5 := c.fail()
		want := strings.ReplaceAll(c.text, "%s", md5)
		var f *job.Failure
		if !errors.As(err, &f) || f.Code != c.code || f.Detail != want {
			t.Errorf("%d: got  %v\nwant %s", c.code, err, want)
			continue
		}
		if detail := job.StatusDetail("1700000000000-abc123", "1", f); !strings.HasSuffix(detail, want) {
			t.Errorf("%d is cut: %s", c.code, detail)
		}
	}
}
