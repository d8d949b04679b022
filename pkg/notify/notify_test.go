package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/object/objecttest"
	"sealreel/pkg/role"
)

var errCrash = errors.New("the function is killed")

const (
	ownRole    = "arn:aws:iam::111122223333:role/own"
	tenantRole = "arn:aws:iam::111122223333:role/tenant"
	topics     = "arn:aws:sns:eu-west-1:111122223333:"
)

// world is a pipeline and its topics. At one of its calls the function dies:
// before it is made, or, of those that change something, after.
type world struct {
	state objecttest.Memory
	now   time.Time

	mu    sync.Mutex
	heard map[string]int // how often, by topic and message
	as    []*role.Role
	calls int
	dies  int
	fails error // of the topics
	// on is what else happens while a topic is told.
	on func(topic string)
}

func newWorld(t *testing.T, pipelineRole string) *world {
	t.Helper()
	w := &world{now: at(100), heard: map[string]int{}}
	doc := fmt.Sprintf(`{"Id":%q,"Name":"blue","InputBucket":"in","OutputBucket":"out","Role":%q,
	  "Notifications":{"Progressing":%q,"Completed":%q,"Warning":"","Error":%q}}`,
		pipelineID, pipelineRole, topics+"p", topics+"c", topics+"e")
	if err := w.ledger().CreatePipeline(t.Context(), pipelineID, []byte(doc)); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) ledger() *ledger.Ledger { return ledger.New(&w.state, "state") }

func (w *world) notifier() *Notifier {
	return &Notifier{Ledger: w.ledger(), Publish: w.publish, RoleARN: ownRole, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now }}
}

func (w *world) call() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.dies > 0 && w.calls >= w.dies {
		return errCrash
	}
	return nil
}

func (w *world) publish(_ context.Context, as *role.Role, topic, subject, message string) (string, error) {
	if err := w.call(); err != nil {
		return "", err
	}
	if w.on != nil {
		w.on(strings.TrimPrefix(topic, topics))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fails != nil {
		return "", w.fails
	}
	w.as = append(w.as, as)
	w.heard[strings.TrimPrefix(topic, topics)+" "+subject+"\n"+message]++
	return fmt.Sprint(len(w.as)), nil
}

// create stores a job's record as it is.
func (w *world) create(t *testing.T, rec *ledger.Record) {
	t.Helper()
	if _, _, err := w.ledger().CreateJob(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
}

func (w *world) active(t *testing.T) bool {
	t.Helper()
	for range w.ledger().Active(t.Context()) {
		return true
	}
	return false
}

// settle is a round of reconcile, some minutes later.
func (w *world) settle(t *testing.T, rec *ledger.Record) {
	t.Helper()
	w.now = w.now.Add(5 * time.Minute)
	if _, err := w.notifier().Settle(t.Context(), rec); err != nil {
		t.Error(err)
	}
}

// check holds what the topics heard against the states.
func (w *world) check(t *testing.T, what string, rec *ledger.Record, most int, states ...string) {
	t.Helper()
	want := map[string]bool{}
	for _, state := range states {
		want[strings.ToLower(state[:1])+" "+Subject(state, id)+"\n"+Message(state, rec)] = true
	}
	for message, times := range w.heard {
		if !want[message] || times > most {
			t.Errorf("%s: %d times %s", what, times, message)
		}
	}
	if len(w.heard) != len(want) {
		t.Errorf("%s: heard %d messages, want %d: %q", what, len(w.heard), len(want), slices.Collect(maps.Keys(w.heard)))
	}
}

// TestOneMessageAState however often and by whomever the job is announced.
func TestOneMessageAState(t *testing.T) {
	w := newWorld(t, "")
	w.create(t, complete())
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { w.notifier().Announce(context.Background(), begun()) })
	}
	wg.Wait()
	if !w.active(t) {
		t.Error("a job that goes on is retired")
	}
	for range 20 {
		wg.Go(func() { w.notifier().Announce(context.Background(), complete()) })
	}
	wg.Wait()
	w.settle(t, complete())
	w.check(t, "all", complete(), 1, Progressing, Completed)
	if w.active(t) {
		t.Error("the job is active though all is told")
	}
}

// TestTwoThatShareTheStates: while one tells of the first state, another tells of
// the second, so that neither finds the other's told. The job is retired at once.
func TestTwoThatShareTheStates(t *testing.T) {
	w := newWorld(t, "")
	w.create(t, complete())
	telling, left := make(chan struct{}), make(chan struct{})
	var both sync.WaitGroup
	w.on = func(topic string) {
		switch topic {
		case "p":
			both.Go(func() { w.notifier().Announce(context.Background(), complete()) })
			<-telling
		case "c":
			close(telling)
			<-left
		}
	}
	w.notifier().Announce(t.Context(), complete())
	if !w.active(t) {
		t.Error("retired before all is told")
	}
	close(left)
	both.Wait()
	w.check(t, "shared", complete(), 1, Progressing, Completed)
	if w.active(t) {
		t.Error("the job is left to reconcile")
	}
}

// TestDeathAtEveryCall kills the function at each call. Reconcile makes up for
// it: each state is told, and told twice only if the function died between the
// topic's answer and the note of it.
func TestDeathAtEveryCall(t *testing.T) {
	doubled := 0
	for n := 1; ; n++ {
		w := newWorld(t, "")
		rec := failed()
		w.create(t, rec)
		w.state.Before = func(string, string) error { return w.call() }
		w.dies = n
		w.notifier().Announce(t.Context(), rec)
		died := w.calls >= n
		w.dies = 0
		if died && !w.active(t) {
			t.Errorf("call %d: nobody looks after the job any more", n)
		}
		w.settle(t, rec)
		for _, times := range w.heard {
			doubled += times - 1
		}
		w.check(t, fmt.Sprint("killed at call ", n), rec, 2, Progressing, Error)
		if w.active(t) {
			t.Errorf("call %d: the job is active though all is told", n)
		}
		if !died {
			break
		}
	}
	if want := 2 * 2; doubled != want { // two states; the note takes a read and a write
		t.Errorf("%d messages were sent twice, want %d", doubled, want)
	}
}

// TestClaimIsLeftToWhoHasIt for as long as that may still send.
func TestClaimIsLeftToWhoHasIt(t *testing.T) {
	w := newWorld(t, "")
	rec := complete()
	w.create(t, rec)
	w.fails = errors.New("the topic is down")
	if _, err := w.notifier().Settle(t.Context(), rec); err == nil || !w.active(t) {
		t.Errorf("error %v", err)
	}
	w.fails = nil
	w.now = w.now.Add(doubt)
	if _, err := w.notifier().Settle(t.Context(), rec); err != nil || len(w.heard) > 0 || !w.active(t) {
		t.Errorf("%v, heard %v", err, w.heard)
	}
	w.now = w.now.Add(time.Millisecond)
	if _, err := w.notifier().Settle(t.Context(), rec); err != nil || w.active(t) {
		t.Error(err)
	}
	w.check(t, "late", rec, 1, Progressing, Completed)
}

// TestWhatCanNotBeSentIsGivenUp a day after the job's end.
func TestWhatCanNotBeSentIsGivenUp(t *testing.T) {
	w := newWorld(t, "")
	rec := complete()
	w.create(t, rec)
	w.fails = errors.New("there is no such topic")
	for w.now.Before(at(61).Add(patience)) {
		if _, err := w.notifier().Settle(t.Context(), rec); err == nil {
			t.Fatal("a topic that is not there takes messages")
		}
		w.now = w.now.Add(time.Hour)
	}
	if !w.active(t) {
		t.Error("given up too early")
	}
	if _, err := w.notifier().Settle(t.Context(), rec); err != nil || w.active(t) {
		t.Errorf("%v, active %v", err, w.active(t))
	}
}

// TestWithoutTopics nothing is written but the end of the job's mark.
func TestWithoutTopics(t *testing.T) {
	for name, change := range map[string]func(*ledger.Record){
		"no such pipeline": func(r *ledger.Record) { r.Job.PipelineID = "1772440000000-other0" },
		"no pipeline":      func(r *ledger.Record) { r.Job.PipelineID = "" },
		"no topic for it":  func(r *ledger.Record) { r.Job.Timing.StartTimeMillis = 0; r.Job.Status = "Canceled" },
	} {
		w := newWorld(t, "")
		rec := complete()
		change(rec)
		w.create(t, rec)
		w.state.Before = func(call, key string) error {
			if call == "Create" || call == "Replace" {
				t.Errorf("%s: %s %s", name, call, key)
			}
			return nil
		}
		w.notifier().Announce(t.Context(), rec)
		if len(w.heard) > 0 || w.active(t) {
			t.Errorf("%s: heard %v, active %v", name, w.heard, w.active(t))
		}
	}
}

// TestRoles: a message goes out under the pipeline's role and for its one topic,
// or with the functions' rights where that is the stack's own or none.
func TestRoles(t *testing.T) {
	for pipelineRole, want := range map[string]string{"": "", ownRole: "", tenantRole: tenantRole} {
		w := newWorld(t, pipelineRole)
		w.create(t, complete())
		w.notifier().Announce(t.Context(), complete())
		if len(w.as) != 2 {
			t.Fatalf("%d messages", len(w.as))
		}
		for i, as := range w.as {
			if as == nil {
				if want != "" {
					t.Errorf("%q: with the functions' rights", pipelineRole)
				}
				continue
			}
			topic := []string{topics + "p", topics + "c"}[i]
			if as.ARN != want || as.ExternalID != pipelineID || as.Session != "sealreel-"+id || !slices.Equal(as.Topics, []string{topic}) || len(as.Reads)+len(as.Writes) > 0 {
				t.Errorf("%q: as %+v", pipelineRole, as)
			}
		}
	}
}

// TestNoticeKeepsItsMessage: what is sent again is what was claimed.
func TestNoticeKeepsItsMessage(t *testing.T) {
	w := newWorld(t, "")
	rec := begun()
	w.create(t, rec)
	w.fails = errors.New("the topic is down")
	w.notifier().Announce(t.Context(), rec)
	w.fails = nil
	changed := begun()
	changed.Job.UserMetadata = map[string]string{"order": "78"}
	w.settle(t, changed)
	w.check(t, "again", rec, 1, Progressing)
	if err := w.ledger().ConfirmNotice(t.Context(), id, Progressing, ""); err == nil {
		t.Error("sent without an id")
	}
	if _, err := w.ledger().RenewNotice(t.Context(), id, Error, w.now, w.now); !errors.Is(err, object.ErrNotExist) {
		t.Errorf("a notice that is not there: %v", err)
	}
}
