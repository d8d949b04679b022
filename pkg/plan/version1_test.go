package plan

import (
	"encoding/json"
	"slices"
	"testing"
)

// FuzzUnmarshal reads plans as they may be stored. What is read of version 1 is of
// this version, and is the same when it is stored and read again.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"version":1,"job":"1382644766696-2di5iz","input":{"bucket":"b","key":"k"},"video":{"stream":0},"audio":{"stream":1},
		"groups":[{"picture":true,"rate":"25","chunks":[{"lead":0,"first":0,"end":100,"seek":0,"fromStart":true},{"lead":90,"first":100,"end":150,"seek":2}]}],"outputs":[]}`))
	f.Add([]byte(`{"version":2,"programmes":[[{}]],"groups":[{"chunks":[{"reads":[{"take":0}]}]}]}`))
	f.Add([]byte(`{"version":1,"groups":[{"chunks":[{}]}],"groups":[{"chunks":[]}],"Groups":[]}`)) // members that come twice
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var p Plan
		if json.Unmarshal(body, &p) != nil {
			return
		}
		if p.Version == 1 {
			t.Error("a plan of version 1 was left as it was")
		}
		stored, err := json.Marshal(&p)
		if err != nil {
			t.Fatal(err)
		}
		var again Plan
		if err := json.Unmarshal(stored, &again); err != nil {
			t.Fatalf("%s: %v", stored, err)
		}
		if twice, err := json.Marshal(&again); err != nil || !slices.Equal(twice, stored) {
			t.Errorf("%s, then %s, %v", stored, twice, err)
		}
	})
}
