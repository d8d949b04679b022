package ffmpeg

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTailKeepsTheEnd(t *testing.T) {
	var all strings.Builder
	for i := range 5000 {
		all.WriteString(strings.Repeat(string(rune('a'+i%26)), i%90) + "\n")
	}
	whole := all.String()
	for _, length := range []int{0, 1, tailSize - 1, tailSize, tailSize + 1, 3*tailSize + 7} {
		for _, step := range []int{1, 1000, tailSize - 1, tailSize, tailSize + 1, len(whole)} {
			var got tail
			text := whole[:length]
			for rest := text; rest != ""; {
				n, err := got.Write([]byte(rest[:min(step, len(rest))]))
				if err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			want := text
			if len(text) > tailSize {
				want = text[len(text)-tailSize:]
				want = want[strings.IndexByte(want, '\n')+1:]
			}
			if got.String() != want || cap(got.buf) > 3*tailSize {
				t.Errorf("%d bytes in steps of %d: got %d bytes, want %d; capacity %d", length, step, len(got.String()), len(want), cap(got.buf))
			}
		}
	}
}

func TestTailDropsHalfAToken(t *testing.T) {
	var got tail
	got.Write([]byte("/0123456789abcdef0123456789abcdef/input " + strings.Repeat("x", tailSize-20)))
	if s := got.String(); strings.Contains(s, "input") || len(s) != tailSize-20 {
		t.Errorf("kept %.40q and so on, %d bytes", s, len(s))
	}
	got = tail{}
	got.Write([]byte(strings.Repeat("0", 2*tailSize)))
	if s := got.String(); s != "" {
		t.Errorf("kept %d bytes of one word", len(s))
	}
}

func TestReason(t *testing.T) {
	for in, want := range map[string]string{
		"":     "",
		"\n\n": "",
		"one":  "one",
		"one\ntwo\n\n    Last message repeated 3 times\nConversion failed!\n": "two",
		"[http @ 0x5581] [tcp @ 0x7f00] refused":                              "refused",
		"a\x1b[31mb\x00c\xff":                                                 "a[31mbc?",
		strings.Repeat("é", 300):                                              strings.Repeat("é", 200) + "...",
		"input: Invalid data found\r":                                         "input: Invalid data found",
	} {
		if got := reason(in); got != want {
			t.Errorf("reason(%.40q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzReason(f *testing.F) {
	f.Add("[a @ 0x1] b\nConversion failed!")
	f.Add("\xff\x00\n")
	f.Fuzz(func(t *testing.T, s string) {
		if r := reason(redact(s)); !utf8.ValidString(r) || utf8.RuneCountInString(r) > 203 || strings.ContainsAny(r, "\n\r\x1b") {
			t.Errorf("reason(%q) = %q", s, r)
		}
	})
}
