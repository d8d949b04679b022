package caption

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// scc writes a document of lines "time code: pairs", with the parity bits
// missing.
func scc(l ...string) string {
	return sccHeader + "\n\n" + strings.ReplaceAll(strings.Join(l, "\n\n"), "| ", "\t") + "\n"
}

func TestDecodeSCC(t *testing.T) {
	at := func(frame, more int) time.Duration { return frameTime(frame + more) }
	for name, c := range map[string]struct {
		doc  string
		want []Cue
	}{
		"pop-on": {scc("00:00:01:00| 9420 9420 94ae 94ae 9470 9470 c8e9 a180 942f 942f", "00:00:03:00| 942c 942c"),
			[]Cue{{at(30, 8), at(90, 0), "Hi!"}}},
		"pop-on until the next, which is not erased": {scc("00:00:01:00| 1420 1420 142e 142e 1470 1470 4849 142f 142f", "00:00:02:00| 1420 142e 1450 4f6e 1470 7477 6f00 142f"),
			[]Cue{{at(30, 7), at(60, 7), "HI"}, {at(60, 7), at(60, 8) + lastShown, "On\ntwo"}}},
		"roll-up": {scc("00:00:01;00| 1425 1425 142d 142d 1470 1470 4142", "00:00:02;00| 1425 1425 142d 142d 1470 1470 4344",
			"00:00:03;00| 1425 1425 142d 142d 1470 1470 4546", "00:00:04;00| 142c 142c"),
			[]Cue{{at(30, 2), at(60, 2), "AB"}, {at(60, 2), at(90, 2), "AB\nCD"}, {at(90, 2), at(120, 0), "CD\nEF"}}},
		"roll-up that moves": {scc("00:00:01;00| 1426 142d 1470 4142", "00:00:02;00| 1450 4344", "00:00:03;00| 142c"),
			[]Cue{{at(30, 1), at(60, 0), "AB"}, {at(60, 0), at(90, 0), "CD"}}},
		"paint-on, in bursts": {scc("00:00:01;00| 1429 1429 1470 1470 4142 4344", "00:00:02;00| 4546", "00:00:03;00| 142c 142c"),
			[]Cue{{at(30, 4), at(60, 0), "ABCD"}, {at(60, 0), at(90, 0), "ABCDEF"}}},
		"special and extended characters": {scc("00:00:01;00| 1420 1470 4100 1220 1220 1137 1137 2a5c 5e5f 607b 7c7d 7e00 4500 1230 6100 1331 7500 1325 1140 142f", "00:00:03;00| 142c"),
			[]Cue{{at(30, 19), at(90, 0), "Á♪áéíóúç÷ÑñÀäÒ"}}},
		"backspace, deletion, indents and tabs": {scc("00:00:01;00| 1420 1420 1470 4142 4321 1421 4400 1452 5800 1721 5900 1476 5a5a 1476 1424 142f", "00:00:03;00| 142c"),
			[]Cue{{at(30, 15), at(90, 0), "X Y\nABCD"}}},
		"another channel, text and services": {scc("00:00:01;00| 1420 1470 4100 1c20 1c70 7878 1c2f 1420 4200 0101 142a 7878 1420 4300 142f", "00:00:03;00| 142c"),
			[]Cue{{at(30, 14), at(90, 0), "ABC"}}},
		"a long row": {scc("00:00:01;00| 1420 1470 " + strings.Repeat("4142 ", 17) + "142f"),
			[]Cue{{at(30, 19), at(30, 20) + lastShown, strings.Repeat("AB", 15) + "AB"}}},
		"erased before anything": {scc("00:00:01;00| 142c 142c"), nil},
		"lines that overlap":     {scc("00:00:01;00| 1420 1470 4142 142f", "00:00:01;02| 142c"), []Cue{{at(30, 3), at(30, 4), "AB"}}},
		"drop-frame hours":       {scc("01:00:00;00| 1420 1470 4142 142f", "01:00:01;00| 142c"), []Cue{{at(107892, 3), at(107922, 0), "AB"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, format, err := Read(strings.NewReader(c.doc))
			if err != nil || format != SCC || !slices.Equal(got, c.want) {
				t.Errorf("%s, %v:\n%swant\n%s", format, err, show(got), show(c.want))
			}
		})
	}
}

func TestDecodeSCCRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		doc, want string
	}{
		"another version": {sccHeader + "1\n\n", "scc, line 1: the file doesn't start"},
		"nothing":         {sccHeader, "scc, line 1: the file has no caption"},
		"no time":         {scc("9420 9420"), "scc, line 3: no time code"},
		"frame 30":        {scc("00:00:00:30| 9420"), "scc, line 3: no time code"},
		"backwards":       {scc("00:00:02:00| 9420", "00:00:01:00| 9420"), "scc, line 5: the time code is before"},
		"three digits":    {scc("00:00:02:00| 942"), "scc, line 3: not pairs"},
		"five digits":     {scc("00:00:02:00| 09420"), "scc, line 3: not pairs"},
		"no digits":       {scc("00:00:02:00| 94g0"), "scc, line 3: not pairs"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := Read(strings.NewReader(c.doc)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestTimeCode(t *testing.T) {
	for s, frame := range map[string]int{
		"00:00:00;00": 0, "00:00:59;29": 1799, "00:01:00;02": 1800, "00:09:59;29": 17981, "00:10:00;00": 17982,
		"00:11:00;02": 19782, "01:00:00;00": 107892, "23:59:59;29": 2589407,
	} {
		if got, ok := parseTimeCode(s); !ok || got != frame {
			t.Errorf("parse %s: %d, %v; want %d", s, got, ok, frame)
		}
		if got := formatTimeCode(frame); got != s {
			t.Errorf("format %d: %s; want %s", frame, got, s)
		}
	}
	for frame := range 40000 {
		if got, ok := parseTimeCode(formatTimeCode(frame)); !ok || got != frame {
			t.Fatalf("frame %d comes back as %d", frame, got)
		}
		if got := frameAt(frameTime(frame)); got != frame {
			t.Fatalf("the time of frame %d is that of %d", frame, got)
		}
	}
}

func TestEncodeSCC(t *testing.T) {
	// Row 15, indent 12, tab 3: half of 32 columns less two.
	doc, err := encodeSCC([]Cue{
		{2 * time.Second, 4 * time.Second, "Hi"},
		{4 * time.Second, 5 * time.Second, "É"}, // replaces the one before
	})
	want := sccHeader + `

00:00:01;21	9420 9420 94ae 94ae 9476 9476 9723 9723 c8e9

00:00:02;00	942f 942f

00:00:03;19	9420 9420 94ae 94ae 9476 9476 9723 9723 4580 92a1 92a1

00:00:04;00	942f 942f

00:00:05;00	942c 942c
`
	if err != nil || string(doc) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, doc, want)
	}
}

// The screen is emptied on time though the next caption is being sent.
func TestEncodeSCCErasesWithinALine(t *testing.T) {
	cues := []Cue{{3 * time.Second, 5 * time.Second, "first"}, {5200 * ms, 7 * time.Second, "the second, which takes half a second"}}
	doc, err := encodeSCC(cues)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(doc), "\n\n"); n != 7 { // two captions, their ends, and one of those cuts the other in two
		t.Errorf("%d lines, want 7:\n%s", n, doc)
	}
	got, err := Decode(SCC, doc)
	if err != nil || len(got) != 2 {
		t.Fatalf("%v\n%s", err, show(got))
	}
	for i := range got {
		if d := (got[i].Start - cues[i].Start).Abs(); d > 17*ms {
			t.Errorf("caption %d starts %v off", i, d)
		}
		if d := (got[i].End - cues[i].End).Abs(); d > 50*ms {
			t.Errorf("caption %d ends %v off", i, d)
		}
	}
}

func TestEncodeSCCLayout(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 15))
	for name, c := range map[string]struct {
		text, want string
	}{
		"wrapped":            {long, lines("word word word word word word", "word word word word word word", "word word word")},
		"32 columns":         {strings.Repeat("a", 32), strings.Repeat("a", 32)},
		"33 columns":         {strings.Repeat("a", 33), strings.Repeat("a", 32) + "\na"},
		"32 columns, a gap":  {strings.Repeat("a", 32) + " b", strings.Repeat("a", 32) + "\nb"},
		"look-alikes":        {"“a”… b–c d’e ♫", "“a”... b-c d'e ♪"},
		"every special one":  {"®°½¿™¢£♪à èâêîôû", special608},
		"extended":           {"ÁÉÓÚÜü‘¡*'—©℠•", "ÁÉÓÚÜü‘¡*'—©℠•"},
		"extended, second":   {"ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤¦ÅåØø┌┐└┘", "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤¦ÅåØø┌┐└┘"},
		"fifteen rows":       {strings.Repeat("a\n", 15), strings.TrimSpace(strings.Repeat("a\n", 15))},
		"a blank after wrap": {strings.Repeat("a", 31) + "  b", strings.Repeat("a", 31) + "\nb"},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := encodeSCC([]Cue{{20 * time.Second, 21 * time.Second, c.text}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := Decode(SCC, doc)
			if err != nil || len(got) != 1 || got[0].Text != c.want {
				t.Errorf("%v\n%swant %q", err, show(got), c.want)
			}
		})
	}
	for name, text := range map[string]string{"Japanese": "日本", "sixteen rows": strings.Repeat("a\n", 16), "an emoji": "🙂"} {
		if _, err := encodeSCC([]Cue{{0, time.Second, text}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParity(t *testing.T) {
	for b, want := range map[byte]byte{0x00: 0x80, 0x14: 0x94, 0x20: 0x20, 0x2f: 0x2f, 0x41: 0xc1, 0x70: 0x70} {
		if got := oddParity(b); got != want {
			t.Errorf("%02x: %02x, want %02x", b, got, want)
		}
	}
}
