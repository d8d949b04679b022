package kms

import (
	"fmt"

	"sealreel/local/internal/awsjson"
)

// The errors of the KMS API (API reference 2014-11-01, "Errors" of each
// action); all have status 400.

func kmsError(shape, format string, args ...any) error {
	return &awsjson.Error{Type: shape, Message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return kmsError("NotFoundException", format, args...)
}

// invalidCiphertext says nothing more, as on AWS: what is wrong with a
// ciphertext is not for whoever made it up to learn.
func invalidCiphertext() error { return kmsError("InvalidCiphertextException", "") }

func incorrectKey() error {
	return kmsError("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
}

func disabled(arn string) error { return kmsError("DisabledException", "%s is disabled.", arn) }

func unknownKeyOfCiphertext() error {
	return kmsError("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.")
}

func wrongAlgorithm() error {
	return kmsError("InvalidKeyUsageException", "Symmetric keys know only the encryption algorithm SYMMETRIC_DEFAULT.")
}

func unsupported(what string) error {
	return kmsError("UnsupportedOperationException", "%s is not supported by the embedded KMS, which has symmetric keys only.", what)
}

func dryRun() error {
	return kmsError("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
}

// constraint is how KMS words an input that its model does not allow.
func constraint(member, rule string) error {
	return kmsError("ValidationException", "1 validation error detected: Value at '%s' failed to satisfy constraint: %s", member, rule)
}

// checkLength reports bytes or text that is too short or too long.
func checkLength(member string, length, least, most int) error {
	switch {
	case length < least:
		return constraint(member, fmt.Sprintf("Member must have length greater than or equal to %d", least))
	case length > most:
		return constraint(member, fmt.Sprintf("Member must have length less than or equal to %d", most))
	}
	return nil
}
