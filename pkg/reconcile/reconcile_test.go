package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object/objecttest"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

const id = "1772443815204-sj3m0y"

// world is all that a reconciler works on.
type world struct {
	*Reconciler
	mu      sync.Mutex
	state   objecttest.Memory
	now     time.Time
	resumed []string
	ensured int   // times that the default pipeline was
	fails   error // of Resume and Drop
	dropped []string
	refused []string
	makes   bool // Drop makes a job of each
	given   []task.Message
	failure *job.Failure
	sent    []string
	letters []string
	posted  time.Time // when the letters were
	backlog int
	objects []Dropped
	perPage int      // of the listing
	pages   int      // listed
	told    []string // states of jobs
}

func newWorld() *world {
	w := &world{now: time.UnixMilli(1772443815204), perPage: 1000}
	w.Reconciler = &Reconciler{
		Ledger: ledger.New(&w.state, "state"), Ingester: w, Worker: w, Herald: w, Queue: w, DeadLetters: w, Drops: w.drops,
		Timing: Usual, Limits: UsualLimits, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now },
	}
	return w
}

// Settle tells of every state anew and, when the topic answers, retires the job.
func (w *world) Settle(ctx context.Context, rec *ledger.Record) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, rec.Job.Status)
	if !job.Terminal(rec.Job.Status) {
		return true, nil
	}
	return true, w.Ledger.Retire(ctx, rec.Job.ID)
}

func (w *world) Resume(_ context.Context, rec *ledger.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.resumed = append(w.resumed, rec.Job.ID)
	return w.fails
}

func (w *world) EnsureDefault(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ensured++
	return nil
}

func (w *world) Drop(ctx context.Context, d ledger.Drop, at time.Time, final bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := d.Key
	if final {
		name += " (final)"
	}
	w.dropped = append(w.dropped, name)
	if w.fails != nil || !w.makes {
		return w.fails
	}
	return w.take(ctx, d, at)
}

// take makes a job of a drop, which ends at once.
func (w *world) take(ctx context.Context, d ledger.Drop, at time.Time) error {
	id := job.NewID(at, d.Bucket, d.Key, d.VersionID)
	if _, err := w.Ledger.ClaimDrop(ctx, d, id); err != nil {
		return err
	}
	rec := &ledger.Record{Job: job.FailJob(job.New(id, &job.Request{}, at), job.BadMedia(nil), at), Drop: d}
	_, _, err := w.Ledger.CreateJob(ctx, rec)
	return err
}

func (w *world) Refuse(ctx context.Context, d ledger.Drop, at time.Time, cause error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = append(w.refused, d.Key+": "+cause.Error())
	return w.take(ctx, d, at)
}

func (w *world) GiveUp(_ context.Context, m task.Message, f *job.Failure) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.given, w.failure = append(w.given, m), f
	return nil
}

func (w *world) Send(_ context.Context, messages ...task.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range messages {
		w.sent = append(w.sent, m.Task)
	}
	return nil
}

func (w *world) Backlog(context.Context) (int, error) { return w.backlog, nil }

func (w *world) Drain(_ context.Context, _ int, handle func(string, time.Time) error) error {
	w.mu.Lock()
	letters := w.letters
	w.letters = nil
	w.mu.Unlock()
	letters = slices.DeleteFunc(letters, func(body string) bool { return handle(body, w.posted) == nil })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.letters = append(w.letters, letters...)
	return nil
}

// drops lists the objects in the order that they have, which is that of their
// keys.
func (w *world) drops(_ context.Context, after ledger.Marker) ([]Dropped, ledger.Marker, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages++
	from := 0
	if after != (ledger.Marker{}) {
		from = 1 + slices.IndexFunc(w.objects, func(d Dropped) bool { return d.Key == after.Key && d.VersionID == after.VersionID })
	}
	page := w.objects[from:min(from+w.perPage, len(w.objects))]
	if from+len(page) == len(w.objects) {
		return page, ledger.Marker{}, nil
	}
	last := page[len(page)-1]
	return page, ledger.Marker{Key: last.Key, VersionID: last.VersionID}, nil
}

// submit stores a job with two outputs, submitted now.
func (w *world) submit(t *testing.T, waiting bool) *ledger.Record {
	t.Helper()
	req := &job.Request{Inputs: []job.Input{{Key: "film.mp4"}}, Outputs: []job.Output{{Key: "a"}, {Key: "b"}}}
	rec, _, err := w.Ledger.CreateJob(t.Context(), &ledger.Record{Job: job.New(id, req, w.now), Drop: ledger.Drop{Bucket: "in", Key: "d.job.json"}, Waiting: waiting})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// planJob gives the job a plan of two chunks with sound for each of two groups.
func (w *world) planJob(t *testing.T) *plan.Plan {
	t.Helper()
	chunks := []plan.Chunk{{End: 10}, {First: 10, End: 20}}
	p, err := w.Ledger.CreatePlan(t.Context(), &plan.Plan{
		Job: id, Sounds: []plan.Sound{{}}, Programmes: [][]plan.Take{{}},
		Groups:  []plan.Group{{Picture: true, Chunks: chunks, Outputs: []int{0}}, {Picture: true, Chunks: chunks, Outputs: []int{1}}},
		Outputs: []plan.Output{{Job: id, ID: "1", Group: 0, Sound: 0, Encryption: &job.Encryption{Mode: job.ModeSSEC, Key: "wrapped"}}, {Job: id, ID: "2", Group: 1, Sound: -1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) after(t *testing.T, d time.Duration) Summary {
	t.Helper()
	w.now = w.now.Add(d)
	sum, err := w.Run(t.Context())
	if err != nil {
		t.Error(err)
	}
	return sum
}

// failedWith checks that the job has ended with the code and a text.
func (w *world) failedWith(t *testing.T, code, says string) {
	t.Helper()
	rec, err := w.Ledger.Job(t.Context(), id)
	if err != nil || rec.Job.Status != job.Error {
		t.Fatalf("%+v, %v", rec, err)
	}
	for _, o := range rec.Job.Outputs {
		if !strings.HasPrefix(o.StatusDetail, code+" ") || !strings.Contains(o.StatusDetail, says) {
			t.Errorf("%q, want %s and %q", o.StatusDetail, code, says)
		}
	}
	for active, err := range w.Ledger.Active(t.Context()) {
		t.Errorf("%s is still active (%v)", active, err)
	}
}

func TestWaitingEndsAfterADay(t *testing.T) {
	w := newWorld()
	w.submit(t, true)
	w.after(t, 23*time.Hour)
	if rec, err := w.Ledger.Job(t.Context(), id); err != nil || job.Terminal(rec.Job.Status) {
		t.Fatalf("too early: %+v, %v", rec, err)
	}
	w.after(t, 2*time.Hour)
	w.failedWith(t, "3001", "film.mp4")
}

// TestTheMissingInputIsNamed: of several, that which the job still waits for.
func TestTheMissingInputIsNamed(t *testing.T) {
	w := newWorld()
	w.submit(t, true)
	if _, err := w.Ledger.UpdateJob(t.Context(), id, func(r *ledger.Record) error {
		r.Job.Inputs = []job.Input{{Key: "film.mp4"}, {Key: "credits.mp4"}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.Ledger.Await(t.Context(), "in", "credits.mp4", id); err != nil {
		t.Fatal(err)
	}
	w.after(t, 25*time.Hour)
	w.failedWith(t, "3001", "credits.mp4")
}

func TestJobWithoutAPlanIsResumedAndEndsInTheEnd(t *testing.T) {
	w := newWorld()
	w.submit(t, false)
	if w.after(t, time.Minute); len(w.resumed) > 0 {
		t.Error("resumed while its own event is handled")
	}
	if w.after(t, 20*time.Minute); !slices.Equal(w.resumed, []string{id}) {
		t.Errorf("resumed %q", w.resumed)
	}
	w.fails = errors.New("storage is down")
	for n := range attempts { // later each time
		if sum := w.after(t, Usual.Lost<<max(n-1, 0)); sum.Failed != 1 || len(w.resumed) != n+2 {
			t.Fatalf("round %d: %+v, resumed %d times", n, sum, len(w.resumed))
		}
		if w.after(t, time.Second); len(w.resumed) != n+2 {
			t.Errorf("round %d: tried again at once", n)
		}
	}
	if sum := w.after(t, 24*time.Hour); sum.Ended != 1 {
		t.Errorf("%+v", sum)
	}
	w.failedWith(t, "9999", "could not be planned")
}

// TestStalledJob is set going again with exactly what is missing, later each
// time, and then fails.
func TestStalledJob(t *testing.T) {
	w := newWorld()
	w.submit(t, false)
	w.planJob(t)
	receipt := func(name string) {
		if _, err := w.Ledger.CreateReceipt(t.Context(), id, name, &task.Receipt{}); err != nil {
			t.Fatal(err)
		}
	}
	receipt(task.Chunk(1, 0))
	if err := w.Ledger.CreateSound(t.Context(), id, task.Piece(0, 1), &task.Sound{}); err != nil {
		t.Fatal(err)
	}
	w.after(t, 6*time.Minute) // seen for the first time
	if w.after(t, 20*time.Minute); len(w.sent) > 0 {
		t.Errorf("sent %q after 20 minutes", w.sent)
	}
	receipt(task.Chunk(1, 1)) // it moves, so that its time begins anew
	if w.after(t, 20*time.Minute); len(w.sent) > 0 {
		t.Errorf("sent %q though it moves", w.sent)
	}
	w.after(t, 31*time.Minute)
	if want := []string{task.Audio, task.Chunk(0, 1)}; !slices.Equal(w.sent, want) {
		t.Errorf("sent %q, want %q", w.sent, want)
	}
	if _, _, err := w.state.Get(t.Context(), "state", "ready/"+id+"/2.json"); err != nil {
		t.Errorf("the output whose chunks are done is not asked for: %v", err)
	}
	if rec, err := w.Ledger.Job(t.Context(), id); err != nil || rec.Job.Outputs[0].Encryption == nil || rec.Job.Outputs[0].Encryption.Key != "wrapped" {
		t.Errorf("the job does not show the key that its plan has: %+v, %v", rec, err)
	}
	times := 1
	for wait := 31 * time.Minute; times < restarts; times++ {
		before := len(w.sent)
		if w.after(t, wait); len(w.sent) != before {
			t.Errorf("restart %d comes too early", times+1)
		}
		wait *= 2
		if w.after(t, wait/2); len(w.sent) == before {
			t.Errorf("restart %d does not come", times+1)
		}
	}
	w.after(t, 8*time.Hour+time.Minute)
	w.failedWith(t, "9999", "set going again 4 times")
}

// The last step of a job can get lost when all its outputs have a result.
func TestJobThatOnlyHasToBeClosed(t *testing.T) {
	w := newWorld()
	w.submit(t, false)
	w.planJob(t)
	for _, output := range []string{"1", "2"} {
		if _, err := w.Ledger.CreateResult(t.Context(), id, output, &ledger.Result{}); err != nil {
			t.Fatal(err)
		}
	}
	for g := range 2 {
		for c := range 2 {
			if _, err := w.Ledger.CreateReceipt(t.Context(), id, task.Chunk(g, c), &task.Receipt{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.after(t, 6*time.Minute)
	w.after(t, 31*time.Minute)
	if _, _, err := w.state.Get(t.Context(), "state", "ready/"+id+"/1.json"); err != nil || len(w.sent) > 0 {
		t.Errorf("sent %q, %v", w.sent, err)
	}
}

func TestJobThatEndedIsForgotten(t *testing.T) {
	w := newWorld()
	w.submit(t, false)
	if _, err := w.Ledger.UpdateJob(t.Context(), id, func(r *ledger.Record) error {
		r.Job = job.FailJob(r.Job, job.BadMedia(nil), w.now)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.after(t, time.Hour) // whoever ended it died before it was told
	w.failedWith(t, "4000", "")
	if len(w.resumed)+len(w.sent) > 0 || !slices.Equal(w.told, []string{job.Error}) {
		t.Errorf("resumed %q, sent %q, told %q", w.resumed, w.sent, w.told)
	}
	w.after(t, time.Hour)
	if len(w.told) != 1 {
		t.Errorf("a job that was retired is told of again: %q", w.told)
	}
}

func TestDeadLettersEndTheirTasks(t *testing.T) {
	w := newWorld()
	w.submit(t, false)
	w.planJob(t)
	m := task.Message{Version: task.Version, Job: id, Task: task.Chunk(0, 3)}
	nobody := task.Message{Version: task.Version, Job: "1772443815204-nobody", Task: task.Audio}
	newer := `{"version":2,"job":"` + id + `","task":"a task of tomorrow"}`
	w.letters = []string{"nonsense", newer, nobody.Body(), m.Body()}
	sum := w.after(t, 0)
	if !slices.Equal(w.letters, []string{newer}) || !slices.Equal(w.given, []task.Message{m}) {
		t.Errorf("left %q, given up %v", w.letters, w.given)
	}
	if w.failure.Code != job.CodeInternal || !strings.Contains(w.failure.Detail, "chunk-0-00003") {
		t.Errorf("%v", w.failure)
	}
	if sum.DeadLetters != 3 || sum.DeadLettersLeft != 1 || sum.Failed != 0 {
		t.Errorf("%+v", sum)
	}
}

// TestDeadLettersThatMeanNothing: their job has ended, or was set going by hand
// after they were sent.
func TestDeadLettersThatMeanNothing(t *testing.T) {
	w := newWorld()
	w.submit(t, false)
	w.planJob(t)
	body := task.Message{Version: task.Version, Job: id, Task: task.Audio}.Body()
	if err := w.Ledger.SetWatch(t.Context(), id, ledger.Watch{Redriven: w.now}); err != nil {
		t.Fatal(err)
	}
	for sent, given := range map[time.Duration]int{-time.Second: 0, time.Second: 1} {
		w.letters, w.posted, w.given = []string{body}, w.now.Add(sent), nil
		if w.after(t, 0); len(w.letters) > 0 || len(w.given) != given {
			t.Errorf("sent %v after: left %q, given up %v", sent, w.letters, w.given)
		}
	}
	if _, err := w.Ledger.UpdateJob(t.Context(), id, func(r *ledger.Record) (err error) {
		r.Job, err = job.Cancel(r.Job, w.now)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.letters, w.posted, w.given = []string{body}, w.now.Add(time.Second), nil
	if w.after(t, 0); len(w.letters)+len(w.given) > 0 {
		t.Errorf("of a job that was canceled: left %q, given up %v", w.letters, w.given)
	}
}

// TestLostDrops: by their age; those that became a job are left alone.
func TestLostDrops(t *testing.T) {
	w := newWorld()
	now := w.now
	add := func(key string, age time.Duration) ledger.Drop {
		d := ledger.Drop{Bucket: "in", Key: key, VersionID: "v"}
		w.objects = append(w.objects, Dropped{Drop: d, At: now.Add(-age)})
		return d
	}
	add("new", time.Minute)
	add("lost", 10*time.Minute)
	add("alone", 40*time.Minute)
	add("old", 72*time.Hour)
	claimed, orphan := add("taken", 10*time.Minute), add("claimed by a job that never was", 10*time.Minute)
	rec := w.submit(t, false)
	for d, owner := range map[ledger.Drop]string{claimed: rec.Job.ID, orphan: "1772443815204-nobody"} {
		if _, err := w.Ledger.ClaimDrop(t.Context(), d, owner); err != nil {
			t.Fatal(err)
		}
	}
	w.after(t, 0)
	slices.Sort(w.dropped)
	if want := []string{"alone (final)", "claimed by a job that never was", "lost", "old (final)"}; !slices.Equal(w.dropped, want) {
		t.Errorf("dropped %q, want %q", w.dropped, want)
	}
}

func TestTheDefaultPipelineIsThereAfterARound(t *testing.T) {
	w := newWorld()
	if _, err := w.Run(t.Context()); err != nil || w.ensured != 1 {
		t.Errorf("%d times, %v", w.ensured, err)
	}
}

// TestOneFailureKeepsNothingElseFromBeingDone: a round goes on behind it.
func TestOneFailureKeepsNothingElseFromBeingDone(t *testing.T) {
	w := newWorld()
	w.submit(t, false)
	w.fails = errors.New("no luck")
	w.objects = []Dropped{{Drop: ledger.Drop{Key: "a"}, At: w.now}, {Drop: ledger.Drop{Key: "b"}, At: w.now}}
	if sum := w.after(t, 25*time.Minute); sum.Failed != 3 || sum.Pending != 2 {
		t.Errorf("%+v", sum)
	}
	slices.Sort(w.dropped)
	if !slices.Equal(w.dropped, []string{"a", "b"}) || len(w.resumed) != 1 {
		t.Errorf("dropped %q, resumed %q", w.dropped, w.resumed)
	}
}
