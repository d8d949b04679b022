// Package kmskeys is AWS KMS as the key service of package seal.
//
// It guarantees that no request or response is ever logged, whatever the AWS
// configuration asks for, and that nothing is asked of an endpoint which would
// answer with a key over an unprotected network, or asked of the KMS of another
// region than the key's.
package kmskeys

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"sealreel/pkg/seal"
	"sealreel/pkg/tlsonly"
	"sealreel/pkg/trace"
)

// Keys is AWS KMS. It is safe for concurrent use.
type Keys struct{ client *kms.Client }

var _ seal.Keys = (*Keys)(nil)

// New returns the KMS of the configuration.
func New(cfg aws.Config) *Keys {
	return &Keys{kms.NewFromConfig(cfg, func(o *kms.Options) {
		o.ClientLogMode = 0
		o.Retryer, o.RetryMaxAttempts = patience(), maxAttempts
		o.APIOptions = append(o.APIOptions, tlsonly.Add)
	})}
}

// As is the same KMS as somebody else may use it: its requests are signed with
// the credentials.
func (k *Keys) As(credentials aws.CredentialsProvider) *Keys {
	return &Keys{kms.New(k.client.Options(), func(o *kms.Options) { o.Credentials = credentials })}
}

// Decrypt unwraps a key (KMS Decrypt); see seal.Keys.
func (k *Keys) Decrypt(ctx context.Context, ciphertext []byte, keyARN string, encryptionContext map[string]string) ([]byte, error) {
	if err := k.near(keyARN); err != nil {
		return nil, err
	}
	in := &kms.DecryptInput{CiphertextBlob: ciphertext, EncryptionContext: encryptionContext}
	if keyARN != "" {
		in.KeyId = &keyARN
	}
	ctx, end := trace.Start(ctx, "unwrap key")
	out, err := k.client.Decrypt(ctx, in)
	end(err)
	if err != nil {
		return nil, fmt.Errorf("KMS Decrypt: %w", classify(err))
	}
	return out.Plaintext, nil
}

// Generate makes a key of that many bytes (KMS GenerateDataKey); see seal.Keys.
func (k *Keys) Generate(ctx context.Context, keyARN string, bytes int, encryptionContext map[string]string) (plaintext, ciphertext []byte, err error) {
	if err := k.near(keyARN); err != nil {
		return nil, nil, err
	}
	ctx, end := trace.Start(ctx, "make key")
	out, err := k.client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: &keyARN, NumberOfBytes: aws.Int32(int32(bytes)), EncryptionContext: encryptionContext})
	end(err)
	if err != nil {
		return nil, nil, fmt.Errorf("KMS GenerateDataKey: %w", classify(err))
	}
	return out.Plaintext, out.CiphertextBlob, nil
}

// Wrap encrypts a raw key with a KMS key (KMS Encrypt), for whoever prepares a
// job. The caller keeps raw and wipes it.
func (k *Keys) Wrap(ctx context.Context, raw seal.Key, keyARN string, encryptionContext map[string]string) (ciphertext []byte, err error) {
	if err := k.near(keyARN); err != nil {
		return nil, err
	}
	out, err := k.client.Encrypt(ctx, &kms.EncryptInput{
		KeyId: &keyARN, Plaintext: raw.Bytes(), EncryptionContext: encryptionContext})
	if err != nil {
		return nil, fmt.Errorf("KMS Encrypt: %w", classify(err))
	}
	return out.CiphertextBlob, nil
}

// classify adds the error of package seal that err amounts to.
func classify(err error) error {
	if kind := kindOf(err); kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

// kindOf follows the error lists of the KMS API reference for Decrypt and
// GenerateDataKey.
func kindOf(err error) error {
	var (
		invalid     *types.InvalidCiphertextException
		incorrect   *types.IncorrectKeyException
		missing     *types.NotFoundException
		disabled    *types.DisabledException
		state       *types.KMSInvalidStateException
		usage       *types.InvalidKeyUsageException
		unavailable *types.KeyUnavailableException
		api         smithy.APIError
	)
	switch {
	case errors.As(err, &invalid):
		return seal.ErrInvalidCiphertext
	case errors.As(err, &incorrect):
		return seal.ErrIncorrectKey
	case errors.As(err, &missing):
		return seal.ErrNoKey
	case errors.As(err, &disabled), errors.As(err, &state), errors.As(err, &usage):
		return seal.ErrDisabled
	case errors.As(err, &unavailable):
		return nil // the service says itself that trying again may help
	case errors.As(err, &api):
		return kindOfCode(api.ErrorCode())
	}
	return nil
}

// kindOfCode covers the errors common to all AWS services.
func kindOfCode(code string) error {
	switch code {
	case "AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidClientTokenId":
		return seal.ErrAccess
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException":
		return seal.ErrThrottled
	case "ValidationException":
		// A ciphertext longer than KMS ever makes (6144 bytes), or a key ARN that
		// is none.
		return seal.ErrInvalidCiphertext
	}
	return nil
}
