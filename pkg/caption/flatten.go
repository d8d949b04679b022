package caption

import (
	"slices"
	"strings"
	"time"
)

// maxAtOnce is how many cues may be shown at the same time where a format
// shows one text at a time.
const maxAtOnce = 8

// Flatten returns cues of which no two are shown at the same time, for formats
// that show one text at a time: where cues overlap, their texts are shown
// together, the earlier above. More than eight at once, or more text than
// MaxSize that way, is a SyntaxError.
func Flatten(cues []Cue) ([]Cue, error) {
	cues = slices.Clone(cues)
	sortCues(cues)
	var flat, shown []Cue
	size := 0
	var now time.Duration
	until := func(t time.Duration) {
		for len(shown) > 0 && now < t {
			next := t
			for _, cue := range shown {
				next = min(next, cue.End)
			}
			piece := Cue{now, next, together(shown)}
			size += len(piece.Text)
			flat = appendCue(flat, piece)
			shown = slices.DeleteFunc(shown, func(c Cue) bool { return c.End <= next })
			now = next
		}
	}
	for _, cue := range cues {
		until(cue.Start)
		now = cue.Start
		shown = append(shown, cue)
		if len(shown) > maxAtOnce || size > MaxSize {
			return nil, syntaxError(MovText, 0, "more than %d captions are shown at the same time, or too much text with them", maxAtOnce)
		}
	}
	until(open)
	return flat, nil
}

// together is the text of cues that are shown at once. One that says the same
// as another is shown once.
func together(cues []Cue) string {
	var texts []string
	for _, cue := range cues {
		if !slices.Contains(texts, cue.Text) {
			texts = append(texts, cue.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// appendCue appends a cue, or makes the last one longer when it only goes on.
func appendCue(cues []Cue, cue Cue) []Cue {
	if n := len(cues); n > 0 && cues[n-1].End == cue.Start && cues[n-1].Text == cue.Text {
		cues[n-1].End = cue.End
		return cues
	}
	return append(cues, cue)
}
