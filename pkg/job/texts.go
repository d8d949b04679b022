package job

import "time"

// The texts of failures. Those of 1001, 3001, 3002 and 4000 are the service's
// own, as recorded in its notifications, and those of 3006 and 4016 to 4019 are
// of its error table, with what to do behind them; the others are ours over the
// table's meanings. Shared texts make that the same thing reads the same
// wherever it is found out. Values stand first, because a StatusDetail is cut
// at 255 characters.
//
// A keyMD5 is the base64 of the MD5 of the decoded Key, computed and not taken
// from the request: someone may have put a key in the place of its MD5.

// DependencyFailed (1001) ends a playlist of which an output failed.
func DependencyFailed() *Failure {
	return Fail(CodeDependency, "Amazon Elastic Transcoder could not generate the playlist because it encountered an error with one or more of the playlists dependencies.")
}

// RoleRefused (2000) says that STS let the function not take on the pipeline's
// role.
func RoleRefused(cause error, arn string) *Failure {
	return FailCause(cause, CodeAssumeRole, "cannot assume the role %s; its trust policy must let the functions' roles assume it, and the stack's PipelineRoleArns must list it", arn)
}

// InputMissing (3001) says that the input is not in its bucket.
func InputMissing(bucket, key string) *Failure {
	return Fail(CodeInputMissing, "The specified object does not exist in the specified S3 bucket: bucket=%s, key=%s.", bucket, key)
}

// OutputExists (3002) says that the place of an output is taken.
func OutputExists(bucket, key string) *Failure {
	return Fail(CodeOutputExists, "The specified object could not be saved in the specified bucket because an object by that name already exists: bucket=%s, key=%s.", bucket, key)
}

// NoReadPermission (3003) says that the input can't be read. Cause is for the
// operator.
func NoReadPermission(cause error, bucket, key string) *Failure {
	return FailCause(cause, CodeNoReadPermission, "reading the input was denied: bucket=%s, key=%s; allow the function's role to read it, and check the Encryption of the input", bucket, key)
}

// NoWritePermission (3004) says that an output can't be stored.
func NoWritePermission(cause error, bucket, key string) *Failure {
	return FailCause(cause, CodeNoWritePermission, "storing the output was denied: bucket=%s, key=%s; allow the function's role to write it, and check the Encryption of the output", bucket, key)
}

// BucketMissing (3005) says that a bucket is not there.
func BucketMissing(bucket string) *Failure {
	return Fail(CodeBucketMissing, "the bucket does not exist: bucket=%s", bucket)
}

// KeyOfOtherRegion (3006) says that S3 can't use the KMS key for the output with
// the key, which is the object's.
func KeyOfOtherRegion(cause error, bucket, key string) *Failure {
	return FailCause(cause, CodeKeyRegion, "Elastic Transcoder was unable to write the key=%s to bucket=%s, as the key is not in the same region as the bucket; use a KMS key of the bucket's region", key, bucket)
}

// BadMedia (4000) says that the input is no media that can be read.
func BadMedia(cause error) *Failure {
	return FailCause(cause, CodeBadInput, "Amazon Elastic Transcoder could not interpret the media file.")
}

// WatermarkUnreadable (4003) says that a watermark is no picture.
func WatermarkUnreadable(cause error, key string) *Failure {
	return FailCause(cause, CodeWatermark, "the watermark could not be interpreted: key=%s; store a whole JPEG or PNG picture there", key)
}

// WatermarkTooLarge (4004) says that a watermark has more pixels than are taken.
func WatermarkTooLarge(cause error, key string, width, height int) *Failure {
	return FailCause(cause, CodeWatermarkTooLarge, "the watermark is larger than %dx%d pixels: key=%s; scale it down", width, height, key)
}

// TooMuchArtwork (4009) says that an output's album would have too many pictures,
// those of the input included.
func TooMuchArtwork(count, most int) *Failure {
	return Fail(CodeArtworkCount, "the album would have %d artworks, more than %d: name fewer, or choose the MergePolicy Replace or Fallback", count, most)
}

// ArtworkUnreadable (4010) says that an artwork is no picture.
func ArtworkUnreadable(cause error, key string) *Failure {
	return FailCause(cause, CodeArtwork, "the artwork could not be interpreted: key=%s; store a whole JPEG or PNG picture there", key)
}

// EmbeddedArtworkUnreadable (4011) says so of one that the input holds.
func EmbeddedArtworkUnreadable(cause error) *Failure {
	return FailCause(cause, CodeEmbeddedArtwork, "an artwork of the input could not be interpreted as JPEG or PNG: choose the MergePolicy Replace, or take it out of the input")
}

// ArtworkTooLarge (4012) says that an artwork has more pixels than are taken.
func ArtworkTooLarge(cause error, key string, width, height int) *Failure {
	return FailCause(cause, CodeArtworkTooLarge, "the artwork is larger than %dx%d pixels: key=%s; scale it down", width, height, key)
}

// ArtworkTooLong (4012) says that the container can't hold an artwork.
func ArtworkTooLong(cause error, container string) *Failure {
	return FailCause(cause, CodeArtworkTooLarge, "the artwork has more bytes than a file in the container %s can hold: choose a smaller MaxWidth and MaxHeight, or jpg", container)
}

// EmbeddedArtworkTooLarge (4013) says that one of the input has more pixels than
// are taken.
func EmbeddedArtworkTooLarge(width, height int) *Failure {
	return Fail(CodeEmbeddedTooLarge, "an artwork of the input is larger than %dx%d pixels: choose the MergePolicy Replace, or take it out of the input", width, height)
}

// PictureTooLong (4005) says that a picture's file has more bytes than are taken.
func PictureTooLong(bucket, key string, size, most int64) *Failure {
	return Fail(CodeObjectTooLarge, "the file of the picture is too large: bucket=%s, key=%s, size=%d, max size=%d; store a smaller one", bucket, key, size, most)
}

// DecryptFailed (4016) is the one text for a wrong key, bad padding, a bad tag
// and a cut file: whoever can only see the job must not learn which.
func DecryptFailed(cause error, key, mode string) *Failure {
	remedy := "check Key, KeyMd5, InitializationVector and Mode, and that the file is whole and under its own name"
	if mode == ModeS3EC {
		remedy = "check that the file is whole and its metadata are its own"
	}
	return FailCause(cause, CodeDecryptInput, "Elastic Transcoder could not decrypt the input file from %s using %s; %s", key, mode, remedy)
}

// EnvelopeRefused (4016) says that an input in mode s3-encryption-client is not
// as the client writes it. Cause says what is wrong; it is shown.
func EnvelopeRefused(cause error, key string) *Failure {
	return FailCause(cause, CodeDecryptInput, "the input is not in the format of mode %s: %v: key=%s", ModeS3EC, cause, key)
}

// EnvelopeContext (4016) says that the wrapped key of such an input was not made
// for the pipeline. Name and value are of the pair that is missing.
func EnvelopeContext(name, value, key string) *Failure {
	return Fail(CodeDecryptInput, "x-amz-matdesc of the input lacks the pair %q: %q of the pipeline's encryption context; store the input again under that context: key=%s", name, value, key)
}

// KeyLength (4017) says that the unwrapped key has a size that the mode can't
// use, or that none can: then mode is "AES".
func KeyLength(bits int, keyMD5, mode string) *Failure {
	sizes := "128, 192 or 256"
	if mode == ModeSSEC || mode == ModeS3EC {
		sizes = "256"
	}
	return Fail(CodeKeyLength, "The AES key was encrypted with a %d-bit encryption key. AES supports only 128-, 192-, and 256-bit encryption keys. MD5=%s; %s takes %s bits, not %[1]d bits", bits, keyMD5, mode, sizes)
}

// KeyIsBase64Text (4017) says that someone wrapped the text of a key.
func KeyIsBase64Text(keyMD5 string) *Failure {
	return Fail(CodeKeyLength, "MD5=%s: the KMS ciphertext wraps the base64 text of a key, not the key; give KMS Encrypt the raw bytes (aws kms encrypt --plaintext fileb://key.bin)", keyMD5)
}

// UnwrapFailed (4018) says that KMS would not unwrap a key; hint says what to
// look at, for instance the encryption context that was used.
func UnwrapFailed(cause error, keyMD5, hint string) *Failure {
	return FailCause(cause, CodeUnwrapKey, "Elastic Transcoder was unable to decrypt the ciphered key with MD5=%s; %s", keyMD5, hint)
}

// KeyMD5Mismatch (4018) says that KeyMd5 does not belong to Key.
func KeyMD5Mismatch(keyMD5 string) *Failure {
	return Fail(CodeUnwrapKey, "KeyMd5 does not belong to Key: the MD5 of the decoded Key (the KMS ciphertext) is %s; give that, or the Key that KeyMd5 is of", keyMD5)
}

// NoGenerator (4019) says that the pipeline names no KMS key to make keys with.
func NoGenerator() *Failure {
	return Fail(CodeGenerateKey, "Elastic Transcoder was unable to generate a data key: the pipeline has no AwsKmsKeyArn; set it, or give Key and KeyMd5 on the output")
}

// GenerateFailed (4019) says that KMS would not make a key; hint says what to do.
func GenerateFailed(cause error, keyARN, hint string) *Failure {
	return FailCause(cause, CodeGenerateKey, "Elastic Transcoder was unable to generate a data key using the KMS key ARN %s; %s", keyARN, hint)
}

// ClipBeyondEnd (4014) says that a clip begins where its input has ended.
func ClipBeyondEnd(start, ends time.Duration) *Failure {
	return Fail(CodeClipBeyondEnd, "the StartTime of the clip, %.3f seconds, lies after the end of the input at %.3f seconds; let the clip begin earlier", start.Seconds(), ends.Seconds())
}

// ClipCutShort is the warning on a completed output whose clip was to go on
// after the end of its input, in the service's words.
const ClipCutShort = "The starting time plus the duration of a clip exceeded the length of the input file. Amazon Elastic Transcoder created an output file that is shorter than the specified duration."

// InputsDiffer (4025 for video, 4026 for audio) says that an input, counted from
// 1, lacks a stream that the first has, or has one that the first lacks.
func InputsDiffer(code Code, number int, stream string, firstHas bool) *Failure {
	says := "has %s and the first input has none"
	if firstHas {
		says = "has no %s and the first input has"
	}
	return Fail(code, "input #%d "+says+": all inputs that are joined must have %s, or all must lack it", number, stream, stream)
}

// InputsTooLarge (4022) says that the inputs together are more than is taken.
func InputsTooLarge(bucket string, count int, size int64, limit string) *Failure {
	return Fail(CodeInputsTooLarge, "the %d inputs are together larger than is taken: bucket=%s, size=%d; at most %s", count, bucket, size, limit)
}
