package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"sealreel/pkg/ledger"
	"sealreel/pkg/s3store"
)

// search looks for the needles in every place there is: what the watches saw,
// all objects as S3 gives them to whoever has no customer key, all files of the
// deployment, and all files that were made in folders for temporary ones since
// the first watch began. It logs how much that was.
func search(t *testing.T, s *searcher, watches ...*watch) []hit {
	t.Helper()
	var hits []hit
	var messages, processes, texts, transient int
	for _, w := range watches {
		hits = append(hits, w.search(t, s)...)
		messages += len(w.bodies(t))
		processes, texts, transient = processes+len(w.processes), texts+len(w.texts), transient+len(w.transient)
	}
	for _, bucket := range []string{site.ingest, site.output, site.state, site.work} {
		hits = append(hits, searchBucket(t, s, bucket)...)
	}
	found, all := s.files(t, site.dir, time.Time{})
	hits = append(hits, found...)
	t.Logf("in the deployment's folder %v, %d lines of logs among them", all, logLines(t))
	for _, dir := range []string{os.TempDir(), "/var/tmp", "/dev/shm"} {
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		found, seen := s.files(t, dir, watches[0].started, site.dir)
		hits = append(hits, found...)
		t.Logf("new in %s: %v", dir, seen)
	}
	t.Logf("%d messages; %d processes with %d argument lists and environments; %d short-lived files", messages, processes, texts, transient)
	return hits
}

// servedAs is the place that an object is in searches.
func servedAs(bucket, key string) string { return "the object s3://" + bucket + "/" + key }

// searchBucket looks into all versions of all objects of a bucket, their names
// and their metadata.
func searchBucket(t *testing.T, s *searcher, bucket string) []hit {
	t.Helper()
	client := s3.NewFromConfig(site.aws, func(o *s3.Options) {
		o.UsePathStyle, o.DisableLogOutputChecksumValidationSkipped = true, true
	})
	var hits []hit
	var seen tally
	refused := 0
	pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			place := servedAs(bucket, *v.Key)
			hits = append(hits, s.scan("the name of "+place, []byte(*v.Key))...)
			out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: v.Key, VersionId: v.VersionId})
			var refusal smithy.APIError
			switch {
			case errors.As(err, &refusal) && refusal.ErrorCode() == "InvalidRequest": // SSE-C
				refused++
				continue
			case errors.As(err, &refusal) && strings.HasPrefix(refusal.ErrorCode(), "NoSuch"):
				continue // it was only there for a while
			case err != nil:
				t.Fatal(err)
			}
			found, size := s.read(place, out.Body)
			out.Body.Close()
			seen.files, seen.bytes = seen.files+1, seen.bytes+size
			hits = append(hits, found...)
			for name, value := range out.Metadata {
				hits = append(hits, s.scan("the metadata of "+place, []byte(name+": "+value))...)
			}
		}
	}
	t.Logf("in %s %v, and %d objects that S3 gives nobody without their key", bucket, seen, refused)
	return hits
}

// logLines counts the lines of all functions' logs.
func logLines(t *testing.T) int {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(site.dir, "logs", "*"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	lines := 0
	for _, file := range logs {
		lines += bytes.Count(read(t, file), []byte("\n"))
	}
	return lines
}

// planting is a secret that is put in a place for the search to find it.
type planting struct {
	secret, place string // in the name of the place that it is found in
	bytes         []byte
}

func plants() []planting {
	var all []planting
	for _, place := range []string{
		"the object s3://", "the metadata of", "the name of the object", "a message", "the queues' journal", filepath.Join(site.dir, "logs"),
		filepath.Join(site.dir, "kms"), "the short-lived " + filepath.Join(site.dir, "tmp"), "the name " + os.TempDir(), os.TempDir(), "the arguments of a process", "the environment of a process",
	} {
		all = append(all, planting{"what was planted in " + place, place, noise(32)})
	}
	return all
}

// plant puts each secret where it belongs, the way that a leak would take, while
// the watch that it returns looks on.
func plant(t *testing.T, all []planting) *watch {
	t.Helper()
	w := startWatch()
	name := unique(t)
	b := func(i int) []byte { return all[i].bytes }
	x := func(i int) string { return hex.EncodeToString(b(i)) }
	b64 := func(i int) string { return base64.StdEncoding.EncodeToString(b(i)) }
	put := func(o s3store.UploadTarget, body []byte) {
		o.Bucket = site.output
		if _, err := site.store.Upload(t.Context(), o, bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
	}
	put(s3store.UploadTarget{Key: "planted/" + name}, append(noise(1<<20), b(0)...))
	put(s3store.UploadTarget{Key: "planted/" + name + "/metadata", Metadata: map[string]string{"note": b64(1)}}, nil)
	put(s3store.UploadTarget{Key: "planted/" + name + x(2)}, nil)
	send(t, name, fmt.Sprintf(`{"key":"%x"}`, b(3)))
	send(t, name+"-j", fmt.Sprint(b(4)))
	invoke(t, "IngestFunction", dropEvent(ledger.Drop{Bucket: site.ingest, Key: x(5) + "/"}, time.Now())) // its log tells of folders
	file := func(path string, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(path) })
	}
	file(filepath.Join(site.dir, "kms", "planted"), append(noise(3), b64(6)...))
	brief := filepath.Join(site.dir, "tmp", "planted")
	file(brief, b(7))
	file(filepath.Join(os.TempDir(), "planted-"+x(8)), nil)
	file(filepath.Join(os.TempDir(), "planted-"+name), b(9))
	cmd := exec.Command("sh", "-c", "sleep 0.3; :", b64(10))
	cmd.Env = append(os.Environ(), "PLANTED="+strings.ToUpper(x(11)))
	open := filepath.Join(os.TempDir(), "open-"+name)
	out, err := os.Create(open)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(open) })
	defer out.Close()
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(brief); err != nil {
		t.Fatal(err)
	}
	w.stop()
	if !w.written[open] {
		t.Errorf("a process that writes to %s is not seen to", open)
	}
	return w
}

// send sends a message to a queue of the test's own.
func send(t *testing.T, queue, body string) {
	t.Helper()
	client := sqs.NewFromConfig(site.aws)
	q, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(queue)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: q.QueueUrl, MessageBody: &body}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: q.QueueUrl}); err != nil {
		t.Fatal(err)
	}
}

// checkPlants complains of each planted secret that was not found in its place.
func checkPlants(t *testing.T, all []planting, hits []hit) {
	t.Helper()
	for _, p := range all {
		found := false
		for _, h := range hits {
			found = found || h.secret == p.secret && strings.HasPrefix(h.place, p.place)
		}
		if !found {
			t.Errorf("%s is not found: nor would a leak be", p.secret)
		}
	}
}
