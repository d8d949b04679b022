package progressive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/part"
	"sealreel/pkg/progressive"
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

// reel is what a file is made of: the parts of both tracks and their data.
type reel struct {
	video, audio []*part.Index
	data         map[fragment.Kind][][]byte
}

// add appends a part.
func (r *reel) add(t testing.TB, track *fragment.Track, samples []fragment.Sample) {
	t.Helper()
	var data []byte
	for _, s := range samples {
		data = append(data, s.Data...)
	}
	if r.data == nil {
		r.data = map[fragment.Kind][][]byte{}
	}
	x := indexOf(t, track, samples)
	if track.Kind == fragment.Video {
		r.video = append(r.video, x)
	} else {
		r.audio = append(r.audio, x)
	}
	r.data[track.Kind] = append(r.data[track.Kind], data)
}

// split appends the samples in parts that end behind the given places.
func (r *reel) split(t testing.TB, track *fragment.Track, samples []fragment.Sample, at ...int) {
	t.Helper()
	from := 0
	for _, to := range append(at, len(samples)) {
		r.add(t, track, samples[from:to])
		from = to
	}
}

func (r *reel) open(kind fragment.Kind, part int) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(r.data[kind][part])), nil
}

// file is the name of the joined file.
func (r *reel) file(t testing.TB) string {
	t.Helper()
	return r.fileWith(t, progressive.Options{})
}

func (r *reel) fileWith(t testing.TB, o progressive.Options) string {
	t.Helper()
	l, err := progressive.Plan(r.video, r.audio, o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := l.Stream(&out, r.open); err != nil {
		t.Fatal(err)
	}
	if int64(out.Len()) != l.Size() {
		t.Errorf("%d bytes, planned were %d", out.Len(), l.Size())
	}
	name := filepath.Join(t.TempDir(), "joined.mp4")
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// frames are framemd5's lines of a stream: times, sizes and hashes.
func frames(t testing.TB, file, stream string) []string {
	t.Helper()
	out, _ := fragmenttest.Run(t, nil, "ffmpeg", "-v", "error", "-i", file, "-map", "0:"+stream, "-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "framemd5", "-")
	var lines []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

func packets(t testing.TB, file, stream string) []string {
	t.Helper()
	out, _ := fragmenttest.Run(t, nil, "ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "packet=pts,dts,duration,size,flags", "-of", "csv=p=0", file)
	return slices.DeleteFunc(strings.Split(string(out), "\n"), func(s string) bool { return s == "" })
}

func silent(t testing.TB, file string) {
	t.Helper()
	if _, log := fragmenttest.Run(t, nil, "ffmpeg", "-v", "warning", "-i", file, "-f", "null", "-"); log != "" {
		t.Errorf("ffmpeg warns: %s", log)
	}
}

func probe(t testing.TB, file, entries string) string {
	t.Helper()
	out, _ := fragmenttest.Run(t, nil, "ffprobe", "-v", "error", "-show_entries", entries, "-of", "default=nw=1", file)
	return string(out)
}

// TestJoinedPartsAreTheEncodersFile joins the parts of encodes and compares the
// result with the file that ffmpeg itself writes of the same encode.
func TestJoinedPartsAreTheEncodersFile(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name, picture, sound string
		video, audio         []string
	}{
		{"ntsc with stereo", "testsrc2=s=320x180:r=30000/1001:d=6", "sine=r=48000:d=6,aformat=channel_layouts=stereo", []string{"-g", "45", "-video_track_timescale", "30000"}, nil},
		{"sound longer than the picture", "testsrc2=s=320x180:r=25:d=4", "anoisesrc=r=44100:d=5.3:a=0.3:seed=1", []string{"-g", "25", "-video_track_timescale", "25000"}, nil},
		{"no b-frames", "testsrc2=s=320x180:r=24000/1001:d=3", "sine=r=48000:d=2.9", []string{"-g", "24", "-bf", "0", "-video_track_timescale", "24000"}, nil},
		{"times before they are decoded", "testsrc2=s=320x180:r=25:d=2", "", []string{"-g", "25", "-movflags", "+negative_cts_offsets", "-video_track_timescale", "25000"}, nil},
		{"only keyframes", "testsrc2=s=320x180:r=25:d=2", "", []string{"-g", "1", "-video_track_timescale", "25000"}, nil},
		{"wide pixels", "testsrc2=s=720x576:r=25:d=2", "", []string{"-g", "25", "-vf", "setsar=16/11", "-video_track_timescale", "25000"}, nil},
		{"lossless", "testsrc2=s=320x180:r=25:d=2,format=yuv420p", "", []string{"-g", "25", "-crf", "0", "-video_track_timescale", "25000"}, nil},
		{"sound alone", "", "anoisesrc=r=44100:d=7.77:a=0.3:seed=1", nil, []string{"-b:a", "96k"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			var r reel
			var streams []string
			args := []string{"-v", "error", "-nostdin", "-y"}
			var codecs []string
			if k.picture != "" {
				track, samples := fragmenttest.Samples(t, fragmenttest.Video(t, k.picture, k.video...))
				f := fragment.Fragment{Samples: samples}
				f.Shift(-samples[0].PTS)
				r.split(t, track, samples, keyframes(samples)...)
				args = append(args, "-f", "lavfi", "-i", k.picture)
				codecs = append(append(codecs, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "3"), k.video...)
				streams = append(streams, "v")
			}
			if k.sound != "" {
				track, samples := fragmenttest.Samples(t, fragmenttest.Audio(t, k.sound, k.audio...))
				f := fragment.Fragment{Samples: samples}
				f.Shift(-1024)
				r.split(t, track, samples, 0, 1, 30, 30, 77)
				args = append(args, "-f", "lavfi", "-i", k.sound)
				codecs = append(append(codecs, "-c:a", "aac"), k.audio...)
				streams = append(streams, "a")
			}
			own := filepath.Join(t.TempDir(), "own.mp4")
			fragmenttest.Run(t, nil, "ffmpeg", append(append(args, codecs...), own)...)
			joined := r.file(t)
			for _, s := range streams {
				if got, want := packets(t, joined, s), packets(t, own, s); !slices.Equal(got, want) {
					t.Errorf("%s: packets\n%.400s, want\n%.400s", s, got, want)
				}
				if got, want := frames(t, joined, s), frames(t, own, s); len(got) == 0 || !slices.Equal(got, want) {
					t.Errorf("%s: %d frames, want %d, or they differ", s, len(got), len(want))
				}
			}
			const entries = "format=format_name,duration,nb_streams,start_time:stream=codec_name,codec_tag_string,profile,width,height,sample_aspect_ratio,display_aspect_ratio,pix_fmt,level,sample_rate,channels,r_frame_rate,avg_frame_rate,start_time,duration_ts,nb_frames"
			if got, want := probe(t, joined, entries), probe(t, own, entries); got != want {
				t.Errorf("ffprobe says\n%s, want\n%s", got, want)
			}
			silent(t, joined)
		})
	}
}

// keyframes are the places of all but the first.
func keyframes(samples []fragment.Sample) []int {
	var at []int
	for i, s := range samples {
		if s.Key && i > 0 {
			at = append(at, i)
		}
	}
	return at
}

// TestChunksWithLeadIns encodes the second half apart, with a second before it
// that is thrown away, as workers do.
func TestChunksWithLeadIns(t *testing.T) {
	t.Parallel()
	const picture = "testsrc2=s=320x180:r=30000/1001:d=4"
	args := []string{"-g", "30", "-keyint_min", "30", "-sc_threshold", "0", "-video_track_timescale", "30000"}
	var r reel
	var want []string
	for _, c := range []struct{ lead, first, end int64 }{{0, 0, 60}, {30, 60, 120}} {
		stream := fragmenttest.Video(t, picture, append(args, "-vf", fmt.Sprintf("trim=start_frame=%d:end_frame=%d,setpts=PTS-STARTPTS", c.lead, c.end))...)
		track, samples := fragmenttest.Samples(t, stream)
		f := fragment.Fragment{Samples: samples}
		f.Shift(c.lead*1001 - samples[0].PTS)
		r.add(t, track, samples[c.first-c.lead:])
		name := filepath.Join(t.TempDir(), "chunk.mp4")
		if err := os.WriteFile(name, stream, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, line := range frames(t, name, "v")[c.first-c.lead:] {
			want = append(want, line[strings.LastIndex(line, ","):])
		}
	}
	file := r.file(t)
	var got []string
	for i, line := range frames(t, file, "v") {
		if pts := fmt.Sprintf("%d", i*1001); strings.TrimSpace(strings.Split(line, ",")[2]) != pts {
			t.Fatalf("frame %d is %s, want it at %s", i, line, pts)
		}
		got = append(got, line[strings.LastIndex(line, ","):])
	}
	if len(got) != 120 || !slices.Equal(got, want) {
		t.Errorf("%d frames, want 120, or they differ", len(got))
	}
	silent(t, file)
}

// TestTracksThatStartLate: an empty edit keeps sound and picture together.
func TestTracksThatStartLate(t *testing.T) {
	t.Parallel()
	video, pictures := fragmenttest.Samples(t, fragmenttest.Video(t, "testsrc2=s=96x64:r=25:d=2", "-video_track_timescale", "25000"))
	audio, sounds := fragmenttest.Samples(t, fragmenttest.Audio(t, "sine=r=48000:d=2"))
	for _, c := range []struct {
		picture, sound int64 // where the first begins, in units
		want           string
	}{
		{0, 24000, "start_time=0.000000\nstart_time=0.500000\n"},
		{10000, 0, "start_time=0.400000\nstart_time=0.000000\n"},
		{25000, 48000, "start_time=1.000000\nstart_time=1.000000\n"},
	} {
		var r reel
		f := fragment.Fragment{Samples: slices.Clone(pictures)}
		f.Shift(c.picture - pictures[0].PTS)
		r.add(t, video, f.Samples)
		f = fragment.Fragment{Samples: slices.Clone(sounds)}
		f.Shift(c.sound) // the encoder's delay is heard here
		if c.sound == 0 {
			f.Shift(-1024)
		}
		r.add(t, audio, f.Samples)
		file := r.file(t)
		if got := probe(t, file, "stream=start_time"); got != c.want {
			t.Errorf("%+v: %s, want %s", c, got, c.want)
		}
		silent(t, file)
	}
}

func TestTheIndexIsInFront(t *testing.T) {
	t.Parallel()
	var r reel
	track, samples := fragmenttest.Samples(t, fragmenttest.Video(t, "testsrc2=s=96x64:r=25:d=1"))
	r.add(t, track, samples)
	made := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var files [3]bytes.Buffer
	for i, o := range []progressive.Options{{}, {}, {Created: made}} {
		l, err := progressive.Plan(r.video, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Stream(&files[i], r.open); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("two files of one input differ")
	}
	b := files[2].Bytes()
	if moov, mdat := bytes.Index(b, []byte("moov")), bytes.Index(b, []byte("mdat")); string(b[4:8]) != "ftyp" || moov < 0 || moov > mdat {
		t.Errorf("ftyp at %d, moov at %d, mdat at %d", bytes.Index(b, []byte("ftyp")), moov, mdat)
	}
	name := filepath.Join(t.TempDir(), "made.mp4")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := probe(t, name, "format_tags=creation_time"); !strings.Contains(got, "2026-11-24T12:00:00") {
		t.Errorf("created %s", got)
	}
}

func TestPartsThatDoNotFit(t *testing.T) {
	t.Parallel()
	video, pictures := fragmenttest.Samples(t, fragmenttest.Video(t, "testsrc2=s=96x64:r=25:d=1", "-g", "5"))
	other, _ := fragmenttest.Samples(t, fragmenttest.Video(t, "testsrc2=s=96x64:r=25:d=1", "-g", "5", "-bf", "0"))
	audio, sounds := fragmenttest.Samples(t, fragmenttest.Audio(t, "sine=r=48000:d=1"))
	a, b, c := indexOf(t, video, pictures[:5]), indexOf(t, video, pictures[5:10]), indexOf(t, video, pictures[10:])
	strange := indexOf(t, other, pictures[5:10])
	sound, empty := indexOf(t, audio, sounds), indexOf(t, video, nil)
	for _, k := range []struct {
		name         string
		video, audio []*part.Index
		ok           bool
	}{
		{"all", []*part.Index{a, b, c}, []*part.Index{sound}, true},
		{"empty parts between", []*part.Index{empty, a, empty, b, c, empty}, nil, true},
		{"a gap", []*part.Index{a, c}, nil, false},
		{"disorder", []*part.Index{b, a, c}, nil, false},
		{"twice", []*part.Index{a, b, b, c}, nil, false},
		{"other parameters", []*part.Index{a, strange, c}, nil, false},
		{"sound as picture", []*part.Index{sound}, nil, false},
		{"picture as sound", nil, []*part.Index{a}, false},
		{"nothing", nil, nil, false},
		{"only empty parts", []*part.Index{empty}, nil, false},
	} {
		_, err := progressive.Plan(k.video, k.audio, progressive.Options{})
		if k.ok != (err == nil) || err != nil && !errors.Is(err, part.ErrParts) {
			t.Errorf("%s: %v", k.name, err)
		}
	}
}

// TestTimesOfSixtyFourBits: boxes change to their wide form where they must.
func TestTimesOfSixtyFourBits(t *testing.T) {
	t.Parallel()
	track := anyTrack(t)
	for _, k := range []struct {
		start, duration int64
		samples         int
		wide            byte
	}{{0, 1 << 30, 3, 0}, {0, 1 << 30, 4, 1}, {1 << 33, 100, 3, 1}} {
		var samples []fragment.Sample
		for i := range int64(k.samples) {
			at := k.start + i*k.duration
			samples = append(samples, fragment.Sample{DTS: at, PTS: at + 50, Duration: k.duration, Key: i == 0, Data: []byte{1}})
		}
		var r reel
		r.add(t, track, samples)
		f, err := mp4.ReadMP4File(r.file(t))
		if err != nil {
			t.Fatal(err)
		}
		moov := f.Moov
		elst := moov.Trak.Edts.Elst[0]
		late := uint64(k.start + 50)
		if got := moov.Mvhd.Duration; got != late+uint64(k.samples)*uint64(k.duration) {
			t.Errorf("%+v: movie lasts %d", k, got)
		}
		if moov.Mvhd.Version != k.wide || moov.Trak.Tkhd.Version != k.wide || elst.Version != k.wide {
			t.Errorf("%+v: versions %d, %d, %d", k, moov.Mvhd.Version, moov.Trak.Tkhd.Version, elst.Version)
		}
		if len(elst.Entries) != 2 || elst.Entries[0].SegmentDuration != late || elst.Entries[0].MediaTime != -1 || elst.Entries[1].MediaTime != 50 {
			t.Errorf("%+v: edits %+v", k, elst.Entries)
		}
	}
}

func TestOffsetsHaveASignOnlyWhereNeeded(t *testing.T) {
	t.Parallel()
	track := anyTrack(t)
	for offset, want := range map[int64]byte{100: 0, -100: 1} {
		var r reel
		r.add(t, track, []fragment.Sample{
			{DTS: 0, PTS: 200, Duration: 100, Key: true, Data: []byte{1}},
			{DTS: 100, PTS: 100 + offset, Duration: 100, Data: []byte{2}},
		})
		f, err := mp4.ReadMP4File(r.file(t))
		if err != nil {
			t.Fatal(err)
		}
		if b := f.Moov.Trak.Mdia.Minf.Stbl.Ctts; b.Version != want || int64(b.GetCompositionTimeOffset(2)) != offset {
			t.Errorf("offset %d: version %d says %d", offset, b.Version, b.GetCompositionTimeOffset(2))
		}
	}
}
