package caption

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMovText(t *testing.T) {
	const s = time.Second
	cues := []Cue{{s, 3 * s, "a"}, {2 * s, 4 * s, "é"}, {4 * s, 5 * s, "c"}, {6 * s, 9 * s, "d"}}
	want := []MovTextSample{
		{0, s, []byte("\x00\x00")}, {s, 2 * s, []byte("\x00\x01a")}, {2 * s, 3 * s, []byte("\x00\x04a\né")}, {3 * s, 4 * s, []byte("\x00\x02é")},
		{4 * s, 5 * s, []byte("\x00\x01c")}, {5 * s, 6 * s, []byte("\x00\x00")}, {6 * s, 7 * s, []byte("\x00\x01d")},
	}
	same := func(a, b MovTextSample) bool {
		return a.Start == b.Start && a.End == b.End && bytes.Equal(a.Data, b.Data)
	}
	got, err := MovTextSamples(cues, 7*s)
	if err != nil || !slices.EqualFunc(got, want, same) {
		t.Fatalf("%v\n%v\nwant\n%v", err, got, want)
	}
	back, err := DecodeMovText(got)
	if wantBack := []Cue{{s, 2 * s, "a"}, {2 * s, 3 * s, "a\né"}, {3 * s, 4 * s, "é"}, {4 * s, 5 * s, "c"}, {6 * s, 7 * s, "d"}}; err != nil || !slices.Equal(back, wantBack) {
		t.Errorf("%v\n%swant\n%s", err, show(back), show(wantBack))
	}
	if got, err := MovTextSamples(nil, 2*s); err != nil || len(got) != 1 || got[0].End != 2*s || len(got[0].Data) != 2 {
		t.Errorf("no cues: %v, %v", got, err)
	}
	if got, err := MovTextSamples(cues, 0); err != nil || len(got) != 0 {
		t.Errorf("no length: %v, %v", got, err)
	}
}

func TestDecodeMovText(t *testing.T) {
	for name, c := range map[string]struct {
		data, want string
		err        error
	}{
		"text":          {"\x00\x03a\nb", "a\nb", nil},
		"styled":        {"\x00\x01a\x00\x00\x00\x16styl\x00\x01\x00\x00\x00\x01\x00\x01\x00\x12\xff\xff\xff\xff", "a", nil},
		"UTF-16":        {"\x00\x08\xfe\xff\x00a\xd8\x3d\xde\x42", "a🙂", nil},
		"little-endian": {"\x00\x04\xff\xfea\x00", "a", nil},
		"half a unit":   {"\x00\x03\xfe\xffx", "", nil},
		"empty":         {"\x00\x00", "", nil},
		"nothing":       {"", "", nil},
		"cut":           {"\x00\x02a", "", &SyntaxError{}},
		"one byte":      {"\x00", "", &SyntaxError{}},
		"Latin-1":       {"\x00\x01\xe9", "", ErrNotUTF8},
		"long":          {"\x20\x00" + strings.Repeat("a", 0x2000), "", &SyntaxError{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeMovText([]MovTextSample{{time.Second, 2 * time.Second, []byte(c.data)}})
			var syntax *SyntaxError
			switch {
			case c.err == nil && (err != nil || len(got) != min(1, len(c.want)) || len(got) == 1 && got[0].Text != c.want):
				t.Errorf("%v\n%swant %q", err, show(got), c.want)
			case c.err != nil && !errors.Is(err, c.err) && !errors.As(err, &syntax):
				t.Errorf("%v", err)
			case errors.Is(c.err, ErrNotUTF8) != errors.Is(err, ErrNotUTF8):
				t.Errorf("%v, want %v", err, c.err)
			}
		})
	}
}

func TestMovTextEntry(t *testing.T) {
	e := MovTextEntry()
	if size := int(binary.BigEndian.Uint32(e)); size != len(e) {
		t.Errorf("size %d, has %d bytes", size, len(e))
	}
	font := e[bytes.Index(e, []byte("ftab"))-4:]
	if size := int(binary.BigEndian.Uint32(font)); size != len(font) {
		t.Errorf("ftab: size %d, has %d bytes", size, len(font))
	}
}

func TestFlatten(t *testing.T) {
	const s = time.Second
	got, err := Flatten([]Cue{{4 * s, 5 * s, "c"}, {0, 10 * s, "a"}, {2 * s, 4 * s, "b"}, {4 * s, 6 * s, "a"}, {12 * s, 13 * s, "d"}, {13 * s, 14 * s, "d"}})
	want := []Cue{{0, 2 * s, "a"}, {2 * s, 4 * s, "a\nb"}, {4 * s, 5 * s, "a\nc"}, {5 * s, 10 * s, "a"}, {12 * s, 14 * s, "d"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v\n%swant\n%s", err, show(got), show(want))
	}
	crowd := make([]Cue, maxAtOnce+1)
	for i := range crowd {
		crowd[i] = Cue{time.Duration(i), s, "x"}
	}
	if _, err := Flatten(crowd[1:]); err != nil {
		t.Error(err)
	}
	if _, err := Flatten(crowd); err == nil {
		t.Error("nine at once: no error")
	}
	// A few long texts under many short ones would be written out again and again.
	bomb := []Cue{}
	for i := range 6 {
		bomb = append(bomb, Cue{0, MaxTime, strings.Repeat(string(rune('a'+i)), MaxText)})
	}
	for i := range MaxCues {
		bomb = append(bomb, Cue{time.Duration(i) * s, time.Duration(i)*s + 1, "x"})
	}
	if _, err := Flatten(bomb); err == nil {
		t.Error("bomb: no error")
	}
}
