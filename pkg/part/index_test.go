package part_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/part"
)

// indexOf is the parsed index of the samples.
func indexOf(t testing.TB, track *fragment.Track, samples []fragment.Sample) *part.Index {
	t.Helper()
	w := part.NewIndexWriter(track)
	for _, s := range samples {
		if err := w.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	x, err := part.ParseIndex(w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func anyTrack(t testing.TB) *fragment.Track {
	t.Helper()
	track, _ := fragmenttest.Samples(t, fragmenttest.Video(t, "color=s=16x16:r=25:d=0.04"))
	return track
}

func TestIndexHoldsWhatWasAdded(t *testing.T) {
	t.Parallel()
	track := anyTrack(t)
	samples := []fragment.Sample{
		{DTS: -2000, PTS: 0, Duration: 1000, Key: true, Data: make([]byte, 70000)},
		{DTS: -1000, PTS: 3000, Duration: 1000, Data: make([]byte, 0)},
		{DTS: 0, PTS: -1, Duration: math.MaxUint32, Data: make([]byte, 1)},
		{DTS: math.MaxUint32, PTS: math.MaxUint32 + math.MinInt32, Duration: 0, Key: true, Data: make([]byte, 127)},
		{DTS: math.MaxUint32, PTS: math.MaxUint32 + math.MaxInt32, Duration: 5, Data: make([]byte, 128)},
	}
	x := indexOf(t, track, samples)
	if x.Samples != 5 || x.Bytes != 70256 || x.Start != -2000 || x.End != math.MaxUint32+5 ||
		x.First != -1 || x.Last != math.MaxUint32+math.MaxInt32+5 || !x.Track.Same(track) {
		t.Errorf("%+v", x)
	}
	i := 0
	for s := range x.All() {
		w := samples[i]
		if s.Size != int64(len(w.Data)) || s.DTS != w.DTS || s.PTS != w.PTS || s.Duration != w.Duration || s.Key != w.Key {
			t.Errorf("sample %d is %+v, want %+v", i, s, w)
		}
		i++
	}
	if empty := indexOf(t, track, nil); empty.Samples != 0 || empty.Bytes != 0 || len(slices.Collect(empty.All())) != 0 {
		t.Errorf("empty: %+v", empty)
	}
}

func TestIndexIsSmall(t *testing.T) {
	t.Parallel()
	track, samples := fragmenttest.Samples(t, fragmenttest.Video(t, "testsrc2=s=320x180:r=30000/1001:d=20", "-video_track_timescale", "30000"))
	w := part.NewIndexWriter(track)
	for _, s := range samples {
		if err := w.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	if each := float64(len(w.Bytes())) / float64(len(samples)); each > 7 {
		t.Errorf("%.1f bytes a sample", each)
	}
}

func TestSamplesThatAnIndexRefuses(t *testing.T) {
	t.Parallel()
	track := anyTrack(t)
	for name, s := range map[string]fragment.Sample{
		"gap":         {DTS: 11, Duration: 1},
		"overlap":     {DTS: 9, Duration: 1},
		"duration":    {DTS: 10, PTS: 10, Duration: math.MaxUint32 + 1},
		"negative":    {DTS: 10, PTS: 10, Duration: -1},
		"composition": {DTS: 10, PTS: 10 + 1<<31, Duration: 1},
	} {
		w := part.NewIndexWriter(track)
		if err := w.Add(fragment.Sample{DTS: 0, Duration: 10}); err != nil {
			t.Fatal(err)
		}
		if err := w.Add(s); !errors.Is(err, part.ErrIndex) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryCutIndexIsRefused(t *testing.T) {
	t.Parallel()
	track := anyTrack(t)
	w := part.NewIndexWriter(track)
	for i := range int64(20) {
		if err := w.Add(fragment.Sample{DTS: i * 100, PTS: i * 100, Duration: 100, Data: make([]byte, i*100)}); err != nil {
			t.Fatal(err)
		}
	}
	good := w.Bytes()
	for n := range len(good) {
		if _, err := part.ParseIndex(good[:n]); !errors.Is(err, part.ErrIndex) {
			t.Fatalf("cut at %d of %d: %v", n, len(good), err)
		}
	}
	if _, err := part.ParseIndex(append(bytes.Clone(good), 0)); !errors.Is(err, part.ErrIndex) {
		t.Errorf("a byte more: %v", err)
	}
	newer := bytes.Clone(good)
	newer[3]++
	if _, err := part.ParseIndex(newer); !errors.Is(err, part.ErrIndex) {
		t.Errorf("a newer version: %v", err)
	}
}

func FuzzParseIndex(f *testing.F) {
	track := anyTrack(f)
	w := part.NewIndexWriter(track)
	f.Add(w.Bytes())
	for i := range int64(5) {
		if err := w.Add(fragment.Sample{DTS: i * 100, PTS: i*100 + 7, Duration: 100, Key: i == 0, Data: make([]byte, i*100)}); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(w.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := part.ParseIndex(b)
		if err != nil {
			if !errors.Is(err, part.ErrIndex) {
				t.Fatalf("unclassified error: %v", err)
			}
			return
		}
		var size int64
		dts, n := x.Start, 0
		for s := range x.All() {
			if s.DTS != dts || s.Size < 0 || s.Duration < 0 || s.PTS < x.First || s.PTS+s.Duration > x.Last {
				t.Fatalf("sample %d is %+v", n, s)
			}
			dts += s.Duration
			size += s.Size
			n++
		}
		if dts != x.End || n != x.Samples || size != x.Bytes {
			t.Fatalf("sums of %+v are wrong", x)
		}
	})
}
