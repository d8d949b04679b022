package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"sealreel/local/stack"
	"sealreel/pkg/price"
	"sealreel/pkg/usage"
)

// functionIDs are the logical ids of the functions, by the names that records of
// usage have for them.
var functionIDs = map[string]string{usage.Ingest: "IngestFunction", usage.Transcode: "TranscodeFunction", usage.Assemble: "AssembleFunction"}

// atRest waits until no function has asked for anything for longer than an event
// of an earlier test may be late.
func atRest(t *testing.T) {
	t.Helper()
	quiet(t)
	eventually(t, time.Minute, "functions at rest", func() bool {
		before := functionCalls()
		time.Sleep(3500 * time.Millisecond)
		return functionCalls() == before
	})
}

func functionCalls() (n int) {
	site.mu.Lock()
	defer site.mu.Unlock()
	for _, r := range site.calls {
		if strings.HasSuffix(r.Caller, "Function") {
			n++
		}
	}
	return n
}

// requestsOf are the requests in the log that a function made itself, in the
// units of usage.
func requestsOf(calls []stack.Request, function string) (c usage.Counts) {
	for _, r := range calls {
		if r.Caller != function || r.Via != "" || r.Status == 0 {
			continue
		}
		switch {
		case r.Service == "kms":
			c.KMS++
		case r.Service == "sqs":
			c.SQS++
		case r.Service == "sns":
			c.SNS++
		case r.Service == "sts":
			c.STS++
		case r.Service == "s3" && (strings.HasPrefix(r.Operation, "Delete") || strings.HasPrefix(r.Operation, "Abort")):
			c.S3Deletes++
		case r.Service == "s3" && (strings.HasPrefix(r.Operation, "Get") || strings.HasPrefix(r.Operation, "Head")):
			c.S3Reads++
		case r.Service == "s3":
			c.S3Writes++
		}
	}
	return c
}

// usageOf are the records of a job once there is one for each task, each output
// and two of ingest: that of the document and that of the file.
func usageOf(t *testing.T, id string) map[string][]usage.Record {
	t.Helper()
	var by map[string][]usage.Record
	p := planOf(t, id)
	eventually(t, time.Minute, "a record of every invocation", func() bool {
		all, err := site.ledger.Usage(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		by = map[string][]usage.Record{}
		for _, r := range all {
			by[r.Function] = append(by[r.Function], r)
		}
		return len(by[usage.Ingest]) >= 2 && len(price.Unrecorded(p, all)) == 0
	})
	return by
}

// checkUsage holds what a job's functions say they used against what the
// embedded AWS was asked for.
func checkUsage(t *testing.T, by map[string][]usage.Record, calls []stack.Request) {
	t.Helper()
	for function, id := range functionIDs {
		var got usage.Counts
		for _, r := range by[function] {
			got = got.Plus(r.Counts)
			if r.Milliseconds <= 0 || r.MemoryMiB < 512 || r.Failed || r.Shared > 1 || r.Request == "" {
				t.Errorf("%s: record %+v", function, r)
			}
		}
		want := requestsOf(calls, id)
		got.S3In, got.S3Out, want.S3In, want.S3Out = 0, 0, got.S3In, got.S3Out // bytes are not in the log
		if got.S3Writes != want.S3Writes || got.S3Reads != want.S3Reads || got.S3Deletes != want.S3Deletes || got.KMS != want.KMS ||
			got.SQS != want.SQS || got.SNS != want.SNS || got.STS != want.STS || got.KMSDenied != 0 {
			t.Errorf("%s: noted %+v, asked for %+v", function, got, want)
		}
	}
}

// checkBytes holds the bytes that a job's functions say they moved against the
// sizes of what they read and stored.
func checkBytes(t *testing.T, name string, by map[string][]usage.Record, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	var sum usage.Counts
	for _, records := range by {
		for _, r := range records {
			sum = sum.Plus(r.Counts)
		}
	}
	var outputs int64
	for e, err := range site.store.List(t.Context(), site.output, name+"/", "") {
		if err != nil {
			t.Fatal(err)
		}
		outputs += e.Size
	}
	t.Logf("input %d bytes, outputs %d; functions read %d and wrote %d", info.Size(), outputs, sum.S3In, sum.S3Out)
	if sum.S3In < info.Size() || sum.S3Out < outputs || sum.S3Out > 4*outputs+1<<20 {
		t.Errorf("functions read %d bytes and wrote %d for an input of %d and outputs of %d", sum.S3In, sum.S3Out, info.Size(), outputs)
	}
}
