package cost

import (
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	at := [2]int{60, 180}
	for _, c := range []struct{ short, long, fixed, slope float64 }{
		{10, 34, -1, 34.0 / 180}, // through zero where the line would begin below
		{16, 28, 10, 0.1},
		{5, 5, 5, 0},
		{6, 4, 5, 0}, // noise
	} {
		s := Line(Work{CPU: c.short, Requests: map[string]float64{"kms": c.short}}, Work{CPU: c.long, Requests: map[string]float64{"kms": c.long}}, at)
		fixed := max(c.fixed, 0)
		if s.Fixed.CPU != fixed || s.PerSecond.CPU-c.slope > 1e-9 || c.slope-s.PerSecond.CPU > 1e-9 || s.Fixed.Requests["kms"] != fixed {
			t.Errorf("%g and %g: %+v, want %g and %g a second", c.short, c.long, s, fixed, c.slope)
		}
		if got := s.Of(180); c.fixed >= 0 && c.long >= c.short && (got.CPU-c.long > 1e-9 || c.long-got.Requests["kms"] > 1e-9) {
			t.Errorf("%g and %g: %+v at the longer", c.short, c.long, got)
		}
	}
}

func TestMeasuredIsWhole(t *testing.T) {
	c, err := Measured()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ladder", "film"} {
		title, err := c.Title(name)
		if err != nil {
			t.Fatal(err)
		}
		if title.Chunk.Fixed.Requests["kms"] <= 0 || title.Chunk.Fixed.Requests["s3 get ingest"] <= 0 || title.Audio.PerSecond.CPU <= 0 {
			t.Errorf("%+v", title)
		}
	}
	if _, err := c.Title("none"); err == nil {
		t.Error("a title that is none is found")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ doc, says string }{
		{`{"chunks": 1}`, "unknown field"}, {`{"chunkSeconds": 30}`, "0 titles"},
		{`{"chunkSeconds": 30, "titles": [{"name": "a", "count": 1}]}`, `"a"`}, {`{`, "EOF"},
	} {
		if _, err := Parse([]byte(c.doc)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.doc, err, c.says)
		}
	}
}
