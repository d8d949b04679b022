// Package awsquery serves the AWS Query protocol: a form-encoded POST that
// names an Action and a Version, and answers in XML.
//
// What a service does not take is refused by name, never ignored.
package awsquery

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"sealreel/local/internal/awsjson"
)

// Service is how one service speaks.
type Service struct {
	Name      string // as errors call it, such as STS
	Version   string // of its API
	Namespace string // of its XML
	MaxBody   int64  // of a request, in bytes
}

// Error is an error of a service as its clients tell it apart.
type Error struct {
	Status  int // HTTP status
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Parameters reads a request's form; its action is one that known knows.
func (s Service) Parameters(w http.ResponseWriter, r *http.Request, known func(action string) bool) (url.Values, error) {
	if r.Method != http.MethodPost {
		return nil, &Error{http.StatusMethodNotAllowed, "InvalidAction", "this embedded " + s.Name + " takes POST, not " + r.Method}
	}
	given := r.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(given); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, &Error{http.StatusUnsupportedMediaType, "InvalidAction", fmt.Sprintf("content type %q is not application/x-www-form-urlencoded", given)}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, &Error{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("the request is longer than %d bytes", s.MaxBody)}
	}
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &Error{http.StatusBadRequest, "MalformedQueryString", "the body is not form-encoded: " + err.Error()}
	}
	if action, version := values.Get("Action"), values.Get("Version"); !known(action) || version != s.Version {
		return nil, &Error{http.StatusBadRequest, "InvalidAction", fmt.Sprintf("Could not find operation %s for version %s", action, version)}
	}
	return values, nil
}

// Check refuses what an action does not take, and what comes twice; the error's
// code is the service's own.
func (s Service) Check(given url.Values, takes func(name string) bool, code string) error {
	for name, values := range given {
		switch {
		case name != "Action" && name != "Version" && !takes(name):
			return &Error{http.StatusBadRequest, code, fmt.Sprintf("The parameter %s is not supported by the embedded %s", name, s.Name)}
		case len(values) > 1:
			return &Error{http.StatusBadRequest, code, fmt.Sprintf("The parameter %s is there %d times", name, len(values))}
		}
	}
	return nil
}

// succeed answers a request; result is what the action's Result element holds,
// with the name of that element, or nil for an action without one.
func (s Service) succeed(w http.ResponseWriter, requestID, action string, result any) {
	reply(w, requestID, http.StatusOK, struct {
		XMLName   xml.Name
		Result    any
		RequestID string `xml:"ResponseMetadata>RequestId"`
	}{xml.Name{Space: s.Namespace, Local: action + "Response"}, result, requestID})
}

// Answer sends what an action came to: its result or, where there is one, its
// error. It returns the HTTP status.
func (s Service) Answer(w http.ResponseWriter, requestID, action string, result any, err error) int {
	if err != nil {
		return s.Fail(w, requestID, err)
	}
	s.succeed(w, requestID, action, result)
	return http.StatusOK
}

// Fail answers with err and returns the status it used.
func (s Service) Fail(w http.ResponseWriter, requestID string, err error) int {
	e := asError(err)
	fault := "Sender"
	if e.Status >= 500 {
		fault = "Receiver"
	}
	type body struct{ Type, Code, Message string }
	reply(w, requestID, e.Status, struct {
		XMLName   xml.Name
		Error     body
		RequestID string `xml:"RequestId"`
	}{xml.Name{Space: s.Namespace, Local: "ErrorResponse"}, body{fault, e.Code, e.Message}, requestID})
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

func reply(w http.ResponseWriter, requestID string, status int, answer any) {
	body, err := xml.Marshal(answer)
	if err != nil {
		// The answers are our own types; one that can't be encoded is a bug.
		panic(fmt.Sprintf("awsquery: encode %T: %v", answer, err))
	}
	h := w.Header()
	h.Set("Content-Type", "text/xml")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Amzn-Requestid", requestID)
	w.WriteHeader(status)
	w.Write(body) // a caller that is gone needs no answer
}
