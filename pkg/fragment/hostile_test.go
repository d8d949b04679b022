package fragment_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
)

// patch returns the stream with v written n bytes behind the first box name.
func patch(t *testing.T, stream []byte, name string, n int, v uint32) []byte {
	t.Helper()
	at := bytes.Index(stream, []byte(name))
	if at < 0 {
		t.Fatalf("no box %q", name)
	}
	out := bytes.Clone(stream)
	binary.BigEndian.PutUint32(out[at+4+n:], v)
	return out
}

func peek(t *testing.T, stream []byte, name string, n int) uint32 {
	t.Helper()
	return binary.BigEndian.Uint32(stream[bytes.Index(stream, []byte(name))+4+n:])
}

// TestCompositionOffsetsHaveAVersion: the same bits are a large number in
// version 0 of trun and a negative one in version 1.
func TestCompositionOffsetsHaveAVersion(t *testing.T) {
	t.Parallel()
	good := fragmenttest.Video(t, "testsrc2=s=96x64:r=25:d=1", "-g", "10")
	odd := patch(t, good, "trun", 20, math.MaxUint32)
	flags := peek(t, good, "trun", 0) & 0xffffff
	for version, want := range []int64{math.MaxUint32, -1} {
		_, samples := fragmenttest.Samples(t, patch(t, odd, "trun", 0, uint32(version)<<24|flags))
		if got := samples[0].PTS - samples[0].DTS; got != want {
			t.Errorf("version %d: PTS is %d from DTS, want %d", version, got, want)
		}
	}
}

func TestHostileStreamsAreRefused(t *testing.T) {
	t.Parallel()
	good := fragmenttest.Video(t, "testsrc2=s=96x64:r=25:d=1", "-g", "10")
	first := bytes.Index(good, []byte("moof")) - 4
	rename := func(from, to string) []byte { return bytes.ReplaceAll(good, []byte(from), []byte(to)) }
	for _, c := range []struct {
		name   string
		stream []byte
		want   error
		text   string
	}{
		{"text", []byte(strings.Repeat("this is not MP4. ", 100)), fragment.ErrMalformed, "ftyp"},
		{"no moov", append([]byte("\x00\x00\x00\x08ftyp"), good[first:]...), fragment.ErrMalformed, "empty_moov"},
		{"two moovs", append(bytes.Clone(good[:first]), good...), fragment.ErrMalformed, "moov"},
		{"data alone", append(bytes.Clone(good[:first]), "\x00\x00\x00\x08mdat"...), fragment.ErrMalformed, "mdat"},
		{"no tracks", rename("trak", "trax"), fragment.ErrMalformed, "0 tracks"},
		{"another codec", rename("avc1", "hvc1"), fragment.ErrMalformed, "hvc1"},
		{"no avcC", rename("avcC", "avcX"), fragment.ErrMalformed, "avcC"},
		{"timescale 0", patch(t, good, "mdhd", 12, 0), fragment.ErrMalformed, "timescale"},
		{"no trex", rename("trex", "trez"), fragment.ErrMalformed, "trex"},
		{"no tfdt", rename("tfdt", "tfdx"), fragment.ErrMalformed, "tfdt"},
		{"no trun", rename("trun", "trux"), fragment.ErrMalformed, "without samples"},
		{"fragment of another track", patch(t, good, "tfhd", 4, 9), fragment.ErrMalformed, "track 9"},
		{"absolute offsets", patch(t, good, "tfhd", 0, 1), fragment.ErrMalformed, "default_base_moof"},
		{"far time", patch(t, good, "tfdt", 4, math.MaxUint32), fragment.ErrMalformed, "decode time"},
		{"four billion samples", patch(t, good, "trun", 4, math.MaxUint32), fragment.ErrTooLarge, "65536"},
		{"more samples than fit in trun", patch(t, good, "trun", 4, 60000), fragment.ErrMalformed, "trun"},
		{"data in front of its mdat", patch(t, good, "trun", 8, 8), fragment.ErrMalformed, "outside"},
		{"data at a negative offset", patch(t, good, "trun", 8, 1<<31), fragment.ErrMalformed, "outside"},
		{"data behind its mdat", patch(t, good, "trun", 8, 1<<30), fragment.ErrMalformed, "outside"},
		{"the last sample a byte beyond", patch(t, good, "trun", 16, peek(t, good, "trun", 16)+1), fragment.ErrMalformed, "outside"},
		{"huge sample", patch(t, good, "trun", 16, math.MaxUint32), fragment.ErrTooLarge, "bytes of samples"},
		{"huge data", patch(t, good, "mdat", -8, 1<<31), fragment.ErrTooLarge, "of data"},
		{"huge moof", patch(t, good, "moof", -8, 1<<31), fragment.ErrTooLarge, "moof"},
		{"huge moov", patch(t, good, "moov", -8, 1<<31), fragment.ErrTooLarge, "moov"},
		{"box of 7 bytes", patch(t, good, "moof", -8, 7), fragment.ErrMalformed, "size 7"},
		{"box of 0 bytes", patch(t, good, "moof", -8, 0), fragment.ErrMalformed, "size 0"},
		{"tfhd larger than traf", patch(t, good, "tfhd", -8, 5000), fragment.ErrMalformed, "tfhd"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := fragment.NewReader(bytes.NewReader(c.stream))
		var err error
		for err == nil {
			_, err = r.Next()
		}
		runtime.ReadMemStats(&after)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %v with %q", c.name, err, c.want, c.text)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
			t.Errorf("%s: %d bytes allocated", c.name, grown)
		}
	}
}

func FuzzReader(f *testing.F) {
	video := fragmenttest.Video(f, "color=s=16x16:r=25:d=0.3", "-g", "4")
	audio := fragmenttest.Audio(f, "anullsrc=r=8000:cl=mono:d=0.7")
	f.Add(video)
	f.Add(audio)
	f.Add(video[:len(video)/2])
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := fragment.NewReader(bytes.NewReader(stream))
		total := 0
		for {
			fr, err := r.Next()
			if err != nil {
				if err != io.EOF && err != io.ErrUnexpectedEOF && !errors.Is(err, fragment.ErrMalformed) && !errors.Is(err, fragment.ErrTooLarge) {
					t.Fatalf("unclassified error: %v", err)
				}
				return
			}
			dts := fr.Samples[0].DTS
			for _, s := range fr.Samples {
				if s.DTS != dts {
					t.Fatalf("DTS %d, want %d", s.DTS, dts)
				}
				dts += s.Duration
				total += len(s.Data)
			}
			if total > 2*len(stream)*fragment.MaxSamples {
				t.Fatal("samples from nothing")
			}
		}
	})
}

// TestHostileSampleEntries are refused by what is wrong with them.
func TestHostileSampleEntries(t *testing.T) {
	t.Parallel()
	mpeg2, _ := fragmenttest.Samples(t, fragmenttest.Picture(t, "color=s=16x16:r=25:d=0.1", "mpeg2video"))
	vp9, _ := fragmenttest.Samples(t, fragmenttest.Picture(t, "color=s=16x16:r=25:d=0.1", "libvpx-vp9"))
	at := func(entry []byte, box string, n int, value byte) []byte {
		changed := bytes.Clone(entry)
		changed[bytes.Index(changed, []byte(box))+4+n] = value
		return changed
	}
	for _, c := range []struct {
		name, text string
		entry      []byte
	}{
		{"an MPEG-4 picture", "0x20", at(mpeg2.SampleEntry, "esds", 4+5+3+5, 0x20)},
		{"no decoder's configuration", "descriptor 4", at(mpeg2.SampleEntry, "esds", 4+5+3, 0x05)},
		{"a descriptor longer than its box", "too early", at(mpeg2.SampleEntry, "esds", 8, 0x7f)},
		{"a descriptor of endless length", "too early", at(mpeg2.SampleEntry, "esds", 8, 0xff)},
		{"a box longer than the entry", "pasp", at(mpeg2.SampleEntry, "pasp", -8, 0x7f)},
		{"no width", "0 x 16", at(mpeg2.SampleEntry, "mp4v", 25, 0)},
		{"no vpcC", "vpcC", at(vp9.SampleEntry, "vpcC", -1, 'X')},
		{"another version of vpcC", "version", at(vp9.SampleEntry, "vpcC", 0, 2)},
		{"cut", "box", vp9.SampleEntry[:60]},
	} {
		if _, err := fragment.NewTrack(1000, c.entry); !errors.Is(err, fragment.ErrMalformed) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %q", c.name, err, c.text)
		}
	}
}

func FuzzNewTrack(f *testing.F) {
	for _, stream := range [][]byte{
		fragmenttest.Video(f, "color=s=16x16:r=25:d=0.1"),
		fragmenttest.Audio(f, "anullsrc=r=8000:cl=mono:d=0.1"),
		fragmenttest.Picture(f, "color=s=16x16:r=25:d=0.1", "mpeg2video"),
		fragmenttest.Picture(f, "color=s=16x16:r=25:d=0.1", "libvpx-vp9"),
		fragmenttest.Sound(f, "libmp3lame", "anullsrc=r=32000:cl=mono:d=0.1"),
		fragmenttest.Sound(f, "libvorbis", "anullsrc=r=32000:cl=mono:d=0.1"),
		fragmenttest.Sound(f, "flac", "anullsrc=r=32000:cl=mono:d=0.1"),
		fragmenttest.Sound(f, "pcm_s24le", "anullsrc=r=32000:cl=mono:d=0.1"),
		fragmenttest.Sound(f, "pcm_s16le", "anullsrc=r=96000:cl=mono:d=0.1"),
	} {
		track, _ := fragmenttest.Samples(f, stream)
		f.Add(track.Timescale, track.SampleEntry)
	}
	f.Fuzz(func(t *testing.T, timescale uint32, entry []byte) {
		track, err := fragment.NewTrack(timescale, entry)
		if err != nil {
			if !errors.Is(err, fragment.ErrMalformed) {
				t.Fatalf("unclassified error: %v", err)
			}
			return
		}
		if again, err := fragment.NewTrack(track.Timescale, track.SampleEntry); err != nil || !again.Same(track) {
			t.Fatalf("read back: %+v, %v", again, err)
		}
	})
}
