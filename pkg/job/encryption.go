package job

import (
	"encoding/base64"

	"sealreel/pkg/document"
)

// Modes of an Encryption that this version reads and writes (API:
// EncryptionMode; ModeSSEC is ours).
const (
	ModeS3    = "s3"         // S3 encrypts with keys of its own
	ModeS3KMS = "s3-aws-kms" // S3 encrypts with a KMS key
	ModeSSEC  = "sse-c"      // S3 encrypts with the customer's key, sent over TLS
	ModeCBC   = "aes-cbc-pkcs7"
	ModeCTR   = "aes-ctr"
	ModeGCM   = "aes-gcm"
	// ModeS3EC is the format of AWS's S3 Encryption Client, version 2: each object
	// brings a data key of its own, wrapped, in its metadata.
	ModeS3EC = "s3-encryption-client"
)

// base64Rule is the API's pattern of Key and KeyMd5 without the empty text.
var base64Rule = document.Pattern(`^(?:[A-Za-z0-9\+/]{4})*(?:[A-Za-z0-9\+/]{2}==|[A-Za-z0-9\+/]{3}=)?$`)

// largestAESKey is the size of an AES-256 key in bytes. What KMS wraps is
// longer, so a Key of at most this size is a plaintext key put in by mistake.
const largestAESKey = 32

// direction says which way an element encrypts: a reader must be told the
// key, a writer may have one generated.
type direction int

const (
	reading direction = iota
	writing
)

// ReadInputEncryption reads an Encryption element for something that is
// decrypted; nil when the object is nil or all its members are blank.
func ReadInputEncryption(o *document.Object) *Encryption { return readEncryption(o, reading) }

func readEncryption(o *document.Object, way direction) *Encryption {
	if o == nil {
		return nil
	}
	defer o.Close()
	before := o.Problems().Len()
	// No value is quoted but the Mode: a key may stand in the wrong member.
	e := Encryption{
		Mode:                 o.String("Mode", document.BlankOr(document.OneOf(ModeS3, ModeS3KMS, ModeSSEC, ModeCBC, ModeCTR, ModeGCM, ModeS3EC))),
		Key:                  o.Secret("Key", document.BlankOr(base64Rule), document.BlankOr(wrappedKey)),
		KeyMd5:               o.Secret("KeyMd5", document.BlankOr(base64Rule), document.BlankOr(md5Size)),
		InitializationVector: o.Secret("InitializationVector", document.Length(0, 255)),
	}
	if o.Problems().Len() == before {
		checkEncryption(o, e, way)
	}
	if o.Problems().Len() != before || e == (Encryption{}) {
		return nil
	}
	return &e
}

// checkEncryption holds the rules between the members of an element.
func checkEncryption(o *document.Object, e Encryption, way direction) {
	switch e.Mode {
	case "":
		if e.keyed() {
			o.Problems().Addf(o.Path("Mode"), "'%s' must say a Mode, since Key, KeyMd5 or InitializationVector is given", o.Path(""))
		}
	case ModeS3, ModeS3KMS:
		checkKeyless(o, e, "S3 holds the key")
	case ModeS3EC:
		checkKeyless(o, e, "each object has its own")
	case ModeSSEC:
		checkCustomerKey(o, e)
		checkReadable(o, e, way)
	case ModeCBC, ModeCTR, ModeGCM:
		checkKeyAndIV(o, e, way)
		checkReadable(o, e, way)
	}
}

// keyed says whether the element names anything of a key.
func (e Encryption) keyed() bool {
	return e.Key != "" || e.KeyMd5 != "" || e.InitializationVector != ""
}

// checkKeyless: the job names no key where it is another's to hold.
func checkKeyless(o *document.Object, e Encryption, why string) {
	if e.keyed() {
		o.Problems().Addf(o.Path("Key"), "'%s' must leave Key, KeyMd5 and InitializationVector blank, since %s in mode %s", o.Path(""), why, e.Mode)
	}
}

func checkCustomerKey(o *document.Object, e Encryption) {
	if e.InitializationVector != "" {
		o.Problems().Addf(o.Path("InitializationVector"), "'%s' must leave InitializationVector blank, since S3 chooses it in mode sse-c", o.Path(""))
	}
	if (e.Key == "") != (e.KeyMd5 == "") {
		o.Problems().Addf(o.Path("KeyMd5"), "'%s' must give Key and KeyMd5 together", o.Path(""))
	}
}

func checkKeyAndIV(o *document.Object, e Encryption, way direction) {
	if complete := e.Key != "" && e.KeyMd5 != "" && e.InitializationVector != ""; e.keyed() && !complete {
		o.Problems().Addf(o.Path("InitializationVector"), "'%s' must give Key, KeyMd5 and InitializationVector together", o.Path(""))
	}
	if e.InitializationVector != "" && !validIV(e, way) {
		o.Problems().Addf(o.Path("InitializationVector"), "'%s' must have an InitializationVector that is the base64 of 16 bytes", o.Path(""))
	}
}

// checkReadable: what is read needs its key; for what is written one is made.
func checkReadable(o *document.Object, e Encryption, way direction) {
	if way == reading && e.Key == "" && e.KeyMd5 == "" {
		o.Problems().Addf(o.Path("Key"), "'%s' must give Key and KeyMd5, since an input in mode %s can't be read without them", o.Path(""), e.Mode)
	}
}

// validIV: the API has 16 bytes in every mode; files in aes-gcm from elsewhere
// have 12 more often than not, so those can be read.
func validIV(e Encryption, way direction) bool {
	iv, err := base64.StdEncoding.DecodeString(e.InitializationVector)
	return err == nil && (len(iv) == 16 || len(iv) == 12 && e.Mode == ModeGCM && way == reading)
}

func wrappedKey(value string) string {
	raw, err := base64.StdEncoding.DecodeString(value)
	if err == nil && len(raw) <= largestAESKey {
		return "Member must be the base64 of what KMS Encrypt or GenerateDataKey returned as CiphertextBlob; " +
			"this is as short as a plaintext key, which must never be in a job: wrap it with KMS, and treat it as disclosed"
	}
	return ""
}

func md5Size(value string) string {
	if raw, err := base64.StdEncoding.DecodeString(value); err != nil || len(raw) != 16 {
		return "Member must be the base64 of 16 bytes, the MD5 of the decoded Key"
	}
	return ""
}
