package sts

import (
	"fmt"
	"net/http"
	"strings"

	"sealreel/local/internal/awsquery"
)

// Error is an error of STS as its clients tell it apart.
type Error = awsquery.Error

func invalid(format string, args ...any) error {
	return &Error{Status: http.StatusBadRequest, Code: "ValidationError", Message: fmt.Sprintf(format, args...)}
}

// constraint is how STS words a parameter that its model does not allow.
func constraint(parameter, rule string) error {
	return invalid("1 validation error detected: Value at '%s' failed to satisfy constraint: %s", strings.ToLower(parameter[:1])+parameter[1:], rule)
}
