package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sealreel/local/cloudwatch"
	"sealreel/local/fault"
	"sealreel/local/lambda"
	"sealreel/pkg/job"
)

// trial is a failure that the embedded AWS is driven into.
type trial struct {
	name   string
	alarms []string // that must go off, and no other
	drive  func(t *testing.T)
	heal   func(t *testing.T) // what an operator would do; nil for what passes by itself
}

var allFunctions = []string{"IngestFunction", "TranscodeFunction", "AssembleFunction", "ReconcileFunction"}

// named are the alarms of all functions that end in a word.
func named(suffix string) []string {
	return []string{"ingest-" + suffix, "transcode-" + suffix, "assemble-" + suffix, "reconcile-" + suffix}
}

func trials() []trial {
	var letter string
	return []trial{
		{"a task that fails five times", []string{"dead-letters"},
			func(t *testing.T) { letter = poisonTask(t) }, func(t *testing.T) { throwAway(t, letter) }},
		{"an output that assemble fails at", []string{"failed-events", "assemble-errors"}, failAssemble, drain("FailureQueue")},
		{"functions that crash", []string{"ingest-failures", "transcode-errors", "assemble-errors", "reconcile-errors"}, crashAll, nil},
		{"functions that are refused", named("throttles"), throttleAll, nil},
		{"tasks that nobody works on", []string{"oldest-task"}, stopTranscoding, resumeTranscoding},
		{"jobs that end in errors", []string{"job-errors"}, badJobs, nil},
		{"a key that is refused", []string{"kms-denials"}, refuseKey, nil},
		{"requests that come too fast", []string{"service-throttles"}, slowDown, nil},
		{"an object whose event is lost", []string{"lost-drops"}, loseDrop, nil},
		{"invocations that almost run out of time", named("near-timeout"), nearTimeout, nil},
		{"no round of reconcile", []string{"reconcile-missing"}, func(*testing.T) { site.CloudWatch().Advance(25 * time.Minute) }, nil},
	}
}

// TestAlarms drives the embedded AWS into each failure that template.yaml has
// an alarm for. That alarm goes off, no other does, the topic hears of it, and it
// is over when the failure is.
func TestAlarms(t *testing.T) {
	quiet(t)
	for _, queue := range []string{"ChunkDeadLetterQueue", "FailureQueue"} {
		drain(queue)(t) // what earlier tests left
	}
	l := listen(t, topicARN("AlarmTopic"))
	driven := map[string]bool{"needs-attention": true}
	calm(t)
	for _, c := range trials() {
		t.Run(c.name, func(t *testing.T) {
			c.drive(t)
			want := slices.Sorted(slices.Values(append(slices.Clone(c.alarms), "needs-attention")))
			for patience := 4; ; patience-- { // a function prints its metrics when it has done its work
				site.CloudWatch().Advance(time.Minute)
				got := alarming(t)
				if slices.Equal(got, want) {
					break
				}
				if patience == 0 {
					t.Errorf("in alarm are %q, want %q", got, want)
					break
				}
				time.Sleep(300 * time.Millisecond)
			}
			if c.heal != nil {
				c.heal(t)
			}
			calm(t)
			for _, name := range c.alarms {
				driven[name] = true
				l.hearsAlarm(t, name)
			}
		})
	}
	for _, a := range site.Template().Alarms {
		if !driven[short(a.Name)] {
			t.Errorf("no failure drives alarm %s", a.Name)
		}
	}
	if faults := site.CloudWatch().Faults(); len(faults) > 0 {
		t.Errorf("CloudWatch would drop: %v", errors.Join(faults...))
	}
}

func short(alarm string) string { return strings.TrimPrefix(alarm, "sealreel-") }

// alarming are the alarms that are on, without the stack's name.
func alarming(t *testing.T) []string {
	t.Helper()
	var on []string
	for name, state := range site.CloudWatch().States() {
		if state == cloudwatch.Alarming {
			on = append(on, short(name))
		}
	}
	slices.Sort(on)
	return on
}

// calm lets all that happened pass out of sight, and then a round of reconcile
// end, after which no alarm is on.
func calm(t *testing.T) {
	t.Helper()
	site.CloudWatch().Advance(50 * time.Minute)
	round(t)
	site.CloudWatch().Advance(time.Minute)
	if on := alarming(t); len(on) > 0 {
		t.Errorf("still in alarm: %q", on)
	}
}

// hearsAlarm wants the topic to have been told that an alarm went off and was
// over, in AWS's words.
func (l *listener) hearsAlarm(t *testing.T, name string) {
	t.Helper()
	states := map[string]bool{}
	for _, body := range received(t, l.queue) {
		var envelope struct{ TopicArn, Subject, Message string }
		if err := json.Unmarshal([]byte(body), &envelope); err != nil {
			t.Fatal(err)
		}
		l.heard = append(l.heard, told{TopicArn: envelope.TopicArn, Subject: envelope.Subject, Message: envelope.Message})
	}
	for _, h := range l.heard {
		var m struct{ AlarmName, AlarmDescription, NewStateValue string }
		if err := json.Unmarshal([]byte(h.Message), &m); err != nil {
			t.Fatal(err)
		}
		if short(m.AlarmName) == name && strings.Contains(m.AlarmDescription, "docs/operations.md#") && strings.HasPrefix(h.Subject, m.NewStateValue+": ") {
			states[m.NewStateValue] = true
		}
	}
	if !states["ALARM"] || !states["OK"] {
		t.Errorf("of %s the topic was told %v", name, slices.Collect(maps.Keys(states)))
	}
}

func drain(queue string) func(t *testing.T) {
	return func(t *testing.T) { received(t, queueURL(t, queue)) }
}

// poisonTask sends what is no task. It comes back five times, sooner than usual,
// and is a dead letter then. It takes that as reconcile does with letters that it
// has to leave, and returns the receipt.
func poisonTask(t *testing.T) (letter string) {
	client, url := sqs.NewFromConfig(site.aws), queueURL(t, "ChunkQueue")
	visible := func(seconds string) {
		t.Helper()
		if _, err := client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"VisibilityTimeout": seconds}}); err != nil {
			t.Fatal(err)
		}
	}
	visible("1")
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("no task")}); err != nil {
		t.Fatal(err)
	}
	awaitMessage(t, "ChunkDeadLetterQueue")
	for _, q := range site.Template().Queues {
		if q.ID == "ChunkQueue" {
			visible(fmt.Sprint(q.Visibility.Seconds()))
		}
	}
	dead := queueURL(t, "ChunkDeadLetterQueue")
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &dead, VisibilityTimeout: 3600})
	if err != nil || len(out.Messages) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	return *out.Messages[0].ReceiptHandle
}

// throwAway deletes a dead letter.
func throwAway(t *testing.T, letter string) {
	dead := queueURL(t, "ChunkDeadLetterQueue")
	if _, err := sqs.NewFromConfig(site.aws).DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &dead, ReceiptHandle: &letter}); err != nil {
		t.Error(err)
	}
}

// awaitMessage waits until a queue has a message.
func awaitMessage(t *testing.T, queue string) {
	t.Helper()
	url := queueURL(t, queue)
	eventually(t, time.Minute, "a message in "+queue, func() bool {
		out, err := sqs.NewFromConfig(site.aws).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url,
			AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Attributes["ApproximateNumberOfMessages"] != "0"
	})
}

// twice drives something in two periods of five minutes.
func twice(drive func()) {
	drive()
	site.CloudWatch().Advance(5 * time.Minute)
	drive()
}

// failAssemble says twice that an output is ready of a job that only a newer
// version can read.
func failAssemble(t *testing.T) {
	twice(func() {
		id := job.NewID(time.Now(), site.ingest, unique(t), "")
		for _, key := range []string{"jobs/" + id + ".json", "ready/" + id + "/1.json"} {
			if err := site.store.Create(t.Context(), site.state, key, fmt.Appendf(nil, `{"version":99,"job":%q,"output":"1"}`, id)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := site.store.Delete(context.Background(), site.state, key); err != nil {
					t.Error(err)
				}
			})
		}
		drain("FailureQueue")(t)
		awaitMessage(t, "FailureQueue")
	})
}

// crashAll kills each function at its work, at its first request to S3.
func crashAll(t *testing.T) {
	work := map[string][]byte{}
	for f, sample := range map[string]string{"IngestFunction": "s3-put", "TranscodeFunction": "sqs-chunk", "AssembleFunction": "s3-ready", "ReconcileFunction": "schedule"} {
		work[f] = read(t, "../events/"+sample+".json")
	}
	twice(func() {
		for f, payload := range work {
			disturb(t, fault.Rule{When: fault.When{Service: "s3", Caller: f, Times: 1}, Then: fault.Then{Kill: fault.Before}}, func() {
				if r, err := site.Invoke(t.Context(), f, payload); err != nil || !strings.Contains(string(r.Payload), "Runtime.ExitError") {
					t.Errorf("%s: %s, %v", f, r.Payload, err)
				}
			})
		}
	})
}

// disturb does something while a fault happens.
func disturb(t *testing.T, rule fault.Rule, do func()) {
	t.Helper()
	rule.Name = t.Name()
	remove, err := site.AddFaults(rule)
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	do()
}

// throttleAll has Lambda refuse each function in three minutes.
func throttleAll(t *testing.T) {
	for _, f := range allFunctions {
		throttle(t, f, true)
		defer throttle(t, f, false)
	}
	for range 3 {
		for _, f := range allFunctions {
			if _, err := site.Invoke(t.Context(), f, []byte(`{}`)); !errors.Is(err, lambda.ErrThrottled) {
				t.Fatalf("%s: %v", f, err)
			}
		}
		site.CloudWatch().Advance(time.Minute)
	}
}

func throttle(t *testing.T, function string, on bool) {
	t.Helper()
	if err := site.Throttle(function, on); err != nil {
		t.Fatal(err)
	}
}

// stopTranscoding leaves a job's task in the queue for longer than it should be
// there, while reconcile goes on.
func stopTranscoding(t *testing.T) {
	throttle(t, "TranscodeFunction", true)
	name := unique(t)
	upload(t, name+".mp4", brief(t), nil)
	submit(t, sealedFile(name+".mp4", name+"/", nil))
	url := queueURL(t, "ChunkQueue")
	eventually(t, time.Minute, "a task", func() bool {
		out, err := sqs.NewFromConfig(site.aws).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Attributes["ApproximateNumberOfMessages"] != "0" || out.Attributes["ApproximateNumberOfMessagesNotVisible"] != "0"
	})
	site.CloudWatch().Advance(66 * time.Minute)
	round(t)
}

func resumeTranscoding(t *testing.T) {
	throttle(t, "TranscodeFunction", false)
	quiet(t)
}

func round(t *testing.T) {
	t.Helper()
	invoke(t, "ReconcileFunction", read(t, "../events/schedule.json"))
}

// badJob is a request that no preset can do.
func badJob(t *testing.T) job.Request {
	return job.Request{Inputs: []job.Input{{Key: unique(t) + ".mp4"}}, Outputs: []job.Output{{Key: unique(t), PresetID: systemPreset + "999999"}}}
}

func badJobs(t *testing.T) {
	for range 6 {
		ended(t, submit(t, badJob(t)))
	}
}

// refuseKey drops a job whose key KMS doesn't open for ingest.
func refuseKey(t *testing.T) {
	name, key := unique(t), wrapped(t)
	upload(t, name+".mp4", brief(t), key)
	disturb(t, fault.Rule{When: fault.When{Service: "kms", Operation: "Decrypt", Caller: "IngestFunction", Times: 1},
		Then: fault.Then{Error: &fault.Answer{Status: 400, Code: "AccessDeniedException", Message: "not for you"}}}, func() {
		if rec := ended(t, submit(t, sealedFile(name+".mp4", name+"/", key))); rec.Job.Status != job.Error {
			t.Errorf("the job is %s", rec.Job.Status)
		}
	})
}

// slowDown has S3 refuse four requests of a round for coming too fast, none of
// them often enough to fail it.
func slowDown(t *testing.T) {
	refusal := fault.Then{Error: &fault.Answer{Status: 503, Code: "SlowDown", Message: "Please reduce your request rate."}}
	twice(func() {
		disturb(t, fault.Rule{When: fault.When{Service: "s3", Operation: "List*", Caller: "ReconcileFunction", Times: 2}, Then: refusal}, func() {
			disturb(t, fault.Rule{When: fault.When{Service: "s3", Operation: "GetObject", Caller: "ReconcileFunction", Times: 2}, Then: refusal}, func() { round(t) })
		})
	})
}

// loseDrop drops a document of which only reconcile hears.
func loseDrop(t *testing.T) {
	d := lostDocument(t, badJob(t))
	eventually(t, time.Minute, "a job of a lost document", func() bool {
		round(t)
		_, err := site.ledger.Claimed(t.Context(), d)
		return err == nil
	})
}

// nearTimeout tells of invocations that took so long. Nobody waits for them: the
// metric is there by real ones, and what they took is put in their place.
func nearTimeout(t *testing.T) {
	there := map[string]bool{}
	for _, m := range site.CloudWatch().Metrics() {
		there[m.String()+" "+strings.Join(m.Units, " ")] = true
	}
	for _, f := range site.Template().Functions {
		m := cloudwatch.Metric{Namespace: "AWS/Lambda", Name: "Duration", Dimensions: map[string]string{"FunctionName": f.Name}}
		if !there[m.String()+" Milliseconds"] {
			t.Errorf("no invocation told %s", m)
		}
		site.CloudWatch().Put(cloudwatch.Datum{Metric: m, Unit: "Milliseconds", Time: time.Now(), Values: []float64{0.9 * float64(f.Timeout.Milliseconds())}})
	}
}
