// Package task names the pieces of work that a job is cut into, and the small
// documents that pass between the functions: the message that asks for a task
// and the receipt that says it is done. A receipt is a task's last act and is
// written once; whoever finds one has nothing left to do.
package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"sealreel/pkg/job"
)

// Version is the version of messages and receipts that this code writes. It
// reads no newer one.
const Version = 1

// ErrNewer is the error of a message or record that a newer version wrote. An
// older function leaves it as it is, to a newer one: while a stack is updated
// both are at work.
var ErrNewer = errors.New("written by a newer version than this function: update the functions")

// Audio is the name of the task that encodes an input's sound.
const Audio = "audio"

var namePattern = regexp.MustCompile(`^(?:audio|chunk-(\d{1,3})-(\d{5}))$`)

// Chunk is the name of the task that makes chunk number chunk of a group of
// renditions: chunk-0-00012.
func Chunk(group, chunk int) string { return fmt.Sprintf("chunk-%d-%05d", group, chunk) }

// Piece is the name of the receipt for the encoded sound of a chunk:
// piece-0-00012.
func Piece(group, chunk int) string { return fmt.Sprintf("piece-%d-%05d", group, chunk) }

// ParseChunk reads a name that Chunk made.
func ParseChunk(name string) (group, chunk int, ok bool) {
	m := namePattern.FindStringSubmatch(name)
	if m == nil || m[1] == "" {
		return 0, 0, false
	}
	group, _ = strconv.Atoi(m[1])
	chunk, _ = strconv.Atoi(m[2])
	return group, chunk, true
}

// Message asks for a task of a job. It holds no key, wrapped or not: all else
// is in the job's plan.
type Message struct {
	Version int    `json:"version"`
	Job     string `json:"job"`
	Task    string `json:"task"`
}

// CheckVersion looks at nothing but the version of a message or record, for a
// newer one may have any other shape. Without one it is of version 0. The error
// is ErrNewer when the version is above newest.
func CheckVersion(body []byte, newest int) error {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return fmt.Errorf("no JSON object with a version: %w", err)
	}
	if head.Version > newest {
		return fmt.Errorf("version %d, where %d is known: %w", head.Version, newest, ErrNewer)
	}
	return nil
}

// ParseMessage reads the body of a queue message. That of a newer version is
// ErrNewer.
func ParseMessage(body string) (Message, error) {
	var m Message
	if err := CheckVersion([]byte(body), Version); err != nil {
		return Message{}, fmt.Errorf("message: %w", err)
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return Message{}, fmt.Errorf("message: %w", err)
	}
	switch {
	case m.Version < 1:
		return Message{}, fmt.Errorf("message has the version %d, which never was", m.Version)
	case !job.ValidID(m.Job):
		return Message{}, fmt.Errorf("message names no job: %q is no job id", m.Job)
	case !namePattern.MatchString(m.Task):
		return Message{}, fmt.Errorf("message asks for the unknown task %q", m.Task)
	}
	return m, nil
}

// Body is the message as it is put on the queue.
func (m Message) Body() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // three plain members always marshal
	}
	return string(b)
}
