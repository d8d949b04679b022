package sqs

import (
	"fmt"
	"net/http"

	"sealreel/local/internal/awsjson"
)

// The errors of the SQS API (API reference 2012-11-05, "Errors" of each
// action). Shapes named in the API's model carry its namespace, the rest
// that of the framework in front of it, as on AWS.
const (
	shapes    = "com.amazonaws.sqs#"
	framework = "com.amazon.coral.service#"
	queryName = "AWS.SimpleQueueService."
)

func noSuchQueue() error {
	return &awsjson.Error{Type: shapes + "QueueDoesNotExist", QueryCode: queryName + "NonExistentQueue",
		Message: "The specified queue does not exist."}
}

func queueExists(attribute string) error {
	return &awsjson.Error{Type: shapes + "QueueNameExists", QueryCode: "QueueAlreadyExists",
		Message: "A queue already exists with the same name and a different value for attribute " + attribute}
}

func purgeInProgress(queue string) error {
	return &awsjson.Error{Status: http.StatusForbidden, Type: shapes + "PurgeQueueInProgress", QueryCode: queryName + "PurgeQueueInProgress",
		Message: "Only one PurgeQueue operation on " + queue + " is allowed every 60 seconds."}
}

func missing(parameter string) error {
	return &awsjson.Error{Type: framework + "MissingRequiredParameterException", QueryCode: "MissingParameter",
		Message: "The request must contain the parameter " + parameter + "."}
}

func invalid(format string, args ...any) *awsjson.Error {
	return &awsjson.Error{Type: framework + "InvalidParameterValueException", QueryCode: "InvalidParameterValue",
		Message: fmt.Sprintf(format, args...)}
}

// outOfRange is the error for a number that the parameter can't take.
func outOfRange(value int, parameter, reason string) error {
	return invalid("Value %d for parameter %s is invalid. Reason: %s.", value, parameter, reason)
}

func unknownAttribute(name string) error {
	return &awsjson.Error{Type: shapes + "InvalidAttributeName", QueryCode: "InvalidAttributeName",
		Message: "Unknown Attribute " + name + "."}
}

func badAttribute(name, reason string) error {
	message := "Invalid value for the parameter " + name + "."
	if reason != "" {
		message += " Reason: " + reason + "."
	}
	return &awsjson.Error{Type: shapes + "InvalidAttributeValue", QueryCode: "InvalidAttributeValue", Message: message}
}

func badContents() error {
	return &awsjson.Error{Type: shapes + "InvalidMessageContents", QueryCode: "InvalidMessageContents",
		Message: "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"}
}

func badHandle(handle string) error {
	return &awsjson.Error{Type: shapes + "ReceiptHandleIsInvalid", QueryCode: "ReceiptHandleIsInvalid",
		Message: fmt.Sprintf("The input receipt handle %q is not a valid receipt handle.", handle)}
}

// notAvailable is what AWS answers to ChangeMessageVisibility for a message
// that was deleted, or received again under another handle.
func notAvailable(handle string) error {
	return invalid("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", handle)
}

func overLimit() error {
	return &awsjson.Error{Status: http.StatusForbidden, Type: shapes + "OverLimit", QueryCode: "OverLimit",
		Message: fmt.Sprintf("Too many messages in flight: a queue has at most %d.", maxInFlight)}
}

// badBatch is an error of a whole batch request.
func badBatch(code, format string, args ...any) error {
	return &awsjson.Error{Type: shapes + code, QueryCode: queryName + code, Message: fmt.Sprintf(format, args...)}
}

func unavailable(err error) error {
	return &awsjson.Error{Status: http.StatusServiceUnavailable, Type: framework + "ServiceUnavailableException",
		QueryCode: "ServiceUnavailable", Message: err.Error()}
}
