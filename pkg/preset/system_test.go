package preset

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestSystemTable compares every embedded preset with the service's table,
// field by field.
func TestSystemTable(t *testing.T) {
	want := []string{
		"000010 System preset: Generic 720p|mp4|H.264 baseline/3.1 refs 3|1280x720|2400|29.97|90 false|AAC-LC 160 44100 2|thumbs 60",
		"000040 System preset: Generic 360p 16:9|mp4|H.264 baseline/3 refs 3|640x360|720|29.97|90 false|AAC-LC 128 44100 2|thumbs 60",
		"200010 System preset: HLS 2M|ts|H.264 main/3.1 refs 3|1024x768|1872|auto|90 true|AAC-LC 128 44100 2|thumbs 300",
		"200020 System preset: HLS 1.5M|ts|H.264 main/3.1 refs 3|960x640|1372|auto|90 true|AAC-LC 128 44100 2|thumbs 300",
		"200030 System preset: HLS 1M|ts|H.264 main/3.1 refs 3|640x432|872|auto|90 true|AAC-LC 128 44100 2|thumbs 300",
		"200040 System preset: HLS 600k|ts|H.264 baseline/3 refs 3|480x320|472|auto|90 true|AAC-LC 128 44100 2|thumbs 300",
		"200050 System preset: HLS 400k|ts|H.264 baseline/3 refs 1|400x288|272|auto|90 true|AAC-LC 128 44100 2|thumbs 300",
	}
	var got []string
	for _, id := range SystemIDs() {
		p, ok := System(id)
		if !ok {
			t.Fatalf("System(%s) is missing", id)
		}
		v, a := p.Video, p.Audio
		refs, _ := v.References()
		got = append(got, fmt.Sprintf("%s %s|%s|%s %s/%s refs %d|%sx%s|%d|%s|%d %t|%s %d %d %d|thumbs %s",
			strings.TrimPrefix(id, "1351620000001-"), p.Name, p.Container, v.Codec, v.Profile(), v.Level(), refs, v.MaxWidth, v.MaxHeight, v.Kbps(),
			v.FrameRate, v.KeyframeDistance(), v.Fixed(), a.CodecOptions.Profile, a.Kbps(), a.Hz(), a.ChannelCount(), p.Thumbnails.Interval))
		if p.Type != TypeSystem || p.ID != id || len(v.Watermarks) != 4 || v.SizingPolicy != "ShrinkToFit" || v.PaddingPolicy != "NoPad" {
			t.Errorf("%s: type, id, watermarks or policies are wrong: %+v", id, p)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestSystemKeepsEveryMember: reading and writing a data file loses nothing.
func TestSystemKeepsEveryMember(t *testing.T) {
	for _, id := range SystemIDs() {
		doc, err := os.ReadFile("data/" + id + ".json")
		if err != nil {
			t.Fatal(err)
		}
		p, _ := System(id)
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if json.Unmarshal(doc, &a) != nil || json.Unmarshal(again, &b) != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%s: written again it is %s", id, again)
		}
	}
}

func TestSystemUnknown(t *testing.T) {
	for _, id := range []string{"", "1351620000001-999999", "../data/1351620000001-200010", "1351620000000-200010"} {
		if p, ok := System(id); ok || p != nil {
			t.Errorf("System(%q) = %v", id, p)
		}
	}
	a, _ := System("1351620000001-200010")
	a.Video.CodecOptions["Profile"] = "changed"
	if b, _ := System("1351620000001-200010"); b.Video.Profile() != "main" {
		t.Error("a caller's change reached the next caller")
	}
}
