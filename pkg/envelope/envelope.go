// Package envelope holds the format of objects that AWS's S3 Encryption Client
// encrypts, in its version 2: AES-256-GCM with a data key of the object's own,
// which KMS wrapped under an encryption context. What is needed to decrypt stands
// in the object's user metadata:
//
//	x-amz-key-v2    the wrapped data key, base64
//	x-amz-iv        the IV of 12 bytes, base64
//	x-amz-matdesc   the encryption context, a JSON object of strings, which holds
//	                "aws:x-amz-cek-alg": "AES/GCM/NoPadding"
//	x-amz-wrap-alg  kms+context
//	x-amz-cek-alg   AES/GCM/NoPadding
//	x-amz-tag-len   128
//	x-amz-unencrypted-content-length  may be missing
//
// The object is the ciphertext, then the tag of 16 bytes; no additional data.
//
// Whoever can write an object can write its metadata, so it guarantees that
// metadata never chooses how an object is decrypted: there is the one format, and
// Parse refuses every other one (content in CBC, keys that are wrapped without a
// context or by other means, versions 1 and 3, instruction files). That a data
// key is the object's own is for KMS to say, and for the tag.
//
// The reference is AWS's specification of the client's content metadata, and its
// client for Go.
package envelope

import "slices"

// The names of the metadata, and the values of the one format.
const (
	keyName     = "x-amz-key-v2"
	ivName      = "x-amz-iv"
	contextName = "x-amz-matdesc"
	wrapName    = "x-amz-wrap-alg"
	cipherName  = "x-amz-cek-alg"
	tagName     = "x-amz-tag-len"
	lengthName  = "x-amz-unencrypted-content-length"

	wrapping = "kms+context"
	cipher   = "AES/GCM/NoPadding"
	tagBits  = "128"

	// reserved is the pair of every context that names the cipher.
	reserved = "aws:x-amz-cek-alg"
)

// Sizes in bytes.
const (
	KeySize = 32 // of the data key
	IVSize  = 12
	TagSize = 16 // of the tag, at the object's end

	maxWrapped = 6144 // what KMS unwraps (API: Decrypt)
	maxContext = 8192 // of x-amz-matdesc as read; S3 stores 2 KB of metadata, and may encode them

	// MaxContext is the longest x-amz-matdesc that is written: S3 stores 2 KB of
	// metadata, and the wrapped key and the object's name take most of it.
	MaxContext = 400
)

// Envelope is what decrypts one object, but for the right to unwrap its key. It
// holds no secret.
type Envelope struct {
	WrappedKey []byte            `json:"wrappedKey"` // KMS ciphertext of the data key
	IV         []byte            `json:"iv"`
	Context    map[string]string `json:"context"` // encryption context of WrappedKey, with the client's own pair
}

// Lacks says which pair the context ought to have and has not, or not with that
// value: the first in the order of their names; "" when it has all.
func (e Envelope) Lacks(pairs map[string]string) string {
	var names []string
	for name, value := range pairs {
		if got, ok := e.Context[name]; !ok || got != value {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}
