package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/object/objecttest"
	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
	"sealreel/pkg/source"
	"sealreel/pkg/task"
)

const defaultID = "1762992000000-sealrl"

var errCrash = errors.New("the function is killed")

// world is all that an ingester works on. Its calls are counted, and at one of
// them, or from one on, the function dies.
type world struct {
	state objecttest.Memory

	mu      sync.Mutex
	media   map[string]string // key of what is in the ingest bucket to its version
	sealed  map[string]bool   // keys of media that need a customer key
	docs    map[string][]byte
	taken   map[string]bool // keys of what is in the output bucket
	sent    []task.Message
	calls   int
	dies    int  // at this call, 0 for never
	forGood bool // and at each one after
	slow    bool // each call takes a while
	keys    int
}

func newWorld() *world {
	w := &world{media: map[string]string{}, sealed: map[string]bool{}, docs: map[string][]byte{}, taken: map[string]bool{}}
	w.state.Before = func(string, string) error { return w.call() }
	return w
}

func (w *world) call() error {
	if w.slow {
		time.Sleep(rand.N(10 * time.Millisecond))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.dies > 0 && (w.calls == w.dies || w.forGood && w.calls > w.dies) {
		return errCrash
	}
	return nil
}

func (w *world) ingester() *Ingester {
	return &Ingester{
		Ledger: ledger.New(&w.state, "state"), Documents: w, Queue: w,
		Open:      func(plan.Keys) Vault { return w },
		Probe:     w.probe,
		DefaultID: defaultID,
		DefaultPipeline: `{"Id":"` + defaultID + `","Name":"default","InputBucket":"in","OutputBucket":"out","Role":"arn:aws:iam::111122223333:role/x","AwsKmsKeyArn":"arn:k",
			"Sealreel":{"Drop":{"Prefix":"","Template":{"Outputs":[{"Key":"{prefix}{stem}/720p.mp4","PresetId":"1351620000001-000010","Encryption":{"Mode":"sse-c"}}]}}}}`,
		Options: plan.Options{ChunkSeconds: 4},
		Log:     slog.New(slog.DiscardHandler),
	}
}

func (w *world) Document(_ context.Context, _, key, _ string, _ int64) ([]byte, error) {
	if err := w.call(); err != nil {
		return nil, err
	}
	body, ok := w.docs[key]
	if !ok {
		return nil, object.ErrNotExist
	}
	return body, nil
}

func (w *world) Send(_ context.Context, messages ...task.Message) error {
	if err := w.call(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, messages...)
	return nil
}

func (w *world) Pin(_ context.Context, bucket, key, version string, e *job.Encryption) (plan.Input, error) {
	if err := w.call(); err != nil {
		return plan.Input{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now, ok := w.media[key]
	if !ok || version != "" && version != now {
		return plan.Input{}, object.ErrNotExist
	}
	if w.sealed[key] && e == nil {
		return plan.Input{}, object.ErrNeedsKey
	}
	return plan.Input{Bucket: bucket, Key: key, VersionID: now, ETag: "e", Size: 1000, Encryption: e}, nil
}

func (w *world) Input(ctx context.Context, in plan.Input) (*source.Reader, error) {
	if err := w.call(); err != nil {
		return nil, err
	}
	return source.New(ctx, func(context.Context, int64, int64) (io.ReadCloser, error) { return nil, io.EOF }, in.Size, source.Options{}), nil
}

func (w *world) newKey(mode string) (job.Encryption, error) {
	if err := w.call(); err != nil {
		return job.Encryption{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys++
	return job.Encryption{Mode: mode, Key: fmt.Sprintf("wrapped %d", w.keys), KeyMd5: "md5"}, nil
}

func (w *world) Seal(_ context.Context, e *job.Encryption) (*job.Encryption, error) {
	if e == nil || e.Key != "" {
		return e, w.call()
	}
	made, err := w.newKey(e.Mode)
	return &made, err
}

func (w *world) WorkKey(context.Context) (job.Encryption, error) { return w.newKey("work") }

func (w *world) Exists(_ context.Context, _, key string) (bool, error) {
	return w.taken[key], w.call()
}

func (w *world) Close() {}

// probe finds ten seconds of film with sound.
func (w *world) probe(context.Context, *source.Reader) (Probed, error) {
	if err := w.call(); err != nil {
		return Probed{}, err
	}
	line := plan.Timeline{TimeBase: rational.New(1, 25), End: 250, Indexed: true, Seekable: true}
	for n := range int64(250) {
		line.PTS = append(line.PTS, n)
		if n%50 == 0 {
			line.Keyframes = append(line.Keyframes, n)
		}
	}
	return Probed{
		Source: plan.Source{
			Picture: &plan.SourcePicture{Timeline: line, Rate: rational.Int(25), Width: 320, Height: 180, SAR: rational.Int(1)},
			Sound:   &plan.SourceSound{Stream: 1, SampleRate: 48000, Channels: 2, Ends: 10 * time.Second},
		},
		Detected: job.DetectedProperties{Width: 320, Height: 180, FrameRate: "25", FileSize: 1000, DurationMillis: 10_000},
	}, nil
}

var at = time.UnixMilli(1772443815204)

func (w *world) drop(key string) (ledger.Drop, error) {
	d := ledger.Drop{Bucket: "in", Key: key, VersionID: "v1"}
	return d, w.ingester().Drop(context.Background(), d, at, false)
}

// document is a job over one input with two sealed outputs.
func (w *world) document(key, input string) {
	body, err := json.Marshal(job.Request{
		PipelineID: defaultID, Inputs: []job.Input{{Key: input}}, OutputKeyPrefix: "x/",
		Outputs: []job.Output{
			{Key: "a.mp4", PresetID: "1351620000001-000010", Encryption: &job.Encryption{Mode: job.ModeSSEC}},
			{Key: "b.mp4", PresetID: "1351620000001-000040", Encryption: &job.Encryption{Mode: job.ModeSSEC}},
		},
	})
	if err != nil {
		panic(err)
	}
	w.docs[key] = body
}

func (w *world) job(t *testing.T, d ledger.Drop) *ledger.Record {
	t.Helper()
	w.state.Before = nil
	l := ledger.New(&w.state, "state")
	claim, err := l.Claimed(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := l.Job(t.Context(), claim.Job)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// checkStarted holds a job against what a run without accidents makes.
func (w *world) checkStarted(t *testing.T, d ledger.Drop, what string) {
	t.Helper()
	rec := w.job(t, d)
	p, err := ledger.New(&w.state, "state").Plan(t.Context(), rec.Job.ID)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !slices.ContainsFunc(w.sent, func(m task.Message) bool { return m.Task == task.Audio && m.Job == rec.Job.ID }) {
		t.Errorf("%s: nothing was queued", what)
	}
	if rec.Waiting || rec.Job.Status != job.Submitted || rec.Job.Inputs[0].DetectedProperties == nil {
		t.Errorf("%s: the job shows %+v", what, rec)
	}
	for i, o := range rec.Job.Outputs {
		if o.Encryption == nil || o.Encryption.Key == "" || *o.Encryption != *p.Outputs[i].Encryption {
			t.Errorf("%s: output %d shows the key %+v, the plan has %+v", what, i, o.Encryption, p.Outputs[i].Encryption)
		}
	}
	for key, err := range w.state.Keys(t.Context(), "state", "jobs/") {
		if err != nil || key != "jobs/"+rec.Job.ID+".json" {
			t.Errorf("%s: there is another job: %s, %v", what, key, err)
		}
	}
}

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
