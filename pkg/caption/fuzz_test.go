package caption

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// promised checks what the package says of cues that it has read.
func promised(t *testing.T, cues []Cue) {
	t.Helper()
	if len(cues) > MaxCues {
		t.Fatalf("%d cues", len(cues))
	}
	for i, c := range cues {
		switch {
		case i > 0 && c.Start < cues[i-1].Start:
			t.Fatalf("cue %d starts before the one in front of it", i)
		case c.Start < 0 || c.Start >= c.End || c.End > MaxTime+2*lastShown+time.Minute:
			t.Fatalf("cue %d is shown from %v to %v", i, c.Start, c.End)
		case c.Text == "" || len(c.Text) > MaxText || !utf8.ValidString(c.Text) || tidy(c.Text) != c.Text:
			t.Fatalf("cue %d has the text %q", i, c.Text)
		}
	}
}

// fuzzDecode feeds a reader; what it accepts is written and read again, which
// must change nothing any more after the first time.
func fuzzDecode(f *testing.F, format Format, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		cues, err := Decode(format, doc)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) && !errors.Is(err, ErrNotUTF8) {
				t.Fatalf("%v: not an error of the package", err)
			}
			return
		}
		promised(t, cues)
		if len(cues) == 0 {
			return
		}
		for _, to := range []Format{SRT, WebVTT, DFXP} {
			once := reread(t, to, cues)
			if len(once) == 0 { // all that was there looks like formatting
				continue
			}
			if twice := reread(t, to, once); !slices.Equal(once, twice) {
				t.Fatalf("%s is not stable:\n%sthen\n%s", to, show(once), show(twice))
			}
		}
		if _, err := MovTextSamples(cues, time.Hour); err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatal(err)
			}
		}
		if doc, err := Encode(SCC, Track{Cues: cues}); err == nil {
			if back, err := Decode(SCC, doc); err != nil {
				t.Fatal(err)
			} else {
				promised(t, back)
			}
		}
	})
}

func reread(t *testing.T, format Format, cues []Cue) []Cue {
	t.Helper()
	doc, err := Encode(format, Track{Language: "en", Cues: cues})
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(format, doc)
	if err != nil {
		t.Fatalf("%s: %v\n%s", format, err, doc)
	}
	promised(t, back)
	return back
}

func FuzzSRT(f *testing.F) {
	fuzzDecode(f, SRT, "1\n00:00:01,000 --> 00:00:02,000\n<i>a</i>\n\n2\n0:3.5 --> 0:4\nb\n", "{\\an8}<<i>i>", "0:0 --> 0:1\n-->\n7\n")
}

func FuzzWebVTT(f *testing.F) {
	fuzzDecode(f, WebVTT, "WEBVTT\n\nid\n00:01.000 --> 00:02.000 line:0\n<v A>a &amp; b\n\nNOTE\nx\n", "WEBVTT\n0:1-->0:2\n&lt;i>a&#10;b\n")
}

func FuzzTTML(f *testing.F) {
	fuzzDecode(f, DFXP, ttml(`ttp:frameRate="25"`, `<div><p begin="1s" end="00:00:02:05">a<br/><span>b</span></p></div>`),
		ttml(`ttp:timeBase="smpte"`, `<div timeContainer="seq"><p begin="1.5s" dur="3f">a</p><p>b</p></div>`))
}

func FuzzSCC(f *testing.F) {
	fuzzDecode(f, SCC, scc("00:00:01:00| 9420 9420 94ae 94ae 9470 9470 c8e9 a180 942f 942f", "00:00:03:00| 942c 942c"),
		scc("00:00:01;00| 1427 142d 1470 4142 1231 1721 1424", "00:00:02;00| 1450 1429 1421 1450 4343"))
}

func FuzzMovText(f *testing.F) {
	f.Add([]byte("\x00\x01a\x00\x00"), []byte("\x00\x04\xfe\xff\x00a"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		cues, err := DecodeMovText([]MovTextSample{{0, time.Second, a}, {time.Second, 2 * time.Second, b}})
		if err == nil {
			promised(t, cues)
		}
	})
}

func FuzzParseOffset(f *testing.F) {
	f.Add("-01:02:03.5")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseOffset(s)
		if err == nil && (d.Abs() > 100_000*time.Second || strings.HasPrefix(s, "-") && d > 0) {
			t.Fatalf("%q is %v", s, d)
		}
	})
}
