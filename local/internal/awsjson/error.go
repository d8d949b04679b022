package awsjson

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// Error is an error of an AWS service as its clients tell it apart.
type Error struct {
	Status    int    // HTTP status; 0 means 400
	Type      string // name of the error's shape, with or without its namespace
	QueryCode string // code of the former query protocol, empty where there was none
	Message   string // may be empty, as for InvalidCiphertextException
}

func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code()
	}
	return e.Code() + ": " + e.Message
}

// Code is the code that an SDK shows: the query code where the service has
// one, else the shape's bare name.
func (e *Error) Code() string {
	if e.QueryCode != "" {
		return e.QueryCode
	}
	_, name, found := strings.Cut(e.Type, "#")
	if !found {
		return e.Type
	}
	return name
}

// HTTPStatus is the status that answers err: that of an *Error, StatusGone
// for the end of a context, else 500.
func HTTPStatus(err error) int {
	e := asError(err)
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// StatusGone is the status noted for a caller that went away before its
// answer, for which HTTP has none.
const StatusGone = 499

// asError returns the *Error in err's chain, or what stands for any other:
// that the caller is gone, or an internal failure.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Status: StatusGone, Type: "RequestAbortedException", Message: err.Error()}
	}
	return &Error{Status: http.StatusInternalServerError, Type: "InternalFailure", QueryCode: "InternalFailure", Message: err.Error()}
}

// fail answers with err and returns the status it used.
func (h *Handler) fail(w http.ResponseWriter, err error) int {
	e, status := asError(err), HTTPStatus(err)
	if h.Query && e.QueryCode != "" {
		fault := "Sender"
		if status >= 500 {
			fault = "Receiver"
		}
		w.Header().Set("X-Amzn-Query-Error", e.QueryCode+";"+fault)
	}
	h.reply(w, status, struct {
		Type    string `json:"__type"`
		Message string `json:"message,omitempty"`
	}{e.Type, e.Message})
	return status
}
