package caption

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/job"
)

func TestParseOffset(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	for in, want := range map[string]time.Duration{
		"": 0, "0": 0, "5": 5 * s, "+5.25": 5*s + 250*ms, "-5.": -5 * s, "86400.999": 86400*s + 999*ms, "99999": 99999 * s,
		"00:00:05.5": 5*s + 500*ms, "-01:02:03.004": -(h + 2*m + 3*s + 4*ms), "23:59:59.999": 24*h - ms, "1:2:3": h + 2*m + 3*s,
		"5:10": 5*m + 10*s, "23:10": 23*m + 10*s, "59:10": 59*m + 10*s,
	} {
		if got, err := ParseOffset(in); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"x", "100000", "1.0000", "24:00:00", "1:60:00", "1:00:60", "--1", "+", ".5", "1 ", "1:1:1:1", "1:00:00,5"} {
		if got, err := ParseOffset(in); err == nil {
			t.Errorf("%q: %v, no error", in, got)
		}
	}
}

func TestWindow(t *testing.T) {
	const s = time.Second
	cues := []Cue{{s, 2 * s, "a"}, {3 * s, 5 * s, "b"}, {4 * s, 9 * s, "c"}}
	for name, c := range map[string]struct {
		got, want []Cue
	}{
		"later":         {Shift(cues, s), []Cue{{2 * s, 3 * s, "a"}, {4 * s, 6 * s, "b"}, {5 * s, 10 * s, "c"}}},
		"earlier":       {Clip(Shift(cues, -4*s), 0, -1), []Cue{{0, s, "b"}, {0, 5 * s, "c"}}},
		"clip":          {Clip(cues, 2*s, 3*s), []Cue{{s, 3 * s, "b"}, {2 * s, 3 * s, "c"}}},
		"clip to end":   {Clip(cues, 4*s, -1), []Cue{{0, s, "b"}, {0, 5 * s, "c"}}},
		"clip nothing":  {Clip(cues, 2*s, 0), nil},
		"clip past end": {Clip(cues, 9*s, s), nil},
		"segment":       {During(cues, 4*s, 8*s), cues[1:]},
		"first segment": {During(cues, 0, 3*s), cues[:1]},
		"segment after": {During(cues, 9*s, 10*s), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s:\n%swant\n%s", name, show(c.got), show(c.want))
		}
	}
	if cues[0].Start != s {
		t.Error("the cues that were given have changed")
	}
}

func TestStitch(t *testing.T) {
	const s = time.Second
	cue := func(text string) []Cue { return []Cue{{s, 3 * s, text}} }
	parts := []Part{
		{nil, 10 * s},
		{[]Track{{"en", "English", cue("a")}, {"fr", "", cue("b")}, {"de", "", cue("c")}}, 2 * s},
		{[]Track{{"ger", "", cue("d")}, {"eng", "", cue("e")}}, 5 * s},
		{nil, s},
		{[]Track{{"en", "", cue("f")}, {"de", "", nil}}, 5 * s},
	}
	got, err := Stitch(parts)
	if err != nil || len(got) != 2 || got[0].Language != "en" || got[0].Label != "English" || got[1].Language != "de" {
		t.Fatalf("%v: %+v", err, got)
	}
	if want := []Cue{{11 * s, 12 * s, "a"}, {13 * s, 15 * s, "e"}, {19 * s, 21 * s, "f"}}; !slices.Equal(got[0].Cues, want) {
		t.Errorf("en:\n%swant\n%s", show(got[0].Cues), show(want))
	}
	if want := []Cue{{11 * s, 12 * s, "c"}, {13 * s, 15 * s, "d"}}; !slices.Equal(got[1].Cues, want) {
		t.Errorf("de:\n%swant\n%s", show(got[1].Cues), show(want))
	}
	if got, err := Stitch(nil); err != nil || got != nil {
		t.Errorf("nothing: %v, %v", got, err)
	}
	many := Part{[]Track{{"en", "", slices.Repeat(cue("x"), MaxCues)}}, 5 * s}
	if _, err := Stitch([]Part{many, many}); job.FailureOf(err).Code != job.CodeCaptionFile {
		t.Errorf("too many: %v", err)
	}
}

func TestMerge(t *testing.T) {
	embedded := []Track{{Language: "eng", Label: "e1"}, {Language: "fre", Label: "e2"}, {Language: "en", Label: "e3"}}
	sidecar := []Track{{Language: "de", Label: "s1"}, {Language: "EN", Label: "s2"}}
	for policy, want := range map[Policy]string{
		MergeOverride: "s2 e2 s1", MergeRetain: "e1 e2 s1", Override: "s1 s2",
	} {
		got, err := Merge(policy, embedded, sidecar)
		var labels []string
		for _, track := range got {
			labels = append(labels, track.Label)
		}
		if err != nil || strings.Join(labels, " ") != want {
			t.Errorf("%s: %v, %v; want %s", policy, labels, err, want)
		}
	}
	if embedded[0].Label != "e1" || sidecar[0].Label != "s1" {
		t.Error("the tracks that were given have changed")
	}
	if got, err := Merge(Override, make([]Track, MaxEmbedded+1), nil); err != nil || len(got) != 0 {
		t.Errorf("Override of nothing: %v, %v", got, err)
	}
	var failure *job.Failure
	if _, err := Merge(MergeRetain, make([]Track, MaxEmbedded+1), nil); !errors.As(err, &failure) || failure.Code != job.CodeCaptionTracks {
		t.Errorf("too many: %v", err)
	}
	if _, err := Merge("Merge", nil, nil); err == nil {
		t.Error("unknown policy: no error")
	}
	if !regexp.MustCompile(PolicyPattern).MatchString(string(MergeRetain)) {
		t.Error("PolicyPattern")
	}
}

func TestLanguages(t *testing.T) {
	for in, want := range map[string]string{"en": "eng", "ENG": "eng", "de": "deu", "ger": "deu", "fre": "fra", "zh": "zho", "chi": "zho", "tlh": "tlh", "und": "und"} {
		if got, err := Alpha3(in); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "e", "xx", "en-US", "e1", "é", "engl", "e g"} {
		if got, err := Alpha3(in); err == nil {
			t.Errorf("%q: %s, no error", in, got)
		}
	}
	if n := len(alpha3); n != 183+20 {
		t.Errorf("%d codes, want the 183 of ISO 639-1 and 20 bibliographic ones", n)
	}
	seen := map[string]string{}
	for from, to := range alpha3 {
		if len(to) != 3 {
			t.Errorf("%s: %q", from, to)
		}
		if len(from) == 2 && seen[to] != "" {
			t.Errorf("%s and %s: both %s", from, seen[to], to)
		}
		if len(from) == 2 {
			seen[to] = from
		}
	}
	if SameLanguage("en", "de") || !SameLanguage("odd name", "odd name") || SameLanguage("xx", "yy") {
		t.Error("SameLanguage")
	}
	for i, list := range [][]string{{"en", "de", "eng"}, {"en", "en"}, {"en", "de"}, nil} {
		if got, want := Repeated(list), []int{2, 1, -1, -1}[i]; got != want {
			t.Errorf("%v: %d, want %d", list, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		pattern, container string
		format             Format
		want               string
	}{
		{"Sydney-{language}-sunrise", "mp4", SRT, "p/Sydney-en-sunrise.srt"},
		{"{language}/{language}", "mp4", WebVTT, "p/en/en.vtt"},
		{"a", "mp4", DFXP, "p/aen.dfxp"},
		{"", "mp4", SCC, "p/en.scc"},
		{"a-{language}", "fmp4", DFXP, "p/a-en.ismt"},
		{"a-{language}", "fmp4", WebVTT, "p/a-en.vtt"},
	} {
		if got := NamesOf("p/", c.pattern, "en", c.format, c.container).Single(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if got := NamesOf("p/", "Sydney-{language}-sunrise", "en", SRT, "ts").Segment(0); got != "p/Sydney-en-sunrise00000.srt" {
		t.Error(got)
	}
	rule := regexp.MustCompile(NamePattern)
	if !rule.MatchString("") || !rule.MatchString("a{language}b") || rule.MatchString("a") {
		t.Error("NamePattern")
	}
}

func TestCheckFormat(t *testing.T) {
	all := []Format{MovText, SRT, SCC, WebVTT, DFXP, CEA708, "ass"}
	for container, want := range map[string][]Format{
		"mp4": {MovText, SRT, SCC, WebVTT, DFXP}, "ts": {SRT, SCC, WebVTT, DFXP}, "webm": {SRT, SCC, WebVTT, DFXP}, "fmp4": {WebVTT, DFXP},
	} {
		for _, f := range all {
			if got := CheckFormat(f, container, true); (got == "") != slices.Contains(want, f) {
				t.Errorf("%s in %s: %q", f, container, got)
			}
			if CheckFormat(f, container, false) == "" {
				t.Errorf("%s in %s without a picture: no problem", f, container)
			}
			if known := regexp.MustCompile(FormatPattern).MatchString(string(f)); known != (f != "ass") {
				t.Errorf("FormatPattern of %s: %v", f, known)
			}
		}
	}
}
