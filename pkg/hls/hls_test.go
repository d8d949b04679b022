package hls_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Eyevinn/hls-m3u8/m3u8"

	"sealreel/pkg/hls"
	"sealreel/pkg/rational"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s\n%s, want\n%s", name, got, want)
	}
}

// segments of the frames' numbers at a rate.
func segments(stem string, rate rational.Rational, sizes []int64, frames ...int64) []hls.Segment {
	var all []hls.Segment
	ticks := rational.Int(hls.Clock).Div(rate)
	var at int64
	for i, n := range frames {
		all = append(all, hls.Segment{Key: fmt.Sprintf("%s%05d.ts", stem, i), Ticks: ticks.Round(at+n) - ticks.Round(at), Bytes: sizes[i%len(sizes)]})
		at += n
	}
	return all
}

var ntsc = rational.New(30000, 1001)

func TestMediaPlaylist(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		key      string
		segments []hls.Segment
		target   uint
	}{
		{"ntsc", "out/hls_400k.m3u8", segments("out/hls_400k", ntsc, []int64{500000}, 300, 300, 300, 123), 11},
		{"exact", "a.m3u8", segments("a", rational.Int(25), []int64{500000}, 250, 250, 1), 10},
		{"short", "a.m3u8", segments("a", rational.Int(25), []int64{5000}, 1), 1},
		{"odd-names", "x y/#1:ü.m3u8", segments("x y/#1:ü", rational.Int(25), []int64{5000}, 50, 50), 2},
		{"thirds", "a.m3u8", segments("a", rational.New(90000, 1), []int64{1}, 30001, 30001, 30001, 30001), 1},
	} {
		text, err := hls.Media(c.key, c.segments)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, c.name+".m3u8", text)
		list, kind, err := m3u8.DecodeFrom(bytes.NewReader(text), true)
		if err != nil || kind != m3u8.MEDIA {
			t.Fatalf("%s: %v, %v", c.name, kind, err)
		}
		media := list.(*m3u8.MediaPlaylist)
		if media.Version() != 3 || !media.Closed || media.MediaType != m3u8.VOD || media.SeqNo != 0 || media.TargetDuration != c.target {
			t.Errorf("%s: version %d, closed %v, %v, first %d, target %d", c.name, media.Version(), media.Closed, media.MediaType, media.SeqNo, media.TargetDuration)
		}
		var sum, want float64
		n := 0
		for _, s := range media.GetAllSegments() {
			if math.Round(s.Duration) > float64(media.TargetDuration) || math.Abs(s.Duration-float64(c.segments[n].Ticks)/hls.Clock) > 1e-6 {
				t.Errorf("%s: segment %d lasts %f", c.name, n, s.Duration)
			}
			if got := resolve(t, c.key, s.URI); got != c.segments[n].Key {
				t.Errorf("%s: %s leads to %q, want %q", c.name, s.URI, got, c.segments[n].Key)
			}
			sum += s.Duration
			want += float64(c.segments[n].Ticks) / hls.Clock
			n++
		}
		if n != len(c.segments) || math.Abs(sum-want) > 6e-7 {
			t.Errorf("%s: %d segments of %f s, want %d of %f s", c.name, n, sum, len(c.segments), want)
		}
	}
}

// resolve is the key that a client asks for.
func resolve(t testing.TB, from, uri string) string {
	t.Helper()
	base, err := url.Parse("https://bucket.example/" + strings.ReplaceAll(url.PathEscape(from), "%2F", "/"))
	if err != nil {
		t.Fatal(err)
	}
	ref, err := base.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(ref.Path, "/")
}

func TestMasterPlaylist(t *testing.T) {
	t.Parallel()
	key := "out/movie.m3u8"
	variants := []hls.Variant{
		{Key: "out/hls_2m.m3u8", Segments: segments("out/hls_2m", ntsc, []int64{2600000, 2400000}, 300, 300, 300),
			Codecs: []string{"avc1.64001F", "mp4a.40.2"}, Width: 1280, Height: 720, FrameRate: ntsc},
		{Key: "out/low/hls_400k.m3u8", Segments: segments("out/low/hls_400k", ntsc, []int64{500000}, 300, 300, 300),
			Codecs: []string{"avc1.42C01E", "mp4a.40.2"}, Width: 400, Height: 288, FrameRate: rational.Int(25)},
		{Key: "out/sound.m3u8", Segments: segments("out/sound", ntsc, []int64{80000}, 300, 300, 300), Codecs: []string{"mp4a.40.2"}},
	}
	text, err := hls.Master(key, variants)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "master.m3u8", text)
	list, kind, err := m3u8.DecodeFrom(bytes.NewReader(text), true)
	if err != nil || kind != m3u8.MASTER {
		t.Fatalf("%v, %v", kind, err)
	}
	master := list.(*m3u8.MasterPlaylist)
	if master.Version() != 3 || len(master.Variants) != len(variants) {
		t.Fatalf("version %d, %d variants", master.Version(), len(master.Variants))
	}
	for i, v := range master.Variants {
		if got := resolve(t, key, v.URI); got != variants[i].Key {
			t.Errorf("variant %d leads to %q, want %q", i, got, variants[i].Key)
		}
		if v.Codecs != strings.Join(variants[i].Codecs, ",") {
			t.Errorf("variant %d has codecs %q", i, v.Codecs)
		}
	}
	// 2.6 MB in 300 frames of 1001/30000 s, rounded up.
	if v := master.Variants[0]; v.Bandwidth != 2077923 || v.AverageBandwidth != 2024643 || v.Resolution != "1280x720" || v.FrameRate != 29.97 {
		t.Errorf("first variant is %+v", v.VariantParams)
	}
	if v := master.Variants[2]; v.Resolution != "" || v.FrameRate != 0 {
		t.Errorf("the sound has a picture: %+v", v.VariantParams)
	}
}

// TestPeakIsOfRunsNearTheTarget: a short last segment alone is no peak (RFC
// 8216, 4.1), but together with its neighbour it may be.
func TestPeakIsOfRunsNearTheTarget(t *testing.T) {
	t.Parallel()
	second := int64(hls.Clock)
	for _, c := range []struct {
		name     string
		segments []hls.Segment
		want     string
	}{
		{"short and dense at the end", []hls.Segment{{"a", 10 * second, 1000000, false}, {"b", second / 10, 100000, false}}, "BANDWIDTH=871288,"},
		{"one short segment", []hls.Segment{{"a", second / 10, 10000, false}}, "BANDWIDTH=800000,"},
		{"dense half", []hls.Segment{{"a", 10 * second, 1000000, false}, {"b", 5 * second, 1000000, false}}, "BANDWIDTH=1600000,"},
		{"steady", []hls.Segment{{"a", 10 * second, 1000000, false}, {"b", 10 * second, 1000000, false}}, "BANDWIDTH=800000,"},
	} {
		text, err := hls.Master("m.m3u8", []hls.Variant{{Key: "v.m3u8", Segments: c.segments}})
		if err != nil || !strings.Contains(string(text), ":"+c.want) {
			t.Errorf("%s: %s, %v, want %s", c.name, text, err, c.want)
		}
	}
}

func TestURIsLeadToTheKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, key, want string }{
		{"a.m3u8", "b.ts", "b.ts"},
		{"p/a.m3u8", "p/b.ts", "b.ts"},
		{"p/a.m3u8", "p/q/b.ts", "q/b.ts"},
		{"p/a.m3u8", "q/b.ts", "../q/b.ts"},
		{"p/q/a.m3u8", "b.ts", "../../b.ts"},
		{"a.m3u8", "http:b.ts", "http%3Ab.ts"},
		{"a.m3u8", "#EXT.ts", "%23EXT.ts"},
		{"a.m3u8", "b?c=d&e+f g.ts", "b%3Fc%3Dd%26e%2Bf%20g.ts"},
		{"a.m3u8", "b\r\nc%41.ts", "b%0D%0Ac%2541.ts"},
		{"a.m3u8", "/b.ts", ".//b.ts"},
		{"p/a.m3u8", "p//b.ts", ".//b.ts"},
		{"p//a.m3u8", "p/b.ts", "../b.ts"},
		{"a.m3u8", "Ünï.ts", "%C3%9Cn%C3%AF.ts"},
	} {
		text, err := hls.Media(c.from, []hls.Segment{{Key: c.key, Ticks: 1}})
		if err != nil {
			t.Fatal(err)
		}
		if uri := strings.Split(string(text), "\n")[6]; uri != c.want || resolve(t, c.from, uri) != c.key {
			t.Errorf("from %q to %q: %s leads to %q, want %s", c.from, c.key, uri, resolve(t, c.from, uri), c.want)
		}
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	good := []hls.Segment{{"a.ts", 1, 1, false}}
	for name, write := range map[string]func() ([]byte, error){
		"no segments":    func() ([]byte, error) { return hls.Media("a", nil) },
		"no duration":    func() ([]byte, error) { return hls.Media("a", []hls.Segment{{"a.ts", 0, 1, false}}) },
		"dots":           func() ([]byte, error) { return hls.Media("a", []hls.Segment{{"../a.ts", 1, 1, false}}) },
		"dot folder":     func() ([]byte, error) { return hls.Media("./a", good) },
		"no variants":    func() ([]byte, error) { return hls.Master("a", nil) },
		"empty variant":  func() ([]byte, error) { return hls.Master("a", []hls.Variant{{Key: "b"}}) },
		"variant's dots": func() ([]byte, error) { return hls.Master("a", []hls.Variant{{Key: "x/../b", Segments: good}}) },
		"quote in codecs": func() ([]byte, error) {
			return hls.Master("a", []hls.Variant{{Key: "b", Segments: good, Codecs: []string{`avc1",X="`}}})
		},
		"line in codecs": func() ([]byte, error) {
			return hls.Master("a", []hls.Variant{{Key: "b", Segments: good, Codecs: []string{"avc1\n"}}})
		},
		"negative size": func() ([]byte, error) {
			return hls.Master("a", []hls.Variant{{Key: "b", Segments: []hls.Segment{{"a.ts", 1, -1, false}}}})
		},
	} {
		if text, err := write(); !errors.Is(err, hls.ErrPlaylist) {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
}

func FuzzNames(f *testing.F) {
	f.Add("p/q/a.m3u8", "p/b c#?.ts")
	f.Add("p//a", "/\n//:x")
	f.Fuzz(func(t *testing.T, from, key string) {
		text, err := hls.Media(from, []hls.Segment{{Key: key, Ticks: 900900, Bytes: 1}})
		if err != nil {
			if !errors.Is(err, hls.ErrPlaylist) {
				t.Fatal(err)
			}
			return
		}
		lines := strings.Split(string(text), "\n")
		if len(lines) != 9 || lines[7] != "#EXT-X-ENDLIST" {
			t.Fatalf("the name changes the playlist: %q", text)
		}
		// net/url makes one of several leading slashes where it went up.
		if got := resolve(t, from, lines[6]); strings.TrimLeft(got, "/") != strings.TrimLeft(key, "/") {
			t.Fatalf("%s from %q leads to %q, want %q", lines[6], from, got, key)
		}
	})
}

func TestOtherTracksAreAnnounced(t *testing.T) {
	got, err := hls.Media("a.m3u8", []hls.Segment{{Key: "a0.ts", Ticks: hls.Clock}, {Key: "a1.ts", Ticks: hls.Clock, Break: true}, {Key: "a2.ts", Ticks: hls.Clock}})
	want := "#EXTINF:1.000000,\na0.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:1.000000,\na1.ts\n#EXTINF:1.000000,\na2.ts\n"
	if err != nil || !strings.Contains(string(got), want) {
		t.Errorf("%s, %v", got, err)
	}
}
