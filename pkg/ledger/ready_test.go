package ledger

import "testing"

// FuzzParseReady: a key that is taken is the one that its parts make.
func FuzzParseReady(f *testing.F) {
	for _, key := range []string{"ready/1382644766696-2di5iz/1.json", "ready/1382644766696-2di5iz/1", "ready/1382644766696-2di5iz/.json", "ready//1.json", "ready/../1.json", "ready/1382644766696-2di5iz/1.json.json", ""} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if r, ok := ParseReady(key); ok && readyKey(r.Job, r.Output) != key {
			t.Errorf("%q is taken for %q", key, readyKey(r.Job, r.Output))
		}
	})
}
