package reconcile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/task"
)

var errCrash = errors.New("the function is killed")

// submitMany stores jobs without a plan.
func (w *world) submitMany(t *testing.T, count int) []string {
	t.Helper()
	var ids []string
	for n := range count {
		j := job.New(fmt.Sprintf("17724438%05d-sj3m0y", n), &job.Request{Outputs: []job.Output{{Key: "a"}}}, w.now)
		if _, _, err := w.Ledger.CreateJob(t.Context(), &ledger.Record{Job: j}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, j.ID)
	}
	return ids
}

// TestJobsGoOnWhereTheyStopped: more jobs than a round looks at.
func TestJobsGoOnWhereTheyStopped(t *testing.T) {
	w := newWorld()
	w.Limits.Jobs = 3
	ids := w.submitMany(t, 10)
	w.now = w.now.Add(time.Hour)
	for n, want := range []int{3, 3, 3, 1, 3} {
		sum := w.after(t, time.Second)
		if sum.Jobs != want || slices.Contains(sum.Unfinished, "jobs") != (want == 3) {
			t.Errorf("round %d: %+v", n, sum)
		}
		if n == 3 {
			if slices.Sort(w.resumed); !slices.Equal(w.resumed, ids) {
				t.Errorf("resumed %q", w.resumed)
			}
		}
	}
}

// TestManyJobsAreLookedAtLessOften.
func TestManyJobsAreLookedAtLessOften(t *testing.T) {
	w := newWorld()
	w.submitMany(t, manyJobs+1)
	w.now = w.now.Add(time.Hour)
	for n, want := range []int{manyJobs + 1, 0, manyJobs + 1} {
		if sum := w.after(t, 5*time.Minute); sum.Jobs != want {
			t.Errorf("round %d: %+v", n, sum)
		}
	}
}

// slow is a world in which one class takes all the time it gets.
type slow struct {
	*world
	settle, letters bool
}

func (s slow) Settle(ctx context.Context, rec *ledger.Record) (bool, error) {
	if s.settle {
		<-ctx.Done()
		return false, ctx.Err()
	}
	return s.world.Settle(ctx, rec)
}

func (s slow) Drain(ctx context.Context, limit int, handle func(string, time.Time) error) error {
	if s.letters {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.world.Drain(ctx, limit, handle)
}

func (s slow) Drop(ctx context.Context, d ledger.Drop, at time.Time, final bool) error {
	if d.Key == "k0000000" {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.world.Drop(ctx, d, at, final)
}

// TestNoClassTakesTheTimeOfAnother: dead letters, jobs, the listing and single
// drops that take for ever leave the others their share, the round ends before its
// deadline and says what was left.
func TestNoClassTakesTheTimeOfAnother(t *testing.T) {
	for _, class := range []string{"dead-letters", "jobs", "drops", "work"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.makes = true
			w.submit(t, false)
			w.now = w.now.Add(time.Hour)
			start, at := time.Now(), w.now
			w.Now = func() time.Time { return at.Add(time.Since(start)) }
			w.letters = []string{task.Message{Version: task.Version, Job: id, Task: task.Audio}.Body()}
			w.drop(10 * time.Minute)
			good := w.drop(10 * time.Minute)
			if class != "work" {
				w.objects[0].Key = "k"
			}
			s := slow{w, class == "jobs", class == "dead-letters"}
			w.Herald, w.DeadLetters, w.Ingester = s, s, s
			if class == "drops" { // a listing without end
				n := 0
				w.Drops = func(ctx context.Context, after ledger.Marker) ([]Dropped, ledger.Marker, error) {
					n++
					time.Sleep(time.Second)
					page, _, err := w.drops(ctx, ledger.Marker{})
					return page, ledger.Marker{Key: fmt.Sprint(n)}, err
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 240*time.Second)
			defer cancel()
			begun := time.Now()
			sum, err := w.Run(ctx)
			if err != nil || !slices.Contains(sum.Unfinished, class) && class != "work" && class != "jobs" {
				t.Errorf("%s: %+v, %v", class, sum, err)
			}
			if took := time.Since(begun); took > 225*time.Second || took < 20*time.Second {
				t.Errorf("%s: it took %v", class, took)
			}
			if class != "dead-letters" && len(w.letters) > 0 {
				t.Errorf("%s: dead letters are left", class)
			}
			if sum.Jobs != 1 || class != "jobs" && len(w.resumed) != 1 {
				t.Errorf("%s: jobs are not looked at: %+v, resumed %q", class, sum, w.resumed)
			}
			if !slices.Contains(w.dropped, good.Key) {
				t.Errorf("%s: the drop is not taken up: %q", class, w.dropped)
			}
		})
	}
}

// TestTwoRoundsAtOnce do what one would.
func TestTwoRoundsAtOnce(t *testing.T) {
	w := newWorld()
	w.makes = true
	w.submit(t, false)
	w.planJob(t)
	w.after(t, 6*time.Minute)
	for range 30 {
		w.drop(time.Hour)
	}
	w.now = w.now.Add(31 * time.Minute)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := w.Run(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if want := []string{task.Audio, task.Chunk(1, 0), task.Chunk(1, 1)}; !slices.Equal(w.sent, want) {
		t.Errorf("sent %q, want %q", w.sent, want)
	}
	w.rounds(t, 3)
	if left := w.unsettled(t); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

// TestARoundThatDiesAnywhere: killed at each call of its storage in turn, before
// it is made and after, the rounds behind it do what it has not.
func TestARoundThatDiesAnywhere(t *testing.T) {
	points := 0
	for n := 1; ; n++ {
		w := newWorld()
		w.makes, w.perPage, w.Limits.Pages = true, 2, 2
		w.submit(t, false)
		w.planJob(t)
		w.after(t, 6*time.Minute)
		for range 7 {
			w.drop(time.Hour)
		}
		w.now = w.now.Add(31 * time.Minute)
		calls := 0
		var mu sync.Mutex
		w.state.Before = func(string, string) error {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls >= n {
				return errCrash
			}
			return nil
		}
		_, _ = w.Run(t.Context())
		w.state.Before = nil
		points = n
		if w.rounds(t, 9) > 5 {
			t.Errorf("killed at call %d: it took too long", n)
		}
		if left := w.unsettled(t); len(left) > 0 {
			t.Errorf("killed at call %d: left %q", n, left)
		}
		for len(w.sent) == 0 && w.now.Sub(time.UnixMilli(1772443815204)) < 3*time.Hour {
			w.after(t, 10*time.Minute)
		}
		if len(w.sent) == 0 {
			t.Errorf("killed at call %d: the job is not set going", n)
		}
		if calls < n {
			break
		}
	}
	if t.Logf("killed at %d calls", points); points < 40 {
		t.Errorf("only %d calls", points)
	}
}

// TestStalledBehindABacklog: the time in which messages wait in the queue does not
// count, for one of them may be the job's own; but nothing waits for ever.
func TestStalledBehindABacklog(t *testing.T) {
	w := newWorld()
	w.submit(t, false)
	w.planJob(t)
	w.after(t, 6*time.Minute)
	restarted := 0
	wait := func(until time.Duration, backlog int) {
		w.backlog = backlog
		for end := w.now.Add(until); w.now.Before(end); {
			restarted += w.after(t, 15*time.Minute).Restarted
		}
	}
	if wait(13*24*time.Hour, 100_000); restarted != 0 {
		t.Errorf("set going %d times behind a backlog", restarted)
	}
	if wait(30*time.Minute, 0); restarted != 0 {
		t.Error("set going when the queue was not idle for long enough")
	}
	if wait(30*time.Minute, 0); restarted != 1 {
		t.Errorf("set going %d times once the queue is idle", restarted)
	}
	if wait(14*24*time.Hour, 1); restarted != 1 {
		t.Errorf("set going %d times in a second backlog", restarted)
	}
	if wait(25*time.Hour, 1); restarted != 2 {
		t.Errorf("set going %d times when its messages must be gone", restarted)
	}
	wait(5*24*time.Hour, 1)
	w.failedWith(t, "9999", "set going again")
}

// TestTheLastStepIsNotInTheQueue: where every task is done the job does not wait
// for a message, whatever waits in the queue.
func TestTheLastStepIsNotInTheQueue(t *testing.T) {
	w := newWorld()
	w.submit(t, false)
	w.planJob(t)
	for g := range 2 {
		for c := range 2 {
			if _, err := w.Ledger.CreateReceipt(t.Context(), id, task.Chunk(g, c), &task.Receipt{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.backlog = 1000
	w.after(t, 6*time.Minute)
	if sum := w.after(t, 20*time.Minute); sum.Restarted != 0 {
		t.Error("set going too early")
	}
	if sum := w.after(t, 11*time.Minute); sum.Restarted != 1 || len(w.sent) > 0 {
		t.Errorf("set going %d times, sent %q", sum.Restarted, w.sent)
	}
	if _, _, err := w.state.Get(t.Context(), "state", "ready/"+id+"/1.json"); err != nil {
		t.Errorf("the output is not asked for: %v", err)
	}
}

// TestSilenceIsLongerThanMessagesAreKept, or they might still come.
func TestSilenceIsLongerThanMessagesAreKept(t *testing.T) {
	template, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)\n  ChunkQueue:.*?MessageRetentionPeriod: (\d+)`).FindSubmatch(template)
	if m == nil {
		t.Fatal("template.yaml says not how long messages are kept")
	}
	if kept, err := time.ParseDuration(string(m[1]) + "s"); err != nil || kept >= silent {
		t.Errorf("messages are kept for %v, %v", kept, err)
	}
}

// TestBehindWithDrops: many drops without a job are what ingest has not got to.
func TestBehindWithDrops(t *testing.T) {
	w := newWorld()
	w.makes = true
	for range 2 * backlog {
		w.drop(10 * time.Minute)
	}
	if sum := w.after(t, 0); sum.Pending != 2*backlog || len(w.dropped) > 0 {
		t.Errorf("%+v", sum)
	}
	if w.after(t, 45*time.Minute); len(w.dropped) > 0 {
		t.Errorf("%d are taken up", len(w.dropped))
	}
	w.after(t, 5*time.Minute)
	if left := w.unsettled(t); len(left) > 0 {
		t.Errorf("%d are left", len(left))
	}
}

// TestPlanningThatTakesLong is noted while it lasts, so that the next round does not
// begin it as well, and may take longer than the looks of a round.
func TestPlanningThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.submit(t, false)
		start, at := time.Now(), w.now.Add(time.Hour)
		w.Now = func() time.Time { return at.Add(time.Since(start)) }
		w.Ingester = lasting{w, 9 * time.Minute}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
				defer cancel()
				if sum, err := w.Run(ctx); err != nil || sum.Failed > 0 {
					t.Errorf("%+v, %v", sum, err)
				}
			})
			time.Sleep(4 * time.Minute)
		}
		wg.Wait()
		if len(w.resumed) != 1 {
			t.Errorf("resumed %q", w.resumed)
		}
	})
}

// lasting is a world in which planning a job takes its time.
type lasting struct {
	*world
	time.Duration
}

func (l lasting) Resume(ctx context.Context, rec *ledger.Record) error {
	if err := l.world.Resume(ctx, rec); err != nil {
		return err
	}
	select {
	case <-time.After(l.Duration):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestRestartIsNotRepeatedWhenItsNoteFails is what keeps two rounds apart: who
// can't note it does not do it.
func TestRestartNeedsItsNote(t *testing.T) {
	w := newWorld()
	w.submit(t, false)
	w.planJob(t)
	w.after(t, 6*time.Minute)
	w.now = w.now.Add(time.Hour)
	w.state.Before = func(call, key string) error {
		if call == "Replace" && key == "watch/"+id+".json" {
			w.state.Before = nil
			seen, err := w.Ledger.Watched(t.Context(), id)
			if err != nil {
				return err
			}
			seen.Since, seen.Restarts = w.now, 1
			return w.Ledger.SetWatch(t.Context(), id, seen)
		}
		return nil
	}
	if sum := w.after(t, 0); sum.Restarted != 0 || len(w.sent) > 0 {
		t.Errorf("%+v, sent %q", sum, w.sent)
	}
}

// TestNewerWorkIsLeftAlone: whatever a newer version wrote is no failure and is
// not ended.
func TestNewerWorkIsLeftAlone(t *testing.T) {
	for _, key := range []string{"jobs/" + id + ".json", "plans/" + id + ".json", "watch/" + id + ".json"} {
		w := newWorld()
		w.submit(t, false)
		if err := errors.Join(w.state.Delete(t.Context(), "state", key), w.state.Create(t.Context(), "state", key, []byte(`{"version":99}`))); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if sum := w.after(t, 24*time.Hour); sum.Failed+sum.Ended+sum.Retired+sum.Restarted > 0 {
				t.Errorf("%s: %+v", key, sum)
			}
		}
		if b, _, err := w.state.Get(t.Context(), "state", key); err != nil || string(b) != `{"version":99}` {
			t.Errorf("%s is %s, %v", key, b, err)
		}
	}
	w := newWorld()
	if err := w.state.Create(t.Context(), "state", "reconcile/round.json", []byte(`{"version":99}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Run(t.Context()); !errors.Is(err, task.ErrNewer) {
		t.Errorf("a round over a newer one's notes: %v", err)
	}
}
