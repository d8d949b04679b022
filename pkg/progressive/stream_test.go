package progressive_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/Eyevinn/mp4ff/mp4"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/part"
	"sealreel/pkg/progressive"
)

const (
	bigSample = 16 << 20
	bigPart   = 50 // samples
	bigParts  = 6
)

// markedZeros are the samples of a large part: each begins with its number in
// the track, the rest is zero.
type markedZeros struct {
	part int
	at   int64
}

func (m *markedZeros) Read(p []byte) (int, error) {
	if m.at == bigPart*bigSample {
		return 0, io.EOF
	}
	n := min(int64(len(p)), bigSample-m.at%bigSample)
	clear(p[:n])
	if m.at%bigSample == 0 && n >= 8 {
		binary.BigEndian.PutUint64(p, uint64(m.part*bigPart)+uint64(m.at/bigSample))
	}
	m.at += n
	return int(n), nil
}

// sparseFile writes zeros as holes.
type sparseFile struct {
	f  *os.File
	at int64
}

var zeros [64 << 10]byte

func (s *sparseFile) Write(p []byte) (int, error) {
	if !bytes.Equal(p, zeros[:len(p)]) {
		if _, err := s.f.WriteAt(p, s.at); err != nil {
			return 0, err
		}
	}
	s.at += int64(len(p))
	return len(p), nil
}

// TestBeyondFourGigabytes joins parts of 4.7 GiB, whose chunks need offsets of
// 64 bits, and finds each sample where another parser says that it is.
func TestBeyondFourGigabytes(t *testing.T) {
	t.Parallel()
	track := anyTrack(t)
	data := make([]byte, bigSample)
	var parts []*part.Index
	for p := range bigParts {
		w := part.NewIndexWriter(track)
		for i := range bigPart {
			dts := int64(p*bigPart+i) * int64(track.Timescale)
			if err := w.Add(fragment.Sample{DTS: dts, PTS: dts, Duration: int64(track.Timescale), Key: i == 0, Data: data}); err != nil {
				t.Fatal(err)
			}
		}
		x, err := part.ParseIndex(w.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, x)
	}
	l, err := progressive.Plan(parts, nil, progressive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "sparse.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(l.Size()); err != nil {
		t.Fatal(err)
	}
	out := &sparseFile{f: f}
	err = l.Stream(out, func(_ fragment.Kind, part int) (io.ReadCloser, error) {
		return io.NopCloser(&markedZeros{part: part}), nil
	})
	if err != nil || out.at != l.Size() || l.Size() < bigParts*bigPart*bigSample {
		t.Fatalf("%d of %d bytes: %v", out.at, l.Size(), err)
	}
	checkSparse(t, f)
}

func checkSparse(t *testing.T, f *os.File) {
	t.Helper()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	parsed, err := mp4.DecodeFile(f, mp4.WithDecodeMode(mp4.DecModeLazyMdat))
	if err != nil {
		t.Fatal(err)
	}
	stbl := parsed.Moov.Trak.Mdia.Minf.Stbl
	if stbl.Co64 == nil || stbl.Stco != nil {
		t.Fatal("no co64")
	}
	sample := uint32(1)
	for n := range stbl.Co64.ChunkOffset {
		at := int64(stbl.Co64.ChunkOffset[n])
		for range stbl.Stsc.GetChunk(uint32(n + 1)).NrSamples {
			var b [8]byte
			if _, err := f.ReadAt(b[:], at); err != nil {
				t.Fatal(err)
			}
			if got := binary.BigEndian.Uint64(b[:]); got != uint64(sample-1) {
				t.Fatalf("sample %d should be at %d, there is %d", sample, at, got)
			}
			at += int64(stbl.Stsz.GetSampleSize(int(sample)))
			sample++
		}
	}
	if sample != bigParts*bigPart+1 {
		t.Errorf("%d samples in chunks", sample-1)
	}
}

// watched notes what Stream does with the parts.
type watched struct {
	reel
	log  []string
	open [3]int
}

type watchedPart struct {
	io.Reader
	w    *watched
	kind fragment.Kind
}

func (p *watchedPart) Close() error {
	p.w.open[p.kind]--
	return nil
}

func (w *watched) Open(kind fragment.Kind, part int) (io.ReadCloser, error) {
	w.log = append(w.log, fmt.Sprintf("%v %d", kind, part))
	if w.open[kind]++; w.open[kind] > 1 {
		return nil, errors.New("two parts of a track are open")
	}
	return &watchedPart{bytes.NewReader(w.data[kind][part]), w, kind}, nil
}

func smallReel(t *testing.T) *watched {
	t.Helper()
	w := &watched{}
	video, pictures := fragmenttest.Samples(t, fragmenttest.Video(t, "testsrc2=s=96x64:r=25:d=3", "-g", "25"))
	audio, sounds := fragmenttest.Samples(t, fragmenttest.Audio(t, "sine=r=48000:d=3"))
	w.split(t, video, pictures, 25, 25, 50)
	w.split(t, audio, sounds, 0, 50, 100)
	return w
}

func TestPartsAreReadOnceInOrder(t *testing.T) {
	t.Parallel()
	w := smallReel(t)
	l, err := progressive.Plan(w.video, w.audio, progressive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var plain, slow bytes.Buffer
	if err := l.Stream(&plain, w.Open); err != nil {
		t.Fatal(err)
	}
	if w.open != [3]int{} {
		t.Errorf("%v parts are open", w.open)
	}
	var video, audio []string
	for _, line := range w.log {
		if strings.HasPrefix(line, "video") {
			video = append(video, line)
		} else {
			audio = append(audio, line)
		}
	}
	if !slices.Equal(video, []string{"video 0", "video 2", "video 3"}) || !slices.Equal(audio, []string{"audio 1", "audio 2", "audio 3"}) {
		t.Errorf("opened %v", w.log)
	}
	err = l.Stream(&slow, func(kind fragment.Kind, part int) (io.ReadCloser, error) {
		return io.NopCloser(iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(w.data[kind][part])))), nil
	})
	if err != nil || !bytes.Equal(slow.Bytes(), plain.Bytes()) {
		t.Errorf("in other portions: %d bytes, want %d, %v", slow.Len(), plain.Len(), err)
	}
}

type full struct{ left int }

var errFull = errors.New("full")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWhatStopsAStream(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, k := range []struct {
		name string
		make func(data []byte) (io.Reader, error)
		to   io.Writer
		want error
	}{
		{"cannot open", func([]byte) (io.Reader, error) { return nil, broken }, io.Discard, broken},
		{"a byte less", func(b []byte) (io.Reader, error) { return bytes.NewReader(b[:len(b)-1]), nil }, io.Discard, part.ErrParts},
		{"nothing", func([]byte) (io.Reader, error) { return bytes.NewReader(nil), nil }, io.Discard, part.ErrParts},
		{"a byte more", func(b []byte) (io.Reader, error) {
			return io.MultiReader(bytes.NewReader(b), strings.NewReader("x")), nil
		}, io.Discard, part.ErrParts},
		{"fails in the middle", func(b []byte) (io.Reader, error) {
			return io.MultiReader(bytes.NewReader(b[:len(b)/2]), iotest.ErrReader(broken)), nil
		}, io.Discard, broken},
		{"a bad tag at the end", func(b []byte) (io.Reader, error) {
			return io.MultiReader(bytes.NewReader(b), iotest.ErrReader(broken)), nil
		}, io.Discard, broken},
		{"full at once", func(b []byte) (io.Reader, error) { return bytes.NewReader(b), nil }, &full{0}, errFull},
		{"full later", func(b []byte) (io.Reader, error) { return bytes.NewReader(b), nil }, &full{20000}, errFull},
	} {
		w := smallReel(t)
		l, err := progressive.Plan(w.video, w.audio, progressive.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = l.Stream(k.to, func(kind fragment.Kind, part int) (io.ReadCloser, error) {
			r, err := k.make(w.data[kind][part])
			if err != nil {
				return nil, err
			}
			w.open[kind]++
			return &watchedPart{r, w, kind}, nil
		})
		if !errors.Is(err, k.want) {
			t.Errorf("%s: %v, want %v", k.name, err, k.want)
		}
		if w.open != [3]int{} {
			t.Errorf("%s: %v parts are open", k.name, w.open)
		}
	}
}

// TestCopyingAllocatesNothing: a thousand times the data takes no more memory.
func TestCopyingAllocatesNothing(t *testing.T) {
	track := anyTrack(t)
	allocated := func(size int) uint64 {
		w := part.NewIndexWriter(track)
		for i := range int64(200) {
			if err := w.Add(fragment.Sample{DTS: i * 512, PTS: i * 512, Duration: 512, Data: zeros[:size]}); err != nil {
				t.Fatal(err)
			}
		}
		x, err := part.ParseIndex(w.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		l, err := progressive.Plan([]*part.Index{x}, nil, progressive.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := l.Stream(io.Discard, func(fragment.Kind, int) (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(zeroReader{}, int64(200*size))), nil
		}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := allocated(60), allocated(60000)
	if large > small+64<<10 {
		t.Errorf("%d bytes allocated for 12 MB, %d for 12 kB", large, small)
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestPlanningTakesLittleMemory bounds what a sample costs: a film of two hours
// has 200 000 pictures.
func TestPlanningTakesLittleMemory(t *testing.T) {
	const samples = 200_000
	w := part.NewIndexWriter(anyTrack(t))
	for i := range int64(samples) {
		s := fragment.Sample{DTS: i * 1001, PTS: i*1001 + (i%4)*1001, Duration: 1001, Key: i%250 == 0, Data: zeros[:i%5000]}
		if err := w.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	b := w.Bytes()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	x, err := part.ParseIndex(b)
	if err != nil {
		t.Fatal(err)
	}
	l, err := progressive.Plan([]*part.Index{x}, nil, progressive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	each := float64(after.TotalAlloc-before.TotalAlloc+uint64(len(b))) / samples
	t.Logf("%.1f bytes a sample allocated in all, %.1f of index, file of %d bytes", each, float64(len(b))/samples, l.Size())
	if each > 50 {
		t.Errorf("%.1f bytes a sample allocated in all", each)
	}
}
