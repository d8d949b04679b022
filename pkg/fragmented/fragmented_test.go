package fragmented_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/fragmented"
	"sealreel/pkg/part"
	"sealreel/pkg/part/parttest"
)

// reel is six seconds of picture, a keyframe each 30 frames, and a bit more of
// sound.
func reel(t testing.TB, picture, sound bool) *parttest.Reel {
	t.Helper()
	r := &parttest.Reel{}
	if picture {
		track, samples := fragmenttest.Samples(t, fragmenttest.Video(t, "testsrc2=s=160x96:d=6:r=30", "-vf", "setsar=4/3", "-force_key_frames", "expr:not(mod(n,30))", "-g", "1000", "-video_track_timescale", "30000"))
		r.Add(t, track, parttest.Shift(samples), 60, 120)
	}
	if sound {
		track, samples := fragmenttest.Samples(t, fragmenttest.Audio(t, "sine=r=48000:d=6.3", "-ac", "2"))
		f := fragment.Fragment{Samples: samples}
		f.Shift(-1024)
		r.Add(t, track, f.Samples, 100)
	}
	return r
}

func plan(t testing.TB, r *parttest.Reel, frames int64) *fragmented.Layout {
	t.Helper()
	l, err := fragmented.Plan(r.Video, r.Audio, fragmented.Options{Frames: frames})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFilesHoldWhatWasEncoded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		picture, sound bool
		frames         int64
		fragments      int
		want           string
	}{
		{"both", true, true, 60, 6, "h264,160,96,4:3,30/1\naac,48000,2,0/0\n"},
		{"a group of pictures each", true, true, 0, 12, "h264,160,96,4:3,30/1\naac,48000,2,0/0\n"},
		{"pictures alone", true, false, 60, 3, "h264,160,96,4:3,30/1\n6.000000\n"},
		{"sound alone", false, true, 0, 4, "aac,48000,2,0/0\n6.300000\n"},
		{"sound in fragments of 100", false, true, 100, 3, "aac,48000,2,0/0\n6.300000\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := reel(t, c.picture, c.sound)
			file := r.File(t, "out.mp4", plan(t, r, c.frames))
			got := parttest.Probe(t, file, "-show_entries", "stream=codec_name,width,height,sample_aspect_ratio,r_frame_rate,sample_rate,channels:format=duration")
			if !strings.HasPrefix(got, c.want) { // of two tracks, ffprobe takes the duration from the sidx of the first

				t.Errorf("ffprobe says %q, want %q", got, c.want)
			}
			if c.picture {
				checkPackets(t, r, file, "v:0", r.Video)
				if n := parttest.Decode(t, file, 0); n != 180 {
					t.Errorf("%d frames decode", n)
				}
				if n := parttest.Decode(t, file, 4.5); n != 45 {
					t.Errorf("%d frames decode from 4.5 s on", n)
				}
			}
			if c.sound {
				checkPackets(t, r, file, "a:0", r.Audio)
			}
			checkIndexes(t, file, c.fragments, c.picture)
		})
	}
}

// checkPackets compares what is in a file with what was put in.
func checkPackets(t *testing.T, r *parttest.Reel, file, stream string, parts []*part.Index) {
	t.Helper()
	times, hashes := parttest.Hashes(t, file, stream)
	n := 0
	for place, p := range parts {
		body, err := r.Open(p.Track.Kind, place)
		if err != nil {
			t.Fatal(err)
		}
		for s := range p.All() {
			data := make([]byte, s.Size)
			if _, err := io.ReadFull(body, data); err != nil {
				t.Fatal(err)
			}
			var at float64
			if _, err := fmt.Sscan(times[n], &at); err != nil || math.Abs(at-float64(s.PTS)/float64(p.Track.Timescale)) > 0.0001 {
				t.Errorf("%s %d at %s, want %d/%d", stream, n, times[n], s.PTS, p.Track.Timescale)
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

// checkIndexes holds sidx and mfra against where the fragments are, as another
// reader of MP4 sees them.
func checkIndexes(t *testing.T, name string, fragments int, pictures bool) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := mp4.DecodeFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var starts, leads []uint64
	var order []string
	for _, c := range f.Children {
		order = append(order, c.Type())
		if moof, ok := c.(*mp4.MoofBox); ok {
			starts = append(starts, moof.StartPos)
			if moof.Traf.Tfhd.TrackID == 1 {
				leads = append(leads, moof.StartPos)
				if first := moof.Traf.Trun.Samples[0]; pictures && !first.IsSync() {
					t.Errorf("the fragment at %d begins with no keyframe", moof.StartPos)
				}
			}
		}
	}
	if len(starts) != fragments || !slices.Equal(order[:4], []string{"ftyp", "moov", "sidx", "moof"}) || order[len(order)-1] != "mfra" {
		t.Errorf("%d fragments, boxes %v", len(starts), order)
	}
	lasts := float64(f.Moov.Mvex.Mehd.FragmentDuration) / float64(f.Moov.Mvhd.Timescale)
	if want := map[bool]float64{true: 6.3, false: 6}[len(f.Moov.Traks) == 2 || !pictures]; math.Abs(lasts-want) > 0.0001 {
		t.Errorf("mehd says %v s, want %v", lasts, want)
	}
	sidx := f.Children[2].(*mp4.SidxBox)
	at, ticks := leads[0], uint64(0)
	for i, ref := range sidx.SidxRefs {
		if at != leads[i] || ref.StartsWithSAP != 1 || ref.SAPType != 1 {
			t.Errorf("reference %d is to %d, the fragment is at %d", i, at, leads[i])
		}
		at += uint64(ref.ReferencedSize)
		ticks += uint64(ref.SubSegmentDuration)
	}
	mfra := f.Children[len(f.Children)-1].(*mp4.MfraBox)
	if at != uint64(len(b))-mfra.Size() || len(sidx.SidxRefs) != len(leads) {
		t.Errorf("%d references end at %d", len(sidx.SidxRefs), at)
	}
	if pictures && ticks != 6*30000 {
		t.Errorf("the references last %d ticks", ticks)
	}
	var found []uint64
	for _, tfra := range mfra.Tfras {
		for _, e := range tfra.Entries {
			found = append(found, e.MoofOffset)
		}
	}
	slices.Sort(found)
	if !slices.Equal(found, starts) || mfra.Mfro.ParentSize != uint32(mfra.Size()) {
		t.Errorf("mfra says %v of %v", found, starts)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := fragmented.Plan(nil, nil, fragmented.Options{}); !errors.Is(err, part.ErrParts) {
		t.Errorf("a file of nothing: %v", err)
	}
	r := reel(t, true, true)
	if _, err := fragmented.Plan(r.Video, nil, fragmented.Options{Frames: 45}); !errors.Is(err, part.ErrParts) || !strings.Contains(err.Error(), "frame 45") {
		t.Errorf("fragments that begin with no keyframe: %v", err)
	}
	for _, by := range []int{-1, 1} {
		for place := range 3 {
			r := reel(t, true, true)
			r.Spoil(fragment.Video, place, by)
			if err := plan(t, r, 0).Stream(io.Discard, r.Open); !errors.Is(err, part.ErrParts) {
				t.Errorf("part %d longer by %d: %v", place, by, err)
			}
		}
	}
}
