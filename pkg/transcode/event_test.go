package transcode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object/objecttest"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
	"sealreel/pkg/usage"
)

const id = "1772443815204-sj3m0y"

// desk is a worker's surroundings without media.
type desk struct {
	state objecttest.Memory
	*Worker

	mu        sync.Mutex
	hidden    []string // when, and for how long
	sent      []string
	told      []string // states of the job
	start     time.Time
	broken    error // of the queue
	postponed []string
}

func newDesk() *desk {
	d := &desk{start: time.Now()}
	d.Worker = &Worker{Ledger: ledger.New(&d.state, "state"), Queue: d, Herald: d, Log: slog.New(slog.DiscardHandler),
		Open: func(context.Context, plan.Keys) (Vault, error) { panic("no media is needed here") }}
	return d
}

func (d *desk) Send(_ context.Context, messages ...task.Message) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range messages {
		d.sent = append(d.sent, m.Task)
	}
	return d.broken
}

func (d *desk) Announce(_ context.Context, rec *ledger.Record) {
	d.told = append(d.told, rec.Job.Status)
}

func (d *desk) Hide(_ context.Context, _ string, long time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hidden = append(d.hidden, time.Since(d.start).String()+" for "+long.String())
	return d.broken
}

func (d *desk) Postpone(_ context.Context, body, group string, long time.Duration) error {
	d.postponed = append(d.postponed, body+" of "+group+" for "+long.String())
	return d.broken
}

// submit stores a job of two outputs, one with sound, and its plan.
func (d *desk) submit(t *testing.T) {
	t.Helper()
	req := &job.Request{Outputs: []job.Output{{Key: "a"}, {Key: "b"}}}
	if _, _, err := d.Ledger.CreateJob(t.Context(), &ledger.Record{Job: job.New(id, req, time.UnixMilli(1))}); err != nil {
		t.Fatal(err)
	}
	chunks := []plan.Chunk{{End: 10}, {First: 10, End: 20}}
	if _, err := d.Ledger.CreatePlan(t.Context(), &plan.Plan{
		Job: id, Sounds: []plan.Sound{{}},
		Groups:  []plan.Group{{Picture: true, Chunks: chunks, Outputs: []int{0}}, {Picture: true, Chunks: chunks, Outputs: []int{1}}},
		Outputs: []plan.Output{{Job: id, ID: "1", Group: 0, Sound: 0}, {Job: id, ID: "2", Group: 1, Sound: -1}},
	}); err != nil {
		t.Fatal(err)
	}
}

func message(body, count string) events.SQSMessage {
	return events.SQSMessage{MessageId: "m", ReceiptHandle: "h", Body: body, Attributes: map[string]string{"ApproximateReceiveCount": count}}
}

func ask(name string) task.Message { return task.Message{Version: task.Version, Job: id, Task: name} }

// handle gives the worker one message and says whether it is to come again.
func (d *desk) handle(t *testing.T, m events.SQSMessage) bool {
	t.Helper()
	response, err := d.Handle(d)(t.Context(), events.SQSEvent{Records: []events.SQSMessage{m}})
	if err != nil {
		t.Fatal(err)
	}
	return len(response.BatchItemFailures) == 1 && response.BatchItemFailures[0].ItemIdentifier == "m"
}

// TestMessageStaysHiddenWhileItIsWorkedOn: a sign of life three times in the
// time after which another worker takes over, and none after the end.
func TestMessageStaysHiddenWhileItIsWorkedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.state.Before = func(string, string) error { time.Sleep(50 * time.Second); return nil }
		if d.handle(t, message(ask(task.Audio).Body(), "1")) {
			t.Error("a message of a job that does not exist comes again")
		}
		time.Sleep(time.Hour)
		if want := []string{"0s for 45s", "15s for 45s", "30s for 45s", "45s for 45s"}; !slices.Equal(d.hidden, want) {
			t.Errorf("hidden %q, want %q", d.hidden, want)
		}
	})
}

// TestWorkOfANewerVersionIsLeftToIt: whatever of a task this version can't read,
// the message comes again later, as a new one, and nothing has become of the job.
func TestWorkOfANewerVersionIsLeftToIt(t *testing.T) {
	newer := `{"version":99,"job":["` + id + `"],"task":{"chunk":7}}`
	for name, c := range map[string]struct{ record, body string }{
		"message": {"", newer},
		"job":     {"jobs/" + id + ".json", ask(task.Audio).Body()},
		"plan":    {"plans/" + id + ".json", ask(task.Chunk(0, 1)).Body()},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk()
			d.submit(t)
			if c.record != "" {
				if err := d.state.Delete(t.Context(), "state", c.record); err != nil {
					t.Fatal(err)
				}
				if err := d.state.Create(t.Context(), "state", c.record, []byte(newer)); err != nil {
					t.Fatal(err)
				}
			}
			m := message(c.body, "5") // the last delivery before the dead letters
			m.Attributes["MessageGroupId"] = id
			if d.handle(t, m) {
				t.Error("the message goes to the dead letters")
			}
			if want := []string{c.body + " of " + id + " for 5m0s"}; !slices.Equal(d.postponed, want) {
				t.Errorf("postponed %q, want %q", d.postponed, want)
			}
			for key, err := range d.state.Keys(t.Context(), "state", "receipts/") {
				if key != c.record || err != nil {
					t.Errorf("%s, %v", key, err)
				}
			}
			if d.broken = errors.New("the queue is down"); !d.handle(t, m) {
				t.Error("the message is lost when it can't be postponed")
			}
		})
	}
}

// TestNothingNewerFailsForGood: not even at the last attempt.
func TestNothingNewerFailsForGood(t *testing.T) {
	a := &attempt{last: true}
	if newer := fmt.Errorf("sound of chunk 3: %w", task.ErrNewer); a.permanent(newer) {
		t.Error("a task is given up for a record of a newer version")
	}
	if !a.permanent(errors.New("storage is down")) {
		t.Error("the last attempt is not the last")
	}
}

// TestFailedMessageComesBackLaterEachTime also when the queue does not answer.
func TestFailedMessageComesBackLaterEachTime(t *testing.T) {
	for _, c := range []struct{ count, want string }{{"1", "0s for 1s"}, {"2", "0s for 2s"}, {"4", "0s for 8s"}, {"9", "0s for 1m4s"}, {"", "0s for 1s"}} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk()
			d.state.Before = func(string, string) error { return errors.New("storage is down") }
			if !d.handle(t, message(ask(task.Audio).Body(), c.count)) {
				t.Error("the message is lost")
			}
			if last := d.hidden[len(d.hidden)-1]; last != c.want {
				t.Errorf("attempt %s: %q, want %q", c.count, last, c.want)
			}
			d.broken = errors.New("the queue is down")
			if !d.handle(t, message(ask(task.Audio).Body(), c.count)) {
				t.Error("the message is lost with the queue down")
			}
		})
	}
}

func TestBatchReportsWhatFailedOnly(t *testing.T) {
	d := newDesk()
	good, bad := message(ask(task.Audio).Body(), "1"), message("nonsense", "1")
	good.MessageId, bad.MessageId = "good", "bad"
	response, err := d.Handle(d)(t.Context(), events.SQSEvent{Records: []events.SQSMessage{bad, good}})
	if err != nil || len(response.BatchItemFailures) != 1 || response.BatchItemFailures[0].ItemIdentifier != "bad" {
		t.Errorf("%+v, %v", response, err)
	}
}

// TestDoneTaskOnlyAnnounces: a message that comes again finds the receipt, and
// sees to it that what follows from it happens.
func TestDoneTaskOnlyAnnounces(t *testing.T) {
	d := newDesk()
	d.submit(t)
	for _, name := range []string{task.Chunk(1, 0), task.Chunk(1, 1)} {
		if d.ready(t, "2") {
			t.Error("assembled before every chunk is there")
		}
		if _, err := d.Ledger.CreateReceipt(t.Context(), id, name, &task.Receipt{Outputs: map[int]task.Made{1: {}}}); err != nil {
			t.Fatal(err)
		}
		if d.handle(t, message(ask(name).Body(), "2")) {
			t.Error("a task that is done comes again")
		}
	}
	if !d.ready(t, "2") || d.ready(t, "1") {
		t.Error("the output whose chunks are there is not asked for, or the other is")
	}
}

func (d *desk) ready(t *testing.T, output string) bool {
	t.Helper()
	_, _, err := d.state.Get(t.Context(), "state", "ready/"+id+"/"+output+".json")
	return err == nil
}

// TestSoundThatIsStoredReleasesItsChunks: an attempt that died between the
// receipt and the message is made up for.
func TestSoundThatIsStoredReleasesItsChunks(t *testing.T) {
	d := newDesk()
	d.submit(t)
	for c := range 2 {
		if err := d.Ledger.CreateSound(t.Context(), id, task.Piece(0, c), &task.Sound{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Ledger.CreateReceipt(t.Context(), id, task.Chunk(0, 1), &task.Receipt{}); err != nil {
		t.Fatal(err)
	}
	if d.handle(t, message(ask(task.Audio).Body(), "2")) || !slices.Equal(d.sent, []string{task.Chunk(0, 0)}) {
		t.Errorf("sent %q", d.sent)
	}
}

// TestGivenUpTasks: a chunk's outputs fail, and the chunks that wait for sound
// are let go to fail by themselves.
func TestGivenUpTasks(t *testing.T) {
	d := newDesk()
	d.submit(t)
	failure := job.Fail(job.CodeInternal, "gave up")
	if err := d.GiveUp(t.Context(), ask(task.Chunk(1, 1)), failure); err != nil {
		t.Fatal(err)
	}
	r, err := d.Ledger.Receipt(t.Context(), id, task.Chunk(1, 1))
	if err != nil || r.Outputs[1].Failure == nil || r.Outputs[1].Failure.Detail != "gave up" || !d.ready(t, "2") {
		t.Errorf("%+v, %v", r, err)
	}
	if err := d.GiveUp(t.Context(), ask(task.Audio), failure); err != nil {
		t.Fatal(err)
	}
	if want := []string{task.Chunk(0, 0), task.Chunk(0, 1)}; !slices.Equal(d.sent, want) {
		t.Errorf("sent %q, want %q", d.sent, want)
	}
	// The chunk then finds that its sound failed, without opening any media but its own.
	d.Open = func(context.Context, plan.Keys) (Vault, error) { return closing{}, nil }
	if d.handle(t, message(ask(task.Chunk(0, 0)).Body(), "1")) || !d.ready(t, "1") {
		t.Error("the chunk without sound does not fail its output")
	}
	for _, name := range []string{task.Chunk(7, 0), task.Chunk(0, 99)} {
		if err := d.GiveUp(t.Context(), ask(name), failure); err != nil || d.handle(t, message(ask(name).Body(), "1")) {
			t.Errorf("%s, which the plan does not have: %v", name, err)
		}
	}
}

type closing struct{ Vault }

func (closing) Warnings() []string { return nil }

func (closing) Close() {}

// TestEndedJobIsLeftAlone: its messages do nothing.
func TestEndedJobIsLeftAlone(t *testing.T) {
	d := newDesk()
	d.submit(t)
	if _, err := d.Ledger.UpdateJob(t.Context(), id, func(r *ledger.Record) error {
		r.Job = job.FailJob(r.Job, job.BadMedia(nil), time.Now())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if d.handle(t, message(ask(task.Audio).Body(), "1")) || len(d.sent) > 0 {
		t.Errorf("sent %q", d.sent)
	}
}

// TestAgain: what failed by itself is tried again within seconds, what failed
// with AWS over a quarter of an hour.
func TestAgain(t *testing.T) {
	for _, c := range []struct {
		causes map[usage.Cause]int64
		want   string
	}{
		{nil, "[1s 1s 2s 4s 8s 16s]"},
		{map[usage.Cause]int64{usage.Conflict: 9, usage.Server: 2}, "[1s 1s 2s 4s 8s 16s]"},
		{map[usage.Cause]int64{usage.Server: 3}, "[15s 15s 1m0s 3m0s 8m0s 8m0s]"},
		{map[usage.Cause]int64{usage.Throttled: 1, usage.Connection: 1, usage.Timeout: 1}, "[15s 15s 1m0s 3m0s 8m0s 8m0s]"},
	} {
		var got []time.Duration
		for n := range 6 {
			got = append(got, again(n, usage.Counts{Retries: c.causes}))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%v: %v, want %s", c.causes, got, c.want)
		}
	}
}

// TestAnOutageIsWaitedOut: a worker whose storage fails hands the message back
// for as long as the outage deserves.
func TestAnOutageIsWaitedOut(t *testing.T) {
	d := newDesk()
	ctx, tally := usage.With(t.Context())
	d.state.Before = func(string, string) error {
		tally.Add(usage.Counts{Retries: map[usage.Cause]int64{usage.Server: 5}})
		return errors.New("503")
	}
	response, err := d.Handle(d)(ctx, events.SQSEvent{Records: []events.SQSMessage{message(ask(task.Audio).Body(), "2")}})
	if err != nil || len(response.BatchItemFailures) != 1 {
		t.Fatalf("%+v, %v", response, err)
	}
	if last := d.hidden[len(d.hidden)-1]; !strings.HasSuffix(last, " for 1m0s") {
		t.Errorf("hidden %q", d.hidden)
	}
}

// TestTheBeginningIsToldAfterALostAnswer: the job's record was written, and read
// anew because nobody heard so. Whoever wrote it, the topic must hear; that it
// hears once is for the herald.
func TestTheBeginningIsToldAfterALostAnswer(t *testing.T) {
	d := newDesk()
	d.submit(t)
	rec, err := d.Ledger.Job(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Ledger.Plan(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	lost := false
	d.state.Before = func(call, key string) error {
		if call != "Replace" || lost {
			return nil
		}
		lost = true
		_, err := d.Ledger.UpdateJob(t.Context(), id, func(r *ledger.Record) (err error) {
			r.Job, err = job.StartOutput(r.Job, "1", time.Now())
			return err
		})
		return err
	}
	for range 2 {
		if rec, err = d.begin(t.Context(), rec, p, task.Audio); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{job.Progressing}; !slices.Equal(d.told, want) || !lost {
		t.Errorf("told %q, want %q", d.told, want)
	}
}
