package document

import "testing"

func TestOverlay(t *testing.T) {
	const base = `{"A":"1","O":{"X":"1","Y":{"p":1,"q":2}},"L":[1,2],"K":"k"}`
	for change, want := range map[string]string{
		`{}`:                              base,
		`{"A":null,"O":null}`:             base,
		`{"A":2}`:                         `{"O":{"X":"1","Y":{"p":1,"q":2}},"L":[1,2],"K":"k","A":2}`,
		`{"A":"","L":[],"O":""}`:          `{"K":"k"}`,
		`{"A":"","N":"","M":[]}`:          `{"O":{"X":"1","Y":{"p":1,"q":2}},"L":[1,2],"K":"k"}`,
		`{"O":{"X":"","Z":"z","W":null}}`: `{"A":"1","L":[1,2],"K":"k","O":{"Y":{"p":1,"q":2},"Z":"z"}}`,
		`{"O":{"Y":{"p":3}}}`:             `{"A":"1","L":[1,2],"K":"k","O":{"X":"1","Y":{"p":3}}}`,
		`{"O":{}}`:                        `{"A":"1","L":[1,2],"K":"k","O":{"X":"1","Y":{"p":1,"q":2}}}`,
		`{"L":[3],"N":{"a":null}}`:        `{"A":"1","O":{"X":"1","Y":{"p":1,"q":2}},"K":"k","L":[3],"N":{"a":null}}`,
		`{"A":2,"A":3}`:                   `{"O":{"X":"1","Y":{"p":1,"q":2}},"L":[1,2],"K":"k","A":2,"A":3}`,
		`{"A":"","A":3}`:                  `{"O":{"X":"1","Y":{"p":1,"q":2}},"L":[1,2],"K":"k","A":3}`,
		`{"K":"other"}`:                   base,
	} {
		if got := string(parse(t, base).Overlay(parse(t, change), "K")); got != want {
			t.Errorf("%s: %s, want %s", change, got, want)
		}
	}
}
