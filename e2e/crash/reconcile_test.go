package crash

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sealreel/local/fault"
	"sealreel/pkg/job"
	"sealreel/pkg/notify"
	"sealreel/pkg/object"
	"sealreel/pkg/task"
)

// breakdown is what reconcile is there for: something that stopped a job.
type breakdown struct {
	name string
	// happens brings a trial there. The next sweep does what is to be done.
	happens func(t *testing.T, r *trial)
	// after is what the user does when the sweep is over; nil for nothing.
	after func(t *testing.T, r *trial)
}

// grown is the age at which a sweep looks at a drop or a job here, and planless
// that of a job without a plan.
const (
	grown    = 1100 * time.Millisecond
	planless = 4100 * time.Millisecond
)

// breakdowns are those that reconcile looks for, but for takingUp.
func breakdowns() []breakdown {
	return []breakdown{
		{name: "a new account", happens: newAccount, after: func(t *testing.T, r *trial) { r.submit(t) }},
		{name: "an end that was not told", happens: endUntold},
		{name: "a job seen for the first time", happens: func(t *testing.T, r *trial) { lostMessage(t, r); time.Sleep(grown) }},
		{name: "a job that stopped", happens: func(t *testing.T, r *trial) { lostMessage(t, r); r.seen(t) }},
		{name: "an output without its last step", happens: func(t *testing.T, r *trial) { lostStep(t, r); r.seen(t) }},
		{name: "a dead letter", happens: deadLetter},
	}
}

// takingUp are the breakdowns for which reconcile does ingest's work.
func takingUp() []breakdown {
	return []breakdown{
		{name: "a drop without a job", happens: lostDrop, after: takenUp},
		{name: "a job without a plan", happens: noPlan},
	}
}

// newAccount has no pipeline.
func newAccount(t *testing.T, _ *trial) {
	if err := site.ledger.RemovePipeline(t.Context(), site.pipeline); err != nil && !errors.Is(err, object.ErrNotExist) {
		t.Fatal(err)
	}
}

// endUntold is a job that has ended, whose function died before it told so.
func endUntold(t *testing.T, r *trial) {
	r.fault(t, "s3", fault.Then{Kill: fault.After}, 1, func(c call) bool {
		return c.Operation == "PutObject" && c.Resource == "state/notified/JOB/"+notify.Completed+".json"
	})
	r.submit(t)
	r.end(t)
	time.Sleep(grown)
	r.backdate(t)
}

// lostMessage is a job whose first message no worker gets.
func lostMessage(t *testing.T, r *trial) {
	lost := make(chan bool, 1)
	_, err := site.AddFaults(fault.Rule{Name: r.name + " loses its message", Then: fault.Then{Lost: true},
		When: fault.When{Service: "message", Operation: "Send", Times: 1, Match: func(c fault.Call) bool {
			m, err := task.ParseMessage(c.Event)
			mine := err == nil && site.recorder.trialOf(m.Job) == r
			if mine {
				select {
				case lost <- true:
				default:
				}
			}
			return mine
		}}})
	if err != nil {
		t.Fatal(err)
	}
	r.submit(t)
	<-lost
	eventually(t, r, "the end of what ingest does", func() bool {
		rec, err := site.ledger.Job(t.Context(), r.id)
		return err == nil && !rec.Waiting && rec.Job.Inputs[0].DetectedProperties != nil
	})
}

// lostStep is a job whose tasks are done, of which assemble does not hear.
func lostStep(t *testing.T, r *trial) {
	_, err := site.AddFaults(fault.Rule{Name: r.name + " loses its last step", Then: fault.Then{Lost: true},
		When: fault.When{Service: "event", Times: 1, Match: func(c fault.Call) bool {
			return strings.Contains(c.Resource, "/ready/") && site.recorder.trialOf(jobIn(c.Resource)) == r
		}}})
	if err != nil {
		t.Fatal(err)
	}
	r.submit(t)
	eventually(t, r, "every receipt", func() bool {
		for _, err := range site.store.Keys(t.Context(), site.state, "ready/"+r.id+"/") {
			return err == nil
		}
		return false
	})
	quiet(t)
}

// seen has a sweep note where the job stands, long ago.
func (r *trial) seen(t *testing.T) {
	t.Helper()
	time.Sleep(grown)
	swept(t)
	r.backdate(t)
}

// deadLetter is a job whose message the queue has given up.
func deadLetter(t *testing.T, r *trial) {
	lostMessage(t, r)
	url, body := queue(t, "ChunkDeadLetterQueue"), task.Message{Version: task.Version, Job: r.id, Task: task.Audio}.Body()
	if _, err := site.queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(grown)
}

// lostDrop is a document of which no function hears.
func lostDrop(t *testing.T, r *trial) {
	site.deaf.Store(r.name+"/in.job.json", true)
	r.document = r.dropDocument(t)
	time.Sleep(grown)
}

// takenUp brings the file that the document's job waits for.
func takenUp(t *testing.T, r *trial) {
	const rounds = 8
	for range rounds {
		if r.waits(t, time.Second) {
			break
		}
		r.letPass(t)
		swept(t)
	}
	r.dropMedia(t)
}

// waits says whether the job comes to wait for its input within a time.
func (r *trial) waits(t *testing.T, within time.Duration) bool {
	t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		claim, err := site.ledger.Claimed(t.Context(), r.document)
		if err != nil {
			continue
		}
		rec, err := site.ledger.Job(t.Context(), claim.Job)
		if err == nil && rec.Waiting {
			return true
		}
	}
	return false
}

// noPlan is a job whose function died each time before it had a plan.
func noPlan(t *testing.T, r *trial) {
	const attempts = 3
	r.fault(t, "s3", fault.Then{Kill: fault.Before}, attempts, func(c call) bool {
		return c.Function == "IngestFunction" && c.Operation == "PutObject" && c.Resource == "state/plans/JOB.json"
	})
	r.submit(t)
	eventually(t, r, "the record of the failure", func() bool { return holds(t, "FailureQueue") != "" })
	received(t, queue(t, "FailureQueue"))
	time.Sleep(planless)
}

// fault disturbs calls of the trial.
func (r *trial) fault(t *testing.T, service string, then fault.Then, times int, of func(call) bool) {
	t.Helper()
	_, err := site.AddFaults(fault.Rule{Name: r.name + " is disturbed", Then: then, When: fault.When{Service: service, Times: times,
		Match: func(c fault.Call) bool {
			o, ok := site.recorder.tell(c)
			return ok && o.trial == r && of(o.call)
		}}})
	if err != nil {
		t.Fatal(err)
	}
}

// everySweep runs jobs that break down, and kills the reconcile that is to help
// them at each of its calls; the rounds after it have to do. The rounds of one job
// die, one after the other, at as many points as come, or where each is to have a
// job of its own, at one.
func everySweep(t *testing.T, s *scenario, b breakdown) {
	s.made(t)
	const undisturbed, tries = 2, 6
	var baseline, trials []*trial
	var calls [][]call
	for range undisturbed {
		r, made := s.helped(t, b)
		baseline, calls = append(baseline, r), append(calls, made)
	}
	all, rare := points(calls)
	for _, c := range rare {
		t.Logf("%s: only some sweeps make the call %s", b.name, c)
	}
	if full() {
		for _, p := range all {
			r, _ := s.helped(t, b, p)
			trials = append(trials, r)
		}
	} else {
		for left := all; len(left) > 0 && len(trials) < tries; {
			r, _ := s.helped(t, b, left...)
			trials, left = append(trials, r), r.spared()
		}
	}
	judge(t, &scenario{name: b.name}, baseline, trials, all)
}

// helped runs a job that breaks down, until reconcile, whose rounds die at the
// points, has brought it to its end. It returns the calls of the first round.
func (s *scenario) helped(t *testing.T, b breakdown, deaths ...point) (*trial, []call) {
	t.Helper()
	r := begin(t, s)
	site.recorder.sweepFor(r)
	defer site.recorder.sweepFor(nil)
	b.happens(t, r)
	before := len(r.made())
	r.arm(t, deaths...)
	died := reconcile(t).FunctionError != ""
	made := slices.DeleteFunc(r.made()[before:], func(c call) bool { return c.Work != sweep })
	for died {
		r.letPass(t)
		died = reconcile(t).FunctionError != ""
	}
	if b.after != nil {
		b.after(t, r)
	}
	const rounds = 8
	for range rounds {
		if r.over(t, time.Second) {
			break
		}
		r.letPass(t)
		swept(t)
	}
	quiet(t)
	return r, made
}

// letPass lets so much time pass that a round does what the one before did not
// get to.
func (r *trial) letPass(t *testing.T) {
	t.Helper()
	r.backdate(t)
	if err := site.Elapse("ChunkDeadLetterQueue", time.Hour); err != nil {
		t.Fatal(err)
	}
}

// over says whether the job ends, and all is told, within a time.
func (r *trial) over(t *testing.T, within time.Duration) bool {
	t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if r.id == "" {
			claim, err := site.ledger.Claimed(t.Context(), r.document)
			if err != nil {
				continue
			}
			r.id = claim.Job
			site.recorder.know(r.id, r)
		}
		rec, err := site.ledger.Job(t.Context(), r.id)
		if err == nil && job.Terminal(rec.Job.Status) && !r.active(t) {
			return true
		}
	}
	return false
}
