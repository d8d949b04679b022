package preset

import (
	"fmt"
	"testing"

	"sealreel/pkg/rational"
)

func mustRate(t *testing.T, s string) rational.Rational {
	t.Helper()
	r, err := rational.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFrameRateFor(t *testing.T) {
	for _, c := range []struct{ rate, most, source, want string }{
		{"auto", "", "25", "25"},
		{"", "", "25", "25"},
		{"auto", "", "30", "30"},
		{"auto", "", "30000/1001", "30000/1001"},
		{"auto", "", "24000/1001", "24000/1001"},
		{"auto", "", "50", "25"},
		{"auto", "", "60", "30"},
		{"auto", "", "60000/1001", "30000/1001"},
		{"auto", "", "120", "30"},
		{"auto", "", "120000/1001", "30000/1001"},
		{"auto", "", "48", "24"},
		{"auto", "", "100", "25"},
		{"auto", "", "90", "30"},
		{"auto", "", "31", "31/2"},
		{"auto", "", "15/2", "15/2"},
		{"auto", "", "300007/10000", "30"}, // a recorder's clock
		{"auto", "", "3004/100", "751/50"},
		{"auto", "", "0", "30"}, // unknown
		{"auto", "60", "60", "60"},
		{"auto", "60", "0", "60"},
		{"auto", "60", "120", "60"},
		{"auto", "25", "60", "20"},
		{"auto", "25", "30", "15"},
		{"auto", "29.97", "60000/1001", "30000/1001"},
		{"auto", "29.97", "2997/100", "2997/100"},
		{"auto", "23.97", "24000/1001", "24000/1001"},
		{"auto", "10", "25", "25/3"},
		{"29.97", "", "25", "30000/1001"},
		{"29.97", "15", "50", "30000/1001"},
		{"23.97", "", "30", "24000/1001"},
		{"60", "", "25", "60"},
		{"10", "", "0", "10"},
	} {
		got := FrameRateFor(&Video{FrameRate: c.rate, MaxFrameRate: c.most}, mustRate(t, c.source))
		if got != mustRate(t, c.want) {
			t.Errorf("FrameRate %q, MaxFrameRate %q, source %s: %v, want %s", c.rate, c.most, c.source, got, c.want)
		}
	}
	for source, want := range map[string]string{"25": "25", "60": "30", "28": "30000/1001", "31/2": "15", "2997/100": "30000/1001", "12": "10", "24": "24", "0": "30"} {
		if got := FrameRateFor(&Video{Codec: "mpeg2"}, mustRate(t, source)); got != mustRate(t, want) {
			t.Errorf("MPEG-2 of a source at %s: %v, want %s", source, got, want)
		}
	}
	if got := FrameRateFor(&Video{}, rational.Rational{}); got != rational.Int(30) {
		t.Errorf("zero value of a source rate: %v", got)
	}
}

func TestGOPFrames(t *testing.T) {
	for _, c := range []struct {
		name          string
		dist          string
		fixed         bool
		rate, seconds string
		want          GOP
	}{
		{"fixed, 30 fps, 10 s", "90", true, "30", "10", GOP{90, true, 270}},
		{"fixed, 25 fps, 10 s", "90", true, "25", "10", GOP{90, true, 180}},
		{"fixed, 29.97, 10 s", "90", true, "30000/1001", "10", GOP{90, true, 270}},
		{"fixed, 23.976, 6 s", "90", true, "24000/1001", "6", GOP{90, true, 90}},
		{"fixed, exact fit", "90", true, "30", "3", GOP{90, true, 90}},
		{"fixed, one frame too short", "90", true, "30", "2.96", GOP{88, true, 88}},
		{"fixed, group longer than segment", "90", true, "25", "2", GOP{50, true, 50}},
		{"free, 25 fps, 10 s", "90", false, "25", "10", GOP{90, false, 250}},
		{"free, 29.97, 10 s", "90", false, "30000/1001", "10", GOP{90, false, 299}},
		{"free, group longer than segment", "250", false, "24000/1001", "6", GOP{143, false, 143}},
		{"decimals", "90", false, "30", "6.5", GOP{90, false, 195}},
		{"less than a frame", "90", true, "1/2", "1", GOP{1, true, 1}},
		{"no segments", "90", true, "25", "0", GOP{90, true, 0}},
		{"default distance", "", false, "25", "0", GOP{90, false, 0}},
	} {
		v := &Video{KeyframesMaxDist: c.dist, FixedGOP: fmt.Sprint(c.fixed)}
		if got := GOPFrames(v, mustRate(t, c.rate), mustRate(t, c.seconds)); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestGOPNeverTooLong checks the two promises over a grid.
func TestGOPNeverTooLong(t *testing.T) {
	for _, rate := range []string{"10", "24000/1001", "25", "30000/1001", "60"} {
		for tenths := 10; tenths <= 600; tenths += 7 {
			for dist := 1; dist <= 300; dist += 13 {
				for _, fixed := range []bool{true, false} {
					r, d := mustRate(t, rate), rational.New(int64(tenths), 10)
					g := GOPFrames(&Video{KeyframesMaxDist: fmt.Sprint(dist), FixedGOP: fmt.Sprint(fixed)}, r, d)
					length := rational.Int(int64(g.SegmentFrames)).Div(r)
					if d.Less(length) || g.Frames > g.SegmentFrames || g.Frames > dist || g.Frames < 1 {
						t.Fatalf("%s fps, %v s, distance %d: %+v", rate, d, dist, g)
					}
					if fixed && (g.SegmentFrames%g.Frames != 0 || !d.Less(rational.Int(int64(g.SegmentFrames+g.Frames)).Div(r))) {
						t.Fatalf("%s fps, %v s, distance %d: %+v is not the largest whole number of groups", rate, d, dist, g)
					}
				}
			}
		}
	}
}
