package e2e

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/s3store"
)

// Nothing that is lost is lost for good (invariant 6): events of keys under
// "lost/" are not delivered, and reconcile, which is told to step in after
// seconds, finds what they were about.

const lost = "lost/"

// sweep runs reconcile until ok.
func sweep(t *testing.T, what string, ok func() bool) {
	t.Helper()
	eventually(t, 2*time.Minute, what, func() bool {
		if _, err := site.Trigger("ReconcileFunction", "Sweep"); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if ok() {
				return true
			}
			time.Sleep(100 * time.Millisecond)
		}
		return false
	})
}

// lostDocument drops a document of which no function hears.
func lostDocument(t *testing.T, req job.Request) ledger.Drop {
	t.Helper()
	if req.PipelineID == "" {
		req.PipelineID = site.pipeline
	}
	document, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	return version(t, lost+unique(t)+".job.json", document, nil)
}

func TestLostEventsAreMadeUpFor(t *testing.T) {
	name, key, body := unique(t), wrapped(t), read(t, brief(t))
	version(t, name+"/in.mp4", body, key)
	taken := name + "/taken.mp4"
	if _, err := site.store.Upload(t.Context(), s3store.UploadTarget{Bucket: site.output, Key: taken}, strings.NewReader("theirs")); err != nil {
		t.Fatal(err)
	}
	req := sealedFile(name+"/in.mp4", name+"/", key)
	req.Outputs = append(req.Outputs, job.Output{Key: "taken.mp4", PresetID: req.Outputs[0].PresetID})
	document := lostDocument(t, req)
	a := newTenant(t, "tenant-a", "1762992000000-tenlst", "1762992000000-tenlst")
	input, theirKey := a.upload(t, body)
	theirs := sealedFile(input, a.name+"/", &theirKey)
	theirs.PipelineID = a.pipeline
	tenants := lostDocument(t, theirs)
	absent := lostDocument(t, sealedFile(name+"/never.mp4", name+"/", nil))
	underKMS(t, lost+name+"-plain.mp4", save(t, "plain.mp4", body))
	late := submit(t, sealedFile(lost+name+"-late.mp4", name+"/late/", nil))
	eventually(t, time.Minute, "a job that waits", func() bool {
		rec, err := site.ledger.Job(t.Context(), late)
		return err == nil && rec.Waiting
	})
	version(t, lost+name+"-late.mp4", body, nil)
	letter := queueURL(t, "ChunkDeadLetterQueue")
	if _, err := sqs.NewFromConfig(site.aws).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &letter, MessageBody: aws.String("no task")}); err != nil {
		t.Fatal(err)
	}

	jobs := map[string]ledger.Drop{"a document": document, "a tenant's document": tenants, "a document without its input": absent}
	sweep(t, "jobs of what was lost", func() bool {
		for _, d := range jobs {
			if _, err := site.ledger.Claimed(t.Context(), d); err != nil {
				return false
			}
		}
		return len(jobsOf(t, lost+name+"-plain.mp4")) == 1
	})
	rec := ended(t, claimed(t, document))
	if o := rec.Job.Outputs; o[0].Status != job.Complete || !strings.HasPrefix(o[1].StatusDetail, "3002 ") {
		t.Errorf("the document's job: %s", details(rec))
	}
	completed(t, claimed(t, tenants))
	completed(t, jobsOf(t, lost+name+"-plain.mp4")[0])
	sweep(t, "the late file", func() bool {
		rec, err := site.ledger.Job(t.Context(), late)
		return err == nil && job.Terminal(rec.Job.Status)
	})
	completed(t, late)
	if rec, err := site.ledger.Job(t.Context(), claimed(t, absent)); err != nil || !rec.Waiting {
		t.Errorf("the job without its input: %+v, %v", rec, err)
	}
	if left := received(t, letter); len(left) > 0 {
		t.Errorf("dead letters that nobody took: %q", left)
	}
}

// TestLostLastStepsAreMadeUpFor: the notification that an output is ready gets
// lost, or the mark of a job that has ended stays.
func TestLostLastStepsAreMadeUpFor(t *testing.T) {
	name := unique(t)
	version(t, name+".mp4", read(t, brief(t)), nil)
	site.deaf.Store(true)
	id := submit(t, sealedFile(name+".mp4", name+"/", nil))
	eventually(t, time.Minute, "every receipt", func() bool {
		keys, err := readyKeys(t, id)
		return err == nil && len(keys) == 1
	})
	site.deaf.Store(false)
	sweep(t, "the end of the job", func() bool {
		rec, err := site.ledger.Job(t.Context(), id)
		return err == nil && job.Terminal(rec.Job.Status)
	})
	completed(t, id)
	mark := "active/" + id + ".json"
	if err := site.store.Create(t.Context(), site.state, mark, []byte("{}")); err != nil && !errors.Is(err, object.ErrExists) {
		t.Fatal(err)
	}
	sweep(t, "the mark to go", func() bool {
		_, err := site.store.Head(t.Context(), s3store.Object{Bucket: site.state, Key: mark}, nil)
		return errors.Is(err, object.ErrNotExist)
	})
}

func readyKeys(t *testing.T, id string) ([]string, error) {
	t.Helper()
	var all []string
	for k, err := range site.store.Keys(t.Context(), site.state, "ready/"+id+"/") {
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}
