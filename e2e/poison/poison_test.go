package poison

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/object"
	"sealreel/pkg/preset"
	"sealreel/pkg/s3store"
)

// What any file may cost at most: the memory of a function with the ffmpeg that
// it runs, and how long one invocation lasts.
const (
	mostMemory = 2 << 30
	mostTime   = 90 * time.Second
)

var (
	whole = flag.Bool("whole", false, "take the whole corpus, not a few files of each kind")
	only  = flag.String("kind", "", "take the kinds alone whose names match this regular expression")
	keep  = flag.Bool("keep", false, "keep the logs of the functions and of strace")
)

// TestPoison drops the corpus, kind by kind. Each job ends, Complete or with an
// error of the closed set, within bounds of memory and time, and what its media
// name is left alone (invariants 8 and 10).
func TestPoison(t *testing.T) {
	if testing.Short() {
		t.Skip("whole jobs")
	}
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	scale := Scale{Damages: 2, PerKind: 2}
	if *whole {
		scale = Scale{Damages: 6}
	}
	samples, err := Corpus(ffmpeg, t.TempDir(), site.lures, scale)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	p := makePresets(t)
	var table strings.Builder
	fmt.Fprintf(&table, "%-40s %5s %7s %8s  %s\n", "kind", "files", "longest", "peak", "outcomes")
	total := row{outcomes: map[string]int{}}
	for kind := range inOrder(samples) {
		if !wanted.MatchString(kind) {
			continue
		}
		r := take(t, p, kind, slices.DeleteFunc(slices.Clone(samples), func(s Sample) bool { return s.Kind != kind }))
		fmt.Fprintf(&table, "%-40s %s\n", kind, r)
		total.add(r)
	}
	fmt.Fprintf(&table, "%-40s %s", "all", total)
	t.Logf("\n%s", table.String())
	if n := site.asked.Load(); n > 0 {
		t.Errorf("media made the functions connect to another server %d times", n)
	}
	if site.watch == nil {
		t.Log("strace is not installed: what ffmpeg opened was not watched")
		return
	}
	site.watch.check(t)
}

// inOrder are the kinds, in the order of the corpus.
func inOrder(samples []Sample) func(func(string) bool) {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for _, s := range samples {
			if !seen[s.Kind] && !yield(s.Kind) {
				return
			}
			seen[s.Kind] = true
		}
	}
}

// row is what became of the files of a kind.
type row struct {
	files    int
	longest  time.Duration // of an invocation
	memory   int64
	outcomes map[string]int
}

func (r *row) add(other row) {
	r.files += other.files
	r.longest, r.memory = max(r.longest, other.longest), max(r.memory, other.memory)
	for code, n := range other.outcomes {
		r.outcomes[code] += n
	}
}

func (r row) String() string {
	var codes []string
	for _, code := range slices.Sorted(maps.Keys(r.outcomes)) {
		codes = append(codes, fmt.Sprintf("%s x%d", code, r.outcomes[code]))
	}
	return fmt.Sprintf("%5d %6.1fs %4d MiB  %s", r.files, r.longest.Seconds(), r.memory>>20, strings.Join(codes, ", "))
}

// together is how many jobs there are at a time.
const together = 8

// take drops files, some at a time, and waits for the ends of their jobs.
func take(t *testing.T, p presets, kind string, samples []Sample) row {
	t.Helper()
	all := row{outcomes: map[string]int{}}
	for few := range slices.Chunk(samples, together) {
		all.add(takeTogether(t, p, kind, few))
	}
	return all
}

func takeTogether(t *testing.T, p presets, kind string, samples []Sample) row {
	t.Helper()
	site.mu.Lock()
	site.reports = nil
	site.mu.Unlock()
	ids := make([]string, len(samples))
	for i, s := range samples {
		drops++
		ids[i] = p.drop(t, fmt.Sprintf("%s/%d", strings.ReplaceAll(kind, " ", "-"), drops), s)
	}
	r := row{files: len(samples), outcomes: map[string]int{}}
	for i, id := range ids {
		rec := ended(t, kind+": "+samples[i].Name, id)
		if rec == nil {
			r.outcomes["hangs"]++
			continue
		}
		code := outcome(t, samples[i], rec)
		r.outcomes[code]++
		t.Logf("%s: %s (%d bytes, %s): %s", kind, samples[i].Name, len(samples[i].Data), id, cmp.Or(detail(rec), rec.Job.Status))
	}
	site.mu.Lock()
	defer site.mu.Unlock()
	for _, report := range site.reports {
		r.longest, r.memory = max(r.longest, report.Duration), max(r.memory, report.Memory)
		if report.FunctionError != "" {
			t.Errorf("%s: %s failed: %s", kind, report.Function, report.Payload)
		}
	}
	if r.longest > mostTime || r.memory > mostMemory {
		t.Errorf("%s: an invocation took %v and %d MiB; at most %v and %d MiB are wanted", kind, r.longest, r.memory>>20, mostTime, mostMemory>>20)
	}
	return r
}

// outcome is Complete or the code of a job's first error, which must be of the
// closed set.
func outcome(t *testing.T, s Sample, rec *ledger.Record) string {
	t.Helper()
	if rec.Job.Status == job.Complete {
		return job.Complete
	}
	code, _, _ := strings.Cut(detail(rec), " ")
	n, err := strconv.Atoi(code)
	if rec.Job.Status != job.Error || err != nil || n < 1000 || n > 9999 {
		t.Errorf("%s: %s ends as %s %q, which is no error of the closed set", s.Kind, s.Name, rec.Job.Status, detail(rec))
	}
	if job.Code(n) == job.CodeInternal {
		t.Errorf("%s: %s (job %s) ends with an internal error", s.Kind, s.Name, rec.Job.ID)
	}
	return code
}

// detail is what a job says of its failure.
func detail(rec *ledger.Record) string {
	for _, o := range rec.Job.Outputs {
		if o.StatusDetail != "" {
			return o.StatusDetail
		}
	}
	return strings.Join(rec.Warnings, "; ")
}

// ended waits for the end of a job, and has reconcile look at what stopped. Nil
// if it doesn't end.
func ended(t *testing.T, what, id string) *ledger.Record {
	t.Helper()
	begun, reconciled := time.Now(), time.Now()
	for time.Since(begun) < 4*mostTime {
		rec, err := site.ledger.Job(t.Context(), id)
		if err != nil && !errors.Is(err, object.ErrNotExist) {
			t.Fatal(err)
		}
		if err == nil && job.Terminal(rec.Job.Status) {
			return rec
		}
		if time.Since(reconciled) > stallSeconds*time.Second {
			reconciled = time.Now()
			t.Logf("%s: job %s stands still, reconcile looks at it", what, id)
			if _, err := site.Trigger("ReconcileFunction", "Sweep"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%s: job %s does not end", what, id)
	return nil
}

// presets are the ids of those that jobs use, by the role of the poison.
type presets struct{ picture, marked, sound string }

func makePresets(t *testing.T) presets {
	t.Helper()
	video := preset.Video{Codec: "H.264", CodecOptions: map[string]string{"Profile": "main", "Level": "3", "MaxReferenceFrames": "3"}, BitRate: "200", FrameRate: "auto",
		KeyframesMaxDist: "50", FixedGOP: "false", MaxWidth: "160", MaxHeight: "120", SizingPolicy: "ShrinkToFit", PaddingPolicy: "NoPad", DisplayAspectRatio: "auto"}
	audio := preset.Audio{Codec: "AAC", SampleRate: "44100", BitRate: "64", Channels: "2", CodecOptions: &preset.AudioOptions{Profile: "AAC-LC"}}
	thumbnails := preset.Thumbnails{Format: "png", Interval: "60", MaxWidth: "64", MaxHeight: "48", SizingPolicy: "ShrinkToFit", PaddingPolicy: "NoPad"}
	marked := video
	marked.Watermarks = []preset.Watermark{{ID: "a", MaxWidth: "50%", MaxHeight: "50%", SizingPolicy: "ShrinkToFit", HorizontalAlign: "Left", HorizontalOffset: "0px",
		VerticalAlign: "Top", VerticalOffset: "0px", Opacity: "100", Target: "Content"}}
	return presets{
		picture: store(t, preset.Preset{Container: "mp4", Video: &video, Audio: &audio, Thumbnails: &thumbnails}),
		marked:  store(t, preset.Preset{Container: "mp4", Video: &marked}),
		sound:   store(t, preset.Preset{Container: "mp4", Audio: &audio}),
	}
}

// How many presets were stored and files dropped: parts of their names.
var stored, drops int

func store(t *testing.T, p preset.Preset) string {
	t.Helper()
	stored++
	p.ID, p.Name, p.Type = fmt.Sprintf("1762992000002-%06d", stored), "for poison", preset.TypeCustom
	body, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := preset.Parse(body); err != nil {
		t.Fatal(err)
	}
	upload(t, site.state, "presets/"+p.ID+".json", body, false)
	return p.ID
}

// drop drops a file and the document of the job that uses it, and returns the
// job's id.
func (p presets) drop(t *testing.T, prefix string, s Sample) string {
	t.Helper()
	in, poison := prefix+"/in.mp4", prefix+"/"+s.Name
	out := job.Output{Key: "out.mp4", PresetID: p.picture, ThumbnailPattern: "thumb-{count}", Encryption: &job.Encryption{Mode: job.ModeSSEC}}
	input := job.Input{Key: in, Encryption: site.key}
	switch s.Role {
	case Picture:
		input.Key = poison
	case Sound:
		input.Key, out.PresetID, out.ThumbnailPattern = poison, p.sound, ""
	case Mark:
		out.PresetID, out.ThumbnailPattern = p.marked, ""
		out.Watermarks = []job.Watermark{{PresetWatermarkID: "a", InputKey: poison, Encryption: site.key}}
	case Album:
		out.PresetID, out.ThumbnailPattern = p.sound, ""
		out.AlbumArt = &job.AlbumArt{MergePolicy: "Append", Artwork: []job.Artwork{{InputKey: poison, Encryption: site.key,
			MaxWidth: "100", MaxHeight: "100", SizingPolicy: "Fit", PaddingPolicy: "Pad", AlbumArtFormat: "jpg"}}}
		if strings.HasSuffix(s.Name, ".mp3") { // the picture is in the media
			input.Key, out.AlbumArt = poison, &job.AlbumArt{MergePolicy: "Append", Artwork: []job.Artwork{}}
		}
	case Captions:
		input.InputCaptions = &job.InputCaptions{MergePolicy: "MergeOverride", CaptionSources: []job.CaptionSource{{Key: poison, Language: "en", Encryption: site.key}}}
		out.Captions = &job.Captions{CaptionFormats: []job.CaptionFormat{{Format: "webvtt", Pattern: "c-{language}"}}}
	}
	upload(t, site.ingest, poison, s.Data, true)
	if input.Key == in {
		upload(t, site.ingest, in, good(t), true)
	}
	document, err := json.Marshal(job.Request{PipelineID: site.pipeline, OutputKeyPrefix: prefix + "/", Inputs: []job.Input{input}, Outputs: []job.Output{out}})
	if err != nil {
		t.Fatal(err)
	}
	d := ledger.Drop{Bucket: site.ingest, Key: prefix + ".job.json"}
	d.VersionID = upload(t, d.Bucket, d.Key, document, false)
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if claim, err := site.ledger.Claimed(t.Context(), d); err == nil {
			return claim.Job
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("no job for %s", d.Key)
		}
	}
}

var goodMedia []byte

// good is a film without anything wrong.
func good(t *testing.T) []byte {
	t.Helper()
	if goodMedia == nil {
		all, err := film("ffmpeg", t.TempDir(), recipes[:1])
		if err != nil {
			t.Fatal(err)
		}
		goodMedia = all[0].data
	}
	return goodMedia
}

// upload stores an object, sealed or not, and returns its version.
func upload(t *testing.T, bucket, key string, body []byte, sealed bool) string {
	t.Helper()
	target := s3store.UploadTarget{Bucket: bucket, Key: key}
	if sealed {
		target.Material = site.material
	}
	stored, err := site.store.Upload(t.Context(), target, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return stored.VersionID
}
