package job

import (
	"slices"
	"strings"
	"testing"
)

func TestThumbnailNames(t *testing.T) {
	for _, c := range []struct{ prefix, pattern, format, first, last string }{
		{"p/", "t-{count}", "png", "p/t-00001.png", "p/t-99999.png"},
		{"", "{count}", "jpg", "00001.jpg", "99999.jpg"},
		{"x", "{resolution}/{count}-{resolution}", "png", "x192x108/00001-192x108.png", "x192x108/99999-192x108.png"},
		{"", "{count}/{count}", "jpg", "00001/00001.jpg", "99999/99999.jpg"},
		{"{count}/", "a{count}", "png", "{count}/a00001.png", "{count}/a99999.png"},
		{"", "film2{count}7%d", "png", "film2000017%d.png", "film2999997%d.png"},
		{"00001/", "00001{count}{count}", "png", "00001/000010000100001.png", "00001/000019999999999.png"},
	} {
		n := OutputThumbnails(c.prefix, Output{ThumbnailPattern: c.pattern}, c.format, 192, 108)
		if n.Key(1) != c.first || n.Key(MaxThumbnails) != c.last {
			t.Errorf("%s: %s, %s", c.pattern, n.Key(1), n.Key(MaxThumbnails))
		}
		for _, number := range []int64{1, 2, 11111, 12345, MaxThumbnails} {
			key := n.Key(number)
			if !n.Is(key) {
				t.Errorf("%s is none of %s", key, n.All())
			}
			if !slices.Contains(ThumbnailSets(key), n.All()) {
				t.Errorf("%s could be of %q, and not of %s", key, ThumbnailSets(key), n.All())
			}
		}
		for _, other := range []string{"", c.prefix, n.All(), n.Key(0), n.Key(1) + "x", "x" + n.Key(1), strings.ToUpper(n.Key(1)), n.Key(1)[:len(n.Key(1))-1], n.Key(100000)} {
			if n.Is(other) {
				t.Errorf("%q is one of %s", other, n.All())
			}
		}
		if beginning := ThumbnailBeginning(c.prefix, Output{ThumbnailPattern: c.pattern}); !strings.HasPrefix(c.first, beginning) || !strings.HasPrefix(c.last, beginning) {
			t.Errorf("%s begin with %q", c.pattern, beginning)
		}
	}
	if n := OutputThumbnails("", Output{ThumbnailPattern: "{count}/{count}"}, "png", 2, 2); n.Is("00001/00002.png") {
		t.Error("two numbers at once")
	}
	if b := ThumbnailBeginning("p/", Output{ThumbnailPattern: "a{resolution}{count}"}); b != "p/a" {
		t.Errorf("beginning %q", b)
	}
}

func FuzzThumbnailSets(f *testing.F) {
	f.Add("p/", "a{count}-{resolution}", int64(17))
	f.Add("1111", "1{count}1{count}", int64(11111))
	f.Fuzz(func(t *testing.T, prefix, pattern string, number int64) {
		for _, set := range ThumbnailSets(prefix + pattern + ".png") {
			if !strings.Contains(set, "{count}") {
				t.Errorf("%q", set)
			}
		}
		if number < 1 || number > MaxThumbnails || !strings.Contains(pattern, "{count}") {
			return
		}
		n := OutputThumbnails(prefix, Output{ThumbnailPattern: pattern}, "jpg", 320, 180)
		key := n.Key(number)
		if !n.Is(key) {
			t.Errorf("%q is none of %q", key, n.All())
		}
		if sets := ThumbnailSets(key); len(sets) < maxSets && !slices.Contains(sets, n.All()) {
			t.Errorf("%q of %q is not among %q", key, n.All(), sets)
		}
	})
}
