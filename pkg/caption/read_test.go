package caption

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"sealreel/pkg/job"
)

const ms = time.Millisecond

// show writes cues in a form that reads well in a table.
func show(cues []Cue) string {
	var b strings.Builder
	for _, c := range cues {
		fmt.Fprintf(&b, "%v-%v %q\n", c.Start, c.End, c.Text)
	}
	return b.String()
}

func lines(s ...string) string { return strings.Join(s, "\n") }

func TestDecode(t *testing.T) {
	for name, c := range map[string]struct {
		format Format
		doc    string
		want   []Cue
	}{
		"srt": {SRT, lines("1", "00:00:01,000 --> 00:00:02,500", "One", "two", "", "2", "01:00:00,007 --> 01:00:01,000", "Three", ""), []Cue{
			{time.Second, 2500 * ms, "One\ntwo"}, {time.Hour + 7*ms, time.Hour + time.Second, "Three"}}},
		"srt with a mark, CR LF and no last line end": {SRT, "\ufeff1\r\n00:00:01,000 --> 00:00:02,500\r\nOne\r\ntwo", []Cue{{time.Second, 2500 * ms, "One\ntwo"}}},
		"srt with CR alone":                           {SRT, "1\r00:00:01,000 --> 00:00:02,500\rOne\r\r", []Cue{{time.Second, 2500 * ms, "One"}}},
		"srt in disorder":                             {SRT, "00:00:05,0 --> 00:00:06,0\nb\n\n00:00:01,0 --> 00:00:09,0\na", []Cue{{time.Second, 9 * time.Second, "a"}, {5 * time.Second, 6 * time.Second, "b"}}},
		"srt without counters, with points":           {SRT, "0:01.5 --> 0:02.25\na\n\n0:03.5 --> 0:04\n7\n", []Cue{{1500 * ms, 2250 * ms, "a"}, {3500 * ms, 4 * time.Second, "7"}}},
		"srt without blank lines":                     {SRT, "1\n00:00:01,0 --> 00:00:02,0\na\n2\n00:00:03,0 --> 00:00:04,0\nb", []Cue{{time.Second, 2 * time.Second, "a"}, {3 * time.Second, 4 * time.Second, "b"}}},
		"srt text with a blank line and an arrow":     {SRT, "1\n00:00:01,0 --> 00:00:02,0\na --> b\n\nc\nd --> e\n", []Cue{{time.Second, 2 * time.Second, "a --> b\nc\nd --> e"}}},
		"srt formatting and positions": {SRT, "1\n00:00:01,0 --> 00:00:02,0 X1:10 Y1:20\n{\\an8}<i>a</i> <FONT color=\"#fff\">b</font> 1<2 <x>\n",
			[]Cue{{time.Second, 2 * time.Second, "a b 1<2 <x>"}}},
		"srt empty and timeless cues": {SRT, "1\n00:00:01,0 --> 00:00:02,0\n\n2\n00:00:03,0 --> 00:00:03,0\nx\n\n3\n00:00:04,0 --> 00:00:05,0\n<i></i>\n", nil},
		"webvtt": {WebVTT, lines("WEBVTT - a title", "Kind: captions", "", "NOTE", "00:09.000 --> 00:10.000", "not a cue", "", "STYLE", "::cue { color: red }", "",
			"REGION", "id:r", "", "first", "00:01.000 --> 00:02.500 align:start line:0", "<v Ann>One <b.x>&amp;</b> <00:01.500>two", "&lt;three&gt; &#9834;", "",
			"100:00:00.000 --> 100:00:00.000", "never", "", "00:03.000 --> 00:04.000", "last <i"), []Cue{
			{time.Second, 2500 * ms, "One & two\n<three> ♪"}, {3 * time.Second, 4 * time.Second, "last"}}},
		"webvtt of HLS":                {WebVTT, "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n00:00:01.000 --> 00:00:02.000\na\n", []Cue{{time.Second, 2 * time.Second, "a"}}},
		"webvtt without a blank line":  {WebVTT, "WEBVTT\n00:01.000 --> 00:02.000\na\n00:03.000 --> 00:04.000\nb", []Cue{{time.Second, 2 * time.Second, "a"}, {3 * time.Second, 4 * time.Second, "b"}}},
		"webvtt with blanks":           {WebVTT, "WEBVTT\n \n00:01.000 --> 00:02.000\na\n \nb\n\n\t\n00:03.000 --> 00:04.000\nc", []Cue{{time.Second, 2 * time.Second, "a\nb"}, {3 * time.Second, 4 * time.Second, "c"}}},
		"webvtt without a cue":         {WebVTT, "\ufeffWEBVTT", nil},
		"webvtt with an arrow in text": {WebVTT, "WEBVTT\n\n00:01.000 --> 00:02.000\na --> b\n", []Cue{{time.Second, 2 * time.Second, "a --> b"}}},
		"no control characters":        {WebVTT, "WEBVTT\n\n00:01.000 --> 00:02.000\na\x00b\tc\u2028d &#1;&#x85;e\u00a0\n", []Cue{{time.Second, 2 * time.Second, "ab c d …e"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, format, err := Read(iotest.OneByteReader(strings.NewReader(c.doc)))
			if err != nil || format != c.format || !slices.Equal(got, c.want) {
				t.Errorf("%s, %v:\n%swant %s:\n%s", format, err, show(got), c.format, show(c.want))
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		doc, want string
	}{
		"nothing":                        {"", "srt, line 1: the file has no caption"},
		"blank":                          {"\n \n", "srt, line 3: the file has no caption"},
		"srt with a counter alone":       {"1\n", "srt, line 2: the file has no caption"},
		"prose":                          {"Once upon a time", "srt, line 1: neither a counter nor a timing line"},
		"srt with a broken time":         {"1\n00:00:0x,000 --> 00:00:02,000\na\n", "srt, line 2: not a timing line"},
		"srt with a broken second time":  {"1\n00:00:01,000 --> 00:00:02,000\na\n\n2\n00:00:03,000 -->\nb\n", "srt, line 6: not a timing line"},
		"srt with 61 seconds":            {"1\n00:00:61,000 --> 00:02:02,000\na\n", "srt, line 2: not a timing line"},
		"srt before the start":           {"1\n-00:00:01,000 --> 00:00:02,000\na\n", "srt, line 4: a time is negative"},
		"srt that ends early":            {"1\n00:00:03,000 --> 00:00:02,000\na\n", "srt, line 4: a caption ends before"},
		"srt beyond the limit":           {"1\n00:00:03,000 --> 100:00:00,001\na\n", "srt, line 4: a time is beyond 100 hours"},
		"srt with a long text":           {"1\n00:00:03,000 --> 00:00:04,000\n" + strings.Repeat("a", MaxText+1), "srt, line 3: a caption has 4097 bytes"},
		"srt with an endless text":       {"1\n00:00:03,000 --> 00:00:04,000\n" + strings.Repeat("<i></i>\n", 10*MaxText), "srt, line 8195: a caption has more than 4096 bytes"},
		"srt with many cues":             {strings.Repeat("0:01.0 --> 0:02.0\na\n\n", MaxCues+1), "srt, line 300004: more than 100000 captions"},
		"webvtt glued to something else": {"WEBVTTX\n\n", "webvtt, line 1: the file doesn't start"},
		"webvtt with a broken time":      {"WEBVTT\n\n00:01.000 --> 00:0a.000\na\n", "webvtt, line 3: not a timing line"},
		"webvtt with an id alone":        {"WEBVTT\n\nid\n\n00:01.000 --> 00:02.000\na\n", "webvtt, line 4: a cue has no timing line"},
		"webvtt with an id at the end":   {"WEBVTT\n\nid", "webvtt, line 3: the last cue has no timing line"},
		"webvtt with two ids":            {"WEBVTT\n\nid\nid\n00:01.000 --> 00:02.000\na\n", "webvtt, line 4: a cue has no timing line"},
		"webvtt that ends early":         {"WEBVTT\n\n00:02.000 --> 00:01.000\na\n", "webvtt, line 5: a caption ends before"},
		"UTF-16":                         {"\xff\xfeW\x00E\x00B\x00", ErrNotUTF8.Error()},
		"Latin-1":                        {"1\n00:00:01,000 --> 00:00:02,000\ncaf\xe9\n", ErrNotUTF8.Error()},
		"too long":                       {"WEBVTT\n" + strings.Repeat("\n", MaxSize), "webvtt: the file has more than 8388608 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			cues, _, err := Read(strings.NewReader(c.doc))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Fatalf("got %v with %d cues, want %s", err, len(cues), c.want)
			}
			var failure *job.Failure
			if got := FileFailure(err, "b", "k"); !errors.As(got, &failure) || !strings.HasSuffix(failure.Detail, ": bucket=b, key=k") {
				t.Errorf("FileFailure: %v", got)
			} else if want := job.CodeCaptionFile; failure.Code != want && !errors.Is(err, ErrNotUTF8) {
				t.Errorf("code %d, want %d", failure.Code, want)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	syntax, other := syntaxError(SRT, 3, "x"), errors.New("storage")
	if got := job.FailureOf(FileFailure(ErrNotUTF8, "b", "k")).Code; got != job.CodeCaptionUTF8 {
		t.Errorf("not UTF-8: code %d", got)
	}
	for _, err := range []error{syntax, fmt.Errorf("wrapped: %w", ErrNotUTF8)} {
		if got := job.FailureOf(TrackFailure(err, "k")).Code; got != job.CodeCaptionTrack {
			t.Errorf("track: %v: code %d", err, got)
		}
	}
	if FileFailure(other, "b", "k") != other || TrackFailure(other, "k") != other || TrackFailure(nil, "k") != nil || FileFailure(nil, "b", "k") != nil {
		t.Error("an error that says nothing of captions is changed")
	}
	if _, _, err := Read(iotest.ErrReader(other)); !errors.Is(err, other) {
		t.Errorf("Read: %v, want the reader's error", err)
	}
}

// What is decrypted does not come out in an error.
func TestErrorsDoNotQuote(t *testing.T) {
	const secret = "SECRETWORD"
	for _, doc := range []string{
		secret, "1\n00:00:0x,000 --> " + secret, "WEBVTT\n\n" + secret, "WEBVTT\n\n" + secret + " --> x",
		"<" + secret + ">", "<tt>&" + secret + ";</tt>", `<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="` + secret + `">`,
		`<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:timeBase="` + secret + `">`,
		sccHeader + "\n\n" + secret, sccHeader + "\n\n00:00:00:00\t" + secret,
	} {
		if _, _, err := Read(strings.NewReader(doc)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", doc, err)
		}
	}
	if _, err := encodeSCC([]Cue{{0, time.Second, "語" + secret}}); err == nil || strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
}

func TestUnknownFormats(t *testing.T) {
	for _, f := range []Format{MovText, CEA708, "", "ass"} {
		if _, err := Decode(f, nil); err == nil {
			t.Errorf("Decode of %q: no error", f)
		}
		if _, err := Encode(f, Track{}); err == nil {
			t.Errorf("Encode of %q: no error", f)
		}
	}
}

func TestEncode(t *testing.T) {
	track := Track{Language: "en", Cues: []Cue{
		{1234567 * time.Microsecond, 2500 * ms, "One & <two>\nthree"},
		{time.Hour + 2*time.Minute + 3*time.Second, time.Hour + 2*time.Minute + 3*time.Second + 1, "a --> <i>b"},
	}}
	for format, want := range map[Format]string{
		SRT: lines("1", "00:00:01,235 --> 00:00:02,500", "One & <two>", "three", "", "2", "01:02:03,000 --> 01:02:03,001", "a → ‹i›b", ""),
		WebVTT: lines("WEBVTT", "", "00:00:01.235 --> 00:00:02.500", "One &amp; &lt;two&gt;", "three", "",
			"01:02:03.000 --> 01:02:03.001", "a --&gt; &lt;i&gt;b", ""),
	} {
		got, err := Encode(format, track)
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", format, err, got, want)
		}
	}
	dfxp, err := Encode(DFXP, track)
	if want := `<p begin="00:00:01.235" end="00:00:02.500" xml:space="preserve">One &amp; &lt;two&gt;<br/>three</p>`; err != nil || !bytes.Contains(dfxp, []byte(want)) {
		t.Errorf("dfxp: %v\n%s\nwant within it\n%s", err, dfxp, want)
	}
	segment := string(EncodeWebVTTSegment(track.Cues[:1], 126000))
	if want := "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:126000,LOCAL:00:00:00.000\n\n00:00:01.235 -->"; !strings.HasPrefix(segment, want) {
		t.Errorf("segment: %q", segment)
	}
}
