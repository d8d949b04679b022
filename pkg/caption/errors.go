package caption

import (
	"errors"
	"fmt"

	"sealreel/pkg/job"
)

// ErrNotUTF8 says that a caption file is in another encoding than UTF-8.
var ErrNotUTF8 = errors.New("the captions are not in UTF-8; convert the file to UTF-8")

// A SyntaxError says what of a document is not as its format wants it. It never
// quotes the document.
type SyntaxError struct {
	Format  Format
	Line    int // from 1; 0 when the format has no lines or all of it is meant
	Problem string
}

// Error is "srt, line 7: problem".
func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Format, e.Problem)
	}
	return fmt.Sprintf("%s, line %d: %s", e.Format, e.Line, e.Problem)
}

func syntaxError(f Format, line int, format string, args ...any) error {
	return &SyntaxError{Format: f, Line: line, Problem: fmt.Sprintf(format, args...)}
}

// FileFailure is what ends a job over the caption file at key: 4102 for a file
// that is not in UTF-8, 4101 for one that is otherwise not as it must be. An
// error of another kind, for instance of the storage or of decryption, is
// returned as it is.
func FileFailure(err error, bucket, key string) error {
	var syntax *SyntaxError
	switch {
	case errors.Is(err, ErrNotUTF8):
		return job.FailCause(err, job.CodeCaptionUTF8, "the caption file is not in UTF-8; convert it: bucket=%s, key=%s", bucket, key)
	case errors.As(err, &syntax):
		return job.FailCause(err, job.CodeCaptionFile, "could not interpret the caption file (%v): bucket=%s, key=%s", syntax, bucket, key)
	}
	return err
}

// TrackFailure is what ends a job over captions embedded in the input: 4100. An
// error of another kind is returned as it is.
func TrackFailure(err error, key string) error {
	var syntax *SyntaxError
	if errors.Is(err, ErrNotUTF8) || errors.As(err, &syntax) {
		return job.FailCause(err, job.CodeCaptionTrack, "could not interpret an embedded caption track (%v): key=%s", err, key)
	}
	return err
}
