package webm_test

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

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/part"
	"sealreel/pkg/part/parttest"
	"sealreel/pkg/webm"
)

// picture encodes six seconds at a rate with a keyframe each two.
func picture(t testing.TB, codec, rate string, args ...string) (*fragment.Track, []fragment.Sample) {
	t.Helper()
	source := "testsrc2=s=160x96:d=6:r=" + rate
	args = append([]string{"-force_key_frames", "expr:gte(t,2*n_forced)", "-g", "1000"}, args...)
	if codec == "vp8" {
		return parttest.VP8(t, source, args...)
	}
	return fragmenttest.Samples(t, fragmenttest.Picture(t, source, "libvpx-vp9", append(args, "-cpu-used", "5", "-video_track_timescale", "30000")...))
}

func plan(t testing.TB, r *parttest.Reel) *webm.Layout {
	t.Helper()
	l, err := webm.Plan(r.Video, r.Audio)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFilesHoldWhatWasEncoded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ codec, rate string }{{"vp8", "25"}, {"vp8", "30000/1001"}, {"vp9", "30"}, {"vp9", "24000/1001"}} {
		t.Run(c.codec+" "+c.rate, func(t *testing.T) {
			t.Parallel()
			track, samples := picture(t, c.codec, c.rate, "-vf", "setsar=4/3") // 213 and a third pixels wide: players count in whole ones
			r := &parttest.Reel{}
			r.Add(t, track, samples, 50, 50, 100)
			file := r.File(t, "out.webm", plan(t, r))
			times, hashes := parttest.Hashes(t, file, "v:0")
			if len(times) != len(samples) {
				t.Fatalf("%d frames of %d", len(times), len(samples))
			}
			for i, s := range samples {
				want := fmt.Sprintf("%.3f000", math.Round(float64(s.PTS)*1000/float64(track.Timescale))/1000)
				if times[i] != want {
					t.Errorf("frame %d at %s, want %s", i, times[i], want)
				}
				if want := fmt.Sprintf("CRC32:%08x", crc(s.Data)); hashes[i] != want {
					t.Errorf("frame %d is %s, want %s", i, hashes[i], want)
				}
			}
			if n := parttest.Decode(t, file, 0); n != len(samples) {
				t.Errorf("%d frames decode of %d", n, len(samples))
			}
			if n, left := parttest.Decode(t, file, 4.5), len(samples)/4; n < left-2 || n > left+2 {
				t.Errorf("%d frames decode from 4.5 s on", n)
			}
			last := samples[len(samples)-1]
			ends := float64(last.PTS+last.Duration) / float64(track.Timescale)
			got := strings.TrimSpace(parttest.Probe(t, file, "-show_entries", "stream=codec_name,width,height,sample_aspect_ratio,r_frame_rate:format=format_name,duration"))
			want := fmt.Sprintf("%s,160,96,213:160,%s\n\"matroska,webm\",%.6f", c.codec, rateOf(c.rate), math.Round(ends*1000)/1000)
			if got != want {
				t.Errorf("ffprobe says %s, want %s", got, want)
			}
		})
	}
}

func rateOf(rate string) string {
	if strings.Contains(rate, "/") {
		return rate
	}
	return rate + "/1"
}

// element is one of a file.
type element struct {
	id   uint32
	at   int // of its first byte
	body []byte
}

// elements reads those in b, of which each has a known size.
func elements(t *testing.T, b []byte, base int) []element {
	t.Helper()
	var all []element
	for pos := 0; pos < len(b); {
		start := pos
		idLength := leading(b[pos])
		var id uint32
		for range idLength {
			id = id<<8 | uint32(b[pos])
			pos++
		}
		length := leading(b[pos])
		size := uint64(b[pos]) &^ (1 << (8 - length))
		for _, c := range b[pos+1 : pos+length] {
			size = size<<8 | uint64(c)
		}
		pos += length
		if size > uint64(len(b)-pos) {
			t.Fatalf("element %#x at %d has %d bytes of %d", id, base+start, size, len(b)-pos)
		}
		all = append(all, element{id, base + start, b[pos : pos+int(size)]})
		pos += int(size)
	}
	return all
}

func leading(b byte) int {
	n := 1
	for b&0x80 == 0 {
		n, b = n+1, b<<1
	}
	return n
}

func find(all []element, id uint32) element {
	return all[slices.IndexFunc(all, func(e element) bool { return e.id == id })]
}

func value(b []byte) int {
	return int(binary.BigEndian.Uint64(append(make([]byte, 8-len(b)), b...)))
}

// TestIndexIsInFrontAndTrue: a player finds each keyframe by what precedes the
// first of them, and SeekHead finds that.
func TestIndexIsInFrontAndTrue(t *testing.T) {
	t.Parallel()
	track, samples := picture(t, "vp9", "30")
	r := &parttest.Reel{}
	r.Add(t, track, samples)
	file, err := os.ReadFile(r.File(t, "out.webm", plan(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	top := elements(t, file, 0)
	if len(top) != 2 || top[1].id != 0x18538067 {
		t.Fatalf("%d elements at the top", len(top))
	}
	start := len(file) - len(top[1].body)
	inner := elements(t, top[1].body, start)
	var ids []uint32
	for _, e := range inner {
		ids = append(ids, e.id)
	}
	if want := []uint32{0x114d9b74, 0x1549a966, 0x1654ae6b, 0x1c53bb6b, 0x1f43b675, 0x1f43b675, 0x1f43b675}; !slices.Equal(ids, want) {
		t.Fatalf("elements %#x", ids)
	}
	for i, e := range elements(t, inner[0].body, 0) {
		parts := elements(t, e.body, 0)
		id, at := value(find(parts, 0x53ab).body), start+value(find(parts, 0x53ac).body)
		if inner[i+1].id != uint32(id) || inner[i+1].at != at {
			t.Errorf("SeekHead says that %#x is at %d, there is %#x at %d", id, at, inner[i+1].id, inner[i+1].at)
		}
	}
	for i, e := range elements(t, inner[3].body, 0) {
		parts := elements(t, e.body, 0)
		at := start + value(find(elements(t, find(parts, 0xb7).body, 0), 0xf1).body)
		blocks := elements(t, inner[4+i].body, 0)
		if when := value(find(parts, 0xb3).body); inner[4+i].at != at || when != 2000*i || value(blocks[0].body) != when || blocks[1].body[3] != 0x80 {
			t.Errorf("cue %d: %d ms at %d; the cluster is at %d", i, when, at, inner[4+i].at)
		}
	}
}

// TestSound: Vorbis beside a picture and alone is decoded to what was encoded.
func TestSound(t *testing.T) {
	t.Parallel()
	stream := fragmenttest.Sound(t, "libvorbis", "sine=r=44100:d=6.2", "-ac", "2")
	track, samples := fragmenttest.Samples(t, stream)
	f := fragment.Fragment{Samples: samples}
	f.Shift(-128)
	for _, alone := range []bool{true, false} {
		r := &parttest.Reel{}
		want := "vorbis,44100,2\n6.200000\n"
		if !alone {
			pictures, frames := picture(t, "vp8", "25")
			r.Add(t, pictures, frames, 50)
			want = "vp8,,\n" + want
		}
		r.Add(t, track, f.Samples, 30, 90)
		file := r.File(t, "out.webm", plan(t, r))
		got := strings.ReplaceAll(parttest.Probe(t, file, "-show_entries", "stream=codec_name,sample_rate,channels:format=duration"), "vp8\n", "vp8,,\n")
		if got != want {
			t.Errorf("ffprobe says %q, want %q", got, want)
		}
		original := fragmenttest.Decoded(t, stream)
		heard := fragmenttest.Decoded(t, must(os.ReadFile(file)))
		if len(heard) < len(original) || !bytes.Equal(heard[:len(original)], original) {
			t.Errorf("alone %v: %d bytes of sound, and %d were encoded; the same up to %d", alone, len(heard), len(original), same(heard, original))
		}
	}
}

func same(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestWhatIsNoWebM(t *testing.T) {
	t.Parallel()
	if _, err := webm.Plan(nil, nil); !errors.Is(err, part.ErrParts) {
		t.Errorf("a file of nothing: %v", err)
	}
	track, samples := fragmenttest.Samples(t, fragmenttest.Audio(t, "sine=d=1"))
	r := &parttest.Reel{}
	r.Add(t, track, samples)
	if _, err := webm.Plan(nil, r.Audio); !errors.Is(err, part.ErrParts) || !strings.Contains(err.Error(), "AAC") {
		t.Errorf("AAC in WebM: %v", err)
	}
}

func TestPartsOfAnotherLength(t *testing.T) {
	t.Parallel()
	track, samples := picture(t, "vp8", "10")
	for _, by := range []int{-1, 1} {
		for place := range 2 {
			r := &parttest.Reel{}
			r.Add(t, track, samples, 20)
			r.Spoil(fragment.Video, place, by)
			if err := plan(t, r).Stream(io.Discard, r.Open); !errors.Is(err, part.ErrParts) {
				t.Errorf("part %d longer by %d: %v", place, by, err)
			}
		}
	}
}

// TestLongFiles: no cluster is longer than its blocks' times reach, whatever the
// distance of keyframes, and the plan takes no memory for the samples.
func TestLongFiles(t *testing.T) {
	t.Parallel()
	track, samples := picture(t, "vp8", "10")
	w := part.NewIndexWriter(track)
	var frames int64 = 100_000 // nearly three hours with one keyframe
	for i := range frames {
		at := i * samples[0].Duration
		if err := w.Add(fragment.Sample{DTS: at, PTS: at, Duration: samples[0].Duration, Key: i == 0, Data: make([]byte, 10)}); err != nil {
			t.Fatal(err)
		}
	}
	x, err := part.ParseIndex(w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	l, err := webm.Plan([]*part.Index{x}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := l.Stream(&out, func(fragment.Kind, int) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(make([]byte, 10*frames))), nil
	}); err != nil || int64(out.Len()) != l.Size() {
		t.Fatalf("%d bytes of %d, %v", out.Len(), l.Size(), err)
	}
	clusters := 0
	for _, e := range elements(t, elements(t, out.Bytes(), 0)[1].body, 0) {
		if e.id != 0x1f43b675 {
			continue
		}
		clusters++
		for _, b := range elements(t, e.body, 0)[1:] {
			if at := int16(binary.BigEndian.Uint16(b.body[1:])); at < 0 || at >= 5000 {
				t.Fatalf("a block %d ms from its cluster", at)
			}
		}
	}
	if clusters != 2000 {
		t.Errorf("%d clusters", clusters)
	}
}

func crc(data []byte) uint32 { return crc32.ChecksumIEEE(data) }
