package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/object"
	"sealreel/pkg/object/objecttest"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

const id = "1382644766696-2di5iz"

func open() (*Ledger, *objecttest.Memory) {
	m := &objecttest.Memory{}
	return New(m, "state"), m
}

func record() *Record {
	return &Record{Job: job.New(id, &job.Request{Outputs: []job.Output{{Key: "a"}, {Key: "b"}}}, time.UnixMilli(1))}
}

func TestADropBecomesOneJob(t *testing.T) {
	l, _ := open()
	d := Drop{Bucket: "in", Key: "a b", VersionID: "v1"}
	var jobs [20]string
	var wg sync.WaitGroup
	for i := range jobs {
		wg.Go(func() {
			c, err := l.ClaimDrop(t.Context(), d, fmt.Sprintf("13826447666%02d-2di5iz", i))
			if err != nil {
				t.Error(err)
			}
			jobs[i] = c.Job
		})
	}
	wg.Wait()
	for _, j := range jobs {
		if j != jobs[0] {
			t.Fatalf("one drop became the jobs %v", jobs)
		}
	}
}

func TestUpdatesOfTwoWritersAreBothKept(t *testing.T) {
	l, _ := open()
	if _, created, err := l.CreateJob(t.Context(), record()); err != nil || !created {
		t.Fatal(created, err)
	}
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			_, err := l.UpdateJob(t.Context(), id, func(r *Record) error {
				r.Warnings = append(slices.Clone(r.Warnings), fmt.Sprint(i))
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r, err := l.Job(t.Context(), id)
	if err != nil || len(r.Warnings) != 10 {
		t.Errorf("%v, %v", r, err)
	}
}

func TestWhatDoesNotChangeIsNotWritten(t *testing.T) {
	l, m := open()
	if _, _, err := l.CreateJob(t.Context(), record()); err != nil {
		t.Fatal(err)
	}
	m.Before = func(call, key string) error {
		if call == "Replace" {
			t.Errorf("%s %s", call, key)
		}
		return nil
	}
	_, err := l.UpdateJob(t.Context(), id, func(r *Record) error {
		j, err := job.StartOutput(r.Job, "1", time.UnixMilli(2))
		if err == nil {
			j, err = r.Job, nil
		}
		r.Job = j
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAnEndlessRaceEnds(t *testing.T) {
	l, m := open()
	if _, _, err := l.CreateJob(t.Context(), record()); err != nil {
		t.Fatal(err)
	}
	m.Before = func(call, _ string) error {
		if call == "Replace" {
			return object.ErrChanged
		}
		return nil
	}
	_, err := l.UpdateJob(t.Context(), id, func(r *Record) error { r.Waiting = !r.Waiting; return nil })
	if !errors.Is(err, object.ErrChanged) {
		t.Errorf("error %v", err)
	}
}

func TestNewerRecordsAreLeftAlone(t *testing.T) {
	l, m := open()
	ctx := t.Context()
	drop := Drop{Bucket: "in", Key: "film.mp4", VersionID: "v"}
	// Of another shape, too: what a newer version writes can't be foreseen.
	newer := `{"version":99,"job":7,"outputs":"elsewhere","groups":{},"parts":[],"message":{},"topic":[]}`
	for name, c := range map[string]struct {
		key string
		do  func() error
	}{
		"job":            {jobKey(id), func() error { _, err := l.Job(ctx, id); return err }},
		"new job":        {jobKey(id), func() error { _, _, err := l.CreateJob(ctx, record()); return err }},
		"changed job":    {jobKey(id), func() error { _, err := l.UpdateJob(ctx, id, func(*Record) error { return nil }); return err }},
		"plan":           {planKey(id), func() error { _, err := l.Plan(ctx, id); return err }},
		"new plan":       {planKey(id), func() error { _, err := l.CreatePlan(ctx, &plan.Plan{Job: id}); return err }},
		"receipt":        {receiptKey(id, "chunk-0-00000"), func() error { _, err := l.Receipt(ctx, id, "chunk-0-00000"); return err }},
		"new receipt":    {receiptKey(id, "chunk-0-00000"), func() error { _, err := l.CreateReceipt(ctx, id, "chunk-0-00000", &task.Receipt{}); return err }},
		"sound":          {receiptKey(id, "piece-0-00000"), func() error { _, err := l.Sound(ctx, id, "piece-0-00000"); return err }},
		"result":         {"outputs/" + id + "/1.json", func() error { _, err := l.Result(ctx, id, "1"); return err }},
		"new result":     {"outputs/" + id + "/1.json", func() error { _, err := l.CreateResult(ctx, id, "1", &Result{}); return err }},
		"notice":         {noticeKey(id, "COMPLETED"), func() error { _, _, err := l.ClaimNotice(ctx, id, "COMPLETED", &Notice{}); return err }},
		"renewed notice": {noticeKey(id, "COMPLETED"), func() error { _, err := l.RenewNotice(ctx, id, "COMPLETED", time.Now(), time.Now()); return err }},
		"claim":          {"drops/" + drop.Hash() + ".json", func() error { _, err := l.Claimed(ctx, drop); return err }},
		"watch":          {watchKey(id), func() error { _, err := l.Watched(ctx, id); return err }},
	} {
		if err := errors.Join(m.Delete(ctx, "state", c.key), m.Create(ctx, "state", c.key, []byte(newer))); err != nil {
			t.Fatal(err)
		}
		if err := c.do(); !errors.Is(err, task.ErrNewer) || !strings.Contains(err.Error(), c.key) {
			t.Errorf("%s: error %v", name, err)
		}
		if body, _, err := m.Get(ctx, "state", c.key); err != nil || string(body) != newer {
			t.Errorf("%s: is now %s (%v)", name, body, err)
		}
	}
}

func TestFirstPlanAndReceiptWin(t *testing.T) {
	l, _ := open()
	ctx := t.Context()
	for i := range 2 {
		p, err := l.CreatePlan(ctx, &plan.Plan{Job: id, Inputs: []plan.Input{{Size: int64(i)}}})
		if err != nil || p.Inputs[0].Size != 0 {
			t.Errorf("%v, %v", p, err)
		}
		if _, err := l.CreateReceipt(ctx, id, task.Chunk(0, 0), &task.Receipt{Frames: int64(i)}); err != nil {
			t.Error(err)
		}
	}
	r, err := l.Receipt(ctx, id, task.Chunk(0, 0))
	if err != nil || r.Frames != 0 {
		t.Errorf("%v, %v", r, err)
	}
	names, err := l.Receipts(ctx, id)
	if err != nil || len(names) != 1 || !names["chunk-0-00000"] {
		t.Errorf("%v, %v", names, err)
	}
}

func TestWaitingAndReady(t *testing.T) {
	l, _ := open()
	ctx := t.Context()
	if err := errors.Join(l.Await(ctx, "in", "k", id), l.Await(ctx, "in", "k", id), l.Await(ctx, "in", "k2", id)); err != nil {
		t.Fatal(err)
	}
	ids, err := l.Awaiting(ctx, "in", "k")
	if err != nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("%v, %v", ids, err)
	}
	if err := l.Arrived(ctx, "in", "k", id); err != nil {
		t.Fatal(err)
	}
	if ids, err = l.Awaiting(ctx, "in", "k"); err != nil || len(ids) != 0 {
		t.Errorf("%v, %v", ids, err)
	}
	if err := errors.Join(l.MarkReady(ctx, id, "1"), l.MarkReady(ctx, id, "1"), l.AskAgain(ctx, id, "1")); err != nil {
		t.Error(err)
	}
	for key, want := range map[string]bool{
		readyKey(id, "1"): true, "ready/x/1.json": false, "ready/" + id: false, "jobs/" + id + "/1": false, "ready/" + id + "/.json": false,
	} {
		if r, ok := ParseReady(key); ok != want || ok && (r != Ready{Job: id, Output: "1"}) {
			t.Errorf("%s is %v, %v", key, r, ok)
		}
	}
}

// One name in two buckets is two names, each with an owner of its own.
func TestCatalogIsByBucket(t *testing.T) {
	l, _ := open()
	never := func(Entry) (bool, error) { return false, nil }
	a, b := Entry{Job: id, Output: "1"}, Entry{Job: id, Output: "2"}
	for _, c := range []struct {
		bucket      string
		asked, owns Entry
	}{{"x", a, a}, {"y", b, b}, {"x", b, a}, {"y", a, b}} {
		if got, err := l.Catalog(t.Context(), c.bucket, "k", c.asked, never); err != nil || got != c.owns {
			t.Errorf("%s: %+v, %v, want %+v", c.bucket, got, err, c.owns)
		}
	}
	for bucket, want := range map[string]Entry{"x": a, "y": b} {
		if got, err := l.Owner(t.Context(), bucket, "k"); err != nil || got != want {
			t.Errorf("%s: %+v, %v", bucket, got, err)
		}
	}
	if _, err := l.Owner(t.Context(), "z", "k"); !errors.Is(err, object.ErrNotExist) {
		t.Error(err)
	}
}
