package flv_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"sealreel/pkg/flv"
	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/part"
	"sealreel/pkg/part/parttest"
)

// reel is six seconds of picture, a keyframe each two, and of sound.
func reel(t testing.TB) *parttest.Reel {
	t.Helper()
	track, samples := fragmenttest.Samples(t, fragmenttest.Video(t, "testsrc2=s=160x96:d=6:r=30000/1001", "-force_key_frames", "expr:not(mod(n,60))", "-g", "1000", "-video_track_timescale", "30000"))
	r := &parttest.Reel{}
	r.Add(t, track, parttest.Shift(samples), 60, 120)
	track, samples = fragmenttest.Samples(t, fragmenttest.Audio(t, "sine=r=48000:d=6.1", "-ac", "2"))
	f := fragment.Fragment{Samples: samples}
	f.Shift(-1024)
	r.Add(t, track, f.Samples, 100)
	return r
}

func plan(t testing.TB, r *parttest.Reel) *flv.Layout {
	t.Helper()
	l, err := flv.Plan(r.Video, r.Audio)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFileHoldsWhatWasEncoded(t *testing.T) {
	t.Parallel()
	r := reel(t)
	file := r.File(t, "out.flv", plan(t, r))
	got := parttest.Probe(t, file, "-show_entries", "stream=codec_name,width,height,r_frame_rate,sample_rate,channels:format=format_name,duration")
	if want := "h264,160,96,30000/1001\naac,48000,2,0/0\nflv,6.167000\n"; got != want {
		t.Errorf("ffprobe says %q, want %q", got, want)
	}
	if n := parttest.Decode(t, file, 0); n != 180 {
		t.Errorf("%d frames decode", n)
	}
	if n := parttest.Decode(t, file, 4.5); n < 40 || n > 60 {
		t.Errorf("%d frames decode from 4.5 s on", n)
	}
	for i, stream := range []string{"v:0", "a:0"} {
		x := [][]*part.Index{r.Video, r.Audio}[i]
		times, hashes := parttest.Hashes(t, file, stream)
		n := 0
		for place, p := range x {
			body, err := r.Open(p.Track.Kind, place)
			if err != nil {
				t.Fatal(err)
			}
			for s := range p.All() {
				data := make([]byte, s.Size)
				if _, err := io.ReadFull(body, data); err != nil {
					t.Fatal(err)
				}
				// The first frame is decoded two before it is shown: 67 ms.
				shown := float64(s.PTS)/float64(p.Track.Timescale) + 0.067
				var at float64
				if _, err := fmt.Sscan(times[n], &at); err != nil || math.Abs(at-shown) > 0.0011 {
					t.Errorf("%s %d at %s, want %.4f", stream, n, times[n], shown)
				}
				if want := fmt.Sprintf("CRC32:%08x", crc32.ChecksumIEEE(data)); hashes[n] != want {
					t.Errorf("%s %d is %s, want %s", stream, n, hashes[n], want)
				}
				n++
			}
		}
		if n != len(times) {
			t.Errorf("%s has %d packets, want %d", stream, len(times), n)
		}
	}
}

func TestMP3(t *testing.T) {
	t.Parallel()
	track, samples := fragmenttest.Samples(t, fragmenttest.Sound(t, "libmp3lame", "sine=r=44100:d=3", "-ac", "2", "-b:a", "128k"))
	f := fragment.Fragment{Samples: samples}
	f.Shift(-1105)
	r := &parttest.Reel{}
	r.Add(t, track, f.Samples, 30)
	file := r.File(t, "out.flv", plan(t, r))
	if got, want := parttest.Probe(t, file, "-show_entries", "stream=codec_name,sample_rate,channels"), "mp3,44100,2\n"; got != want {
		t.Errorf("ffprobe says %q, want %q", got, want)
	}
	times, hashes := parttest.Hashes(t, file, "a:0")
	if len(times) != len(samples) || hashes[7] != fmt.Sprintf("CRC32:%08x", crc32.ChecksumIEEE(samples[7].Data)) {
		t.Errorf("%d packets of %d", len(times), len(samples))
	}
}

// TestTags walks all tags: each ends with its length, times never go back, and
// the metadata's positions are those of tags with keyframes.
func TestTags(t *testing.T) {
	t.Parallel()
	r := reel(t)
	file, err := os.ReadFile(r.File(t, "out.flv", plan(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	var keys []float64
	var meta []byte
	last := uint32(0)
	for at := 13; at < len(file); {
		size := int(binary.BigEndian.Uint32(file[at:]) & 0xffffff)
		time := binary.BigEndian.Uint32(file[at+4:])>>8 | uint32(file[at+7])<<24
		body := file[at+11:][:size]
		if end := binary.BigEndian.Uint32(file[at+11+size:]); end != uint32(11+size) {
			t.Fatalf("the tag at %d ends with %d", at, end)
		}
		if time < last {
			t.Errorf("the tag at %d is of %d ms after %d", at, time, last)
		}
		last = time
		switch {
		case file[at] == 18:
			meta = body
		case file[at] == 9 && body[0] == 0x17 && body[1] == 1:
			keys = append(keys, float64(at))
		}
		at += 15 + size
	}
	numbers := func(name string) []float64 {
		at := bytes.Index(meta, append([]byte{0, byte(len(name))}, name...)) + 2 + len(name)
		count := 1
		if meta[at] == 10 {
			count = int(binary.BigEndian.Uint32(meta[at+1:]))
			at += 5
		}
		var all []float64
		for i := range count {
			all = append(all, math.Float64frombits(binary.BigEndian.Uint64(meta[at+9*i+1:])))
		}
		return all
	}
	if got := numbers("filepositions"); len(keys) != 3 || !slices.Equal(got, keys) {
		t.Errorf("keyframes at %v, the index says %v", keys, got)
	}
	if got := numbers("times"); len(got) != 3 || math.Abs(got[1]-2.002) > 0.002 {
		t.Errorf("times %v", got)
	}
	if got := numbers("filesize"); got[0] != float64(len(file)) {
		t.Errorf("filesize %v of %d", got, len(file))
	}
}

func TestManyKeyframes(t *testing.T) {
	t.Parallel()
	track, samples := fragmenttest.Samples(t, fragmenttest.Video(t, "color=s=16x16:d=0.04:r=25", "-video_track_timescale", "25000"))
	w := part.NewIndexWriter(track)
	var frames int64 = 200_000
	for i := range frames {
		if err := w.Add(fragment.Sample{DTS: i * 1000, PTS: i * 1000, Duration: 1000, Key: true, Data: samples[0].Data[:10]}); err != nil {
			t.Fatal(err)
		}
	}
	x, err := part.ParseIndex(w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	l, err := flv.Plan([]*part.Index{x}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := l.Stream(&out, func(fragment.Kind, int) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(make([]byte, 10*frames))), nil
	}); err != nil || int64(out.Len()) != l.Size() {
		t.Fatalf("%d bytes of %d, %v", out.Len(), l.Size(), err)
	}
	if head := bytes.Index(out.Bytes(), []byte{9, 0, 0}); head > 1<<21 {
		t.Errorf("the head has %d bytes", head)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := flv.Plan(nil, nil); !errors.Is(err, part.ErrParts) {
		t.Errorf("a file of nothing: %v", err)
	}
	track, samples := fragmenttest.Samples(t, fragmenttest.Picture(t, "color=s=16x16:d=0.2:r=25", "mpeg2video"))
	r := &parttest.Reel{}
	r.Add(t, track, samples)
	if _, err := flv.Plan(r.Video, nil); !errors.Is(err, part.ErrParts) || !strings.Contains(err.Error(), "MPEG-2") {
		t.Errorf("MPEG-2: %v", err)
	}
	for _, by := range []int{-1, 1} {
		for place := range 3 {
			r := reel(t)
			r.Spoil(fragment.Video, place, by)
			if err := plan(t, r).Stream(io.Discard, r.Open); !errors.Is(err, part.ErrParts) {
				t.Errorf("part %d longer by %d: %v", place, by, err)
			}
		}
	}
}
