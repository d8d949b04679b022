package main

import (
	"bytes"
	"strings"
	"testing"
)

// A small run measures every stream, and leaves every file as it was: else the
// next one-shot call would refuse it.
func TestMeasure(t *testing.T) {
	rows, err := measure(t.Context(), 3<<20, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2*(3+4+3) {
		t.Errorf("%d streams were measured", len(rows))
	}
	for _, r := range rows {
		if r.rate <= 0 || len(r.whole) != 2 || len(r.cached) != 2 || median(r.whole) <= 0 || median(r.cached) <= 0 {
			t.Errorf("%s, %s: %+v", r.cipher, r.does, r)
		}
		if r.allocated == 0 || r.allocated > 8<<20 {
			t.Errorf("%s, %s allocates %d bytes", r.cipher, r.does, r.allocated)
		}
	}
	var table bytes.Buffer
	show(&table, rows)
	if got := strings.Count(table.String(), "\n"); got != len(rows)+1 {
		t.Errorf("the table has %d lines:\n%s", got, table.String())
	}
	if err := short(rows, 0); err != nil {
		t.Error(err)
	}
	if err := short(rows, 1000); err == nil {
		t.Error("nothing is a thousand times as fast")
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{2}, 2}, {[]float64{3, 1, 2}, 2}} {
		if got := median(c.of); got != c.want {
			t.Errorf("median(%v) is %v, want %v", c.of, got, c.want)
		}
	}
}
