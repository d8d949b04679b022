package assemble

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/caption"
	"sealreel/pkg/job"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// captioned gives the first two outputs captions in two languages.
func captioned(w *world, p *plan.Plan) {
	p.Programmes = [][]plan.Take{{{}}}
	const s = time.Second
	tracks := []plan.CaptionTrack{
		w.track("en", []caption.Cue{{Start: -s, End: s, Text: "begun"}, {Start: 3 * s, End: 5 * s, Text: "across"}, {Start: 7 * s, End: 90 * s, Text: "beyond"}}),
		w.track("de", []caption.Cue{{Start: 6 * s, End: 7 * s, Text: "Grüße"}}),
	}
	p.Outputs[0].Captions = &plan.Captions{Tracks: tracks, Formats: []plan.CaptionFormat{{Format: caption.WebVTT, Prefix: "x/", Pattern: "v-{language}"}}}
	p.Outputs[1].Captions = &plan.Captions{Tracks: tracks, Formats: []plan.CaptionFormat{{Format: caption.MovText}, {Format: caption.SRT, Prefix: "x/", Pattern: "s-{language}"}}}
}

func (w *world) track(language string, cues []caption.Cue) plan.CaptionTrack {
	packed, err := caption.Pack(cues)
	if err != nil {
		panic(err)
	}
	key := "work/captions-" + language
	w.works[key] = packed
	return plan.CaptionTrack{Language: language, Pieces: []plan.CaptionPiece{{File: task.WorkFile{Key: key, Size: int64(len(packed))}}}}
}

// checkCaptions holds what is stored against what the captions should come to.
func (w *world) checkCaptions(t *testing.T, what string) {
	t.Helper()
	want := []string{"x/hls.m3u8", "x/master.m3u8", "x/s-de.srt", "x/s-en.srt", "x/v-de00000.vtt", "x/v-de00001.vtt", "x/v-en00000.vtt", "x/v-en00001.vtt", "x/web.mp4"}
	if keys := slices.Sorted(maps.Keys(w.stored)); !slices.Equal(keys, want) {
		t.Errorf("%s: objects %q", what, keys)
	}
	for key, cues := range map[string]string{
		"x/s-en.srt": "0s-1s begun, 3s-5s across, 7s-8s beyond", "x/s-de.srt": "6s-7s Grüße",
		"x/v-en00000.vtt": "0s-1s begun, 3s-5s across", "x/v-en00001.vtt": "3s-5s across, 7s-8s beyond", "x/v-de00000.vtt": "", "x/v-de00001.vtt": "6s-7s Grüße",
	} {
		format := caption.Detect([]byte(w.stored[key]))
		read, err := caption.Decode(format, []byte(w.stored[key]))
		var got []string
		for _, c := range read {
			got = append(got, fmt.Sprintf("%v-%v %s", c.Start, c.End, c.Text))
		}
		if err != nil || strings.Join(got, ", ") != cues {
			t.Errorf("%s: %s has %q, %v; want %q", what, key, got, err, cues)
		}
		if format == caption.WebVTT && !strings.Contains(w.stored[key], "X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000") {
			t.Errorf("%s: %s doesn't say where it is: %q", what, key, w.stored[key])
		}
	}
	film := w.stored["x/web.mp4"]
	if strings.Count(film, "tx3g") != 2 || !strings.Contains(film, "\x00\x06across") || !strings.Contains(film, "\x00\x07Grüße") || strings.Count(film, "frame ") != 200 {
		t.Errorf("%s: the file does not have its captions", what)
	}
}

// TestCaptionsWhoeverDies: every file is there and whole at whichever call the
// function died before.
func TestCaptionsWhoeverDies(t *testing.T) {
	order := []string{"1", "2", "3"}
	for n := 1; ; n += 3 {
		w := finished(t, captioned)
		w.state.Before = func(string, string) error { return w.call() }
		w.dies = n
		first := w.assembleAll(t.Context(), order)
		w.dies = 0
		what := fmt.Sprintf("killed at call %d", n)
		if first != nil && !errors.Is(first, errCrash) {
			t.Errorf("%s: error %v", what, first)
		}
		check(t, w.assembleAll(t.Context(), order))
		w.checkCaptions(t, what)
		if first == nil {
			break
		}
	}
}

// TestCaptionsOfTakes: what is taken of an input is shown where it plays.
func TestCaptionsOfTakes(t *testing.T) {
	w := finished(t, func(w *world, p *plan.Plan) {
		const s = time.Second
		p.Programmes = [][]plan.Take{{{From: 10 * s, Lasts: 3 * s}, {Begins: 3 * s}, {Begins: 5 * s, From: s}}}
		en := w.track("en", []caption.Cue{{Start: s, End: 2 * s, Text: "a"}, {Start: 11 * s, End: 20 * s, Text: "b"}})
		en.Pieces = append(en.Pieces, en.Pieces[0])
		en.Pieces[1].Take = 2
		p.Outputs[1].Captions = &plan.Captions{Tracks: []plan.CaptionTrack{en}, Formats: []plan.CaptionFormat{{Format: caption.SRT, Prefix: "x/", Pattern: "s-{language}"}}}
	})
	check(t, w.assembleAll(t.Context(), []string{"2"}))
	want := "1\n00:00:01,000 --> 00:00:03,000\nb\n\n2\n00:00:05,000 --> 00:00:06,000\na\n"
	if got := w.stored["x/s-en.srt"]; strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestCaptionNamesThatAreTaken: the output ends with 3002, and its media is not
// published.
func TestCaptionNamesThatAreTaken(t *testing.T) {
	w := finished(t, captioned)
	w.stored["x/s-de.srt"], w.owner["x/s-de.srt"] = "another's", "another"
	check(t, w.assembleAll(t.Context(), []string{"2"}))
	rec, err := w.ledger.Job(t.Context(), id)
	check(t, err)
	if o := rec.Job.Outputs[1]; o.Status != job.Error || !strings.HasPrefix(o.StatusDetail, "3002 ") || !strings.Contains(o.StatusDetail, "x/s-de.srt") {
		t.Errorf("%s: %s", o.Status, o.StatusDetail)
	}
	if _, there := w.stored["x/web.mp4"]; there {
		t.Error("the media is there all the same")
	}
}

func TestOutputsThatWereToHaveCaptionsSaySo(t *testing.T) {
	w := finished(t, func(_ *world, p *plan.Plan) {
		p.Outputs[1].Captions = &plan.Captions{Formats: []plan.CaptionFormat{{Format: caption.MovText}, {Format: caption.SRT, Pattern: "{language}"}}}
	})
	check(t, w.assembleAll(t.Context(), []string{"2"}))
	rec, err := w.ledger.Job(t.Context(), id)
	check(t, err)
	if o := rec.Job.Outputs[1]; o.Status != job.Complete || !strings.Contains(o.StatusDetail, "No captions were found") {
		t.Errorf("%s: %s", o.Status, o.StatusDetail)
	}
}
