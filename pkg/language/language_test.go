package language

import "testing"

func TestLanguages(t *testing.T) {
	for in, want := range map[string]string{"en": "eng", "ENG": "eng", "de": "deu", "ger": "deu", "fre": "fra", "zh": "zho", "chi": "zho", "tlh": "tlh", "und": "und"} {
		if got, err := Alpha3(in); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "e", "xx", "en-US", "e1", "é", "engl", "e g"} {
		if got, err := Alpha3(in); err == nil {
			t.Errorf("%q: %s, no error", in, got)
		}
	}
	if n := len(alpha3); n != 183+20 {
		t.Errorf("%d codes, want the 183 of ISO 639-1 and 20 bibliographic ones", n)
	}
	seen := map[string]string{}
	for from, to := range alpha3 {
		if len(to) != 3 {
			t.Errorf("%s: %q", from, to)
		}
		if len(from) == 2 && seen[to] != "" {
			t.Errorf("%s and %s: both %s", from, seen[to], to)
		}
		if len(from) == 2 {
			seen[to] = from
		}
	}
	if Same("en", "de") || !Same("odd name", "odd name") || Same("xx", "yy") {
		t.Error("Same")
	}
}

// FuzzAlpha3: what is taken is three letters, and is itself taken for them.
func FuzzAlpha3(f *testing.F) {
	for _, code := range []string{"en", "ENG", "ger", "xx", "e1", "é", "K\u212aa"} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		got, err := Alpha3(code)
		if err != nil {
			return
		}
		for _, c := range []byte(got) {
			if c < 'a' || c > 'z' {
				t.Errorf("%q is %q", code, got)
			}
		}
		if again, err := Alpha3(got); len(got) != 3 || err != nil || again != got {
			t.Errorf("%q is %q, which is %q, %v", code, got, again, err)
		}
	})
}
