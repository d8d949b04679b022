package seal

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Keys is a key service that wraps keys, such as AWS KMS. Its errors wrap those
// below where they apply.
type Keys interface {
	// Decrypt unwraps a key. An empty keyARN leaves it to the service to find
	// the key that wrapped it; the context must be the one it was wrapped under.
	Decrypt(ctx context.Context, ciphertext []byte, keyARN string, encryptionContext map[string]string) (plaintext []byte, err error)
	// Generate makes a key of that many bytes and also returns it wrapped.
	Generate(ctx context.Context, keyARN string, bytes int, encryptionContext map[string]string) (plaintext, ciphertext []byte, err error)
}

// The answers of a key service that callers branch on. All but ErrThrottled
// stay the same however often one asks.
var (
	// ErrInvalidCiphertext: the service did not wrap this, or under another
	// encryption context, or it was tampered with.
	ErrInvalidCiphertext = errors.New("the ciphertext is invalid, or was made under another encryption context")
	// ErrIncorrectKey: another key than the one that was named wrapped it.
	ErrIncorrectKey = errors.New("the ciphertext was made with another KMS key")
	// ErrAccess: permission to use the key was denied.
	ErrAccess = errors.New("access to the KMS key was denied")
	// ErrNoKey: there is no such key.
	ErrNoKey = errors.New("the KMS key does not exist")
	// ErrDisabled: the key is disabled, pending deletion or otherwise unusable.
	ErrDisabled = errors.New("the KMS key cannot be used in its state")
	// ErrThrottled: the service asks for patience.
	ErrThrottled = errors.New("the key service is throttling requests")
)

// KeyRegionError says that the KMS key is in another region than the key service that was
// to use it, so there is no use in asking. It lasts.
type KeyRegionError struct {
	KeyARN    string
	KeyRegion string // the key's
	Region    string // the key service's, which is the pipeline's
}

func (e *KeyRegionError) Error() string { return e.KeyARN + ": " + e.remedy() }

// remedy says what to do. A multi-Region key can have a replica where it is
// wanted, under the same id.
func (e *KeyRegionError) remedy() string {
	what := fmt.Sprintf("the KMS key must be in the pipeline's region %s, not in %s", e.Region, e.KeyRegion)
	if e.replicable() {
		return what + "; name its replica there, if there is one"
	}
	return what
}

// short is a remedy where the key's ARN stands before it.
func (e *KeyRegionError) short() string {
	if e.replicable() {
		return "name its replica in the pipeline's region " + e.Region
	}
	return "it must be in the pipeline's region " + e.Region
}

func (e *KeyRegionError) replicable() bool { return strings.Contains(e.KeyARN, ":key/mrk-") }

// refusal pairs a lasting answer with what to do about it, where the key is that
// of an element, where it is that of an object's envelope, and where one was to
// be made. The former two get the pipeline's encryption context.
type refusal struct {
	err                           error
	element, envelope, generating string
}

func elementHint(r refusal) string  { return r.element }
func envelopeHint(r refusal) string { return r.envelope }

// A StatusDetail has room for little more than these with the default context.
var refusals = []refusal{
	{ErrInvalidCiphertext, "wrap the raw key again with KMS, under the encryption context %s",
		"it is the envelope's: store the object again, under the context %s",
		"check that it is the ARN of a KMS key"},
	{ErrIncorrectKey, "wrap it with the pipeline's AwsKmsKeyArn under the context %s",
		"it is the envelope's: store the object with the AwsKmsKeyArn, context %s",
		"check that it is the ARN of a KMS key"},
	{ErrAccess, allowKey, allowKey, "allow the function's role kms:GenerateDataKey with it"},
	{ErrNoKey, missingKey, missingKey, "it does not exist"},
	{ErrDisabled, enableKey, enableKey, "enable it"},
}

const (
	allowKey   = "allow kms:Decrypt to the function's role under the context %s"
	missingKey = "its KMS key, or the AwsKmsKeyArn, does not exist (context %s)"
	enableKey  = "enable the KMS key that wrapped it (context %s)"
)
