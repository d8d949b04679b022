package ledger

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/pkg/plan"
	"sealreel/pkg/task"
	"sealreel/pkg/usage"
)

// recorded are the records of a whole job, by their keys, as an older version of
// the functions left them in its state bucket. The files are never made anew: a
// version that changes a record adds one.
func recorded(t *testing.T, file string) map[string]json.RawMessage {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &records); err != nil {
		t.Fatal(err)
	}
	return records
}

// TestRecordedJobsAreRead: whatever older versions wrote is read, and none of its
// members goes unread.
func TestRecordedJobsAreRead(t *testing.T) {
	files, err := filepath.Glob("testdata/recorded/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		kinds := map[string]int{}
		for key, body := range recorded(t, file) {
			kind, name, _ := strings.Cut(key, "/")
			kinds[kind]++
			record := map[string]any{"jobs": &Record{}, "plans": &plan.Plan{}, "outputs": &Result{}, "notified": &Notice{},
				"drops": &Claim{}, "catalog": &Entry{}, "ready": &Ready{}, "usage": &usage.Record{}}[kind]
			if kind == "receipts" {
				record = &task.Receipt{}
				if strings.Contains(name, "/piece-") {
					record = &task.Sound{}
				}
			}
			if record == nil {
				t.Errorf("%s: %s is of no kind that is read", file, key)
				continue
			}
			if err := task.CheckVersion(body, newest(record)); err != nil {
				t.Errorf("%s: %s: %v", file, key, err)
			}
			// Plans have a reader of their own, which takes older members.
			strict := json.NewDecoder(bytes.NewReader(body))
			strict.DisallowUnknownFields()
			if err := strict.Decode(record); err != nil {
				t.Errorf("%s: %s: %v", file, key, err)
			}
			if p, ok := record.(*plan.Plan); ok {
				if p.Version != plan.Version || len(p.Inputs) != 1 || p.Inputs[0].Size == 0 || p.Inputs[0].Detected.Width != 320 ||
					len(p.Groups) != 2 || len(p.Groups[0].Chunks) != 3 || len(p.Groups[0].Chunks[2].Reads) != 1 || len(p.Programmes) != 1 {
					t.Errorf("%s: %s is read as %+v", file, key, p)
				}
			}
		}
		for _, kind := range []string{"jobs", "plans", "receipts", "outputs", "ready", "drops", "catalog"} {
			if kinds[kind] == 0 {
				t.Errorf("%s has no %s", file, kind)
			}
		}
	}
}
