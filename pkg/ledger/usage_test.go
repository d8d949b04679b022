package ledger

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"sealreel/pkg/task"
	"sealreel/pkg/usage"
)

func TestUsageIsKeptByJob(t *testing.T) {
	l, _ := open()
	var want []usage.Record
	for i := range 40 {
		r := usage.Record{Version: usage.Version, Function: usage.Transcode, Request: "8a", Start: time.UnixMilli(1_700_000_000_000 + int64(i)).UTC(),
			Counts: usage.Counts{S3Reads: int64(i), Retries: map[usage.Cause]int64{usage.Throttled: 1}}}
		want = append(want, r)
		for range 2 { // which changes nothing
			if err := l.NoteUsage(t.Context(), id, r); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.NoteUsage(t.Context(), "1382644766696-2di5ix", r); err != nil {
			t.Fatal(err)
		}
	}
	got, err := l.Usage(t.Context(), id)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: %d records, want %d", err, len(got), len(want))
	}
	if got, err := l.Usage(t.Context(), "1382644766696-zzzzzz"); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNewerUsageIsNotRead(t *testing.T) {
	l, _ := open()
	if err := l.NoteUsage(t.Context(), id, usage.Record{Version: usage.Version + 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Usage(t.Context(), id); !errors.Is(err, task.ErrNewer) {
		t.Errorf("%v", err)
	}
}
