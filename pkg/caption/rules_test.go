package caption

import (
	"errors"
	"fmt"
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
	track := func(language, label string) Track { return Track{Language: language, Label: label} }
	languageOf := func(t Track) string { return t.Language }
	parts := [][]Track{nil, {track("en", "1"), track("fr", "2"), track("de", "3")}, {track("ger", "4"), track("eng", "5")}, nil, {track("en", "6"), track("de", "7"), track("fr", "8")}}
	var got []string
	for _, pieces := range Stitch(parts, languageOf) {
		text := pieces[0].Track.Language
		for _, p := range pieces {
			text += fmt.Sprintf(" %s@%d", p.Track.Label, p.Part)
		}
		got = append(got, text)
	}
	if want := []string{"en 1@1 5@2 6@4", "de 3@1 4@2 7@4"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Stitch(nil, languageOf); got != nil {
		t.Errorf("nothing: %v", got)
	}
}

func TestMerge(t *testing.T) {
	languageOf := func(t Track) string { return t.Language }
	embedded := []Track{{Language: "eng", Label: "e1"}, {Language: "fre", Label: "e2"}, {Language: "en", Label: "e3"}}
	sidecar := []Track{{Language: "de", Label: "s1"}, {Language: "EN", Label: "s2"}}
	for policy, want := range map[Policy]string{
		MergeOverride: "s2 e2 s1", MergeRetain: "e1 e2 s1", Override: "s1 s2",
	} {
		got, err := Merge(policy, embedded, sidecar, languageOf)
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
	if got, err := Merge(Override, make([]Track, MaxEmbedded+1), nil, languageOf); err != nil || len(got) != 0 {
		t.Errorf("Override of nothing: %v, %v", got, err)
	}
	var failure *job.Failure
	if _, err := Merge(MergeRetain, make([]Track, MaxEmbedded+1), nil, languageOf); !errors.As(err, &failure) || failure.Code != job.CodeCaptionTracks {
		t.Errorf("too many: %v", err)
	}
	if _, err := Merge("Merge", nil, nil, languageOf); err == nil {
		t.Error("unknown policy: no error")
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
		if got := NamesOf("p/", c.pattern, "en", c.format, c.container, false).Set(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	series := NamesOf("p/", "Sydney-{language}-sunrise", "en", SRT, "ts", true)
	if got := series.Key(0); got != "p/Sydney-en-sunrise00000.srt" {
		t.Error(got)
	}
	for key, want := range map[string]bool{series.Key(99999): true, "p/Sydney-en-sunrise.srt": false, "p/Sydney-en-sunrise00000.vtt": false, "p/Sydney-en-sunrise000000.srt": false} {
		if series.Is(key) != want {
			t.Errorf("%s belongs to the series: %v", key, !want)
		}
	}
	if single := NamesOf("p/", "{language}", "en", SRT, "mp4", false); !single.Is("p/en.srt") || single.Is("p/en00000.srt") || single.Key(3) != "p/en.srt" {
		t.Error("a single file")
	}
}
