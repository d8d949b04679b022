package e2e

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSampleEvents invokes the functions with every sample of events/, as
// `sam local invoke` does. What they name does not exist here, which must not
// make a function fail; a batch may report messages.
func TestSampleEvents(t *testing.T) {
	t.Parallel()
	functions := map[string]string{
		"s3-put.json": "IngestFunction", "s3-put-odd-characters.json": "IngestFunction", "s3-test-event.json": "IngestFunction",
		"s3-ready.json": "AssembleFunction", "schedule.json": "ReconcileFunction",
		"sqs-chunk.json": "TranscodeFunction", "sqs-batch.json": "TranscodeFunction",
	}
	files, err := filepath.Glob("../events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			function := functions[filepath.Base(file)]
			if function == "" {
				t.Fatal("no function for this sample")
			}
			result, err := site.Invoke(context.Background(), function, read(t, file))
			if err == nil {
				err = result.Err()
			}
			if err != nil {
				t.Error(err)
			}
			if function == "TranscodeFunction" && string(result.Payload) != `{"batchItemFailures":null}` {
				t.Errorf("answer %s", result.Payload)
			}
		})
	}
}

// TestNonsenseIsReportedAndNotFatal gives functions what is none of theirs: it
// is refused, and the function goes on.
func TestNonsenseIsReportedAndNotFatal(t *testing.T) {
	t.Parallel()
	other := bytes.ReplaceAll(read(t, "../events/s3-put.json"), []byte("sealreel-ingest-"), []byte("other-ingest-"))
	removed := bytes.ReplaceAll(read(t, "../events/s3-put.json"), []byte("ObjectCreated:Put"), []byte("ObjectRemoved:Delete"))
	ready := bytes.ReplaceAll(read(t, "../events/s3-ready.json"), []byte("ready/1772443815204-sj3m0y"), []byte("ready/..%2F..%2Fx"))
	for _, event := range [][]byte{other, removed, []byte(`{}`), []byte(`{"Records":[]}`)} {
		invoke(t, "IngestFunction", event)
	}
	invoke(t, "AssembleFunction", ready)
	unknown := bytes.ReplaceAll(read(t, "../events/sqs-chunk.json"), []byte("chunk-0-00003"), []byte("chunk-?"))
	result, err := site.Invoke(t.Context(), "TranscodeFunction", unknown)
	if err != nil || result.Err() != nil || !strings.Contains(string(result.Payload), "6f1c2a3b-4d5e-4f60-8a9b-0c1d2e3f4a01") {
		t.Errorf("%s %v %v", result.Payload, err, result.Err())
	}
	log, err := os.ReadFile(filepath.Join(site.dir, "logs", "IngestFunction.log"))
	if err != nil || strings.Count(string(log), "event refused") < 2 {
		t.Errorf("the refusals are not in the log: %v", err)
	}
}
