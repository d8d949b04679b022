package progress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/object/objecttest"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

const id = "1382644766696-2di5iz"

// sample has a group of two chunks with sound, one of a chunk without, and one
// that nothing is made of.
func sample() *plan.Plan {
	return &plan.Plan{
		Job:    id,
		Groups: []plan.Group{{Chunks: make([]plan.Chunk, 2), Outputs: []int{0}}, {Chunks: make([]plan.Chunk, 1), Outputs: []int{1}}, {Chunks: make([]plan.Chunk, 9)}},
		Outputs: []plan.Output{
			{Job: id, ID: "1", Group: 0, Sound: 0}, {Job: id, ID: "2", Group: 1, Sound: -1}, {Job: id, ID: "3", Group: 2, Sound: -1},
		},
	}
}

func TestCount(t *testing.T) {
	done, total := count(sample(), nil, nil)
	if done != 0 || total != 2*2+1+3 {
		t.Errorf("%d of %d", done, total)
	}
	receipts := map[string]bool{task.Chunk(0, 0): true, task.Piece(0, 0): true, task.Piece(0, 1): true, task.Chunk(2, 0): true, task.Piece(1, 0): true, "audio": true}
	if done, total := count(sample(), receipts, map[string]bool{"2": true, "9": true}); done != 4 || total != 8 {
		t.Errorf("%d of %d", done, total)
	}
}

type fixture struct {
	*ledger.Ledger
	memory *objecttest.Memory
	t      *testing.T
}

func open(t *testing.T) fixture {
	m := &objecttest.Memory{}
	return fixture{ledger.New(m, "state"), m, t}
}

func (f fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f fixture) create() {
	f.t.Helper()
	req := &job.Request{Outputs: []job.Output{{Key: "a"}, {Key: "b"}, {Key: "c"}}}
	_, _, err := f.CreateJob(f.t.Context(), &ledger.Record{Job: job.New(id, req, time.UnixMilli(1)), Waiting: true})
	f.must(err)
}

func (f fixture) update(change func(*ledger.Record)) {
	f.t.Helper()
	_, err := f.UpdateJob(context.Background(), id, func(r *ledger.Record) error { change(r); return nil })
	f.must(err)
}

// finish goes through a job's life, a second a step.
func (f fixture) finish() {
	ctx := context.Background()
	time.Sleep(time.Second)
	_, err := f.CreatePlan(ctx, sample())
	f.must(err)
	f.update(func(r *ledger.Record) { r.Waiting = false })
	for _, name := range []string{task.Chunk(0, 0), task.Chunk(0, 1), task.Chunk(1, 0)} {
		time.Sleep(time.Second)
		_, err := f.CreateReceipt(ctx, id, name, &task.Receipt{})
		f.must(err)
	}
	for _, output := range []string{"1", "2", "3"} {
		_, err := f.CreateResult(ctx, id, output, &ledger.Result{})
		f.must(err)
	}
	time.Sleep(5 * time.Second)
	f.update(func(r *ledger.Record) {
		for _, output := range []string{"1", "2", "3"} {
			j, err := job.CompleteOutput(r.Job, output, job.Result{}, time.Now())
			f.must(err)
			r.Job = j
		}
	})
}

func TestFollowShowsEachChangeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t)
		f.create()
		go f.finish()
		var seen []string
		last, err := Of(f, id).Follow(t.Context(), func(s State) error {
			seen = append(seen, fmt.Sprintf("%s %v %d/%d", s.Record.Job.Status, s.Record.Waiting, s.Done, s.Total))
			return nil
		})
		if err != nil || !last.Ended() || last.Fraction() != 1 {
			t.Fatal(last, err)
		}
		want := "Submitted true 0/0, Submitted false 0/8, Submitted false 1/8, Submitted false 2/8, Submitted false 6/8, Complete false 8/8"
		if got := strings.Join(seen, ", "); got != want {
			t.Errorf("saw %s\nwant %s", got, want)
		}
	})
}

func TestFollowAsksLessWhileNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t)
		f.create()
		asked := 0
		f.memory.Before = func(call, key string) error {
			if call == "Get" && strings.HasPrefix(key, "jobs/") {
				asked++
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := Of(f, id).Follow(ctx, func(State) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if asked < 30 || asked > 45 {
			t.Errorf("asked %d times in a minute", asked)
		}
	})
}

func TestFollowEnds(t *testing.T) {
	f := open(t)
	if _, err := Of(f, id).Follow(t.Context(), nil); !errors.Is(err, object.ErrNotExist) {
		t.Error(err)
	}
	f.create()
	if _, err := Of(f, id).Follow(t.Context(), func(State) error { return io.ErrClosedPipe }); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	broken := errors.New("broken")
	for _, call := range []string{"Get plans/", "Keys receipts/", "Keys outputs/"} {
		if strings.HasPrefix(call, "Keys") {
			if _, err := f.CreatePlan(t.Context(), sample()); err != nil {
				t.Fatal(err)
			}
		}
		f.memory.Before = func(name, key string) error {
			if strings.HasPrefix(name+" "+key, call) {
				return broken
			}
			return nil
		}
		if _, err := Of(f, id).Look(t.Context()); !errors.Is(err, broken) {
			t.Errorf("%s: %v", call, err)
		}
	}
}

func TestShower(t *testing.T) {
	var b bytes.Buffer
	show := Shower(NewLine(&b, func(string) string { return "" }))
	rec := &ledger.Record{Job: job.Job{ID: id, Status: job.Submitted}, Waiting: true}
	for _, s := range []State{{rec, 0, 0}, {rec, 0, 0}, {&ledger.Record{Job: job.Job{ID: id, Status: job.Progressing}}, 3, 8}} {
		if err := show(s); err != nil {
			t.Fatal(err)
		}
	}
	if want := id + "  waiting for its input\n" + id + "  Progressing  3/8\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestPace(t *testing.T) {
	var p Pace
	rec := &ledger.Record{Job: job.Job{ID: "J", Status: job.Progressing}}
	at := time.Unix(0, 0)
	for _, c := range []struct {
		done  int
		after time.Duration
		want  string
	}{
		{10, 0, "J  [##----------------------]  Progressing  10/100"},
		{10, time.Minute, "J  [##----------------------]  Progressing  10/100"},
		{40, 2 * time.Minute, "J  [#########---------------]  Progressing  40/100  0.2 steps/s  4:00 left"},
		{100, 3 * time.Minute, "J  [########################]  Progressing  100/100  0.5 steps/s"},
	} {
		if got := p.Text(State{rec, c.done, 100}, at.Add(c.after), true); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := p.Text(State{rec, 40, 100}, at.Add(time.Hour), false); got != "J  Progressing  40/100" {
		t.Errorf("%q", got)
	}
}

func TestDetails(t *testing.T) {
	j := job.New(id, &job.Request{Outputs: []job.Output{{Key: "a"}, {Key: "b"}}, Playlists: []job.Playlist{{Name: "p", OutputKeys: []string{"a"}}}}, time.UnixMilli(1))
	r := &ledger.Record{Job: j, Warnings: []string{"one", "two"}}
	if got := Details(r); strings.Join(got, "|") != "one|two" {
		t.Error(got)
	}
	r.Job = job.FailJob(j, job.Fail(4000, "what to do"), time.UnixMilli(2))
	got := strings.Join(Details(r), "\n")
	for _, want := range []string{"output 1 (a): Error: 4000", "output 2 (b): Error: 4000", "what to do", "playlist p: Error: 1001", "one"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %q", got, want)
		}
	}
	if got := Details(&ledger.Record{Job: job.Job{Status: job.Error}}); len(got) != 1 {
		t.Error(got)
	}
}
