package preset

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestSystemTable compares every embedded preset with the table of the service's
// in testdata/system.txt, field by field.
func TestSystemTable(t *testing.T) {
	golden, err := os.ReadFile("testdata/system.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(golden)), "\n")
	var got []string
	for _, id := range SystemIDs() {
		p, ok := System(id)
		if !ok {
			t.Fatalf("System(%s) is missing", id)
		}
		if p.Type != TypeSystem || p.ID != id {
			t.Errorf("%s: type or id are wrong: %+v", id, p)
		}
		got = append(got, row(p))
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("row %d: got\n%s\nwant\n%s", i+1, strings.Join(got[min(i, len(got)):min(i+1, len(got))], ""), strings.Join(want[min(i, len(want)):min(i+1, len(want))], ""))
		}
	}
}

// row has every member of a preset. Columns stand between bars; an option has
// its name, members that all presets of a kind have don't.
func row(p *Preset) string {
	columns := []string{strings.TrimPrefix(p.ID, series), p.Name, p.Description, p.Container}
	if v := p.Video; v != nil {
		var options []string
		for _, name := range slices.Sorted(maps.Keys(v.CodecOptions)) {
			options = append(options, name+" "+v.CodecOptions[name])
		}
		var places []string
		for _, w := range v.Watermarks {
			places = append(places, strings.Join([]string{w.ID, w.HorizontalAlign, w.HorizontalOffset, w.VerticalAlign, w.VerticalOffset, w.MaxWidth, w.MaxHeight, w.SizingPolicy, w.Opacity, w.Target}, " "))
		}
		columns = append(columns, v.Codec, strings.Join(options, ", "), v.MaxWidth+"x"+v.MaxHeight, v.BitRate, v.FrameRate, v.MaxFrameRate, v.KeyframesMaxDist+" "+v.FixedGOP,
			v.Resolution+v.AspectRatio, strings.Join([]string{v.SizingPolicy, v.PaddingPolicy, v.DisplayAspectRatio}, " "), strings.Join(places, ", "))
	}
	if a := p.Audio; a != nil {
		columns = append(columns, strings.Join([]string{a.Codec, a.BitRate, a.SampleRate, a.Channels, a.AudioPackingMode}, " "), fmt.Sprintf("%+v", a.CodecOptions))
	}
	if s := p.Thumbnails; s != nil {
		columns = append(columns, strings.Join([]string{s.Format, s.Interval, s.MaxWidth + "x" + s.MaxHeight, s.SizingPolicy, s.PaddingPolicy, s.Resolution + s.AspectRatio}, " "))
	}
	return strings.Join(columns, "|")
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

func TestSuccessor(t *testing.T) {
	for id, want := range map[string]string{
		"1351620000001-100010": "1351620000001-100020",
		"1351620000001-000060": "1351620000001-000061",
		"1351620000001-200070": "1351620000001-200071",
		"1351620000000-100140": "1351620000001-100141",
		"1351620000000-000010": "1351620000001-000010",
		"1351620000001-000010": "",
		"1351620000000-999999": "",
		"1762992000000-100010": "",
		"":                     "",
	} {
		got, ok := Successor(id)
		if got != want || ok != (want != "") {
			t.Errorf("Successor(%q) = %q, %t, want %q", id, got, ok, want)
		}
	}
}

// TestSystemAgainstTheRules: the service's own presets keep the rules, and but
// for one go no further than is recommended for their level.
func TestSystemAgainstTheRules(t *testing.T) {
	for _, id := range SystemIDs() {
		p, _ := System(id)
		switch got := Warning(p); {
		case id == series+"400040" && !strings.Contains(got, "Video:FrameRate 30 is above 25.79 for 592x332, the most at H.264 level 2.1"),
			id != series+"400040" && got != "":
			t.Errorf("%s: %q", id, got)
		}
	}
}
