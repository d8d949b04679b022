package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"sealreel/pkg/caption"
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
	bodies  map[string][]byte // by key, of what is read
	sizes   map[string]int64  // by key, where it is no body's
	pinned  map[string]int    // how often, by key
	sealed  map[string]bool   // keys of media that need a customer key
	docs    map[string][]byte
	taken   map[string]bool // keys of what is in the output bucket
	works   map[string][]byte
	within  []caption.Track // captions in the input
	sent    []task.Message
	calls   int
	dies    int  // at this call, 0 for never
	forGood bool // and at each one after
	slow    bool // each call takes a while
	keys    int
	told    []string // states of jobs
	opened  []plan.Keys
	refused error             // of opening
	regions map[string]string // of buckets that are not where the functions are; "" is not told
}

func newWorld() *world {
	w := &world{media: map[string]string{}, sealed: map[string]bool{}, docs: map[string][]byte{}, taken: map[string]bool{}, pinned: map[string]int{}, works: map[string][]byte{}}
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
		Ledger: ledger.New(&w.state, "state"), Documents: w, Queue: w, Herald: w,
		Open:      w.open,
		Probe:     w.probe,
		Captions:  w.captions,
		DefaultID: defaultID,
		DefaultPipeline: `{"Id":"` + defaultID + `","Name":"default","InputBucket":"in","OutputBucket":"out","Role":"arn:aws:iam::111122223333:role/own","AwsKmsKeyArn":"arn:k",
			"Sealreel":{"Drop":{"Prefix":"","Template":{"Outputs":[{"Key":"{prefix}{stem}/720p.mp4","PresetId":"1351620000001-000010","Encryption":{"Mode":"sse-c"}}]}}}}`,
		Region:  "eu-west-1",
		RoleARN: "arn:aws:iam::111122223333:role/own",
		Options: plan.Options{ChunkSeconds: 4},
		Log:     slog.New(slog.DiscardHandler),
	}
}

func (w *world) Announce(_ context.Context, rec *ledger.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, rec.Job.Status)
}

func (w *world) Region(_ context.Context, bucket string) (string, error) {
	if err := w.call(); err != nil {
		return "", err
	}
	region, ok := w.regions[bucket]
	switch {
	case !ok:
		return "eu-west-1", nil
	case region == "":
		return "", object.ErrAccess
	}
	return region, nil
}

// open is a session of the vault. Taking on a role is a call.
func (w *world) open(_ context.Context, k plan.Keys) (Vault, error) {
	if k.Role != nil {
		if err := w.call(); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = append(w.opened, k)
	return w, w.refused
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
	w.pinned[key]++
	size, ok := w.sizes[key]
	if body := w.bodies[key]; !ok && body != nil {
		size, ok = int64(len(body)), true
	}
	if !ok {
		size = 1000
	}
	return plan.Input{Bucket: bucket, Key: key, VersionID: now, ETag: "e", Size: size, Encryption: e}, nil
}

func (w *world) Input(ctx context.Context, in plan.Input, _ int) (source.Media, error) {
	if err := w.call(); err != nil {
		return nil, err
	}
	return source.New(ctx, func(_ context.Context, off, n int64) (io.ReadCloser, error) {
		body := w.bodies[in.Key]
		if off >= int64(len(body)) {
			return nil, io.EOF
		}
		return io.NopCloser(bytes.NewReader(body[off:min(off+n, int64(len(body)))])), nil
	}, in.Size, source.Options{}), nil
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

func (w *world) Verify(context.Context, plan.Input) error { return nil }

func (w *world) Claim(context.Context, *job.Encryption, bool) (string, error) { return "", nil }

func (w *world) WorkKey(context.Context) (job.Encryption, error) { return w.newKey("work") }

func (w *world) StoreWork(_ context.Context, key string, r io.Reader) (int64, error) {
	body, err := io.ReadAll(r)
	if err != nil {
		return 0, err
	}
	w.mu.Lock()
	w.works[key] = body
	w.mu.Unlock()
	return int64(len(body)), w.call()
}

// captions are those within every input.
func (w *world) captions(context.Context, source.Media, Embedded) ([]caption.Track, error) {
	return w.within, w.call()
}

func (w *world) Exists(_ context.Context, _, key string) (bool, error) {
	return w.taken[key], w.call()
}

func (w *world) Close() {}

// probe finds ten seconds of film with sound.
func (w *world) probe(context.Context, source.Media) (Probed, error) {
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
		Embedded: Embedded{Texts: []CaptionStream{{2, "eng"}}},
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

// document is a job over inputs with two sealed outputs.
func (w *world) document(key string, inputs ...string) {
	var all []job.Input
	for _, input := range inputs {
		all = append(all, job.Input{Key: input})
	}
	body, err := json.Marshal(job.Request{
		PipelineID: defaultID, Inputs: all, OutputKeyPrefix: "x/",
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
