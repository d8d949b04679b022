package caption

import (
	"encoding/json"
	"fmt"
	"time"
)

// storedCue is a cue between the functions of a job, in nanoseconds.
type storedCue struct {
	Start int64  `json:"start"`
	End   int64  `json:"end"`
	Text  string `json:"text"`
}

// Pack is how cues pass between the functions of a job. The same cues give the
// same bytes.
func Pack(cues []Cue) ([]byte, error) {
	stored := make([]storedCue, len(cues))
	for i, c := range cues {
		stored[i] = storedCue{int64(c.Start), int64(c.End), c.Text}
	}
	return json.Marshal(stored)
}

// Unpack reads what Pack wrote.
func Unpack(packed []byte) ([]Cue, error) {
	var stored []storedCue
	if err := json.Unmarshal(packed, &stored); err != nil {
		return nil, fmt.Errorf("read stored captions: %w", err)
	}
	cues := make([]Cue, len(stored))
	for i, c := range stored {
		cues[i] = Cue{Start: time.Duration(c.Start), End: time.Duration(c.End), Text: c.Text}
	}
	return cues, nil
}
