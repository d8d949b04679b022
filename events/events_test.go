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
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"sealreel/pkg/job"
	"sealreel/pkg/task"
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
		{"sqs-chunk.json", []string{"chunk-0-00003"}},
		{"sqs-batch.json", []string{"audio", "chunk-0-00000", "chunk-0-00017"}},
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
	body, err := task.ParseMessage(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum([]byte(m.Body))
	if m.Md5OfBody != hex.EncodeToString(sum[:]) {
		t.Errorf("%s: MD5 %s is not the body's", body.Task, m.Md5OfBody)
	}
	if (body.Job == theJob(t)) == other {
		t.Errorf("%s: job %q", body.Task, body.Job)
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

// sam-local must put every endpoint and name into the template it makes.
func TestSamLocal(t *testing.T) {
	dir, built := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(built, "IngestFunction"), 0o700); err != nil {
		t.Fatal(err)
	}
	template, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(built, "template.yaml"), string(template))
	write(filepath.Join(dir, "ca.pem"), "certificate")
	write(filepath.Join(dir, "env"), `export AWS_ENDPOINT_URL_S3='https://127.0.0.1:9001'
export AWS_ENDPOINT_URL_SQS='http://127.0.0.1:9002'
export AWS_ENDPOINT_URL_KMS='http://127.0.0.1:9003'
export AWS_ENDPOINT_URL_STS='http://127.0.0.1:9004'
export AWS_ENDPOINT_URL_SNS='http://127.0.0.1:9005'
export AWS_CA_BUNDLE='`+filepath.Join(dir, "ca.pem")+`'
export SEALREEL_INGEST_BUCKET='the-ingest'
export SEALREEL_OUTPUT_BUCKET='the-output'
export SEALREEL_STATE_BUCKET='the-state'
export SEALREEL_WORK_BUCKET='the-work'
export SEALREEL_QUEUE_URL='http://127.0.0.1:9002/111122223333/the-queue'
export SEALREEL_KMS_KEY_ARN='arn:aws:kms:us-east-1:111122223333:key/the-key'
`)
	if out, err := exec.Command("./sam-local", dir, built).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	made, err := os.ReadFile(filepath.Join(built, "sam-local.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"        AWS_ENDPOINT_URL_S3: https://127.0.0.1:9001\n", "        AWS_ENDPOINT_URL_SQS: http://127.0.0.1:9002\n",
		"        AWS_ENDPOINT_URL_KMS: http://127.0.0.1:9003\n", "        AWS_ENDPOINT_URL_STS: http://127.0.0.1:9004\n",
		"        AWS_ENDPOINT_URL_SNS: http://127.0.0.1:9005\n", "        AWS_CA_BUNDLE: /var/task/ca.pem\n",
		"        SEALREEL_INGEST_BUCKET: !Sub 'the-ingest'\n", `"OutputBucket": "the-output"`,
		`"AwsKmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/the-key"`, "'the-state'", "'the-work'",
	} {
		if !strings.Contains(string(made), want) {
			t.Errorf("no %q in the template", want)
		}
	}
	if left := strings.Count(string(made), "${AWS::AccountId}-${AWS::Region}"); left > 0 {
		t.Errorf("%d names are left as they were", left)
	}
	if _, err := os.Stat(filepath.Join(built, "IngestFunction", "ca.pem")); err != nil {
		t.Error(err)
	}
	var variables struct{ Parameters map[string]string }
	doc, err := os.ReadFile(filepath.Join(built, "sam-local.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(doc, &variables); err != nil || !strings.HasSuffix(variables.Parameters["SEALREEL_QUEUE_URL"], "/the-queue") {
		t.Errorf("variables %v, %v", variables, err)
	}
	// The default pipeline's role must be the stack's own, or functions would try to assume it.
	if role := variables.Parameters["SEALREEL_ROLE_ARN"]; role == "" || !strings.Contains(string(made), `"Role": "`+role+`"`) {
		t.Errorf("the default pipeline has another role than the stack's, %q", role)
	}
}
