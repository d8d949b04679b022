package sqs

import (
	"errors"
	"regexp"

	"sealreel/local/internal/awsjson"
)

// maxBatch is the most entries of a batch request, and messages of a receive.
const maxBatch = 10

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// failedEntry is an entry of a batch that was not carried out (API:
// BatchResultErrorEntry).
type failedEntry struct {
	Id          string
	SenderFault bool
	Code        string
	Message     string `json:",omitempty"`
}

// doneEntry is one that was, where there is no more to say.
type doneEntry struct{ Id string }

func failed(id string, err error) failedEntry {
	var e *awsjson.Error
	if !errors.As(err, &e) {
		return failedEntry{Id: id, Code: "InternalError", Message: err.Error()}
	}
	return failedEntry{Id: id, SenderFault: awsjson.HTTPStatus(err) < 500, Code: e.Code(), Message: e.Message}
}

// checkBatch reports what makes a whole batch request invalid. action is the
// name of the action for single messages.
func checkBatch[E any](action string, entries []E, id func(E) string) error {
	if len(entries) == 0 {
		return badBatch("EmptyBatchRequest", "There should be at least one %sBatchRequestEntry in the request.", action)
	}
	if len(entries) > maxBatch {
		return badBatch("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", maxBatch, len(entries))
	}
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		if !entryID.MatchString(id(e)) {
			return badBatch("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[id(e)] {
			return badBatch("BatchEntryIdsNotDistinct", "Id %s repeated.", id(e))
		}
		seen[id(e)] = true
	}
	return nil
}
