package ingest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/caption"
	"sealreel/pkg/probe"
	"sealreel/pkg/source"
)

// openFile is a file as an input.
type openFile struct{ *bytes.Reader }

func (openFile) Close() error { return nil }

func open(t *testing.T, file string) source.Media {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return openFile{bytes.NewReader(b)}
}

// film makes a file with ffmpeg and returns its name.
func film(t *testing.T, name string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	out, err := exec.Command("ffmpeg", append(append([]string{"-v", "error", "-nostdin", "-y"}, args...), file)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return file
}

// within are the captions in a file, as a job finds them.
func within(t *testing.T, file string) ([]caption.Track, error) {
	t.Helper()
	in := open(t, file)
	found, err := ProbeWith(probe.Prober{Path: "ffprobe"})(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return EmbeddedWith("ffmpeg")(t.Context(), in, found.Embedded)
}

const second = time.Second

var spoken = []caption.Cue{
	{Start: 1 * second, End: 2500 * time.Millisecond, Text: "One & <two>\nlines"},
	{Start: 3 * second, End: 4 * second, Text: "Grüße"},
	{Start: 5 * second, End: 6 * second, Text: "the last"},
}

func sidecar(t *testing.T, format caption.Format, cues []caption.Cue) string {
	t.Helper()
	doc, err := caption.Encode(format, caption.Track{Language: "en", Cues: cues})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "captions."+string(format))
	if err := os.WriteFile(file, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// near says whether cues are the same but for a frame's time.
func near(got, want []caption.Cue) bool {
	const frame = 34 * time.Millisecond
	return slices.EqualFunc(got, want, func(a, b caption.Cue) bool {
		return a.Text == b.Text && (a.Start-b.Start).Abs() <= frame && (a.End-b.End).Abs() <= frame
	})
}

func TestTimedTextWithinAnInput(t *testing.T) {
	plain := slices.Clone(spoken)
	plain[0].Text = "One and two\nlines" // ffmpeg takes what is in angle brackets for tags
	subs := sidecar(t, caption.SRT, plain)
	file := film(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=7", "-i", subs, "-i", sidecar(t, caption.SRT, plain[1:2]), "-map", "0", "-map", "1", "-map", "2",
		"-c:v", "libx264", "-preset", "veryfast", "-c:s", "mov_text", "-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=ger")
	got, err := within(t, file)
	if err != nil || len(got) != 2 || got[0].Language != "eng" || got[1].Language != "ger" || !near(got[0].Cues, plain) || !near(got[1].Cues, plain[1:2]) {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = within(t, film(t, "none.mov", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "mpeg4", "-c:a", "aac"))
	if err != nil || len(got) != 0 {
		t.Errorf("of a file without any: %+v, %v", got, err)
	}
}

// TestTimedTextAfterTimeZero: captions count from when the picture begins, which
// an edit list may put anywhere in the file.
func TestTimedTextAfterTimeZero(t *testing.T) {
	plain := []caption.Cue{spoken[1], spoken[2]}
	whole := film(t, "whole.mp4", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=7", "-i", sidecar(t, caption.SRT, plain), "-map", "0", "-map", "1",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:s", "mov_text")
	late := film(t, "late.mp4", "-itsoffset", "2", "-i", whole, "-map", "0", "-c", "copy")
	got, err := within(t, late)
	if err != nil || len(got) != 1 || got[0].Language != unknownLanguage || !near(got[0].Cues, plain) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestLine21WithinAnInput finds CEA-608 in pictures that are coded out of order,
// in fields or from another time on, and counts from where the picture begins.
func TestLine21WithinAnInput(t *testing.T) {
	cues := []caption.Cue{{Start: 2 * second, End: 3 * second, Text: "One\ntwo"}, {Start: 4 * second, End: 5 * second, Text: "Grüße"}}
	carrier := carrying(t, sidecar(t, caption.SCC, cues), 180)
	for name, args := range map[string][]string{
		"b-frames.mp4": {"-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-a53cc", "1", "-c:a", "aac"},
		"plain.ts":     {"-c:v", "libx264", "-preset", "ultrafast", "-a53cc", "1", "-c:a", "aac"},
		"mpeg2.ts":     {"-c:v", "mpeg2video", "-bf", "2", "-a53cc", "1", "-c:a", "mp2"},
		"mpeg2.mpg":    {"-c:v", "mpeg2video", "-a53cc", "1", "-c:a", "mp2"},
	} {
		args = slices.Concat([]string{"-r", "30000/1001", "-i", carrier, "-f", "lavfi", "-i", "sine=d=6", "-vf", "setpts=PTS-STARTPTS", "-metadata:s:a", "language=spa"}, args)
		got, err := within(t, film(t, name, args...))
		want := "spa"
		if name == "mpeg2.mpg" { // names no languages
			want = unknownLanguage
		}
		if err != nil || len(got) != 1 || got[0].Language != want || !near(got[0].Cues, cues) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// carrying is a bare stream of H.264 whose pictures carry the pairs of an SCC
// file, each on its frame.
func carrying(t *testing.T, scc string, frames int) string {
	t.Helper()
	raw, err := os.ReadFile(film(t, "bare.h264", "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=64x48:r=30000/1001:d=%d", frames/30), "-c:v", "libx264", "-preset", "ultrafast", "-x264-params", "aud=1:bframes=0:slices=1"))
	if err != nil {
		t.Fatal(err)
	}
	pairs := pairsOf(t, scc)
	delimiter := []byte{0, 0, 0, 1, 9}
	var out []byte
	for n, unit := range bytes.Split(raw, delimiter)[1:] {
		pair, ok := pairs[n]
		if !ok {
			pair = [2]byte{0x80, 0x80}
		}
		sei := append([]byte("\x00\x00\x00\x01\x06\x04\x0e\xb5\x00\x31GA94\x03\x41\xff\xfc"), pair[0], pair[1], 0xff, 0x80)
		out = slices.Concat(out, delimiter, unit[:1], sei, unit[1:])
	}
	file := filepath.Join(t.TempDir(), "carrier.h264")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// pairsOf are the byte pairs of an SCC file by frame.
func pairsOf(t *testing.T, scc string) map[int][2]byte {
	t.Helper()
	doc, err := os.ReadFile(scc)
	if err != nil {
		t.Fatal(err)
	}
	pairs := map[int][2]byte{}
	for line := range strings.Lines(string(doc)) {
		code, words, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		var hours, minutes, seconds, frame int
		if _, err := fmt.Sscanf(strings.ReplaceAll(code, ";", ":"), "%d:%d:%d:%d", &hours, &minutes, &seconds, &frame); err != nil {
			t.Fatal(err, code)
		}
		for i, word := range strings.Fields(words) {
			var pair [2]byte
			if _, err := fmt.Sscanf(word, "%02x%02x", &pair[0], &pair[1]); err != nil {
				t.Fatal(err, word)
			}
			pairs[seconds*30+frame+i] = pair
		}
	}
	return pairs
}

// TestCaptionsOfABrokenInput: an input that can't be read is no matter of its
// captions.
func TestCaptionsOfABrokenInput(t *testing.T) {
	file := film(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=7", "-i", sidecar(t, caption.SRT, spoken[1:]), "-map", "0", "-map", "1", "-c:v", "libx264", "-c:s", "mov_text")
	in := open(t, file)
	found, err := ProbeWith(probe.Prober{Path: "ffprobe"})(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := EmbeddedWith("ffmpeg")(ctx, in, found.Embedded); err == nil || caption.TrackFailure(err, "k") != err {
		t.Errorf("ended from outside: %v", err)
	}
	found.Embedded.Texts[0].Stream = 0 // which is the picture
	if _, err := EmbeddedWith("ffmpeg")(t.Context(), in, found.Embedded); err == nil || caption.TrackFailure(err, "k") == err {
		t.Errorf("another kind of stream: %v", err)
	}
}
