package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sealreel/local/fault"
	"sealreel/pkg/job"
)

// uploadsUnderWay are the keys of unfinished uploads of the output bucket.
func uploadsUnderWay(t *testing.T, prefix string) []string {
	t.Helper()
	client := s3.NewFromConfig(site.aws, func(o *s3.Options) { o.UsePathStyle = true })
	out, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &site.output, Prefix: &prefix})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, u := range out.Uploads {
		all = append(all, aws.ToString(u.Key))
	}
	return all
}

func queueURL(t *testing.T, id string) string {
	t.Helper()
	for _, q := range site.Template().Queues {
		if q.ID == id {
			return q.URL
		}
	}
	t.Fatalf("template.yaml has no queue %s", id)
	return ""
}

// received takes the bodies of the messages of a queue.
func received(t *testing.T, url string) []string {
	t.Helper()
	client := sqs.NewFromConfig(site.aws)
	var all []string
	for {
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		for _, m := range out.Messages {
			all = append(all, aws.ToString(m.Body))
			if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestEventsThatFailAreReported: an event that a function fails at again and
// again is not lost, it comes to the failure queue. The functions leave a job
// alone whose record is of a newer version, and reconcile is killed at its work.
func TestEventsThatFailAreReported(t *testing.T) {
	name := unique(t)
	id := job.NewID(time.Now(), site.ingest, name, "")
	marks := []string{"jobs/" + id + ".json", "ready/" + id + "/1.json", "active/" + id + ".json"}
	t.Cleanup(func() {
		for _, key := range marks {
			if err := site.store.Delete(context.Background(), site.state, key); err != nil {
				t.Error(err)
			}
		}
	})
	if err := site.ledger.Await(t.Context(), site.ingest, name+".mp4", id); err != nil {
		t.Fatal(err)
	}
	for _, key := range marks {
		body := fmt.Sprintf(`{"version":99,"job":%q,"output":"1"}`, id)
		if strings.HasPrefix(key, "jobs/") {
			body = `{"version":99}`
		}
		if err := site.store.Create(t.Context(), site.state, key, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	upload(t, name+".mp4", brief(t), nil)
	remove, err := site.AddFaults(fault.Rule{Name: t.Name(), When: fault.When{Service: "s3", Caller: "ReconcileFunction", Times: 1}, Then: fault.Then{Kill: fault.Before}})
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	if _, err := site.Trigger("ReconcileFunction", "Sweep"); err != nil {
		t.Fatal(err)
	}
	missing := map[string]string{"IngestFunction": "newer version", "AssembleFunction": "newer version", "ReconcileFunction": "Runtime.ExitError"}
	url := queueURL(t, "FailureQueue")
	eventually(t, time.Minute, "the failed events", func() bool {
		for _, body := range received(t, url) {
			for function, reason := range missing {
				if strings.Contains(body, ":function:sealreel-"+function) && strings.Contains(body, reason) {
					delete(missing, function)
				}
			}
		}
		return len(missing) == 0
	})
	if err := site.ledger.Arrived(t.Context(), site.ingest, name+".mp4", id); err != nil {
		t.Fatal(err)
	}
}
