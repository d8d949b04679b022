package role

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// document is an IAM policy. A session policy may have characters up to U+00FF
// only (API: AssumeRole, Policy), so text leaves it in ASCII.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string
	Action    []string
	Resource  []string
	Condition condition `json:",omitempty"`
}

// condition is by operator and by condition key.
type condition map[string]map[string][]string

// allow adds a statement, unless it would be about nothing.
func (d *document) allow(actions, resources []string, c condition) {
	if len(resources) > 0 {
		d.Statement = append(d.Statement, statement{"Allow", actions, resources, c})
	}
}

func (d *document) text() string {
	body, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("role: encode a policy: %v", err)) // texts and lists of texts always can be
	}
	var ascii strings.Builder
	for _, r := range string(body) {
		switch {
		case r < utf8.RuneSelf:
			ascii.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&ascii, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&ascii, `\u%04x`, r)
		}
	}
	return ascii.String()
}
