package job

import (
	"strings"
	"testing"
	"time"
)

func TestOutputNames(t *testing.T) {
	for _, c := range []struct {
		name, prefix, key, duration, container string
		single, playlist, segment              string
	}{
		{"file", "p/", "a.mp4", "", "mp4", "p/a.mp4", "", ""},
		{"ts without segments", "p/", "a.ts", "", "ts", "p/a.ts", "", ""},
		{"segments", "p/", "a", "10", "ts", "", "p/a.m3u8", "p/a00042.ts"},
		{"no prefix", "", "x/a", "6.5", "ts", "", "x/a.m3u8", "x/a00042.ts"},
		{"prefix is no folder", "p", "a", "6", "ts", "", "pa.m3u8", "pa00042.ts"},
		{"percent in a key", "", "50%d", "6", "ts", "", "50%d.m3u8", "50%d00042.ts"},
		{"a duration that mp4 has no use for", "", "a", "10", "mp4", "a", "", ""},
	} {
		n := OutputNames(c.prefix, Output{Key: c.key, SegmentDuration: c.duration}, c.container)
		if n.Single != c.single || n.Playlist != c.playlist || n.Segmented() != (c.playlist != "") {
			t.Errorf("%s: %+v", c.name, n)
		}
		if n.Segmented() && n.Segment(42) != c.segment {
			t.Errorf("%s: segment %q, want %q", c.name, n.Segment(42), c.segment)
		}
	}
	if got := MasterName("p/", Playlist{Name: "f/x.m3u8"}); got != "p/f/x.m3u8.m3u8" {
		t.Errorf("master %q", got)
	}
}

func TestIsSegment(t *testing.T) {
	n := OutputNames("p/", Output{Key: "a", SegmentDuration: "6"}, "ts")
	for key, want := range map[string]bool{
		"p/a00000.ts": true, "p/a99999.ts": true,
		"p/a100000.ts": false, "p/a0000.ts": false, "p/a0000x.ts": false, "p/a00000.tS": false, "p/b00000.ts": false, "p/a.m3u8": false, "": false,
	} {
		if n.IsSegment(key) != want {
			t.Errorf("IsSegment(%q) = %t", key, !want)
		}
	}
	for _, i := range []int{0, MaxSegments - 1} {
		if !n.IsSegment(n.Segment(i)) {
			t.Errorf("segment %d is not recognised", i)
		}
	}
	if (Names{Single: "p/a"}).IsSegment("00000.ts") {
		t.Error("a single file has no segments")
	}
}

func TestSegmentSeconds(t *testing.T) {
	for in, want := range map[string]string{"10": "10", "10.0": "10", "6.5": "13/2", "": "", "x": "", "0": ""} {
		d, ok := Output{SegmentDuration: in}.SegmentSeconds()
		if ok != (want != "") || ok && d.String() != want {
			t.Errorf("%q: %v, %t", in, d, ok)
		}
	}
}

func TestNewID(t *testing.T) {
	when := time.UnixMilli(1382644766696)
	base := NewID(when, "bucket", "key", "v1")
	if !strings.HasPrefix(base, "1382644766696-") || !ValidID(base) || base != strings.ToLower(base) {
		t.Errorf("id %q", base)
	}
	if again := NewID(when, "bucket", "key", "v1"); again != base {
		t.Errorf("the same drop is %q and %q", base, again)
	}
	for name, other := range map[string]string{
		"time": NewID(when.Add(time.Millisecond), "bucket", "key", "v1"), "bucket": NewID(when, "b", "key", "v1"),
		"key": NewID(when, "bucket", "k", "v1"), "version": NewID(when, "bucket", "key", "v2"), "border": NewID(when, "bucketk", "ey", "v1"),
	} {
		if other == base {
			t.Errorf("another %s gives the same id", name)
		}
	}
	for _, odd := range []time.Time{{}, time.UnixMilli(-1), time.UnixMilli(1e15), time.UnixMilli(0)} {
		for i := range 200 { // some hashes have leading zeros
			if id := NewID(odd, "b", strings.Repeat("k", i), ""); !ValidID(id) {
				t.Errorf("NewID(%v) = %q", odd, id)
			}
		}
	}
}

func TestDropHash(t *testing.T) {
	seen := map[string]bool{}
	for _, parts := range [][3]string{{"a", "b", "c"}, {"ab", "", "c"}, {"", "ab", "c"}, {"a", "bc", ""}, {"", "", "abc"}, {"a\x00", "b", "c"}, {"a", "\x00b", "c"}} {
		h := DropHash(parts[0], parts[1], parts[2])
		if len(h) != 64 || strings.Trim(h, "0123456789abcdef") != "" || seen[h] {
			t.Errorf("hash %q of %q", h, parts)
		}
		seen[h] = true
	}
}

func TestValidID(t *testing.T) {
	for id, want := range map[string]bool{
		"1382644766696-2di5iz": true, "1762992000000-sealrl": true, "1351620000001-A_b9Zz": true,
		"": false, "1382644766696-2di5i": false, "1382644766696-2di5izz": false, "138264476669-2di5izz": false,
		"1382644766696-2di5iz\n": false, "../../x": false, "1382644766696/2di5iz": false,
	} {
		if ValidID(id) != want {
			t.Errorf("ValidID(%q) = %t", id, !want)
		}
	}
}
