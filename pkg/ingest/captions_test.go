package ingest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/caption"
	"sealreel/pkg/job"
	"sealreel/pkg/ledger"
	"sealreel/pkg/plan"
	"sealreel/pkg/role"
	"sealreel/pkg/source"
)

const oneCaption = "1\n00:00:01,000 --> 00:00:02,000\nHello\n"

// captioned drops a job over a film, one output for each of the captions, and
// returns its plan.
func (w *world) captioned(t *testing.T, in *job.InputCaptions, outputs ...job.Captions) (*plan.Plan, *ledger.Record) {
	t.Helper()
	w.media["film.mp4"] = "v1"
	req := job.Request{PipelineID: defaultID, Inputs: []job.Input{{Key: "film.mp4", InputCaptions: in}}, OutputKeyPrefix: "x/"}
	for i := range outputs {
		req.Outputs = append(req.Outputs, job.Output{Key: strings.Repeat("a", i+1) + ".mp4", PresetID: "1351620000001-000010", Captions: &outputs[i]})
	}
	body, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	w.docs["a.job.json"] = body
	d, err := w.drop("a.job.json")
	if err != nil {
		t.Fatal(err)
	}
	rec := w.job(t, d)
	p, err := ledger.New(&w.state, "state").Plan(t.Context(), rec.Job.ID)
	if err != nil {
		t.Fatal(err, rec.Warnings, rec.Job.Outputs)
	}
	return p, rec
}

func formats(patterns ...string) job.Captions {
	var c job.Captions
	for _, p := range patterns {
		format, pattern, _ := strings.Cut(p, " ")
		c.CaptionFormats = append(c.CaptionFormats, job.CaptionFormat{Format: format, Pattern: pattern})
	}
	return c
}

// told are the languages and first texts of an output's captions.
func (w *world) captionsTold(t *testing.T, o plan.Output) string {
	t.Helper()
	var all []string
	for _, track := range o.Captions.Tracks {
		text := track.Language + "="
		for _, p := range track.Pieces {
			cues, err := caption.Unpack(w.works[p.File.Key])
			if err != nil || int64(len(w.works[p.File.Key])) != p.File.Size {
				t.Fatal(err, track)
			}
			text += fmt.Sprintf("%d:%s@%v", p.Take, cues[0].Text, cues[0].Start)
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// TestCaptionsArePlanned: every source is read once, merged with what is in the
// input as its policy says, and every format gets a key of its own.
func TestCaptionsArePlanned(t *testing.T) {
	w := newWorld()
	w.media["en.srt"], w.media["de.srt"] = "v2", "v3"
	w.bodies = map[string][]byte{"en.srt": []byte(oneCaption), "de.srt": []byte(strings.ReplaceAll(oneCaption, "Hello", "Hallo"))}
	w.within = []caption.Track{{Language: "eng", Cues: []caption.Cue{{Start: 0, End: time.Second, Text: "within"}}}}
	in := &job.InputCaptions{MergePolicy: "MergeRetain", CaptionSources: []job.CaptionSource{
		{Key: "en.srt", Language: "en"}, {Key: "de.srt", Language: "de", Label: "Deutsch", TimeOffset: "-1.5"}}}
	c := formats("mov-text", "srt {language}/text", "scc c-{language}")
	c.CaptionFormats[1].Encryption = &job.Encryption{Mode: job.ModeCTR}
	p, rec := w.captioned(t, in, c, formats("webvtt v-{language}"))
	for i := range p.Outputs {
		if p.Outputs[i].Failure != nil {
			t.Fatalf("%+v", p.Outputs[i].Failure)
		}
		if got := w.captionsTold(t, p.Outputs[i]); got != "eng=0:within@0s de=0:Hallo@-500ms" {
			t.Errorf("output %d has %s", i, got)
		}
	}
	if len(w.works) != 3 || w.pinned["de.srt"] != 1 {
		t.Errorf("%d tracks were stored, de.srt was pinned %d times", len(w.works), w.pinned["de.srt"])
	}
	tracks := p.Outputs[0].Captions.Tracks
	if source := tracks[1].Pieces[0].Source; tracks[0].Pieces[0].Source != nil || source == nil || source.VersionID != "v3" || tracks[1].Label != "Deutsch" {
		t.Errorf("%+v", tracks)
	}
	shown := rec.Job.Outputs[0].Captions.CaptionFormats
	if e := shown[1].Encryption; e == nil || e.Key == "" || *e != *p.Outputs[0].Captions.Formats[1].Encryption || shown[0].Encryption != nil {
		t.Errorf("the job shows %+v", shown)
	}
	var keys []string
	for _, f := range p.Outputs[0].CaptionFiles() {
		keys = append(keys, f.Key(0))
		if o := f.Output(); !o.Set() || o.Bucket != "out" {
			t.Errorf("%+v", o)
		}
	}
	if want := []string{"x/eng/text.srt", "x/de/text.srt", "x/c-eng.scc", "x/c-de.scc"}; !slices.Equal(keys, want) {
		t.Errorf("files %q, want %q", keys, want)
	}
	l := ledger.New(&w.state, "state")
	if e, err := l.Owner(t.Context(), "out", "x/c-de.scc"); err != nil || e != (ledger.Entry{Job: p.Job, Output: "1"}) {
		t.Errorf("the owner of a caption file: %+v, %v", e, err)
	}
}

// TestCaptionsOfSeveralInputs: an input that is taken twice is read once, and
// what one part has in a language that another lacks is left out.
func TestCaptionsOfSeveralInputs(t *testing.T) {
	w := newWorld()
	w.media["film.mp4"], w.media["other.mp4"] = "v1", "v1"
	for _, key := range []string{"de.srt", "en.srt", "fr.srt"} {
		w.media[key], w.bodies = "v1", map[string][]byte{"de.srt": []byte(oneCaption), "en.srt": []byte(oneCaption), "fr.srt": []byte(oneCaption)}
	}
	w.within = []caption.Track{{Language: "eng", Cues: []caption.Cue{{Start: 0, End: time.Second, Text: "within"}}}}
	beside := func(keys ...string) *job.InputCaptions {
		c := &job.InputCaptions{MergePolicy: "MergeOverride"}
		for _, key := range keys {
			c.CaptionSources = append(c.CaptionSources, job.CaptionSource{Key: key, Language: key[:2]})
		}
		return c
	}
	c := formats("srt {language}")
	body, err := json.Marshal(job.Request{PipelineID: defaultID, OutputKeyPrefix: "x/",
		Inputs: []job.Input{{Key: "film.mp4", InputCaptions: beside("de.srt", "fr.srt")}, {Key: "other.mp4", InputCaptions: beside("de.srt", "en.srt")},
			{Key: "film.mp4", TimeSpan: &job.TimeSpan{StartTime: "2"}, InputCaptions: beside("de.srt")}},
		Outputs: []job.Output{{Key: "a.mp4", PresetID: "1351620000001-000010", Captions: &c}}})
	if err != nil {
		t.Fatal(err)
	}
	w.docs["a.job.json"] = body
	d, err := w.drop("a.job.json")
	if err != nil {
		t.Fatal(err)
	}
	rec := w.job(t, d)
	p, err := ledger.New(&w.state, "state").Plan(t.Context(), rec.Job.ID)
	if err != nil || p.Outputs[0].Failure != nil {
		t.Fatal(err, rec.Warnings, rec.Job.Outputs)
	}
	if got, want := w.captionsTold(t, p.Outputs[0]), "eng=0:within@0s1:Hello@1s2:within@0s de=0:Hello@1s1:Hello@1s2:Hello@1s"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(w.works) != 2+3 {
		t.Errorf("%d tracks were stored, want those within two inputs and three files", len(w.works))
	}
}

// TestCaptionsThatCannotBeUsed fail the outputs that want them, and no other.
func TestCaptionsThatCannotBeUsed(t *testing.T) {
	bare := &job.Encryption{Mode: job.ModeCTR, Key: base64.StdEncoding.EncodeToString(make([]byte, 100)), KeyMd5: base64.StdEncoding.EncodeToString(make([]byte, 16)), InitializationVector: base64.StdEncoding.EncodeToString(make([]byte, 16))}
	for _, c := range []struct {
		key, body string
		e         *job.Encryption
		format    string
		code      job.Code
	}{
		{"a.srt", oneCaption, nil, "srt {language}", 0},
		{"a.srt", "nothing", nil, "srt {language}", 4101},
		{"a.srt", strings.ReplaceAll(oneCaption, "Hello", "\xff"), nil, "srt {language}", 4102},
		{"a.srt", "what a wrong key gives", bare, "srt {language}", 4016},
		{"gone.srt", "", nil, "srt {language}", 3001},
		{"a.srt", strings.ReplaceAll(oneCaption, "Hello", "中文"), nil, "scc {language}", 1000},
		{"a.srt", oneCaption, nil, "srt taken-{language}", 3002},
	} {
		w := newWorld()
		w.media["a.srt"], w.taken["x/taken-en.srt"] = "v1", true
		w.bodies = map[string][]byte{"a.srt": []byte(c.body)}
		older := formats(c.format)
		older.MergePolicy, older.CaptionSources = "Override", []job.CaptionSource{{Key: c.key, Language: "en", Encryption: c.e}}
		p, _ := w.captioned(t, nil, older, formats("srt other-{language}"))
		if f := p.Outputs[0].Failure; c.code == 0 && f != nil || c.code != 0 && (f == nil || f.Code != c.code) {
			t.Errorf("%s %q: %+v, want %d", c.key, c.body, f, c.code)
		}
		if p.Outputs[1].Failure != nil {
			t.Errorf("%s %q: another output fails, too: %+v", c.key, c.body, p.Outputs[1].Failure)
		}
	}
}

// TestCaptionsInTheInputThatCannotBeRead: 4100, and what is none of their fault
// is tried again.
func TestCaptionsInTheInputThatCannotBeRead(t *testing.T) {
	for _, c := range []struct {
		err  error
		code job.Code
	}{{&caption.SyntaxError{Format: caption.MovText, Problem: "cut"}, 4100}, {caption.ErrNotUTF8, 4100}, {errCrash, 0}} {
		w := newWorld()
		i := w.ingester()
		i.Captions = func(context.Context, source.Media, Embedded) ([]caption.Track, error) { return nil, c.err }
		made := &plan.Plan{Inputs: []plan.Input{{Key: "film.mp4"}}, Programmes: [][]plan.Take{{{}}}, Groups: make([]plan.Group, 1), Outputs: []plan.Output{{Picture: &plan.Picture{}}, {Picture: &plan.Picture{}}}}
		with, override := formats("srt {language}"), formats("srt o-{language}")
		override.MergePolicy = "Override"
		j := job.Job{Inputs: []job.Input{{Key: "film.mp4"}}, Outputs: []job.Output{{Captions: &with}, {Captions: &override}}}
		err := i.captions(t.Context(), w, "in", j, []Probed{{Embedded: Embedded{Texts: []CaptionStream{{2, "eng"}}}}}, made)
		if c.code == 0 && !errors.Is(err, errCrash) || c.code != 0 && (err != nil || made.Outputs[0].Failure == nil || made.Outputs[0].Failure.Code != c.code) {
			t.Errorf("%v: %v, %+v", c.err, err, made.Outputs[0].Failure)
		}
		if f := made.Outputs[1].Failure; f != nil {
			t.Errorf("an output that wants none of them: %+v", f)
		}
	}
}

func TestRolesReachCaptions(t *testing.T) {
	c := formats("srt subs/{language}", "mov-text")
	j := job.Job{Inputs: []job.Input{{Key: "film.mp4", InputCaptions: &job.InputCaptions{CaptionSources: []job.CaptionSource{{Key: "en.srt"}}}}},
		OutputKeyPrefix: "x/", Outputs: []job.Output{{Key: "a.mp4", Captions: &c}}}
	k := newWorld().ingester().keysOf(tenant(t, `,"Role":"arn:aws:iam::111122223333:role/tenant"`), j)
	if !slices.Contains(k.Role.Reads, role.Place{Bucket: "in", Name: "en.srt"}) || !slices.Contains(k.Role.Writes, role.Place{Bucket: "out", Name: "x/subs/"}) {
		t.Errorf("%+v", k.Role)
	}
}

// TestCaptionsAreNoMedia: dropping what jobs caption makes no job.
func TestCaptionsAreNoMedia(t *testing.T) {
	w := newWorld()
	for _, key := range []string{"en.srt", "subs/EN.VTT", "a.scc", "b.ttml"} {
		w.media[key] = "v1"
		if _, err := w.drop(key); err != nil {
			t.Fatal(err)
		}
	}
	for key := range w.state.Keys(t.Context(), "state", "jobs/") {
		t.Errorf("there is a job: %s", key)
	}
}
