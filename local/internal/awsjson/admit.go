package awsjson

import (
	"errors"
	"maps"
	"net/http"
	"strconv"

	"sealreel/local/iam"
	"sealreel/local/internal/gate"
)

// Admit asks a gate whether the call may do what it attempts and notes the
// decision on the call. The error is a *gate.Refusal, which each service
// words in its own way, or an *Error for credentials that aren't good.
func (c *Call) Admit(g *gate.Gate, a gate.Attempt) error {
	facts := map[string][]string{"aws:SecureTransport": {strconv.FormatBool(c.Secure)}}
	maps.Copy(facts, a.Context)
	a.Context = facts
	err := g.Admit(gate.Caller{AccessKeyID: c.AccessKeyID, SessionToken: c.SessionToken}, a, &c.Record)
	switch {
	case errors.Is(err, iam.ErrExpired):
		return &Error{Status: http.StatusForbidden, Type: "com.amazon.coral.service#ExpiredTokenException",
			QueryCode: "ExpiredToken", Message: "The security token included in the request is expired"}
	case errors.Is(err, iam.ErrToken), errors.Is(err, iam.ErrUnknownKey):
		return unknownCaller()
	}
	return err
}

func unknownCaller() error {
	return &Error{Status: http.StatusForbidden, Type: "com.amazon.coral.service#UnrecognizedClientException",
		QueryCode: "InvalidClientTokenId", Message: "The security token included in the request is invalid."}
}
