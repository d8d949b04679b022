package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sealreel/local/stack"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/notify"
	"sealreel/pkg/s3store"
	"sealreel/pkg/sqsqueue"
	"sealreel/pkg/task"
)

// listener is a queue that hears what topics are told.
type listener struct {
	queue string // URL
	heard []told
}

// told is a message: SNS's envelope, and what Elastic Transcoder's handlers read
// of what is in it.
type told struct {
	TopicArn, Subject, Message string
	content                    struct {
		State, JobID, PipelineID, MessageDetails string
		ErrorCode                                int
		Outputs                                  []struct {
			ID, Key, Status, StatusDetail      string
			ErrorCode, Duration, Width, Height int
		}
	}
}

// listen subscribes a new queue to topics.
func listen(t *testing.T, topics ...string) *listener {
	t.Helper()
	queues, name := sqs.NewFromConfig(site.aws), unique(t)
	arn := "arn:aws:sqs:" + stack.Region + ":" + stack.Account + ":" + name
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
		"Condition": map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": topics}}}})
	if err != nil {
		t.Fatal(err)
	}
	made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{"Policy": string(policy)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		if _, err := sns.NewFromConfig(site.aws).Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: aws.String(topic), Protocol: aws.String("sqs"), Endpoint: &arn}); err != nil {
			t.Fatal(err)
		}
	}
	return &listener{queue: *made.QueueUrl}
}

// of are the states that the queue was told of a job, sorted.
func (l *listener) of(t *testing.T, id string) []string {
	t.Helper()
	for {
		out, err := sqs.NewFromConfig(site.aws).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &l.queue, MaxNumberOfMessages: 10, VisibilityTimeout: 3600})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			break
		}
		for _, m := range out.Messages {
			var h told
			if err := json.Unmarshal([]byte(*m.Body), &h); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(h.Message), &h.content); err != nil {
				t.Fatal(err)
			}
			l.heard = append(l.heard, h)
		}
	}
	var states []string
	for _, h := range l.heard {
		if h.content.JobID == id {
			states = append(states, h.content.State)
		}
	}
	slices.Sort(states)
	return states
}

// hears waits until the job's end is told, and then a while for what should not
// come.
func (l *listener) hears(t *testing.T, id string, want ...string) {
	t.Helper()
	eventually(t, 30*time.Second, fmt.Sprintf("the states %q of job %s", want, id), func() bool { return len(l.of(t, id)) >= len(want) })
	quiet(t)
	if got := l.of(t, id); !slices.Equal(got, want) {
		t.Errorf("job %s was told to be %q, want %q", id, got, want)
	}
	eventually(t, 10*time.Second, "the end of the job's mark", func() bool {
		_, _, err := site.store.Get(t.Context(), site.state, "active/"+id+".json")
		return err != nil
	})
}

// message is the one about a state of a job.
func (l *listener) message(t *testing.T, id, state string) told {
	t.Helper()
	for _, h := range l.heard {
		if h.content.JobID == id && h.content.State == state {
			return h
		}
	}
	t.Fatalf("no %s of job %s", state, id)
	return told{}
}

// keyless checks that no message has a member or a value of an Encryption.
func (l *listener) keyless(t *testing.T, all ...*job.Encryption) {
	t.Helper()
	for _, h := range l.heard {
		text := strings.ToLower(h.Message)
		for _, word := range []string{"encryption", "keymd5", "initializationvector"} {
			if strings.Contains(text, `"`+word) {
				t.Errorf("%s in %s", word, h.Message)
			}
		}
		for _, e := range all {
			for _, value := range []string{e.Key, e.KeyMd5, e.InitializationVector} {
				if value != "" && strings.Contains(h.Message, value) {
					t.Errorf("%s in %s", value, h.Message)
				}
			}
		}
	}
}

func jobTopic() string { return topicARN("JobTopic") }

// topicARN is that of a topic of the template.
func topicARN(id string) string {
	for _, topic := range site.Template().Topics {
		if topic.ID == id {
			return topic.ARN
		}
	}
	panic("template.yaml has no topic " + id)
}

// submitOften drops a job document whose event is delivered five times.
func submitOften(t *testing.T, req job.Request) string {
	t.Helper()
	req.PipelineID = site.pipeline
	doc, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	key := "often/" + unique(t) + ".job.json"
	stored, err := site.store.Upload(t.Context(), s3store.UploadTarget{Bucket: site.ingest, Key: key}, bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	return claimed(t, ledger.Drop{Bucket: site.ingest, Key: key, VersionID: stored.VersionID})
}

// TestNotifications: with every event and message doubled, the default
// pipeline's topic hears of each state once, and nothing of any key.
func TestNotifications(t *testing.T) {
	l := listen(t, jobTopic())
	name, key := unique(t), wrapped(t)
	upload(t, name+".mp4", brief(t), key)
	id := submitOften(t, everyKind(name, key))
	eventually(t, time.Minute, "a plan", func() bool {
		_, err := site.ledger.Plan(t.Context(), id)
		return err == nil
	})
	queue := sqsqueue.New(site.aws, site.Exports()["SEALREEL_QUEUE_URL"])
	again := []task.Message{{Version: task.Version, Job: id, Task: task.Audio}}
	for g, group := range planOf(t, id).Groups {
		for c := range group.Chunks {
			again = append(again, task.Message{Version: task.Version, Job: id, Task: task.Chunk(g, c)})
		}
	}
	rec := completed(t, id)
	if err := queue.Send(t.Context(), again...); err != nil {
		t.Fatal(err)
	}
	for _, o := range rec.Job.Outputs {
		ready := ledger.Drop{Bucket: site.state, Key: "ready/" + id + "/" + o.ID + ".json"}
		invoke(t, "AssembleFunction", dropEvent(ready, time.Now()))
	}
	l.hears(t, id, notify.Completed, notify.Progressing)
	done := l.message(t, id, notify.Completed)
	if done.Subject != "Amazon Elastic Transcoder has finished transcoding job "+id+"." || done.content.PipelineID != site.pipeline || done.TopicArn != jobTopic() {
		t.Errorf("%+v", done)
	}
	for i, o := range done.content.Outputs {
		if want := rec.Job.Outputs[i]; o.ID != want.ID || o.Key != want.Key || o.Status != job.Complete || o.Duration != 5 || o.Width != want.Width || o.Height != want.Height || o.Width == 0 {
			t.Errorf("output %+v, the job has %+v", o, want)
		}
	}

	// The same names again fail each output by itself: nothing begins.
	taken := submitOften(t, everyKind(name, key))
	l.hears(t, taken, notify.Error)
	for _, o := range l.message(t, taken, notify.Error).content.Outputs {
		if o.Status != job.Error || o.ErrorCode != 3002 || !strings.HasPrefix(o.StatusDetail, "3002 ") {
			t.Errorf("%+v", o)
		}
	}
	// A key that was not wrapped for it ends the job as a whole.
	wrong := *key
	wrong.KeyMd5 = "1B2M2Y8AsgTpgAmY7PhCfg=="
	refused := submitOften(t, everyKind(name+"-2", &wrong))
	l.hears(t, refused, notify.Error)
	if m := l.message(t, refused, notify.Error).content; m.ErrorCode != 4018 || !strings.HasPrefix(m.MessageDetails, "4018 ") {
		t.Errorf("%+v", m)
	}
	// A clip that ends after its input is made, with a warning.
	long := sealedFile(name+".mp4", name+"-3/", key)
	long.Inputs[0].TimeSpan = &job.TimeSpan{StartTime: "2.0", Duration: "60.0"}
	short := submitOften(t, long)
	completed(t, short)
	l.hears(t, short, notify.Completed, notify.Progressing, notify.Warning)
	warning := l.message(t, short, notify.Warning).content
	if o := warning.Outputs[0]; o.Status != "Warning" || o.StatusDetail != warning.MessageDetails || o.Duration != 3 || !strings.HasPrefix(o.StatusDetail, "The starting time plus the duration") {
		t.Errorf("%+v", warning)
	}
	keys := []*job.Encryption{key, &wrong}
	for _, o := range rec.Job.Outputs {
		keys = append(keys, o.Encryption)
	}
	l.keyless(t, keys...)
}

// TestNotificationsOfTheKilled kills each function the moment it works for a
// job, for as long as that takes to notice. The states are told once.
func TestNotificationsOfTheKilled(t *testing.T) {
	l := listen(t, jobTopic())
	name, key := unique(t), wrapped(t)
	upload(t, name+".mp4", longer(t, 9), key)
	quiet(t)
	id := submit(t, everyKind(name, key))
	kill := func(function, what string, when func(pid int) bool) {
		eventually(t, time.Minute, what, func() bool {
			for _, pid := range processes("sealreel-"+function, "sealreel-"+strings.ToLower(strings.TrimSuffix(function, "Function"))) {
				if when(pid) {
					return syscall.Kill(pid, syscall.SIGKILL) == nil
				}
			}
			return false
		})
	}
	kill("TranscodeFunction", "a worker in the middle of a chunk", func(pid int) bool { return len(children(pid)) > 0 })
	t.Parallel() // the wait for the message costs nothing
	kill("AssembleFunction", "an assembler of the job", func(int) bool {
		ready, err := site.ledger.Receipts(t.Context(), id)
		return err == nil && ready[task.Chunk(0, 0)]
	})
	completed(t, id)
	l.hears(t, id, notify.Completed, notify.Progressing)
}

// TestReconcileTells what a function that died did not: a message that was
// claimed long ago and is not known to be sent.
func TestReconcileTells(t *testing.T) {
	l := listen(t, jobTopic())
	id := job.NewID(time.Now().Add(-time.Hour), "none", unique(t), "") // whom the functions would have told of long ago
	rec := &ledger.Record{Job: job.New(id, &job.Request{PipelineID: site.pipeline, Outputs: []job.Output{{Key: "a"}}}, time.Now())}
	rec.Job = job.FailJob(rec.Job, job.BadMedia(nil), time.Now())
	if _, _, err := site.ledger.CreateJob(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	_, _, err := site.ledger.ClaimNotice(t.Context(), id, notify.Error, &ledger.Notice{Topic: jobTopic(), Subject: "s",
		Message: notify.Message(notify.Error, rec), Claimed: time.Now().Add(-time.Hour), Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		invoke(t, "ReconcileFunction", read(t, "../events/schedule.json"))
	}
	l.hears(t, id, notify.Error)
	n, claimed, err := site.ledger.ClaimNotice(t.Context(), id, notify.Error, &ledger.Notice{})
	if err != nil || claimed || !n.Sent() || n.Attempts != 2 {
		t.Errorf("%+v, %v", n, err)
	}
}

// TestNotificationsUnderThePipelinesRole go to the pipeline's own topics in
// sessions that can do nothing else.
func TestNotificationsUnderThePipelinesRole(t *testing.T) {
	const pipeline = "1762992000000-herald"
	a := newTenant(t, "herald", pipeline, pipeline)
	topics := map[string]string{}
	for _, state := range []string{"Progressing", "Completed"} {
		made, err := sns.NewFromConfig(site.aws).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String(unique(t) + state)})
		if err != nil {
			t.Fatal(err)
		}
		topics[state] = *made.TopicArn
	}
	a.tells(t, topics)
	l := listen(t, slices.Collect(maps.Values(topics))...)
	input, key := a.upload(t, read(t, brief(t)))
	id := a.drop(t, input, a.name+"/", key)
	completed(t, id)
	l.hears(t, id, notify.Completed, notify.Progressing)
	if c, p := l.message(t, id, notify.Completed), l.message(t, id, notify.Progressing); c.TopicArn != topics["Completed"] || p.TopicArn != topics["Progressing"] {
		t.Errorf("%s and %s", c.TopicArn, p.TopicArn)
	}
	site.mu.Lock()
	defer site.mu.Unlock()
	published := 0
	for _, r := range site.calls {
		if r.Action == "sns:Publish" && slices.Contains(slices.Collect(maps.Values(topics)), r.Resource) {
			published++
			if r.RoleARN != a.role || !strings.HasSuffix(r.Session, "/sealreel-"+id) || r.Denied {
				t.Errorf("%+v", r)
			}
		}
	}
	if published != 2 {
		t.Errorf("%d messages", published)
	}
}

// tells gives the tenant's pipeline topics, and its role the right to use them.
func (a tenant) tells(t *testing.T, topics map[string]string) {
	t.Helper()
	path := "pipelines/" + a.pipeline + ".json"
	body, etag, err := site.store.Get(t.Context(), site.state, path)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(body, &document); err != nil {
		t.Fatal(err)
	}
	document["Notifications"] = topics
	if body, err = json.Marshal(document); err != nil {
		t.Fatal(err)
	}
	if err := site.store.Replace(t.Context(), site.state, path, body, etag); err != nil {
		t.Fatal(err)
	}
	a.grant(t, allow([]string{"sns:Publish"}, slices.Collect(maps.Values(topics))...))
}
