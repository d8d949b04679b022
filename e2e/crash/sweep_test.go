package crash

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sealreel/local/lambda"
	"sealreel/pkg/object"
)

// reconcile does a round, which may be killed.
func reconcile(t *testing.T) lambda.Result {
	t.Helper()
	event, err := os.ReadFile("../../events/schedule.json")
	if err != nil {
		t.Fatal(err)
	}
	result, err := site.Invoke(t.Context(), "ReconcileFunction", event)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// swept does a round, which must succeed.
func swept(t *testing.T) {
	t.Helper()
	if err := reconcile(t).Err(); err != nil {
		t.Fatal(err)
	}
}

// backdate lets time pass for what a sweep waits for: the claims of messages that
// nobody may be sending any more, the last sign of life of the job, and the next
// look at its drop. Here more rounds die than things may fail, so these are not
// counted.
func (r *trial) backdate(t *testing.T) {
	t.Helper()
	var notices []string
	for key, err := range site.store.Keys(t.Context(), site.state, "notified/"+r.id+"/") {
		if err != nil {
			t.Fatal(err)
		}
		notices = append(notices, key)
	}
	for _, key := range notices {
		revise(t, key, func(record map[string]any) { age(t, record, "claimed") })
	}
	revise(t, "watch/"+r.id+".json", func(record map[string]any) {
		age(t, record, "since")
		for _, counted := range []string{"restarts", "tries", "tried"} {
			delete(record, counted)
		}
	})
	revise(t, "reconcile/round.json", func(record map[string]any) {
		age(t, record, "idleSince")
		pending, _ := record["pending"].([]any)
		for _, p := range pending {
			delete(p.(map[string]any), "next")
			delete(p.(map[string]any), "tries")
		}
	})
}

// revise changes a record, unless it is not there or a function is changing it.
func revise(t *testing.T, key string, change func(map[string]any)) {
	t.Helper()
	body, etag, err := site.store.Get(t.Context(), site.state, key)
	if errors.Is(err, object.ErrNotExist) {
		return
	}
	var record map[string]any
	if err == nil {
		err = json.Unmarshal(body, &record)
	}
	if err != nil {
		t.Fatal(err)
	}
	change(record)
	if body, err = json.Marshal(record); err == nil {
		err = site.store.Replace(t.Context(), site.state, key, body, etag)
	}
	if err != nil && !errors.Is(err, object.ErrChanged) {
		t.Fatal(err)
	}
}

// age sets a time in a record a day back, where it is set.
func age(t *testing.T, record map[string]any, member string) {
	t.Helper()
	text, ok := record[member].(string)
	if !ok {
		return
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	if !at.IsZero() {
		record[member] = at.Add(-24 * time.Hour)
	}
}

// queue is the URL of a queue of the template.
func queue(t *testing.T, id string) string {
	t.Helper()
	for _, q := range site.Template().Queues {
		if q.ID == id {
			out, err := site.queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &q.Name})
			if err != nil {
				t.Fatal(err)
			}
			return *out.QueueUrl
		}
	}
	t.Fatalf("the template has no queue %s", id)
	return ""
}

// holds counts the messages of a queue, those in flight included.
func holds(t *testing.T, id string) string {
	t.Helper()
	url := queue(t, id)
	out, err := site.queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url,
		AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"}})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for name, n := range out.Attributes {
		if n != "0" {
			all = append(all, name+" "+n)
		}
	}
	return strings.Join(all, ", ")
}

// quiet waits until no task is queued or under way.
func quiet(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for holds(t, "ChunkQueue") != "" {
		if time.Now().After(deadline) {
			t.Fatalf("the chunk queue holds %s", holds(t, "ChunkQueue"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}
