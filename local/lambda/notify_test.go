package lambda

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

func TestNotificationMatches(t *testing.T) {
	for _, c := range []struct {
		event, prefix, suffix string
		name, bucket, key     string
		want                  bool
	}{
		{"s3:ObjectCreated:*", "", "", "ObjectCreated:Put", "b", "k", true},
		{"s3:ObjectCreated:*", "", "", "ObjectCreated:CompleteMultipartUpload", "b", "k", true},
		{"s3:ObjectCreated:Put", "", "", "ObjectCreated:Put", "b", "k", true},
		{"s3:ObjectCreated:Put", "", "", "ObjectCreated:Copy", "b", "k", false},
		{"s3:ObjectCreated:*", "", "", "ObjectRemoved:Delete", "b", "k", false},
		{"s3:ObjectCreated:*", "", "", "ObjectCreated:Put", "other", "k", false},
		{"s3:ObjectCreated:*", "ready/", "", "ObjectCreated:Put", "b", "ready/1", true},
		{"s3:ObjectCreated:*", "ready/", "", "ObjectCreated:Put", "b", "jobs/ready/", false},
		{"s3:ObjectCreated:*", "", ".mp4", "ObjectCreated:Put", "b", "a.mp4", true},
		{"s3:ObjectCreated:*", "", ".mp4", "ObjectCreated:Put", "b", "a.mp4.txt", false},
	} {
		n := Notification{Bucket: "b", Event: c.event, Prefix: c.prefix, Suffix: c.suffix}
		if got := n.matches(ObjectEvent{Name: c.name, Bucket: c.bucket, Key: c.key}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestObjectEvent(t *testing.T) {
	n := Notification{ID: "config", Bucket: "b"}
	for _, key := range []string{"a/b c.mp4", "plus+and&percent%20.mp4", "Größe #1 (neu)~*.mov", "ไทย.ts"} {
		payload := n.payload(ObjectEvent{Name: "ObjectCreated:Put", Time: time.Unix(1700000000, 123e6), Bucket: "b", Key: key,
			Size: 42, ETag: `"abc"`, VersionID: "v1", Sequencer: "0055AED6DCD90281E5", Caller: "SR"}, "us-east-1")
		var e events.S3Event
		if err := json.Unmarshal(payload, &e); err != nil {
			t.Fatal(err)
		}
		r := e.Records[0]
		o := r.S3.Object
		if o.URLDecodedKey != key || strings.ContainsAny(o.Key, " #()") || strings.Contains(o.Key, "%2F") {
			t.Errorf("key %q became %q, decoded %q", key, o.Key, o.URLDecodedKey)
		}
		if r.EventName != "ObjectCreated:Put" || r.EventSource != "aws:s3" || r.AWSRegion != "us-east-1" || r.S3.Bucket.Name != "b" ||
			r.S3.Bucket.Arn != "arn:aws:s3:::b" || o.Size != 42 || o.ETag != "abc" || o.VersionID != "v1" || o.Sequencer == "" ||
			!r.EventTime.Equal(time.Unix(1700000000, 123e6)) {
			t.Errorf("the event is %+v", r)
		}
	}
	if got := encodeKey("a b/c+d"); got != "a+b/c%2Bd" {
		t.Errorf("encoded %q", got)
	}
	plain := string(n.payload(ObjectEvent{Name: "ObjectRemoved:Delete", Bucket: "b", Key: "k"}, "us-east-1"))
	for _, absent := range []string{"versionId", "eTag", "size"} {
		if strings.Contains(plain, absent) {
			t.Errorf("a removal has %s: %s", absent, plain)
		}
	}
}

// TestDeliveries checks that an event is on disk when ObjectChanged
// returns, and that tests can have it twice and late.
func TestDeliveries(t *testing.T) {
	h := openHost(t, Config{Deliveries: func(e ObjectEvent) []time.Duration {
		if e.Key == "twice" {
			return []time.Duration{50 * time.Millisecond, 0}
		}
		return []time.Duration{0}
	}})
	deploy(t, h, "Echo", nil)
	for _, bucket := range []string{"b", "b2"} {
		if err := h.Subscribe(Notification{ID: "n", Bucket: bucket, Function: "Echo", Event: "s3:ObjectCreated:*"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Subscribe(Notification{Function: "Nobody"}); err == nil {
		t.Error("a notification of an unknown function was accepted")
	}
	pending := func() int {
		files, _ := filepath.Glob(filepath.Join(h.config.Dir, "events", "Echo", "*.json"))
		return len(files)
	}
	if err := h.ObjectChanged(ObjectEvent{Name: "ObjectCreated:Put", Bucket: "b", Key: "twice"}); err != nil {
		t.Fatal(err)
	}
	if n := pending(); n == 0 || n > 2 {
		t.Errorf("%d events are on disk", n)
	}
	if err := h.ObjectChanged(ObjectEvent{Name: "ObjectCreated:Put", Bucket: "unknown", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	until(t, "delivery", func() bool { return pending() == 0 })
	text, err := os.ReadFile(filepath.Join(h.config.Dir, "logs", "Echo.log"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "START"); n != 2 {
		t.Errorf("%d deliveries, want 2", n)
	}
}

func TestSchedule(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h, err := Open(Config{Dir: dir, Region: "us-east-1", Account: "111122223333"})
		if err != nil {
			t.Fatal(err)
		}
		var fired atomic.Int64
		f := newFunction(h.config, Function{ID: "F"}, nil)
		f.events = &eventQueue{dir: dir, log: func(string) {}, metric: func(string, string, float64) {}, spawn: h.spawn,
			invoke: func(_ context.Context, id string, payload []byte) (Result, error) {
				fired.Add(1)
				checkScheduled(t, payload)
				return Result{RequestID: id}, nil
			}}
		h.functions["F"] = f
		if err := h.AddSchedule(Schedule{Name: "rule", Function: "F", Rate: 5 * time.Minute}); err != nil {
			t.Fatal(err)
		}
		if err := h.AddSchedule(Schedule{Name: "rule", Function: "F", Rate: time.Minute}); err == nil {
			t.Error("two schedules of a name were accepted")
		}
		for _, step := range []struct {
			wait time.Duration
			want int64
		}{{4 * time.Minute, 0}, {2 * time.Minute, 1}, {10 * time.Minute, 3}} {
			time.Sleep(step.wait)
			synctest.Wait()
			if n := fired.Load(); n != step.want {
				t.Errorf("fired %d times, want %d", n, step.want)
			}
		}
		if _, err := h.Trigger("rule"); err != nil {
			t.Error(err)
		}
		if _, err := h.Trigger("other"); err == nil {
			t.Error("an unknown schedule was triggered")
		}
		synctest.Wait()
		if n := fired.Load(); n != 4 {
			t.Errorf("fired %d times after Trigger, want 4", n)
		}
		h.Close()
	})
}

func checkScheduled(t *testing.T, payload []byte) {
	t.Helper()
	var e events.EventBridgeEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		t.Error(err)
	}
	if e.DetailType != "Scheduled Event" || e.Source != "aws.events" || e.AccountID != "111122223333" ||
		len(e.Resources) != 1 || e.Resources[0] != "arn:aws:events:us-east-1:111122223333:rule/rule" || !e.Time.Equal(time.Now()) {
		t.Errorf("the event is %s", payload)
	}
}
