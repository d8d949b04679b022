package assemble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sealreel/pkg/fragment"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object/objecttest"
	"sealreel/pkg/part"
	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
	"sealreel/pkg/still"
	"sealreel/pkg/task"
)

const id = "1772443815204-sj3m0y"

var errCrash = errors.New("the function is killed")

// world is all that an assembler works on. At one of its calls, or from one on,
// the function dies.
type world struct {
	state  objecttest.Memory
	ledger *ledger.Ledger
	stored map[string]string // by key
	owner  map[string]string
	works  map[string][]byte
	told   []string // states of the job
	mu     sync.Mutex
	calls  int
	dies   int

	warnings []string
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

func (w *world) assembler() *Assembler {
	return &Assembler{Ledger: w.ledger, Herald: w, Open: func(context.Context, plan.Keys) (Vault, error) { return w, nil }, Log: slog.New(slog.DiscardHandler)}
}

func (w *world) Announce(_ context.Context, rec *ledger.Record) {
	w.told = append(w.told, rec.Job.Status)
}

// store creates an object as package vault does.
func (w *world) store(key, owner string, r io.Reader) (int64, error) {
	body, err := io.ReadAll(r)
	if err != nil {
		return 0, err
	}
	if err := w.call(); err != nil {
		return 0, err
	}
	w.mu.Lock()
	old, taken := w.stored[key]
	w.mu.Unlock()
	if taken {
		if w.owner[key] != owner {
			return 0, job.OutputExists("out", key)
		}
		if old != string(body) {
			return 0, fmt.Errorf("%s comes out differently the second time", key)
		}
	}
	w.mu.Lock()
	w.stored[key], w.owner[key] = string(body), owner
	w.mu.Unlock()
	return int64(len(body)), w.call() // it may be stored and the function die
}

func (w *world) Store(_ context.Context, o plan.Output, key, _ string, r io.Reader) (task.Sealed, error) {
	n, err := w.store(key, o.Job+o.ID, r)
	return task.Sealed{Bytes: n}, err
}

func (w *world) StorePlain(_ context.Context, _ plan.Output, key, _, owner string, r io.Reader) (int64, error) {
	return w.store(key, owner, r)
}

func (w *world) Work(_ context.Context, key string, size int64) (io.ReadCloser, error) {
	body, ok := w.works[key]
	if !ok || int64(len(body)) != size {
		return nil, fmt.Errorf("no work file %s of %d bytes", key, size)
	}
	return io.NopCloser(bytes.NewReader(body)), w.call()
}

func (w *world) Warnings() []string { return w.warnings }

func (w *world) Close() {}

// finished is a job of three outputs whose tasks are all done: segments, a file,
// and one that a chunk failed.
func finished(t *testing.T, changes ...func(*world, *plan.Plan)) *world {
	t.Helper()
	w := &world{stored: map[string]string{}, owner: map[string]string{}, works: map[string][]byte{}}
	w.ledger = ledger.New(&w.state, "state")
	req := &job.Request{
		Inputs: []job.Input{{Key: "film.mp4"}}, OutputKeyPrefix: "x/",
		Outputs:   []job.Output{{Key: "hls", SegmentDuration: "4"}, {Key: "web.mp4"}, {Key: "bad", SegmentDuration: "4"}},
		Playlists: []job.Playlist{{Name: "master", Format: "HLSv3", OutputKeys: []string{"hls"}}, {Name: "other", Format: "HLSv3", OutputKeys: []string{"hls", "bad"}}},
	}
	_, _, err := w.ledger.CreateJob(t.Context(), &ledger.Record{Job: job.New(id, req, time.UnixMilli(1))})
	check(t, err)
	p := &plan.Plan{Job: id, Groups: []plan.Group{{Picture: true, Rate: rational.Int(25), Frames: 200, Chunks: []plan.Chunk{{End: 100}, {First: 100, End: 200}}, Outputs: []int{0, 1, 2}}}}
	for i, o := range []plan.Output{{Key: "x/hls", Container: "ts", SegmentFrames: 100}, {Key: "x/web.mp4", Container: "mp4"}, {Key: "x/bad", Container: "ts", SegmentFrames: 100}} {
		o.Job, o.ID, o.Bucket, o.Sound, o.Picture = id, fmt.Sprint(i+1), "out", -1, &plan.Picture{}
		p.Outputs = append(p.Outputs, o)
	}
	for _, change := range changes {
		change(w, p)
	}
	_, err = w.ledger.CreatePlan(t.Context(), p)
	check(t, err)
	for chunk := range 2 {
		part := w.part(t, chunk)
		made := map[int]task.Made{
			0: {Segments: []task.Segment{{Key: fmt.Sprintf("x/hls%05d.ts", chunk), Bytes: 1000, Ticks: 4 * 90000}}, Codecs: []string{"avc1.42c01e"}},
			1: {Part: &part, Codecs: []string{"avc1.42c01e"}, Thumbnails: []task.Thumbnail{{Key: fmt.Sprintf("x/%05d.png", chunk+1)}}},
			2: {Segments: []task.Segment{{Key: fmt.Sprintf("x/bad%05d.ts", chunk), Bytes: 1000, Ticks: 4 * 90000}}, Codecs: []string{"avc1.42c01e"}},
		}
		if chunk == 0 {
			w.works["work/cover"] = []byte("the cover")
			m := made[1]
			m.Artwork = []task.Artwork{{File: task.WorkFile{Key: "work/cover", Size: 9}, Bytes: 9, Info: still.Info{Format: still.PNG}}}
			made[1] = m
		}
		if chunk == 1 {
			made[2] = task.Made{Failure: task.Failed(job.OutputExists("out", "x/bad00001.ts"))}
		}
		_, err = w.ledger.CreateReceipt(t.Context(), id, task.Chunk(0, chunk), &task.Receipt{Outputs: made})
		check(t, err)
	}
	return w
}

// part is a stretch of one hundred frames.
func (w *world) part(t *testing.T, chunk int) task.Part {
	t.Helper()
	track, err := fragment.NewTrack(12800, sampleEntry())
	check(t, err)
	index := part.NewIndexWriter(track)
	var data []byte
	for n := range 100 {
		at := int64(chunk*100+n) * 512
		sample := fragment.Sample{DTS: at, PTS: at, Duration: 512, Key: n == 0, Data: fmt.Appendf(nil, "frame %d;", chunk*100+n)}
		check(t, index.Add(sample))
		data = append(data, sample.Data...)
	}
	name := fmt.Sprintf("work/%d", chunk)
	w.works[name+".data"], w.works[name+".index"] = data, index.Bytes()
	return task.Part{
		Data:  task.WorkFile{Key: name + ".data", Size: int64(len(data))},
		Index: task.WorkFile{Key: name + ".index", Size: int64(len(w.works[name+".index"]))},
	}
}

// sampleEntry describes H.264 of 16x16 pixels (ISO/IEC 14496-12 and -15).
func sampleEntry() []byte {
	entry := append(make([]byte, 6), 0, 1)                           // data reference 1
	entry = append(append(entry, make([]byte, 16)...), 0, 16, 0, 16) // width and height
	entry = append(append(entry, make([]byte, 14)...), make([]byte, 32)...)
	entry = append(entry, 0, 24, 0xff, 0xff) // depth
	sps, pps := []byte{0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0x88, 0x88}, []byte{0x68, 0xce, 0x3c, 0x80}
	config := []byte{1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, byte(len(sps))}
	config = append(append(append(config, sps...), 1, 0, byte(len(pps))), pps...)
	return box("avc1", append(entry, box("avcC", config)...))
}

func box(name string, body []byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), name...), body...)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// assembleAll assembles every output, as often as an event would be delivered.
func (w *world) assembleAll(ctx context.Context, order []string) error {
	for _, output := range order {
		if err := w.assembler().Assemble(ctx, id, output); err != nil {
			return err
		}
	}
	return nil
}

// checkEnd holds what is there against what a job should come to.
func (w *world) checkEnd(t *testing.T, what string) {
	t.Helper()
	rec, err := w.ledger.Job(t.Context(), id)
	check(t, err)
	var got []string
	for _, o := range rec.Job.Outputs {
		got = append(got, o.Status+" "+o.StatusDetail[:min(4, len(o.StatusDetail))])
	}
	for _, p := range rec.Job.Playlists {
		got = append(got, p.Status+" "+p.StatusDetail[:min(4, len(p.StatusDetail))])
	}
	want := []string{"Complete ", "Complete ", "Error 3002", "Complete ", "Error 1001"}
	if !slices.Equal(got, want) || rec.Job.Status != job.Error {
		t.Errorf("%s: the job is %s with %q, want %q", what, rec.Job.Status, got, want)
	}
	keys := slices.Sorted(maps.Keys(w.stored))
	if !slices.Equal(keys, []string{"x/hls.m3u8", "x/master.m3u8", "x/web.mp4"}) {
		t.Errorf("%s: objects %q", what, keys)
	}
	if o := rec.Job.Outputs[0]; o.DurationMillis != 8000 || o.FileSize != 2000 || o.FrameRate != "25" {
		t.Errorf("%s: %+v", what, o)
	}
	result, err := w.ledger.Result(t.Context(), id, "2")
	check(t, err)
	if all := result.Thumbnails; len(all) != 2 || all[0].Key != "x/00001.png" || all[1].Key != "x/00002.png" {
		t.Errorf("%s: thumbnails %+v", what, all)
	}
	film := w.stored["x/web.mp4"]
	if cover := strings.Index(film, "the cover"); cover < strings.Index(film, "covr") || cover > strings.Index(film, "mdat") {
		t.Errorf("%s: the album's picture is at %d", what, cover)
	}
	if strings.Count(film, "frame ") != 200 || strings.Index(film, "moov") > strings.Index(film, "frame 0;") || !strings.Contains(film, "frame 99;frame 100;") {
		t.Errorf("%s: the file is not its parts with the index in front", what)
	}
}

func TestOutputsOfAJobInEveryOrder(t *testing.T) {
	for _, order := range [][]string{{"1", "2", "3"}, {"3", "2", "1"}, {"2", "2", "3", "1", "1", "2", "3"}} {
		w := finished(t)
		if err := w.assembleAll(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		w.checkEnd(t, fmt.Sprint(order))
		// The end is told of, and by whoever comes later once more: see package notify.
		if len(w.told) == 0 || w.told[0] != job.Error || len(order) == 3 && len(w.told) > 1 {
			t.Errorf("%v: told of %q", order, w.told)
		}
	}
}

// TestDeathAtEveryCall kills the function at each of its calls and delivers the
// events again: the same objects with the same bytes, and the job ends as it
// should (invariant 6).
func TestDeathAtEveryCall(t *testing.T) {
	order := []string{"1", "2", "3"}
	for n := 1; ; n++ {
		w := finished(t)
		w.state.Before = func(string, string) error { return w.call() }
		w.dies = n
		first := w.assembleAll(t.Context(), order)
		w.dies = 0
		what := fmt.Sprintf("killed at call %d", n)
		if first != nil && !errors.Is(first, errCrash) {
			t.Errorf("%s: error %v", what, first)
		}
		if err := w.assembleAll(t.Context(), order); err != nil {
			t.Fatalf("%s: the second delivery: %v", what, err)
		}
		w.checkEnd(t, what)
		if first == nil {
			break
		}
	}
}

// A playlist over some of the outputs shows as complete with the last of them,
// and is written by then.
func TestPlaylistIsThereWhenItShowsAsComplete(t *testing.T) {
	w := finished(t)
	check(t, w.assembleAll(t.Context(), []string{"1"}))
	rec, err := w.ledger.Job(t.Context(), id)
	check(t, err)
	if _, there := w.stored["x/master.m3u8"]; rec.Job.Playlists[0].Status != job.Complete || !there {
		t.Errorf("%+v, stored: %v", rec.Job.Playlists[0], there)
	}
}

func TestNamesThatAreTaken(t *testing.T) {
	w := finished(t)
	w.stored["x/hls.m3u8"], w.stored["x/master.m3u8"] = "theirs", "theirs"
	if err := w.assembleAll(t.Context(), []string{"1", "2", "3"}); err != nil {
		t.Fatal(err)
	}
	rec, err := w.ledger.Job(t.Context(), id)
	check(t, err)
	if o := rec.Job.Outputs; !strings.HasPrefix(o[0].StatusDetail, "3002 ") || o[1].Status != job.Complete {
		t.Errorf("%+v", o)
	}
	if p := rec.Job.Playlists[0]; !strings.HasPrefix(p.StatusDetail, "1001 ") || w.stored["x/master.m3u8"] != "theirs" || w.stored["x/hls.m3u8"] != "theirs" {
		t.Errorf("%+v", p)
	}
}

func TestMasterPlaylistsNameIsTaken(t *testing.T) {
	w := finished(t)
	w.stored["x/master.m3u8"] = "theirs"
	if err := w.assembleAll(t.Context(), []string{"1", "2", "3"}); err != nil {
		t.Fatal(err)
	}
	rec, err := w.ledger.Job(t.Context(), id)
	check(t, err)
	if p := rec.Job.Playlists[0]; p.Status != job.Error || !strings.HasPrefix(p.StatusDetail, "3002 ") || rec.Job.Outputs[0].Status != job.Complete {
		t.Errorf("%+v", p)
	}
}

// What is not ready is asked for again by whoever writes the last receipt.
// What the vault warns of is on the job before it ends, each once.
func TestWarningsOfTheVault(t *testing.T) {
	w := finished(t)
	w.warnings = []string{"without Permissions"}
	a := w.assembler()
	for _, output := range []string{"1", "2", "3"} {
		check(t, a.Assemble(t.Context(), id, output))
	}
	rec, err := w.ledger.Job(t.Context(), id)
	if err != nil || !job.Terminal(rec.Job.Status) || !slices.Equal(rec.Warnings, w.warnings) {
		t.Errorf("%q, %v", rec.Warnings, err)
	}
}

func TestNotReady(t *testing.T) {
	w := finished(t)
	check(t, w.state.Delete(t.Context(), "state", "receipts/"+id+"/"+task.Chunk(0, 0)+".json"))
	if err := w.assembler().Assemble(t.Context(), id, "1"); !errors.Is(err, errNotReady) || len(w.stored) > 0 {
		t.Errorf("error %v, stored %q", err, w.stored)
	}
	// A chunk that failed ends its output whatever the others do.
	check(t, w.assembler().Assemble(t.Context(), id, "3"))
	if r, err := w.ledger.Result(t.Context(), id, "3"); err != nil || r.Failure == nil {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestEventsThatAreNotOurs(t *testing.T) {
	w := finished(t)
	handle := w.assembler().Handle("state")
	event := func(bucket, key string) events.S3Event {
		r := events.S3EventRecord{}
		r.S3.Bucket.Name, r.S3.Object.URLDecodedKey = bucket, key
		return events.S3Event{Records: []events.S3EventRecord{r}}
	}
	for _, e := range []events.S3Event{{}, event("other", "ready/"+id+"/1.json"), event("state", "jobs/"+id+".json"),
		event("state", "ready/../x/1.json"), event("state", "ready/1772443815204-nobody/1.json")} {
		if err := handle(t.Context(), e); err != nil || len(w.stored) > 0 {
			t.Errorf("%+v: %v, stored %q", e, err, w.stored)
		}
	}
	if err := handle(t.Context(), event("state", "ready/"+id+"/9.json")); err == nil {
		t.Error("an output that the plan does not have is no error")
	}
	check(t, handle(t.Context(), event("state", "ready/"+id+"/1.json")))
	if len(w.stored) != 2 { // with the master playlist
		t.Errorf("stored %q", w.stored)
	}
}
