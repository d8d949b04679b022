package sts

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"sealreel/local/internal/awsjson"
)

// Error is an error of STS as its clients tell it apart.
type Error struct {
	Status  int // HTTP status
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func invalid(format string, args ...any) error {
	return &Error{http.StatusBadRequest, "ValidationError", fmt.Sprintf(format, args...)}
}

// constraint is how STS words a parameter that its model does not allow.
func constraint(parameter, rule string) error {
	return invalid("1 validation error detected: Value at '%s' failed to satisfy constraint: %s", strings.ToLower(parameter[:1])+parameter[1:], rule)
}

// checkParameters refuses what the action does not take, and what comes twice.
func checkParameters(given map[string][]string, takes []string) error {
	for name, values := range given {
		if name != "Action" && name != "Version" && !slices.Contains(takes, name) {
			return invalid("The parameter %s is not supported by the embedded STS", name)
		}
		if len(values) > 1 {
			return invalid("The parameter %s is there %d times", name, len(values))
		}
	}
	return nil
}

// fail answers with err and returns the status it used.
func fail(w http.ResponseWriter, id string, err error) int {
	e := asError(err)
	fault := "Sender"
	if e.Status >= 500 {
		fault = "Receiver"
	}
	type body struct{ Type, Code, Message string }
	reply(w, id, e.Status, struct {
		XMLName   xml.Name
		Error     body
		RequestID string `xml:"RequestId"`
	}{xml.Name{Space: namespace, Local: "ErrorResponse"}, body{fault, e.Code, e.Message}, id})
	return e.Status
}

func asError(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	var header *awsjson.Error // of the signature
	if errors.As(err, &header) {
		return &Error{awsjson.HTTPStatus(header), header.Code(), header.Message}
	}
	return &Error{http.StatusInternalServerError, "InternalFailure", err.Error()}
}
