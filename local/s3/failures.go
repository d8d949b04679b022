package s3

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/versity/versitygw/s3err"
)

// withCustomerKeys starts the messages S3 has for requests with SSE-C.
const withCustomerKeys = "Requests specifying Server Side Encryption with Customer provided keys must "

func invalidArgument(message string) error {
	return s3err.APIError{Code: "InvalidArgument", Description: message, HTTPStatusCode: http.StatusBadRequest}
}

func invalidRequest(message string) error {
	return s3err.APIError{Code: "InvalidRequest", Description: message, HTTPStatusCode: http.StatusBadRequest}
}

func accessDenied(message string) error {
	return s3err.APIError{Code: "AccessDenied", Description: message, HTTPStatusCode: http.StatusForbidden}
}

// What S3 answers about encryption: codes, statuses and messages are its own. The first is not documented; other
// implementations answer so.
var (
	errInsecure     = invalidArgument(withCustomerKeys + "be made over a secure connection.")
	errNoAlgorithm  = invalidArgument(withCustomerKeys + "provide a valid encryption algorithm.")
	errNoKey        = invalidArgument(withCustomerKeys + "provide an appropriate secret key.")
	errNoKeyMD5     = invalidArgument(withCustomerKeys + "provide the client calculated MD5 of the secret key.")
	errBadKey       = invalidArgument("The secret key was invalid for the specified algorithm.")
	errBadKeyMD5    = invalidArgument("The calculated MD5 hash of the key did not match the hash that was provided.")
	errBadAlgorithm = s3err.APIError{
		Code:           "InvalidEncryptionAlgorithmError",
		Description:    "The Encryption request you specified is not valid. Supported value: AES256.",
		HTTPStatusCode: http.StatusBadRequest,
	}
	errMixed         = invalidArgument("Server Side Encryption with Customer provided key is incompatible with the encryption method specified")
	errUnknownMethod = invalidArgument("The encryption method specified is not supported")
	errKMSKeyAlone   = invalidArgument("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")

	errKeyNeeded    = invalidRequest("The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
	errKeyUnneeded  = invalidRequest("The encryption parameters are not applicable to this object.")
	errWrongKey     = accessDenied(withCustomerKeys + "provide the correct secret key.")
	errPartUnlike   = invalidRequest("The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.")
	errPartOtherKey = invalidRequest("The provided encryption parameters did not match the ones used originally.")
	errBadKeyText   = invalidArgument("An object key must be UTF-8 without NUL.")
	errIncomplete   = s3err.GetAPIError(s3err.ErrIncompleteBody)
	errMalformedXML = s3err.GetAPIError(s3err.ErrMalformedXML)
	errNoSuchKey    = s3err.GetAPIError(s3err.ErrNoSuchKey)
	errDeleteMarker = s3err.GetAPIError(s3err.ErrMethodNotAllowed)
	errNotModified  = s3err.GetAPIError(s3err.ErrNotModified)
	errInternal     = s3err.GetAPIError(s3err.ErrInternalError)
)

// errBlocked is the refusal of a bucket that blocks SSE-C.
func errBlocked(user, bucket, key string) error {
	return accessDenied(fmt.Sprintf("User: %s is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::%s/%s\" because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type", user, bucket, key))
}

// maxKeyLength is in bytes.
const maxKeyLength = 1024

// validKey returns why a key cannot be stored, or nil.
func validKey(key string) error {
	if len(key) > maxKeyLength {
		return s3err.GetKeyTooLongErr(int64(len(key)), maxKeyLength)
	}
	if strings.IndexByte(key, 0) >= 0 || !utf8.ValidString(key) {
		return errBadKeyText
	}
	return nil
}

// answerable turns any error into one that S3 has. What went wrong inside is for the log only.
func (s *store) answerable(operation string, err error) error {
	var known s3err.S3Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errIncomplete
	}
	s.log.Error("request failed", "operation", operation, "error", err)
	return errInternal
}
