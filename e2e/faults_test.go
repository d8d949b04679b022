package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"sealreel/local/fault"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/notify"
	"sealreel/pkg/object"
	"sealreel/pkg/preset"
)

// faultRow is a fault by the name of its plan in the folder faults, or of what
// the stand-in for ffmpeg does, and what comes of a job.
type faultRow struct {
	name    string
	outcome string // as docs/faults.md has it: Complete, or Error and a code

	height  int  // of the picture, for the stand-in
	sound   bool // the job makes one long file of sound, which is uploaded in parts
	lifted  bool // the fault ends when the job was seen to wait
	sweeps  bool // reconcile has to help
	uploads int  // unfinished ones that may be left to the bucket's lifecycle
}

var faultTable = []faultRow{
	{name: "s3-slow-down-reading", outcome: "Complete"},
	{name: "s3-slow-down-writing", outcome: "Complete"},
	{name: "s3-internal-error", outcome: "Complete"},
	{name: "s3-outage", outcome: "Complete"},
	{name: "s3-reset-before", outcome: "Complete"},
	{name: "s3-reset-reading", outcome: "Complete"},
	{name: "s3-reset-reading-at-ingest", outcome: "Complete"},
	{name: "s3-reset-writing", outcome: "Complete"},
	{name: "s3-answer-lost", outcome: "Complete"},
	{name: "s3-multipart-answers-lost", outcome: "Complete", sound: true, uploads: 1},
	{name: "s3-conflict-409", outcome: "Complete"},
	{name: "s3-precondition-412", outcome: "Complete"},
	{name: "s3-slow-bodies", outcome: "Complete"},
	{name: "kms-throttled", outcome: "Complete"},
	{name: "kms-outage-short", outcome: "Complete"},
	{name: "kms-outage-at-ingest", outcome: "Complete", lifted: true, sweeps: true},
	{name: "sqs-fails", outcome: "Complete"},
	{name: "sqs-duplicates", outcome: "Complete"},
	{name: "sqs-reordered", outcome: "Complete"},
	{name: "sqs-lost", outcome: "Complete", sweeps: true},
	{name: "event-duplicated", outcome: "Complete"},
	{name: "event-lost", outcome: "Complete", sweeps: true},
	{name: "event-lost-ready", outcome: "Complete", sweeps: true},
	{name: "clock-skew", outcome: "Complete"},
	{name: "sns-fails", outcome: "Complete"},
	{name: "disk-full", outcome: "Complete"},
	{name: "out-of-memory", outcome: "Complete"},
	{name: "timeout-in-mid-upload", outcome: "Complete", sound: true, uploads: 1},
	{name: "killed-in-mid-upload", outcome: "Complete", sound: true, uploads: 1},
	{name: "ffmpeg-crashes", outcome: "Complete", height: crashesOnce},
	{name: "ffmpeg-crashes-always", outcome: "Error 9999", height: crashesAlways},
	{name: "ffmpeg-hangs", outcome: "Complete", height: hangsOnce},
	{name: "ffmpeg-floods-stderr", outcome: "Complete", height: floodsStderr},
	{name: "ffmpeg-grows", outcome: "Complete", height: growsOnce},
	{name: "ffmpeg-floods-output", outcome: "Error 4000", height: floodsOutput},
	{name: "ffmpeg-refuses", outcome: "Error 4000", height: refuses},
}

// faulted is a row's job.
type faulted struct {
	faultRow
	*testing.T
	prefix string // of its outputs, and of its document's key
	drop   ledger.Drop
	suffix atomic.Pointer[string] // ends the job's id, from the moment the drop is there
	id     string
	begun  time.Time
	rules  []string
	remove func()
}

// together is how many jobs are under way at a time, so that tests beside this
// one get their turns.
const together = 10

// TestFaults does a job under each fault: it comes to the outcome that the table
// of docs/faults.md says, exactly once, with the same media as without.
func TestFaults(t *testing.T) {
	t.Parallel() // it waits more than it works
	tryFaults(t, faultTable[:firstOfFFmpeg()], faultRow{name: undisturbedName}, faultRow{name: undisturbedName, sound: true})
}

// TestFaultsOfFFmpeg is TestFaults for what the stand-in for ffmpeg does, on a
// stack of its own, in another process of this test's program.
func TestFaultsOfFFmpeg(t *testing.T) {
	t.Parallel()
	if !hasStandIn() {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFaultsOfFFmpeg$", "-test.v")
		cmd.Env = append(os.Environ(), standInVariable+"=yes")
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Error(err)
		}
		return
	}
	tryFaults(t, faultTable[firstOfFFmpeg():], faultRow{name: undisturbedName, height: faultless})
}

// firstOfFFmpeg is the place of the first row that is about ffmpeg.
func firstOfFFmpeg() int {
	return slices.IndexFunc(faultTable, func(row faultRow) bool { return row.height > 0 })
}

// tryFaults does a job under each of the faults, and compares what comes of it with
// a job of its kind that nothing disturbs.
func tryFaults(t *testing.T, rows []faultRow, without ...faultRow) {
	topic := listen(t, jobTopic())
	film, tone := faultyFilm(t), faultyTone(t)
	undisturbed := []*faulted{}
	for _, row := range without {
		undisturbed = append(undisturbed, &faulted{faultRow: row, T: t})
	}
	jobs := slices.Clone(undisturbed)
	for _, row := range rows {
		jobs = append(jobs, &faulted{faultRow: row, T: t})
	}
	for i, f := range jobs {
		f.start(film, tone)
		if before := i - together; before >= 0 && !jobs[before].lifted && !jobs[before].sweeps {
			ended(t, jobs[before].id)
		}
	}
	for _, f := range undisturbed {
		completed(t, f.id)
	}
	var report strings.Builder
	table := tabwriter.NewWriter(&report, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "fault\tfired\toutcome\tseconds")
	for _, f := range jobs[len(undisturbed):] {
		t.Run(f.name, func(t *testing.T) {
			f.T = t
			rec := f.end()
			f.check(rec, undisturbed[slices.IndexFunc(undisturbed, f.isLike)])
			fmt.Fprintf(table, "%s\t%d\t%s\t%.1f\n", f.name, len(f.fired()), f.came(rec), time.UnixMilli(rec.Job.Timing.FinishTimeMillis).Sub(f.begun).Seconds())
		})
	}
	table.Flush()
	t.Logf("%d faults\n%s", len(rows), &report)
	for _, f := range jobs {
		if want := f.states(); !slices.Equal(topic.of(t, f.id), want) {
			t.Errorf("%s: the topic was told %q, want %q", f.name, topic.of(t, f.id), want)
		}
	}
}

// faultyFilm is media of two chunks; faultyTone sound whose output is uploaded in
// parts.
func faultyFilm(t *testing.T) string {
	return clip(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=6", "-f", "lavfi", "-i", "sine=f=440:r=44100:d=6",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "aac", "-shortest")
}

func faultyTone(t *testing.T) string {
	return clip(t, "in.flac", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=60", "-c:a", "flac")
}

// undisturbedName is that of the jobs that the others are compared with: one of
// each kind.
const undisturbedName = "none"

// isLike says whether another row's job is of the same kind.
func (f *faulted) isLike(other *faulted) bool {
	return f.sound == other.sound && (f.height > 0) == (other.height > 0)
}

// start drops the row's job behind its rules.
func (f *faulted) start(film, tone string) {
	name, key := "faults-"+f.name+"-"+decimalOf(counter.Add(1)), wrapped(f.T)
	f.prefix = name + "/"
	media := film
	if f.sound {
		media = tone
	}
	upload(f.T, name+".media", media, key)
	f.install()
	request := job.Request{PipelineID: site.pipeline, Inputs: []job.Input{{Key: name + ".media", Encryption: key}}, OutputKeyPrefix: f.prefix, Outputs: f.outputs()}
	if !f.sound {
		request.Playlists = []job.Playlist{{Name: "master", Format: "HLSv3", OutputKeys: []string{"hls"}}}
	}
	document, err := json.Marshal(request)
	if err != nil {
		f.Fatal(err)
	}
	f.begun = time.Now()
	f.drop = version(f.T, f.prefix+"a.job.json", document, nil)
	id := job.NewID(time.Now(), f.drop.Bucket, f.drop.Key, f.drop.VersionID)
	suffix := id[strings.IndexByte(id, '-'):]
	f.suffix.Store(&suffix)
	if !f.lifted && !f.sweeps {
		f.id = claimed(f.T, f.drop)
	}
}

func (f *faulted) outputs() []job.Output {
	sealed := func() *job.Encryption { return &job.Encryption{Mode: job.ModeSSEC} }
	if f.sound {
		audio := pcm("16", "48000", "2")
		return []job.Output{{Key: "tone.wav", PresetID: customPreset(f.T, preset.Preset{Container: "wav", Audio: &audio}), Encryption: sealed()}}
	}
	segmented, single := systemPreset+"200050", systemPreset+"000040"
	if f.height > 0 {
		v := lossless("auto")
		v.MaxWidth, v.MaxHeight, v.SizingPolicy, v.PaddingPolicy = decimalOf(faultyWidth), decimalOf(int64(f.height)), "Stretch", "NoPad"
		a := &preset.Audio{Codec: "AAC", SampleRate: "44100", BitRate: "64", Channels: "2"}
		segmented, single = customPreset(f.T, preset.Preset{Container: "ts", Video: v, Audio: a}), customPreset(f.T, preset.Preset{Container: "mp4", Video: v, Audio: a})
	}
	return []job.Output{{Key: "hls", PresetID: segmented, SegmentDuration: "4", Encryption: sealed()}, {Key: "web.mp4", PresetID: single, Encryption: sealed()}}
}

// install puts the rules of the row's plan in force, for its job only.
func (f *faulted) install() {
	f.remove = func() {}
	plan, err := fault.ReadFile(filepath.Join("..", "faults", f.name+".json"))
	if errors.Is(err, os.ErrNotExist) && (f.height > 0 || f.name == undisturbedName) {
		return // the stand-in is all the fault, or there is none
	}
	if err != nil {
		f.Fatal(err)
	}
	for i := range plan.Rules {
		r := &plan.Rules[i]
		r.Name = f.name + ": " + r.Name
		r.When.Match = f.isMine
		f.rules = append(f.rules, r.Name)
	}
	if f.remove, err = site.AddFaults(plan.Rules...); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { f.remove() })
}

// isMine says whether a call is made for the row's job.
func (f *faulted) isMine(c fault.Call) bool {
	about := func(text string) bool { return strings.Contains(c.Event, text) || strings.Contains(c.Resource, text) }
	suffix := f.suffix.Load()
	return about(f.prefix) || suffix != nil && about(*suffix)
}

func (f *faulted) fired() (all []fault.Fired) {
	for _, fired := range site.Faults() {
		if slices.Contains(f.rules, fired.Rule) {
			all = append(all, fired)
		}
	}
	return all
}

// end waits for the job's end.
func (f *faulted) end() *ledger.Record {
	if f.lifted {
		eventually(f.T, time.Minute, "a record of the event that failed", func() bool { return len(f.fired()) >= 10 })
		f.remove()
	}
	if !f.sweeps {
		return ended(f.T, f.id)
	}
	var rec *ledger.Record
	sweep(f.T, "the end of the job", func() bool {
		claim, err := site.ledger.Claimed(f.Context(), f.drop)
		if err != nil {
			return false
		}
		f.id = claim.Job
		rec, err = site.ledger.Job(f.Context(), f.id)
		return err == nil && job.Terminal(rec.Job.Status)
	})
	return rec
}

// came is what became of a job, as the table has it.
func (f *faulted) came(rec *ledger.Record) string {
	if rec.Job.Status != job.Error {
		return rec.Job.Status
	}
	code, _, _ := strings.Cut(rec.Job.Outputs[0].StatusDetail, " ")
	return job.Error + " " + code
}

func (f *faulted) states() []string {
	if strings.HasPrefix(f.outcome, job.Error) {
		return []string{notify.Error, notify.Progressing}
	}
	return []string{notify.Completed, notify.Progressing}
}

// check compares a job's outcome and all that it left with one without faults.
func (f *faulted) check(rec *ledger.Record, like *faulted) {
	if got := f.came(rec); got != f.outcome {
		f.Errorf("the job is %s, want %s: %s", got, f.outcome, details(rec))
	}
	if len(f.rules) > 0 && len(f.fired()) == 0 {
		f.Error("the fault never fired")
	}
	for _, name := range f.rules {
		if !slices.ContainsFunc(f.fired(), func(x fault.Fired) bool { return x.Rule == name }) {
			f.Errorf("%s: it never fired", name)
		}
	}
	if f.height > 0 && !stoodIn(f.height) {
		f.Error("the stand-in for ffmpeg did nothing")
	}
	// Of two functions that tell of a job at once, each may leave its mark to the
	// other: then the next round of reconcile takes it away.
	marked := func() bool {
		_, _, err := site.store.Get(f.Context(), site.state, "active/"+f.id+".json")
		return !errors.Is(err, object.ErrNotExist)
	}
	for end := time.Now().Add(3 * time.Second); marked() && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	if marked() {
		sweep(f.T, "the end of the job's mark", func() bool { return !marked() })
	}
	if left := uploadsUnderWay(f.T, f.prefix); len(left) > f.uploads {
		f.Errorf("unfinished uploads: %q", left)
	}
	if rec.Job.Status == job.Complete {
		f.same(rec, like)
	} else if got := keys(f.T, f.prefix); slices.ContainsFunc(got, func(k string) bool { return !strings.HasSuffix(k, ".ts") }) {
		f.Errorf("of a job that failed there is %q", got)
	}
}

// same compares what the job made with what the undisturbed one made.
func (f *faulted) same(rec *ledger.Record, like *faulted) {
	want, err := site.ledger.Job(f.Context(), like.id)
	if err != nil {
		f.Fatal(err)
	}
	if got, want := bare(keys(f.T, f.prefix), f.prefix), bare(keys(f.T, like.prefix), like.prefix); !slices.Equal(got, want) {
		f.Errorf("there is %q, want %q", got, want)
	}
	for output, o := range rec.Job.Outputs {
		got, pattern := f.media(rec, output), like.media(want, output)
		switch {
		case f.height > 0: // another picture
			if n, m := len(frames(f.T, save(f.T, "got", got))), len(frames(f.T, save(f.T, "want", pattern))); n != m {
				f.Errorf("%s has %d frames, want %d", o.Key, n, m)
			}
		case f.sound || strings.HasSuffix(o.Key, ".mp4"):
			if !bytes.Equal(got, pattern) {
				f.Errorf("%s differs, in %d bytes from %d", o.Key, len(got), len(pattern))
			}
		default:
			sameFrames(f.T, hashes(f.T, save(f.T, "got.ts", got), ""), hashes(f.T, save(f.T, "want.ts", pattern), ""))
		}
	}
}

// media is all that an output has, decrypted, in order.
func (f *faulted) media(rec *ledger.Record, output int) []byte {
	var all [][]byte
	for _, k := range keys(f.T, f.prefix+rec.Job.Outputs[output].Key) {
		if !strings.HasSuffix(k, ".m3u8") {
			all = append(all, fetch(f.T, rec, output, k))
		}
	}
	return bytes.Join(all, nil)
}

func bare(keys []string, prefix string) []string {
	for i := range keys {
		keys[i] = strings.TrimPrefix(keys[i], prefix)
	}
	return keys
}

func decimalOf(n int64) string { return fmt.Sprint(n) }

// TestFaultsAreDocumented holds docs/faults.md, the plans and the table together.
func TestFaultsAreDocumented(t *testing.T) {
	documented := map[string]string{} // outcomes
	_, table, _ := strings.Cut(string(read(t, "../docs/faults.md")), "## The table")
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 4 && strings.Contains(cells[1], "`") {
			documented[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[3])
		}
	}
	tested := map[string]string{}
	for _, row := range faultTable {
		tested[row.name] = row.outcome
	}
	if !maps.Equal(documented, tested) {
		t.Errorf("docs/faults.md has %v, the test %v", documented, tested)
	}
	plans, err := filepath.Glob("../faults/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range plans {
		if _, ok := tested[strings.TrimSuffix(filepath.Base(file), ".json")]; !ok {
			t.Errorf("no test has the plan %s", file)
		}
		if _, err := fault.ReadFile(file); err != nil {
			t.Error(err)
		}
	}
}
