package job

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestFailureOf(t *testing.T) {
	inner := InputMissing("b", "k")
	for name, c := range map[string]struct {
		err    error
		code   Code
		detail string
	}{
		"itself":   {inner, CodeInputMissing, "The specified object does not exist in the specified S3 bucket: bucket=b, key=k."},
		"wrapped":  {fmt.Errorf("opening: %w", inner), CodeInputMissing, "bucket=b, key=k."},
		"internal": {fmt.Errorf("dial 10.0.0.1: %w", io.EOF), CodeInternal, "an internal error ended the job"},
		"syntax":   {&SyntaxError{Line: 3, Column: 4, Message: "bad"}, CodeValidation, "not valid JSON: line 3, column 4: bad"},
		"size":     {fmt.Errorf("x: %w", &SizeError{Size: 2, Max: 1}), CodeValidation, "has 2 bytes, at most 1"},
		"rules":    {&ValidationError{Problems: []Problem{{Path: "a", Value: "'b'", Message: "c"}}}, CodeValidation, "Value 'b' at 'a' failed to satisfy constraint: c"},
	} {
		f := FailureOf(c.err)
		if f.Code != c.code || !strings.Contains(f.Detail, c.detail) {
			t.Errorf("%s: %v", name, f)
		}
		if strings.Contains(f.Detail, "10.0.0.1") {
			t.Errorf("%s: the job shows the operator's cause", name)
		}
		if !errors.Is(c.err, f) && !errors.Is(f, c.err) {
			t.Errorf("%s: the cause is lost", name)
		}
	}
}

// TestTexts: each text of a failure fits a StatusDetail with ordinary names,
// keeps its cause, and says what to look at.
func TestTexts(t *testing.T) {
	cause := errors.New("secret of the operator")
	bucket, key := "a-bucket-of-some-length-eu-west-1", "folder/some file.mp4"
	for want, f := range map[string]*Failure{
		"1001|with one or more of the playlists dependencies.":           DependencyFailed(),
		"3001|bucket=" + bucket + ", key=" + key + ".":                   InputMissing(bucket, key),
		"3002|an object by that name already exists":                     OutputExists(bucket, key),
		"3003|reading the input was denied":                              NoReadPermission(cause, bucket, key),
		"3004|storing the output was denied":                             NoWritePermission(cause, bucket, key),
		"3005|bucket=" + bucket:                                          BucketMissing(bucket),
		"3006|was unable to write the key=" + key:                        KeyOfOtherRegion(cause, bucket, key),
		"4000|Amazon Elastic Transcoder could not interpret the media":   BadMedia(cause),
		"4016|could not decrypt the input file from " + key:              DecryptFailed(cause, key, "aes-gcm"),
		"4017|sse-c takes 256 bits, not 192 bits":                        KeyLength(192, goodMD5, ModeSSEC),
		"4017|aes-ctr takes 128, 192 or 256 bits, not 96 bits":           KeyLength(96, goodMD5, "aes-ctr"),
		"4017|wraps the base64 text of a key, not the key":               KeyIsBase64Text(goodMD5),
		"4018|unable to decrypt the ciphered key with MD5=" + goodMD5:    UnwrapFailed(cause, goodMD5, "check the encryption context"),
		"4018|MD5 of the decoded Key (the KMS ciphertext) is " + goodMD5: KeyMD5Mismatch(goodMD5),
		"4019|using the KMS key ARN arn:aws:kms:x":                       GenerateFailed(cause, "arn:aws:kms:x", "enable it"),
		"4019|the pipeline has no AwsKmsKeyArn; set it, or give Key and": NoGenerator(),
	} {
		code, text, _ := strings.Cut(want, "|")
		detail := StatusDetail("1700000000000-abc123", "1", f)
		if !strings.HasPrefix(detail, code+" ") || !strings.Contains(detail, text) || strings.HasSuffix(detail, "...") {
			t.Errorf("%s: %q (%d)", code, detail, len(detail))
		}
		if strings.Contains(detail, cause.Error()) {
			t.Errorf("%s shows its cause", code)
		}
		if f.Cause != nil && (!errors.Is(f, cause) || !strings.Contains(f.Error(), cause.Error())) {
			t.Errorf("%s loses its cause: %v", code, f)
		}
	}
}
