package progressive_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sealreel/pkg/caption"
	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/part"
	"sealreel/pkg/progressive"
)

// texts is a track of captions and its data.
func texts(t *testing.T, cues []caption.Cue, length time.Duration) (*part.Index, []byte) {
	t.Helper()
	track, err := fragment.NewTrack(caption.MovTextScale, caption.MovTextEntry())
	if err != nil {
		t.Fatal(err)
	}
	samples, err := caption.MovTextSamples(cues, length)
	if err != nil {
		t.Fatal(err)
	}
	var data []byte
	var all []fragment.Sample
	for _, s := range samples {
		at := s.Start.Milliseconds()
		all = append(all, fragment.Sample{DTS: at, PTS: at, Duration: (s.End - s.Start).Milliseconds(), Key: true, Data: s.Data})
		data = append(data, s.Data...)
	}
	return indexOf(t, track, all), data
}

// TestCaptionsBesideThePicture: ffmpeg decodes what was put in, per language,
// and the picture is what it is without captions.
func TestCaptionsBesideThePicture(t *testing.T) {
	track, samples := fragmenttest.Samples(t, fragmenttest.Video(t, "testsrc2=s=64x48:r=25:d=4"))
	r := &reel{}
	r.split(t, track, samples, 40)
	const s = time.Second
	cues := [][]caption.Cue{
		{{Start: s, End: 2500 * time.Millisecond, Text: "One & <two>\nlines"}, {Start: 3 * s, End: 3900 * time.Millisecond, Text: "last"}},
		{{Start: 0, End: s, Text: "Grüße"}},
		{},
	}
	o := progressive.Options{}
	var data [][]byte
	for i, language := range []string{"eng", "deu", "fra"} {
		index, b := texts(t, cues[i], 4*s)
		o.Captions = append(o.Captions, progressive.Captions{Index: index, Language: language, Label: []string{"English", "", ""}[i]})
		data = append(data, b)
	}
	layout, err := progressive.Plan(r.video, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := layout.Stream(&file, func(kind fragment.Kind, place int) (io.ReadCloser, error) {
		if kind == fragment.Text {
			return io.NopCloser(bytes.NewReader(data[place])), nil
		}
		return r.open(kind, place)
	}); err != nil {
		t.Fatal(err)
	}
	if int64(file.Len()) != layout.Size() {
		t.Errorf("%d bytes, planned were %d", file.Len(), layout.Size())
	}
	name := filepath.Join(t.TempDir(), "a.mp4")
	if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	silent(t, name)
	want := []string{"h264 1 und VideoHandler", "mov_text 1 eng English", "mov_text 0 deu SubtitleHandler", "mov_text 0 fra SubtitleHandler"}
	var got []string
	for line := range strings.Lines(probe(t, name, "stream=codec_name:stream_disposition=default:stream_tags=language,handler_name")) {
		_, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if strings.HasPrefix(line, "codec_name=") {
			got = append(got, value)
		} else {
			got[len(got)-1] += " " + value
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the streams are %q, want %q", got, want)
	}
	if all := frames(t, name, "v:0"); !slices.Equal(all, frames(t, r.file(t), "v:0")) {
		t.Error("the picture is another than without captions")
	}
	for i, want := range [][]caption.Cue{cues[0], cues[1], nil} {
		if got := decoded(t, name, i); !slices.Equal(got, want) {
			t.Errorf("captions %d are %v, want %v", i, got, want)
		}
	}
}

// decoded are the captions that ffmpeg finds in a file. It leaves "<" as it is,
// which is the beginning of a tag for who reads the format.
func decoded(t *testing.T, file string, track int) []caption.Cue {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-copyts", "-i", file, "-map", fmt.Sprintf("0:s:%d", track), "-f", "srt", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		return nil
	}
	cues, err := caption.Decode(caption.SRT, []byte(strings.NewReplacer("<two>", "{two}").Replace(string(out))))
	if err != nil {
		t.Fatal(err)
	}
	for i := range cues {
		cues[i].Text = strings.ReplaceAll(cues[i].Text, "{two}", "<two>")
	}
	return cues
}
