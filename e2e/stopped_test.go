package e2e

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sealreel/local/fault"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/s3store"
	"sealreel/pkg/task"
)

// waiting submits a job for a file that is not there, and returns how the file is
// brought.
func waiting(t *testing.T) (id, prefix string, bring func()) {
	t.Helper()
	name, key := unique(t), wrapped(t)
	id = submit(t, sealedFile(name+".mp4", name+"/", key))
	eventually(t, time.Minute, "a job that waits", func() bool {
		rec, err := site.ledger.Job(t.Context(), id)
		return err == nil && rec.Waiting
	})
	return id, name + "/", func() { version(t, name+".mp4", read(t, brief(t)), key) }
}

// disturbed adds a rule for a test.
func disturbed(t *testing.T, when fault.When, then fault.Then) (remove func()) {
	t.Helper()
	remove, err := site.AddFaults(fault.Rule{Name: t.Name(), When: when, Then: then})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	return remove
}

func planned(t *testing.T, id string) {
	t.Helper()
	eventually(t, time.Minute, "a plan", func() bool {
		_, err := site.ledger.Plan(t.Context(), id)
		return err == nil
	})
}

func deadLetter(t *testing.T, body string) {
	t.Helper()
	if _, err := sqs.NewFromConfig(site.aws).SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: aws.String(queueURL(t, "ChunkDeadLetterQueue")), MessageBody: &body}); err != nil {
		t.Fatal(err)
	}
}

// TestStoppedJobsAreDrivenOn: one whose messages got lost, though an older one of
// its tasks lies in the dead letters since before it was set going by hand; one
// whose ingest died before it had a plan; and one with a task that killed every
// worker, which ends. A dead letter of a newer version is left where it is.
func TestStoppedJobsAreDrivenOn(t *testing.T) {
	stopped, _, bring := waiting(t)
	remove := disturbed(t, fault.When{Service: "message", Operation: "Send", Event: "*" + stopped + "*"}, fault.Then{Lost: true})
	bring()
	planned(t, stopped)
	doomed, _ := underWay(t, "testdata/recorded/plan-2.json", unique(t))
	unplanned, _ := underWay(t, "testdata/recorded/plan-2.json", unique(t), "plans")
	newer := `{"version":99,"job":"` + doomed + `","task":"a task of tomorrow"}`
	deadLetter(t, task.Message{Version: task.Version, Job: stopped, Task: task.Audio}.Body())
	deadLetter(t, task.Message{Version: task.Version, Job: doomed, Task: task.Audio}.Body())
	deadLetter(t, newer)
	if err := site.ledger.SetWatch(t.Context(), stopped, ledger.Watch{Redriven: time.Now().Add(time.Second)}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	remove()
	sweep(t, "the end of all", func() bool {
		for _, id := range []string{stopped, doomed, unplanned} {
			if rec, err := site.ledger.Job(t.Context(), id); err != nil || !job.Terminal(rec.Job.Status) {
				return false
			}
		}
		return true
	})
	completed(t, stopped)
	completed(t, unplanned)
	rec := ended(t, doomed)
	for _, o := range rec.Job.Outputs {
		if !strings.HasPrefix(o.StatusDetail, "9999 ") || !strings.Contains(o.StatusDetail, "its worker died") {
			t.Errorf("the job whose worker died: %s", details(rec))
		}
	}
	dead := queueURL(t, "ChunkDeadLetterQueue")
	if n := depth(t, dead, "ApproximateNumberOfMessagesNotVisible"); n != "1" { // kept from this round and the next
		t.Errorf("%s dead letters of a newer version, want 1", n)
	}
	if _, err := sqs.NewFromConfig(site.aws).PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &dead}); err != nil {
		t.Fatal(err)
	}
}

// cancel cancels a job as the command does.
func cancel(t *testing.T, id string) error {
	t.Helper()
	_, err := site.ledger.UpdateJob(t.Context(), id, func(r *ledger.Record) error {
		j, err := job.Cancel(r.Job, time.Now())
		r.Job, r.Waiting = j, r.Waiting && err != nil
		return err
	})
	return err
}

// TestCancelInEachState: a job that has not begun ends, whatever ingest or the
// queue are about to do, and nothing of it is stored or told; one that has begun,
// or ended, is left alone.
func TestCancelInEachState(t *testing.T) {
	waits, nothing, _ := waiting(t)
	queued, none, bring := waiting(t)
	disturbed(t, fault.When{Service: "message", Operation: "Send", Event: "*" + queued + "*"}, fault.Then{Delay: fault.Duration(3 * time.Second)})
	bring()
	planning, empty, bring := waiting(t)
	disturbed(t, fault.When{Service: "s3", Operation: "PutObject", Caller: "IngestFunction", Resource: "*/plans/" + planning + ".json"},
		fault.Then{Delay: fault.Duration(2 * time.Second)})
	bring()
	planned(t, queued)
	for _, id := range []string{waits, queued, planning, queued} { // the last once more
		if err := cancel(t, id); err != nil {
			t.Errorf("job %s: %v", id, err)
		}
	}
	if _, err := site.ledger.Plan(t.Context(), planning); !errors.Is(err, object.ErrNotExist) {
		t.Errorf("the job was to be canceled before it had a plan: %v", err)
	}
	begun := submitBrief(t)
	eventually(t, time.Minute, "a job that has begun", func() bool {
		rec, err := site.ledger.Job(t.Context(), begun)
		return err == nil && rec.Job.Status != job.Submitted
	})
	if err := cancel(t, begun); !errors.Is(err, job.ErrNotCancelable) {
		t.Errorf("a job that has begun: %v", err)
	}
	completed(t, begun)
	if err := cancel(t, begun); !errors.Is(err, job.ErrNotCancelable) {
		t.Errorf("a job that is complete: %v", err)
	}
	planned(t, planning)
	time.Sleep(3 * time.Second) // until the messages show
	quiet(t)
	sweep(t, "the marks to go", func() bool {
		return !slices.ContainsFunc([]string{waits, queued, planning}, func(id string) bool {
			_, err := site.store.Head(t.Context(), s3store.Object{Bucket: site.state, Key: "active/" + id + ".json"}, nil)
			return err == nil
		})
	})
	for id, prefix := range map[string]string{waits: nothing, queued: none, planning: empty} {
		rec, err := site.ledger.Job(t.Context(), id)
		if err != nil || rec.Job.Status != job.Canceled || rec.Waiting || rec.Job.Timing.StartTimeMillis != 0 {
			t.Errorf("%+v, %v", rec, err)
		}
		done, err := site.ledger.Receipts(t.Context(), id)
		if stored := keys(t, prefix); err != nil || len(stored)+len(done) > 0 {
			t.Errorf("job %s stored %q, receipts %v, %v", id, stored, done, err)
		}
	}
}
