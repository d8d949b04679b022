package sns

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sealreel/local/iam"
	"sealreel/local/internal/awsquery"
	"sealreel/local/internal/gate"
)

func invalid(format string, args ...any) error {
	return &awsquery.Error{Status: http.StatusBadRequest, Code: "InvalidParameter", Message: "Invalid parameter: " + fmt.Sprintf(format, args...)}
}

func notFound(what string) error {
	return &awsquery.Error{Status: http.StatusNotFound, Code: "NotFound", Message: what + " does not exist"}
}

// refused is how SNS words a refusal: with its own name in capitals.
func refused(err error) error {
	var refusal *gate.Refusal
	switch {
	case errors.Is(err, iam.ErrExpired):
		return &awsquery.Error{Status: http.StatusForbidden, Code: "ExpiredToken", Message: "The security token included in the request is expired"}
	case errors.Is(err, iam.ErrToken), errors.Is(err, iam.ErrUnknownKey):
		return &awsquery.Error{Status: http.StatusForbidden, Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid."}
	case errors.As(err, &refusal):
		message := strings.ReplaceAll(refusal.Error(), refusal.Action, "SNS:"+strings.TrimPrefix(refusal.Action, "sns:"))
		return &awsquery.Error{Status: http.StatusForbidden, Code: "AuthorizationError", Message: message}
	}
	return err
}
