// Package events_test holds the sample events against the types that the
// functions read them with, and against each other: the chunk and ready
// samples belong to the job that the put sample becomes.
package events_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"sealreel/pkg/job"
)

const (
	ingestBucket = "sealreel-ingest-111122223333-us-east-1"
	stateBucket  = "sealreel-state-111122223333-us-east-1"
)

// read parses a sample, refusing members that the type doesn't know.
func read[T any](t *testing.T, name string) T {
	t.Helper()
	doc, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var event T
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&event); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return event
}

// put reads a sample of one S3 record.
func put(t *testing.T, name string) events.S3EventRecord {
	t.Helper()
	records := read[events.S3Event](t, name).Records
	if len(records) != 1 {
		t.Fatalf("%s has %d records, want 1", name, len(records))
	}
	r := records[0]
	if r.EventSource != "aws:s3" || r.EventTime.IsZero() || r.S3.Bucket.Arn != "arn:aws:s3:::"+r.S3.Bucket.Name {
		t.Errorf("%s: source %q, time %v, bucket %q %q", name, r.EventSource, r.EventTime, r.S3.Bucket.Name, r.S3.Bucket.Arn)
	}
	if !strings.HasPrefix(r.EventName, "ObjectCreated:") {
		t.Errorf("%s: event %q", name, r.EventName)
	}
	return r
}

// theJob is the id of the job that s3-put.json becomes.
func theJob(t *testing.T) string {
	t.Helper()
	r := put(t, "s3-put.json")
	return job.NewID(r.EventTime, r.S3.Bucket.Name, r.S3.Object.URLDecodedKey, r.S3.Object.VersionID)
}

func TestPuts(t *testing.T) {
	for _, c := range []struct{ file, bucket, raw, key string }{
		{"s3-put.json", ingestBucket, "interviews/morning.mp4", "interviews/morning.mp4"},
		{"s3-put-odd-characters.json", ingestBucket,
			"Interviews+%26+T%C3%B6ne/Gr%C3%B6%C3%9Fe+100%25+%231+%28a%2Bb%3Dc%29.mp4",
			"Interviews & Töne/Größe 100% #1 (a+b=c).mp4"},
	} {
		t.Run(c.file, func(t *testing.T) {
			o := put(t, c.file).S3.Object
			if o.Key != c.raw || o.URLDecodedKey != c.key {
				t.Errorf("key %q decoded %q, want %q decoded %q", o.Key, o.URLDecodedKey, c.raw, c.key)
			}
			if o.VersionID == "" || o.ETag == "" || o.Sequencer == "" || o.Size <= 0 {
				t.Errorf("incomplete object: %+v", o)
			}
			if b := put(t, c.file).S3.Bucket.Name; b != c.bucket {
				t.Errorf("bucket %q, want %q", b, c.bucket)
			}
		})
	}
}

func TestReady(t *testing.T) {
	r := put(t, "s3-ready.json")
	if r.S3.Bucket.Name != stateBucket {
		t.Errorf("bucket %q, want %q", r.S3.Bucket.Name, stateBucket)
	}
	if want := "ready/" + theJob(t) + "/1.json"; r.S3.Object.URLDecodedKey != want {
		t.Errorf("key %q, want %q", r.S3.Object.URLDecodedKey, want)
	}
}

// S3 sends this when a notification is made. It has no Records.
func TestTestEvent(t *testing.T) {
	event := read[events.S3TestEvent](t, "s3-test-event.json")
	if event.Event != "s3:TestEvent" || event.Service != "Amazon S3" || event.Bucket != ingestBucket {
		t.Errorf("got %+v", event)
	}
	doc, err := os.ReadFile("s3-test-event.json")
	if err != nil {
		t.Fatal(err)
	}
	var as events.S3Event
	if err := json.Unmarshal(doc, &as); err != nil || len(as.Records) != 0 {
		t.Errorf("as an S3 event it must parse without records: %v, %d records", err, len(as.Records))
	}
}

func TestQueue(t *testing.T) {
	for _, c := range []struct {
		file  string
		tasks []string
	}{
		{"sqs-chunk.json", []string{"chunk-00003"}},
		{"sqs-batch.json", []string{"audio", "chunk-00000", "chunk-00017"}},
	} {
		t.Run(c.file, func(t *testing.T) {
			var tasks, ids []string
			for i, m := range read[events.SQSEvent](t, c.file).Records {
				tasks = append(tasks, checkMessage(t, m, i == 2))
				ids = append(ids, m.MessageId)
			}
			if !slices.Equal(tasks, c.tasks) {
				t.Errorf("tasks %q, want %q", tasks, c.tasks)
			}
			if slices.Sort(ids); len(slices.Compact(ids)) != len(c.tasks) {
				t.Error("two messages share an id")
			}
		})
	}
}

// checkMessage returns the task of a message after checking the rest. Only a
// message of another job may name one that s3-put.json doesn't become.
func checkMessage(t *testing.T, m events.SQSMessage, other bool) string {
	t.Helper()
	var body struct {
		Version int    `json:"version"`
		Job     string `json:"job"`
		Task    string `json:"task"`
	}
	if err := json.Unmarshal([]byte(m.Body), &body); err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum([]byte(m.Body))
	if m.Md5OfBody != hex.EncodeToString(sum[:]) {
		t.Errorf("%s: MD5 %s is not the body's", body.Task, m.Md5OfBody)
	}
	if body.Version != 1 || !job.ValidID(body.Job) || (body.Job == theJob(t)) == other {
		t.Errorf("%s: version %d, job %q", body.Task, body.Version, body.Job)
	}
	if m.Attributes["MessageGroupId"] != body.Job || m.Attributes["ApproximateReceiveCount"] == "" {
		t.Errorf("%s: attributes %v", body.Task, m.Attributes)
	}
	if m.EventSource != "aws:sqs" || !strings.HasSuffix(m.EventSourceARN, ":sealreel-ChunkQueue") {
		t.Errorf("%s: from %q %q", body.Task, m.EventSource, m.EventSourceARN)
	}
	return body.Task
}

func TestSchedule(t *testing.T) {
	event := read[events.CloudWatchEvent](t, "schedule.json")
	if event.DetailType != "Scheduled Event" || event.Source != "aws.events" || event.Time.IsZero() {
		t.Errorf("got %+v", event)
	}
}

// Every sample is read by a test above.
func TestNoSampleForgotten(t *testing.T) {
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"s3-put-odd-characters.json", "s3-put.json", "s3-ready.json", "s3-test-event.json",
		"schedule.json", "sqs-batch.json", "sqs-chunk.json"}
	if !slices.Equal(files, want) {
		t.Errorf("events/ holds %q, the tests know %q", files, want)
	}
}
