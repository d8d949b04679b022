package kmskeys

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// GenerateSealed makes a key of that many bytes and returns it wrapped only
// (KMS GenerateDataKeyWithoutPlaintext), for whoever prepares a job and has no
// use for the key itself: it never leaves KMS.
func (k *Keys) GenerateSealed(ctx context.Context, keyARN string, bytes int, encryptionContext map[string]string) (ciphertext []byte, err error) {
	if err := k.near(keyARN); err != nil {
		return nil, err
	}
	out, err := k.client.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{
		KeyId: &keyARN, NumberOfBytes: aws.Int32(int32(bytes)), EncryptionContext: encryptionContext})
	if err != nil {
		return nil, fmt.Errorf("KMS GenerateDataKeyWithoutPlaintext: %w", classify(err))
	}
	return out.CiphertextBlob, nil
}
