package s3

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/versity/versitygw/s3err"

	"sealreel/local/iam"
	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/gate"
)

// KeyService is the KMS that S3 asks for keys in a caller's name.
type KeyService interface {
	// Use asks for an action, such as GenerateDataKey, on the key that an id, ARN or alias names, and returns the key's
	// ARN. KMS's refusals are of type *awsjson.Error.
	Use(caller gate.Caller, action, keyID string, context map[string]string) (arn string, err error)
}

// policies are those of the buckets, by name.
type policies struct {
	mu       sync.RWMutex
	byBucket map[string]*iam.Policy
}

func (p *policies) set(bucket string, policy *iam.Policy) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byBucket == nil {
		p.byBucket = map[string]*iam.Policy{}
	}
	p.byBucket[bucket] = policy
}

func (p *policies) of(bucket string) *iam.Policy {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.byBucket[bucket]
}

// recordKey is where the gate's decisions wait for the recorder.
const recordKey = "sealreel-decisions"

// note returns the record of the decisions about a request.
func (x exchange) note() *gate.Record {
	record, ok := x.rc.UserValue(recordKey).(*gate.Record)
	if !ok {
		record = &gate.Record{}
		x.rc.SetUserValue(recordKey, record)
	}
	return record
}

// caller is who signed the request.
func (x exchange) caller() gate.Caller {
	return gate.Caller{AccessKeyID: x.accessKey(), SessionToken: x.header("X-Amz-Security-Token")}
}

// authorize asks the gate about an action on an object, or on a bucket if key is empty. facts are condition keys beyond those that
// every request has; empty ones are left out.
func (s *store) authorize(x exchange, action, bucket, key string, facts map[string]string) error {
	if s.gate == nil || x.rc == nil {
		return nil
	}
	resource := "arn:aws:s3:::" + bucket
	if key != "" {
		resource += "/" + key
	}
	all := condense(facts)
	all["aws:SecureTransport"] = []string{strconv.FormatBool(x.secure())}
	if version := x.tlsVersion(); version != "" {
		all["s3:TlsVersion"] = []string{version}
	}
	err := s.gate.Admit(x.caller(), gate.Attempt{
		Action: action, Resource: resource, Context: all, Kind: iam.AnyResource, Policy: s.policies.of(bucket),
	}, x.note())
	return refused(err)
}

func (x exchange) tlsVersion() string {
	state := x.rc.TLSConnectionState()
	if state == nil {
		return ""
	}
	return strings.TrimPrefix(tls.VersionName(state.Version), "TLS ")
}

// refused is how S3 words what the gate says.
func refused(err error) error {
	var refusal *gate.Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		return accessDenied(fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %q %s",
			refusal.User, refusal.Action, refusal.Resource, refusal.Reason))
	case errors.Is(err, iam.ErrExpired):
		return s3err.APIError{Code: "ExpiredToken", Description: "The provided token has expired.", HTTPStatusCode: http.StatusBadRequest}
	case errors.Is(err, iam.ErrUnknownKey):
		return s3err.APIError{Code: "InvalidAccessKeyId", Description: "The AWS Access Key Id you provided does not exist in our records.",
			HTTPStatusCode: http.StatusForbidden}
	}
	return s3err.APIError{Code: "InvalidToken", Description: "The provided token is malformed or otherwise invalid.", HTTPStatusCode: http.StatusBadRequest}
}

// admitVersion authorizes an operation whose permission has another name for a request with a version id.
func (s *store) admitVersion(x exchange, operation, bucket, key, id string) error {
	return s.authorize(x, permission(operation, id), bucket, key, map[string]string{"s3:VersionId": id})
}

// asked is the encryption that a request names.
func (x exchange) asked() map[string]string {
	return map[string]string{
		"s3:x-amz-server-side-encryption":                    x.header(headerMethod),
		"s3:x-amz-server-side-encryption-aws-kms-key-id":     x.header(headerKMSKey),
		"s3:x-amz-server-side-encryption-customer-algorithm": x.header(customerPrefix + "Algorithm"),
	}
}

// begun is the encryption of an upload under way, which the requests that go on with it don't name again.
func (s *store) begun(bucket, key, uploadID string) map[string]string {
	var e encryption
	_ = s.index.view(func(t tables) error { // one that isn't there is for the operation to tell
		u, err := t.upload(bucket, key, uploadID)
		if err == nil {
			e = u.Encryption
		}
		return err
	})
	if e.customer() {
		return map[string]string{"s3:x-amz-server-side-encryption-customer-algorithm": methodS3}
	}
	return map[string]string{"s3:x-amz-server-side-encryption": e.Method, "s3:x-amz-server-side-encryption-aws-kms-key-id": e.KMSKeyID}
}

// admitWrite authorizes a step of storing an object with what is known of its encryption. creates says whether the object
// is there after it. A write on the condition of an ETag tells about the object, so it needs the right to read it.
func (s *store) admitWrite(x exchange, bucket, key string, encrypted map[string]string, creates bool, ifMatch *string, tagging string) error {
	facts := map[string]string{
		"s3:x-amz-copy-source":       x.header("X-Amz-Copy-Source"),
		"s3:if-match":                x.header("If-Match"),
		"s3:if-none-match":           x.header("If-None-Match"),
		"s3:ObjectCreationOperation": strconv.FormatBool(creates),
	}
	maps.Copy(facts, encrypted)
	if err := s.authorize(x, "s3:PutObject", bucket, key, facts); err != nil {
		return err
	}
	if ifMatch != nil {
		if err := s.authorize(x, "s3:GetObject", bucket, key, nil); err != nil {
			return err
		}
	}
	if tagging != "" {
		if err := s.authorize(x, "s3:PutObjectTagging", bucket, key, nil); err != nil {
			return err
		}
	}
	if x.shares() {
		return s.authorize(x, "s3:PutObjectAcl", bucket, key, nil)
	}
	return nil
}

// useKey asks KMS in the caller's name for the key of an object. It returns the record of the encryption with the key's
// ARN.
func (s *store) useKey(x exchange, action string, e encryption, bucket, key string) (encryption, error) {
	if s.keys == nil || x.rc == nil || e.Method != methodKMS && e.Method != methodKMSTwice {
		return e, nil
	}
	arn := "arn:aws:s3:::" + bucket
	if !e.BucketKey {
		arn += "/" + key
	}
	used, err := s.keys.Use(x.caller(), action, e.KMSKeyID, map[string]string{"aws:s3:arn": arn})
	if err != nil {
		return e, x.refusedByKMS(err)
	}
	e.KMSKeyID = used
	return e, nil
}

// refusedByKMS is how S3 passes on an error of KMS: its code behind KMS and a dot, but for a want of permission.
func (x exchange) refusedByKMS(err error) error {
	var refusal *awsjson.Error
	if !errors.As(err, &refusal) {
		return err
	}
	if refusal.Code() == "AccessDeniedException" {
		x.note().Denied = true
		return accessDenied(refusal.Message)
	}
	return s3err.APIError{Code: "KMS." + refusal.Code(), Description: refusal.Message, HTTPStatusCode: http.StatusBadRequest}
}
