package caption

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

// sample is captions that every format can hold: not more than 60 characters a
// second, and only characters of line 21.
var sample = Track{Language: "en", Label: "English", Cues: []Cue{
	{3 * time.Second, 4500 * ms, "A reel is a film's length."},
	{6250 * ms, 8 * time.Second, "- Sealed & kept?\n- 1 < 2 > 0 \"yes\""},
	{8 * time.Second, 9999 * ms, "7"},
	{65123 * ms, 67 * time.Second, "café, niño, ♪ là-bas ♪"},
	{3725 * time.Second, 3727*time.Second + 40*ms, "an hour\nand later\nthree lines"},
}}

var sidecarFormats = []Format{SRT, WebVTT, DFXP, SCC}

// near says whether cues are the same but for times within a tolerance.
func near(a, b []Cue, tolerance time.Duration) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Text != b[i].Text || (a[i].Start-b[i].Start).Abs() > tolerance || (a[i].End-b[i].End).Abs() > tolerance {
			return false
		}
	}
	return true
}

// through writes cues in a format and reads them again.
func through(t *testing.T, f Format, cues []Cue) []Cue {
	t.Helper()
	if f == MovText {
		samples, err := MovTextSamples(cues, 2*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeMovText(samples)
		if err != nil {
			t.Fatal(err)
		}
		return back
	}
	doc, err := Encode(f, Track{Language: "en", Cues: cues})
	if err != nil {
		t.Fatal(err)
	}
	if got := Detect(doc); got != f {
		t.Errorf("%s is taken for %s", f, got)
	}
	back, err := Decode(f, doc)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// From each format to each other and back nothing is lost but what frames of
// line 21 can't tell.
func TestRoundTrips(t *testing.T) {
	for _, from := range append(sidecarFormats, MovText) {
		for _, to := range append(sidecarFormats, MovText) {
			tolerance := ms / 2
			if from == SCC || to == SCC {
				tolerance = 18 * ms // half a frame, rounded to a millisecond twice
			}
			if got := through(t, to, through(t, from, sample.Cues)); !near(got, sample.Cues, tolerance) {
				t.Errorf("%s to %s:\n%swant\n%s", from, to, show(got), show(sample.Cues))
			}
		}
	}
}

func TestGoldenFiles(t *testing.T) {
	for _, f := range sidecarFormats {
		name := filepath.Join("testdata", "sample"+f.Extension("mp4"))
		got, err := Encode(f, sample)
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(name, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s\n(-update writes it)", name, got, want)
		}
	}
}
