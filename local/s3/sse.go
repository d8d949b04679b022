package s3

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"strconv"

	"github.com/valyala/fasthttp"
	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/s3api/utils"
)

const (
	methodS3       = "AES256"
	methodKMS      = "aws:kms"
	methodKMSTwice = "aws:kms:dsse"
	methodCustomer = "SSE-C" // only in records: on the wire it has headers of its own

	headerMethod    = "X-Amz-Server-Side-Encryption"
	headerKMSKey    = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
	headerBucketKey = "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"

	customerPrefix   = "X-Amz-Server-Side-Encryption-Customer-"
	copySourcePrefix = "X-Amz-Copy-Source-Server-Side-Encryption-Customer-"
)

// exchange is the HTTP side of a call from the gateway, which passes its request down as the context.
type exchange struct{ rc *fasthttp.RequestCtx }

func exchangeOf(ctx context.Context) exchange {
	rc, _ := ctx.(*fasthttp.RequestCtx)
	return exchange{rc}
}

func (x exchange) header(name string) string {
	if x.rc == nil {
		return ""
	}
	return string(x.rc.Request.Header.Peek(name))
}

// answer sets a response header, unless value is empty.
func (x exchange) answer(name, value string) {
	if x.rc != nil && value != "" {
		x.rc.Response.Header.Set(name, value)
	}
}

func (x exchange) secure() bool { return x.rc != nil && x.rc.IsTLS() }

// accessKey returns the access key id that signed the request.
func (x exchange) accessKey() string {
	if x.rc == nil {
		return ""
	}
	account, _ := x.rc.Value(string(utils.ContextKeyAccount)).(auth.Account)
	return account.Access
}

// encryption is what is stored of how an object is encrypted. Whatever it says, the content on the disk is encrypted;
// it says with whose key, and what the answers are to claim.
type encryption struct {
	Method    string `json:",omitempty"`
	KMSKeyID  string `json:",omitempty"`
	BucketKey bool   `json:",omitempty"`

	// Of a customer's key only its MD5, which S3 answers with, and a salted proof are kept.
	KeyMD5 string `json:",omitempty"`
	Salt   []byte `json:",omitempty"`
	Proof  []byte `json:",omitempty"`
}

func (e encryption) customer() bool { return e.Method == methodCustomer }

// opaque reports whether the ETag must not be the MD5 of the content.
func (e encryption) opaque() bool { return e.Method != methodS3 }

// answer sets the response headers that tell how an object is encrypted.
func (e encryption) answer(x exchange) {
	if e.customer() {
		x.answer(customerPrefix+"Algorithm", methodS3)
		x.answer(customerPrefix+"Key-Md5", e.KeyMD5)
		return
	}
	x.answer(headerMethod, e.Method)
	x.answer(headerKMSKey, e.KMSKeyID)
	if e.BucketKey {
		x.answer(headerBucketKey, strconv.FormatBool(e.BucketKey))
	}
}

// customerKey is a key that came with a request.
type customerKey struct {
	secret secret
	md5    string // base64
}

// readCustomerKey returns the customer's key of a request, checked as S3 checks it, or nil if there is none. prefix is
// that of the three headers.
func readCustomerKey(x exchange, prefix string) (*customerKey, error) {
	algorithm, key, sum := x.header(prefix+"Algorithm"), x.header(prefix+"Key"), x.header(prefix+"Key-Md5")
	switch {
	case algorithm == "" && key == "" && sum == "":
		return nil, nil
	case !x.secure():
		return nil, errInsecure
	case algorithm == "":
		return nil, errNoAlgorithm
	case algorithm != methodS3:
		return nil, errBadAlgorithm
	case key == "":
		return nil, errNoKey
	case sum == "":
		return nil, errNoKeyMD5
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return nil, errBadKey
	}
	if digest := md5.Sum(raw); base64.StdEncoding.EncodeToString(digest[:]) != sum {
		return nil, errBadKeyMD5
	}
	if len(raw) != secretSize {
		return nil, errBadKey
	}
	return &customerKey{secret: newSecret(raw), md5: sum}, nil
}

// requested returns how a request wants the object it writes to be encrypted, and the key for it.
func (s *store) requested(x exchange, bucket *bucketRecord, key string) (encryption, secret, error) {
	customer, err := readCustomerKey(x, customerPrefix)
	if err != nil {
		return encryption{}, secret{}, err
	}
	method, kmsKey := x.header(headerMethod), x.header(headerKMSKey)
	if customer == nil {
		e, err := s.managed(method, kmsKey, x.header(headerBucketKey) == "true", bucket.Default)
		if err == nil {
			e, err = s.useKey(x, "GenerateDataKey", e, bucket.Name, key)
		}
		return e, s.key, err
	}
	if method != "" || kmsKey != "" {
		return encryption{}, secret{}, errMixed
	}
	if bucket.BlockSSEC {
		return encryption{}, secret{}, errBlocked(s.userARN(x.accessKey()), bucket.Name, key)
	}
	e := encryption{Method: methodCustomer, KeyMD5: customer.md5, Salt: newSalt()}
	e.Proof = customer.secret.proof(e.Salt)
	return e, customer.secret, nil
}

// managed returns the record for encryption with a key of S3 or KMS. fallback is what the bucket has as default.
func (s *store) managed(method, kmsKey string, bucketKey bool, fallback encryption) (encryption, error) {
	switch method {
	case "":
		if kmsKey != "" {
			return encryption{}, errKMSKeyAlone
		}
		return fallback, nil
	case methodS3:
		if kmsKey != "" {
			return encryption{}, errKMSKeyAlone
		}
		return encryption{Method: methodS3}, nil
	case methodKMS, methodKMSTwice:
		if kmsKey == "" {
			kmsKey = s.defaultKMSKey()
		}
		return encryption{Method: method, KMSKeyID: kmsKey, BucketKey: bucketKey}, nil
	}
	return encryption{}, errUnknownMethod
}

// unlock returns the key that an object's content is encrypted with, or S3's refusal. given is the customer's key of the
// request, nil if it has none.
func (s *store) unlock(e encryption, given *customerKey) (secret, error) {
	switch {
	case !e.customer() && given != nil:
		return secret{}, errKeyUnneeded
	case !e.customer():
		return s.key, nil
	case given == nil:
		return secret{}, errKeyNeeded
	case !given.secret.proves(e.Salt, e.Proof):
		return secret{}, errWrongKey
	}
	return given.secret, nil
}

// unlockPart is unlock for the parts of an upload, whose refusals S3 words differently.
func (s *store) unlockPart(e encryption, given *customerKey) (secret, error) {
	switch {
	case e.customer() != (given != nil):
		return secret{}, errPartUnlike
	case given == nil:
		return s.key, nil
	case !given.secret.proves(e.Salt, e.Proof):
		return secret{}, errPartOtherKey
	}
	return given.secret, nil
}
