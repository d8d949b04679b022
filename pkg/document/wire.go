package document

import "encoding/json"

// Text is a string as the service's answers have it: null when it is unset.
type Text string

// MarshalJSON is null or the string.
func (t Text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}
