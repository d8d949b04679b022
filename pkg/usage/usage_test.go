package usage

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestATallyCountsFromAnywhere(t *testing.T) {
	ctx, tally := With(t.Context())
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			From(ctx).Add(Counts{S3Reads: 1, S3In: 10})
			From(ctx).Retry(Throttled)
			From(ctx).For("1382644766696-2di5iz", "audio")
		})
	}
	all.Wait()
	if got, want := tally.Counts(), (Counts{S3Reads: 50, S3In: 500, Retries: map[Cause]int64{Throttled: 50}}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if jobs := tally.Jobs(); len(jobs) != 1 {
		t.Errorf("jobs %q", jobs)
	}
	_, other := With(ctx)
	if got := other.Counts(); !reflect.DeepEqual(got, Counts{}) {
		t.Errorf("a new tally begins with %+v", got)
	}
}

// What was handed out does not change with what is counted later.
func TestCountsAreACopy(t *testing.T) {
	_, tally := With(t.Context())
	tally.Retry(Server)
	before := tally.Counts()
	tally.Retry(Server)
	if before.Retries[Server] != 1 || tally.Counts().Retries[Server] != 2 {
		t.Errorf("%v, then %v", before, tally.Counts())
	}
	a := Counts{Retries: map[Cause]int64{Server: 1}}
	if sum := a.Plus(a); sum.Retries[Server] != 2 || a.Retries[Server] != 1 {
		t.Errorf("%v and %v", sum, a)
	}
}

// Code that runs outside of any invocation needs no tally.
func TestNoTally(t *testing.T) {
	tally := From(t.Context())
	tally.Add(Counts{KMS: 1})
	tally.Retry(Timeout)
	tally.For("job", "task")
	tally.Attempt(2)
	tally.Fail()
	if tally.Failed() {
		t.Error("no tally has failed")
	}
	if c := tally.Counts(); !reflect.DeepEqual(c, Counts{}) || tally.Jobs() != nil {
		t.Errorf("%+v", c)
	}
}

// Every member of Counts is summed: one that is added is not forgotten in Plus.
func TestPlusSumsEveryMember(t *testing.T) {
	var one Counts
	v := reflect.ValueOf(&one).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Int64 {
			f.SetInt(int64(i + 1))
		}
	}
	one.Retries = map[Cause]int64{}
	for _, cause := range Causes {
		one.Retries[cause] = 7
	}
	twice := reflect.ValueOf(one.Plus(one))
	for i := range v.NumField() {
		if f := twice.Field(i); f.Kind() == reflect.Int64 && f.Int() != int64(2*(i+1)) {
			t.Errorf("%s: %d", twice.Type().Field(i).Name, f.Int())
		}
	}
	for _, cause := range Causes {
		if n := twice.Interface().(Counts).Retries[cause]; n != 14 {
			t.Errorf("%s: %d", cause, n)
		}
	}
}

func TestRecord(t *testing.T) {
	_, tally := With(t.Context())
	tally.Add(Counts{S3Writes: 3})
	tally.For("1382644766696-2di5iz", "chunk-0-00001")
	tally.Attempt(2)
	start := time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)
	r := tally.Record(Invocation{Function: "transcode", Request: "8a/../b", Start: start, Duration: 2*time.Second + time.Nanosecond,
		Init: 500 * time.Millisecond, CPU: 3 * time.Second, MemoryMiB: 2048, Failed: true})
	if r.Milliseconds != 2001 || r.InitMilliseconds != 500 || r.CPUMilliseconds != 3000 || r.Task != "chunk-0-00001" || r.Attempt != 2 || !r.Failed || r.S3Writes != 3 || r.Shared != 0 || r.Share() != 1 {
		t.Errorf("%+v", r)
	}
	if got := r.GBSeconds(); got < 5.0019 || got > 5.0021 {
		t.Errorf("%v GB seconds, want 2.501 s of 2 GB", got)
	}
	if name := r.Name(); name != "transcode-1767323045678-8a____b" {
		t.Errorf("name %q", name)
	}
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Record
	if err := json.Unmarshal(body, &back); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("%v: %+v", err, back)
	}
	if strings.Contains(string(body), "kms") {
		t.Errorf("%s holds what was not used", body)
	}
	tally.For("1382644766696-2di5ix", "")
	if r := tally.Record(Invocation{}); r.Shared != 2 || r.Share() != 0.5 {
		t.Errorf("%+v", r)
	}
}
