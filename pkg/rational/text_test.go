package rational

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestJSON(t *testing.T) {
	for _, r := range []Rational{{}, Int(0), Int(25), New(30000, 1001), New(-1, 2)} {
		doc, err := json.Marshal(map[string]Rational{"r": r})
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]Rational
		if err := json.Unmarshal(doc, &back); err != nil || back["r"] != r {
			t.Errorf("%v was written as %s and read as %v, %v", r, doc, back["r"], err)
		}
	}
	var r Rational
	if err := json.Unmarshal([]byte(`"x"`), &r); !errors.Is(err, ErrSyntax) {
		t.Errorf("no fraction: %v", err)
	}
}
