package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/s3store"
	"sealreel/pkg/sqsqueue"
	"sealreel/pkg/task"
)

// The recorded jobs are what functions of older versions left in the state bucket
// of a stack whose engine hung: planned, begun, and no task done. What another
// stack can't have, such as wrapped keys, is {named} there.

// underWay puts a recorded job into this stack, with media and keys, as if its
// functions had just been updated, and returns its records by key. None is put
// whose kind is in hold.
func underWay(t *testing.T, file, name string, hold ...string) (id string, records map[string]string) {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	id = job.RandomID(time.Now())
	ring, key := keyring(t), wrapped(t)
	in := lost + name + ".mp4" // no event: its job is there
	upload(t, in, longer(t, 10), key)
	m, err := ring.Unwrap(t.Context(), *key)
	if err != nil {
		t.Fatal(err)
	}
	pinned, err := site.store.Head(t.Context(), s3store.Object{Bucket: site.ingest, Key: in}, m)
	if err != nil {
		t.Fatal(err)
	}
	work, err := ring.Generate(t.Context(), job.ModeSSEC)
	if err != nil {
		t.Fatal(err)
	}
	values := []string{
		"{job}", id, "{name}.mp4", in, "{name}", name, "{version}", pinned.VersionID, `\"{etag}\"`, strings.ReplaceAll(pinned.ETag, `"`, `\"`),
		`"{size}"`, fmt.Sprint(pinned.Size), "{keyArn}", site.keyARN,
	}
	for n, e := range map[string]*job.Encryption{"input": key, "work": &work, "output1": wrapped(t), "output2": wrapped(t)} {
		values = append(values, "{"+n+".Key}", e.Key, "{"+n+".KeyMd5}", e.KeyMd5)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(strings.NewReplacer(values...).Replace(string(body))), &all); err != nil {
		t.Fatal(err)
	}
	records = map[string]string{}
	for key, record := range all {
		records[key] = string(record)
	}
	if _, err := site.ledger.ClaimDrop(t.Context(), ledger.Drop{Bucket: site.ingest, Key: in, VersionID: pinned.VersionID}, id); err != nil {
		t.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(records)) { // active/ before jobs/
		if kind, _, _ := strings.Cut(key, "/"); !slices.Contains(hold, kind) {
			put(t, key, records[key])
		}
	}
	return id, records
}

// put stores a record in the state bucket.
func put(t *testing.T, key, record string) {
	t.Helper()
	if err := site.store.Create(t.Context(), site.state, key, []byte(record)); err != nil {
		t.Fatal(err)
	}
}

// TestOlderWorkIsDrained: jobs that older functions planned and queued are done
// by these ones, frame for frame.
func TestOlderWorkIsDrained(t *testing.T) {
	files, err := filepath.Glob("testdata/recorded/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		name := unique(t)
		id, _ := underWay(t, file, name)
		if err := sqsqueue.New(site.aws, site.Exports()["SEALREEL_QUEUE_URL"]).Send(t.Context(), task.Message{Version: 1, Job: id, Task: task.Audio}); err != nil {
			t.Fatal(err)
		}
		rec := completed(t, id)
		for i, want := range []struct {
			file   string
			frames int
		}{{name + "/hls00000.ts", 90}, {name + "/web.mp4", 300}} {
			if got := frames(t, save(t, filepath.Base(want.file), fetch(t, rec, i, want.file))); len(got) != want.frames {
				t.Errorf("%s: %s has %d frames, want %d", file, want.file, len(got), want.frames)
			}
		}
		if got := keys(t, name+"/"); len(got) != 6 { // a master playlist, one of the stream, three segments, a file
			t.Errorf("%s: %q", file, got)
		}
	}
}

// TestNewerWorkIsLeftAlone: what these functions are too old for stays as it is,
// through deliveries and rounds of reconcile, until newer ones take it up.
func TestNewerWorkIsLeftAlone(t *testing.T) {
	quiet(t)
	name := unique(t)
	id, recorded := underWay(t, "testdata/recorded/plan-2.json", name, "plans")
	planKey := "plans/" + id + ".json"
	newer := `{"version":99,"job":{"id":"` + id + `"},"groups":"elsewhere"}`
	put(t, planKey, newer)
	before := records(t, id)
	client, url := sqs.NewFromConfig(site.aws), site.Exports()["SEALREEL_QUEUE_URL"]
	deadLetters := variable(t, "ReconcileFunction", "SEALREEL_DEAD_LETTER_QUEUE_URL")
	for _, body := range []string{
		task.Message{Version: task.Version, Job: id, Task: task.Audio}.Body(),
		`{"version":99,"job":{"id":"` + id + `"},"tasks":["audio"]}`,
	} {
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, MessageGroupId: &id}); err != nil {
			t.Fatal(err)
		}
	}
	quiet(t)
	if n := depth(t, url, "ApproximateNumberOfMessagesDelayed"); n != "2" {
		t.Errorf("%s messages wait for newer functions, want 2", n)
	}
	for range 2 {
		time.Sleep(2 * time.Second) // reconcile steps in after two
		if _, err := site.Invoke(t.Context(), "ReconcileFunction", read(t, "../events/schedule.json")); err != nil {
			t.Fatal(err) // that it can't read them is the function's own error, and no matter here
		}
	}
	if after := records(t, id); !slices.Equal(before, after) {
		t.Errorf("records %v, then %v", before, after)
	}
	if n := depth(t, deadLetters, "ApproximateNumberOfMessages"); n != "0" {
		t.Errorf("%s dead letters", n)
	}
	// The update comes: the plan can be read, and the message comes again.
	if _, err := client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url}); err != nil {
		t.Fatal(err)
	}
	if err := site.store.Delete(t.Context(), site.state, planKey); err != nil {
		t.Fatal(err)
	}
	put(t, planKey, recorded[planKey])
	if err := sqsqueue.New(site.aws, url).Send(t.Context(), task.Message{Version: task.Version, Job: id, Task: task.Audio}); err != nil {
		t.Fatal(err)
	}
	completed(t, id)
}

// depth is how many messages a queue has of a kind.
func depth(t *testing.T, url string, kind types.QueueAttributeName) string {
	t.Helper()
	out, err := sqs.NewFromConfig(site.aws).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{kind}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes[string(kind)]
}

// variable is what the template gives a function as a variable.
func variable(t *testing.T, function, name string) string {
	t.Helper()
	for _, f := range site.Template().Functions {
		if f.ID == function && f.Environment[name] != "" {
			return f.Environment[name]
		}
	}
	t.Fatalf("%s has no %s", function, name)
	return ""
}
