package seal

import (
	"context"
	"errors"
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

// refusal pairs a lasting answer with what to do about it, where the key is that
// of an element, and where it is that of an object's envelope.
type refusal struct {
	err               error
	element, envelope string
}

func elementHint(r refusal) string  { return r.element }
func envelopeHint(r refusal) string { return r.envelope }

var refusals = []refusal{
	{ErrInvalidCiphertext, "wrap the raw key again with KMS, under the encryption context %s",
		"it is that of the object's envelope: store the object again, under the encryption context %s"},
	{ErrIncorrectKey, "wrap the raw key with the pipeline's AwsKmsKeyArn, under the encryption context %s",
		"it is that of the object's envelope: store the object with the pipeline's AwsKmsKeyArn, under the encryption context %s"},
	{ErrAccess, allowKey, allowKey},
	{ErrNoKey, missingKey, missingKey},
	{ErrDisabled, enableKey, enableKey},
}

const (
	allowKey   = "allow the function's role kms:Decrypt with the key that wrapped it, under the encryption context %s"
	missingKey = "the KMS key that wrapped it, or the pipeline's AwsKmsKeyArn, does not exist (encryption context %s)"
	enableKey  = "enable the KMS key that wrapped it (encryption context %s)"
)
