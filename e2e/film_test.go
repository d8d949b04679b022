package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
	"sealreel/pkg/s3store"
)

// film is the decoded picture of a file: when each frame is shown, in units of
// base, and the hash of what it shows. End is when the last of them ends.
type film struct {
	base   rational.Rational
	pts    []int64
	hashes []string
	end    int64
}

// decode decodes the first video stream of a file. Times are ffprobe's, the
// pictures are those of ffmpeg after the filters.
func decode(t *testing.T, file, filters string) film {
	t.Helper()
	var f film
	var probed struct {
		Streams []struct {
			TimeBase string `json:"time_base"`
		}
		Frames []struct {
			PTS      int64 `json:"best_effort_timestamp"`
			Duration int64 `json:"pkt_duration"`
		}
	}
	show := ffprobe(t, "-select_streams", "v:0", "-show_entries", "stream=time_base:frame=best_effort_timestamp,pkt_duration", "-of", "json", file)
	if err := json.Unmarshal([]byte(show), &probed); err != nil {
		t.Fatal(err)
	}
	f.base = parse(t, probed.Streams[0].TimeBase)
	for _, frame := range probed.Frames {
		f.pts = append(f.pts, frame.PTS)
		f.end = max(f.end, frame.PTS+frame.Duration)
	}
	f.hashes = hashes(t, file, filters)
	if len(f.hashes) != len(f.pts) {
		t.Fatalf("%s: ffmpeg decodes %d frames and ffprobe %d", file, len(f.hashes), len(f.pts))
	}
	return f
}

// hashes are those of the frames of the first video stream after the filters.
func hashes(t *testing.T, file, filters string, seek ...string) []string {
	t.Helper()
	if filters == "" {
		filters = "null"
	}
	args := append(slices.Clone(seek), "-i", file, "-map", "0:v:0", "-vf", filters, "-fps_mode", "passthrough", "-f", "framemd5", "-")
	var all []string
	for line := range strings.Lines(ffmpeg(t, args...)) {
		if !strings.HasPrefix(line, "#") {
			fields := strings.Split(line, ",")
			all = append(all, strings.TrimSpace(fields[len(fields)-1]))
		}
	}
	return all
}

// held is what a constant rate shows of the film from a time zero in units of
// its base: at each place the last frame whose nearest place is not after it,
// the first one before that. It is written from the contract and knows nothing
// of filters.
func (f film) held(rate rational.Rational, zero int64) []string {
	place := func(pts int64) int64 { return f.base.Mul(rate).Round(pts - zero) }
	last := len(f.pts) - 1
	all := make([]string, max(place(f.end), 1))
	i := 0
	for n := range all {
		for i < last && place(f.pts[i+1]) <= int64(n) {
			i++
		}
		all[n] = f.hashes[i]
	}
	return all
}

// onGrid complains unless frame n is shown n/rate after the first, to the
// nearest tick.
func (f film) onGrid(t *testing.T, rate rational.Rational) {
	t.Helper()
	ticks := rate.Mul(f.base).Inv()
	for n, pts := range f.pts {
		if want := ticks.Round(int64(n)); pts-f.pts[0] < want-1 || pts-f.pts[0] > want+1 {
			t.Errorf("frame %d is shown %d ticks of %v after the first, want %d", n, pts-f.pts[0], f.base, want)
			return
		}
	}
}

// sameFrames complains where two runs of frames differ.
func sameFrames(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d frames, want %d", len(got), len(want))
	}
	wrong := 0
	for n := range min(len(got), len(want)) {
		if got[n] == want[n] {
			continue
		}
		if wrong++; wrong <= 3 {
			t.Errorf("frame %d shows picture %d of the source, want picture %d", n, slices.Index(want, got[n]), slices.Index(want, want[n]))
		}
	}
	if wrong > 3 {
		t.Errorf("%d frames differ in all", wrong)
	}
}

func parse(t *testing.T, text string) rational.Rational {
	t.Helper()
	r, err := rational.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// silently decodes a file, of which ffmpeg must have nothing to say.
func silently(t *testing.T, file string) {
	t.Helper()
	if said := warnings(t, "-i", file, "-map", "0", "-fps_mode", "passthrough", "-f", "null", "-"); said != "" {
		t.Errorf("decoding %s: %.2000s", file, said)
	}
}

// warnings are what ffmpeg has to say of a command that must succeed.
func warnings(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("ffmpeg", append([]string{"-v", "warning", "-nostdin"}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%.2000s", strings.Join(args, " "), err, said.String())
	}
	return said.String()
}

// customPreset stores a preset and returns its id.
func customPreset(t *testing.T, p preset.Preset) string {
	t.Helper()
	p.ID = fmt.Sprintf("1762992000001-%06d", counter.Add(1))
	p.Name, p.Type = "for a test", preset.TypeCustom
	body, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := preset.Parse(body); err != nil {
		t.Fatal(err)
	}
	target := s3store.UploadTarget{Bucket: site.state, Key: "presets/" + p.ID + ".json"}
	if _, err := site.store.Upload(t.Context(), target, bytes.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	return p.ID
}

// lossless is a picture in which a decoder finds each pixel again.
func lossless(rate string) *preset.Video {
	return &preset.Video{Codec: "H.264", FrameRate: rate, KeyframesMaxDist: "50", FixedGOP: "false", MaxWidth: "auto", MaxHeight: "auto",
		Sealreel: &preset.Additions{RateFactor: "0"}}
}

// running is a job that was dropped, and the media of its outputs once it is
// complete.
type running struct {
	id, prefix string
	rec        *ledger.Record
}

// drop puts a sealed file and the job that reads it into the ingest bucket. The
// keys of outputs lie under a prefix of their own, and each is sealed.
func drop(t *testing.T, file string, outputs []job.Output, lists ...job.Playlist) *running {
	t.Helper()
	name := unique(t)
	key := wrapped(t)
	for i := range outputs {
		outputs[i].Encryption = &job.Encryption{Mode: job.ModeSSEC}
	}
	upload(t, name, file, key)
	return &running{prefix: name + "/", id: submit(t, job.Request{
		Inputs: []job.Input{{Key: name, Encryption: key}}, OutputKeyPrefix: name + "/", Outputs: outputs, Playlists: lists,
	})}
}

// wait waits until the job is complete.
func (r *running) wait(t *testing.T) *ledger.Record {
	t.Helper()
	r.rec = completed(t, r.id)
	return r.rec
}

// file is a single-file output, decrypted.
func (r *running) file(t *testing.T, output int) string {
	t.Helper()
	key := r.rec.Job.Outputs[output].Key
	return save(t, key, fetch(t, r.rec, output, r.prefix+key))
}

// integer reads a number that a program printed.
func integer(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
