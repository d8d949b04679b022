package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
)

// TestDeathAtEveryCall kills the function at each call it makes to anything,
// once for that call only and once for good, and delivers the event again. The
// job must come out as if nothing had happened (invariant 6).
func TestDeathAtEveryCall(t *testing.T) {
	for _, c := range []struct{ name, key string }{{"a document", "d.job.json"}, {"a file", "film.mp4"}} {
		for _, forGood := range []bool{false, true} {
			for n := 1; ; n++ {
				w := newWorld()
				w.document("d.job.json", "film.mp4")
				w.media["film.mp4"] = "v1"
				w.dies, w.forGood = n, forGood
				d, err := w.drop(c.key)
				w.dies = 0
				what := fmt.Sprintf("%s, killed at call %d", c.name, n)
				if err != nil {
					if _, err := w.drop(c.key); err != nil {
						t.Fatalf("%s: the second delivery: %v", what, err)
					}
				}
				calls := w.calls
				w.checkStarted(t, d, what)
				if err == nil && calls < n {
					break // it ended before it could die
				}
			}
		}
	}
}

// TestDocumentAndMediaAtOnce lets both events of a job race. However they
// interleave the job is set going, and its tasks are rarely queued twice, which
// would be harmless and cost all the work again.
func TestDocumentAndMediaAtOnce(t *testing.T) {
	const races = 200
	twice := 0
	for range races {
		synctest.Test(t, func(t *testing.T) {
			if n := startAtOnce(t); n > 1 {
				twice++
			}
		})
	}
	t.Logf("%d of %d jobs were started twice", twice, races)
	if twice > races/20 {
		t.Errorf("of %d jobs %d were started twice", races, twice)
	}
}

// startAtOnce returns how many messages the events of a document and its media
// make.
func startAtOnce(t *testing.T) int {
	w := newWorld()
	w.slow = true
	w.document("d.job.json", "film.mp4")
	w.sealed["film.mp4"] = true // or it becomes a job of its own too
	w.docs["d.job.json"] = []byte(strings.Replace(string(w.docs["d.job.json"]), `"Key":"film.mp4"`,
		`"Key":"film.mp4","Encryption":{"Mode":"sse-c","Key":"`+strings.Repeat("QUFB", 20)+`","KeyMd5":"AAAAAAAAAAAAAAAAAAAAAA=="}`, 1))
	var both sync.WaitGroup
	both.Go(func() {
		if _, err := w.drop("d.job.json"); err != nil {
			t.Error(err)
		}
	})
	both.Go(func() {
		time.Sleep(rand.N(100 * time.Millisecond))
		w.mu.Lock()
		w.media["film.mp4"] = "v1"
		w.mu.Unlock()
		time.Sleep(rand.N(200 * time.Millisecond)) // the event comes later
		if _, err := w.drop("film.mp4"); err != nil {
			t.Error(err)
		}
	})
	both.Wait()
	d := ledger.Drop{Bucket: "in", Key: "d.job.json", VersionID: "v1"}
	w.checkStarted(t, d, "at once")
	return len(w.sent)
}

// A job waits for its file, and goes on with it.
func TestJobWaitsForItsFile(t *testing.T) {
	w := newWorld()
	w.document("d.job.json", "film.mp4")
	d, err := w.drop("d.job.json")
	if err != nil {
		t.Fatal(err)
	}
	before := w.state.Before
	if rec := w.job(t, d); !rec.Waiting || len(w.sent) > 0 {
		t.Errorf("%+v", rec)
	}
	w.state.Before = before
	w.media["film.mp4"] = "v1"
	if _, err := w.drop("film.mp4"); err != nil {
		t.Fatal(err)
	}
	w.checkStarted(t, d, "with its file")
	for key := range w.state.Keys(t.Context(), "state", "waiting/") {
		t.Errorf("%s is left", key)
	}
}

// TestCanceledWhileItIsPlanned: the job is canceled at each write of its planning.
// It stays so and queues nothing; a plan may be there that nobody follows.
func TestCanceledWhileItIsPlanned(t *testing.T) {
	canceled := 0
	for n := 1; ; n++ {
		w := newWorld()
		w.document("d.job.json", "film.mp4")
		w.media["film.mp4"] = "v1"
		l, writes, done := ledger.New(&w.state, "state"), 0, false
		var id string
		w.state.Before = func(call, key string) error {
			if name, ok := strings.CutPrefix(key, "active/"); ok {
				id = strings.TrimSuffix(name, ".json")
			}
			if call != "Create" && call != "Replace" || id == "" || done {
				return nil
			}
			if writes++; writes < n {
				return nil
			}
			_, err := l.Job(t.Context(), id)
			if errors.Is(err, object.ErrNotExist) { // before its first write is done
				return nil
			}
			done = true
			_, err = l.UpdateJob(t.Context(), id, func(r *ledger.Record) (err error) {
				r.Job, err = job.Cancel(r.Job, time.Now())
				return err
			})
			return err
		}
		d, err := w.drop("d.job.json")
		if err != nil {
			t.Fatal(err)
		}
		if !done {
			break // it ended before
		}
		canceled++
		if rec := w.job(t, d); rec.Job.Status != job.Canceled || rec.Waiting || rec.Job.Inputs[0].DetectedProperties != nil || len(w.sent) > 0 {
			t.Errorf("canceled at write %d: %+v, sent %v", n, rec, w.sent)
		}
	}
	if canceled < 5 {
		t.Errorf("canceled at %d writes only", canceled)
	}
}

// What no job can be made of, and what ends at once.
func TestDropsThatStartNothing(t *testing.T) {
	for _, c := range []struct {
		name, key string
		change    func(*world)
		says      string // of the job; "" for none
	}{
		{name: "a sealed file that nobody has a key for", key: "film.mp4", change: func(w *world) { w.sealed["film.mp4"] = true }},
		{name: "a folder", key: "films/", change: func(w *world) { w.media["films/"] = "v1" }},
		{name: "a document that is gone", key: "e.job.json"},
		{name: "no JSON", key: "e.job.json", change: func(w *world) { w.docs["e.job.json"] = []byte("{\n]") }, says: "line 2, column 1"},
		{name: "taken names", key: "d.job.json", change: func(w *world) { w.taken["x/a.mp4"], w.taken["x/b.mp4"] = true, true }, says: ""},
		{name: "an unknown preset", key: "d.job.json", change: func(w *world) {
			w.docs["d.job.json"] = []byte(strings.ReplaceAll(string(w.docs["d.job.json"]), "000040", "999999"))
		}, says: "The specified preset was not found"},
		{name: "a preset beyond this version", key: "d.job.json", change: func(w *world) {
			const id = "1762992000000-custom"
			w.docs["d.job.json"] = []byte(strings.ReplaceAll(string(w.docs["d.job.json"]), "1351620000001-000040", id))
			if err := w.state.Create(context.Background(), "state", "presets/"+id+".json", []byte(`{"Id":"1762992000000-custom","Name":"n","Container":"mp4","Audio":{"Codec":"AAC","SampleRate":"44100","BitRate":"64","Channels":"2","CodecOptions":{"Profile":"HE-AAC"}}}`)); err != nil {
				panic(err)
			}
		}, says: "Sealreel's encoder makes AAC-LC alone"},
		{name: "a preset with a mistake", key: "d.job.json", change: func(w *world) {
			const id = "1762992000000-custom"
			w.docs["d.job.json"] = []byte(strings.ReplaceAll(string(w.docs["d.job.json"]), "1351620000001-000040", id))
			if err := w.state.Create(context.Background(), "state", "presets/"+id+".json", []byte(`{"Container":"avi"}`)); err != nil {
				panic(err)
			}
		}, says: "The specified preset breaks rules of its own"},
		{name: "a request beyond this version", key: "d.job.json", change: func(w *world) {
			w.docs["d.job.json"] = []byte(strings.Replace(string(w.docs["d.job.json"]), `"PresetId"`, `"Captions":{"CaptionFormats":[{"Format":"cea-708"}]},"PresetId"`, 1))
		}, says: "this version of Sealreel can't do captions in the format cea-708 yet"},
	} {
		w := newWorld()
		w.document("d.job.json", "film.mp4")
		w.media["film.mp4"] = "v1"
		if c.change != nil {
			c.change(w)
		}
		d, err := w.drop(c.key)
		if err != nil || len(w.sent) > 0 {
			t.Errorf("%s: %v, queued %v", c.name, err, w.sent)
		}
		if c.says == "" {
			continue
		}
		rec := w.job(t, d)
		text := strings.Join(rec.Warnings, "\n")
		for _, o := range rec.Job.Outputs {
			text += o.StatusDetail
		}
		if rec.Job.Status != job.Error || !strings.Contains(text, c.says) {
			t.Errorf("%s: %s %q", c.name, rec.Job.Status, text)
		}
	}
}

// A name that another job will write is taken, until that job has ended without
// writing it.
func TestNamesBelongToOneJob(t *testing.T) {
	w := newWorld()
	w.media["film.mp4"] = "v1"
	for _, key := range []string{"1.job.json", "2.job.json"} {
		w.document(key, "film.mp4")
		if _, err := w.drop(key); err != nil {
			t.Fatal(err)
		}
	}
	l := ledger.New(&w.state, "state")
	first, second := w.job(t, ledger.Drop{Bucket: "in", Key: "1.job.json", VersionID: "v1"}), w.job(t, ledger.Drop{Bucket: "in", Key: "2.job.json", VersionID: "v1"})
	for id, want := range map[string]bool{first.Job.ID: false, second.Job.ID: true} {
		p, err := l.Plan(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range p.Outputs {
			if (o.Failure != nil) != want || want && o.Failure.Code != job.CodeOutputExists {
				t.Errorf("job %s: %+v", id, o.Failure)
			}
		}
	}
	if _, err := l.UpdateJob(t.Context(), first.Job.ID, func(r *ledger.Record) error {
		r.Job = job.FailJob(r.Job, job.BadMedia(nil), at)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.document("3.job.json", "film.mp4")
	if _, err := w.drop("3.job.json"); err != nil {
		t.Fatal(err)
	}
	third := w.job(t, ledger.Drop{Bucket: "in", Key: "3.job.json", VersionID: "v1"})
	if p, err := l.Plan(t.Context(), third.Job.ID); err != nil || p.Outputs[0].Failure != nil {
		t.Errorf("the name of a job that ended is still taken: %v", err)
	}
}
