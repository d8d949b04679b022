package fragment_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
)

// packets is what ffprobe says of a stream's samples: a line "pts dts size key".
func packets(t *testing.T, stream []byte) []string {
	t.Helper()
	out, _ := fragmenttest.Run(t, stream, "ffprobe", "-v", "error", "-show_entries", "packet=pts,dts,size,flags", "-of", "csv=p=0", "-")
	var lines []string
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.Trim(line, ",\n"))
	}
	return lines
}

func TestSamplesAreThoseThatFfprobeSees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		stream []byte
		tick   int64
		shift  int64 // ffprobe adds it to each PTS
	}{
		{"b-frames at ntsc's rate", fragmenttest.Video(t, "testsrc2=s=160x90:r=30000/1001:d=3", "-g", "30", "-video_track_timescale", "30000"), 1001, 0},
		{"no b-frames", fragmenttest.Video(t, "testsrc2=s=160x90:r=25:d=3", "-g", "25", "-bf", "0", "-video_track_timescale", "25000"), 1000, 0},
		{"negative composition offsets", fragmenttest.Video(t, "testsrc2=s=160x90:r=25:d=3", "-g", "25", "-video_track_timescale", "25000", "-movflags", "+negative_cts_offsets"), 1000, 2000},
		{"one frame", fragmenttest.Video(t, "testsrc2=s=160x90:r=25:d=0.04", "-video_track_timescale", "25000"), 1000, 0},
		{"mpeg-2", fragmenttest.Picture(t, "testsrc2=s=160x90:r=25:d=3", "mpeg2video", "-bf", "2", "-flags", "+cgop", "-sc_threshold", "1000000000", "-g", "25", "-video_track_timescale", "25000"), 1000, 0},
		{"vp9 with hidden frames", fragmenttest.Picture(t, "testsrc2=s=160x90:r=25:d=3", "libvpx-vp9", "-cpu-used", "5", "-g", "25", "-video_track_timescale", "25000"), 1000, 0},
		{"sound", fragmenttest.Audio(t, "sine=r=48000:d=3"), 1024, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			track, samples := fragmenttest.Samples(t, c.stream)
			want := packets(t, c.stream)
			if len(samples) != len(want) {
				t.Fatalf("%d samples, ffprobe sees %d", len(samples), len(want))
			}
			for i, s := range samples {
				flags := "__"
				if s.Key {
					flags = "K_"
				}
				got := fmt.Sprintf("%d,%d,%d,%s", s.PTS+c.shift, s.DTS, len(s.Data), flags)
				if !strings.HasPrefix(want[i]+"_", got) {
					t.Errorf("sample %d is %s, ffprobe sees %s", i, got, want[i])
				}
				if last := i == len(samples)-1; s.Duration != c.tick && !last {
					t.Errorf("sample %d lasts %d, want %d", i, s.Duration, c.tick)
				}
			}
			if track.Kind == fragment.Video && samples[0].DTS != 0 {
				t.Errorf("first DTS %d", samples[0].DTS)
			}
		})
	}
}

func TestTrackDescribesItsSamples(t *testing.T) {
	t.Parallel()
	video, _ := fragmenttest.Samples(t, fragmenttest.Video(t, "testsrc2=s=720x576:r=25:d=0.2", "-profile:v", "main", "-level", "3.1", "-vf", "setsar=16/15", "-video_track_timescale", "25000"))
	if video.Kind != fragment.Video || video.Timescale != 25000 || video.Width != 720 || video.Height != 576 ||
		video.SARWidth != 16 || video.SARHeight != 15 || video.Codec != "avc1.4D401F" || len(video.SPS) != 1 || len(video.PPS) != 1 {
		t.Errorf("video is %+v", video)
	}
	audio, _ := fragmenttest.Samples(t, fragmenttest.Audio(t, "sine=r=44100:d=0.2", "-ac", "6"))
	if audio.Kind != fragment.Audio || audio.Timescale != 44100 || audio.SampleRate != 44100 || audio.Channels != 6 ||
		audio.Codec != "mp4a.40.2" || audio.ObjectType != 2 || len(audio.Config) < 2 {
		t.Errorf("audio is %+v", audio)
	}
	mpeg2, _ := fragmenttest.Samples(t, fragmenttest.Picture(t, "testsrc2=s=720x576:r=25:d=0.2", "mpeg2video", "-vf", "setsar=16/15"))
	if mpeg2.Kind != fragment.Video || mpeg2.Coding != fragment.MPEG2 || mpeg2.Codec != "mp4v.61" || mpeg2.Width != 720 || mpeg2.Height != 576 ||
		mpeg2.SARWidth != 16 || mpeg2.SARHeight != 15 || mpeg2.Config != nil {
		t.Errorf("MPEG-2 is %+v", mpeg2)
	}
	vp9, _ := fragmenttest.Samples(t, fragmenttest.Picture(t, "testsrc2=s=720x576:r=25:d=0.2", "libvpx-vp9", "-cpu-used", "5"))
	if vp9.Kind != fragment.Video || vp9.Coding != fragment.VP9 || vp9.Codec != "vp09.00.30.08" || vp9.Width != 720 || len(vp9.Config) < 8 {
		t.Errorf("VP9 is %+v", vp9)
	}
	stills := map[fragment.Coding]*fragment.Track{}
	for encoder, coding := range map[string]fragment.Coding{"mjpeg": fragment.JPEG, "png": fragment.PNG} {
		still, samples := fragmenttest.Samples(t, fragmenttest.Picture(t, "testsrc2=s=320x180:r=25:d=0.2", encoder))
		if still.Kind != fragment.Video || still.Coding != coding || still.Width != 320 || still.Height != 180 || len(samples) != 5 {
			t.Errorf("%s is %+v", encoder, still)
		}
		stills[coding] = still
	}
	for _, track := range []*fragment.Track{video, audio, mpeg2, vp9, stills[fragment.JPEG], stills[fragment.PNG]} {
		again, err := fragment.NewTrack(track.Timescale, track.SampleEntry)
		if err != nil {
			t.Fatal(err)
		}
		if !again.Same(track) {
			t.Errorf("%v read back is %+v", track.Kind, again)
		}
	}
	if video.Same(audio) {
		t.Error("video and audio are the same")
	}
	other := *video
	other.PPS = [][]byte{append(bytes.Clone(video.PPS[0]), 0)}
	if video.Same(&other) {
		t.Error("another PPS is the same")
	}
}

// TestSoundKeepsItsLength: the last frame's duration tells how many of its
// samples are heard.
func TestSoundKeepsItsLength(t *testing.T) {
	t.Parallel()
	for _, samples := range []int{1, 1023, 1024, 1025, 100000} {
		stream := fragmenttest.Audio(t, "sine=r=48000:d=10", "-af", "atrim=end_sample="+strconv.Itoa(samples))
		_, got := fragmenttest.Samples(t, stream)
		f := fragment.Fragment{Samples: got}
		if f.End() != int64(samples)+1024 {
			t.Errorf("%d samples: the stream ends at %d, want 1024 more", samples, f.End())
		}
	}
}

func TestReadingInAnyPortionsIsTheSame(t *testing.T) {
	t.Parallel()
	stream := fragmenttest.Video(t, "testsrc2=s=96x64:r=25:d=1", "-g", "10")
	_, want := fragmenttest.Samples(t, stream)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "data with EOF": iotest.DataErrReader,
	} {
		r := fragment.NewReader(wrap(bytes.NewReader(stream)))
		n := 0
		for {
			f, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, s := range f.Samples {
				if !bytes.Equal(s.Data, want[n].Data) || s.PTS != want[n].PTS {
					t.Fatalf("%s: sample %d differs", name, n)
				}
				n++
			}
		}
		if n != len(want) || !r.Complete() {
			t.Errorf("%s: %d of %d samples, complete %v", name, n, len(want), r.Complete())
		}
	}
}

// TestEveryTruncationIsSeen cuts a stream at each byte: only a cut between two
// top-level boxes may look like an end, and then the stream is not Complete.
func TestEveryTruncationIsSeen(t *testing.T) {
	t.Parallel()
	stream := fragmenttest.Audio(t, "anullsrc=r=8000:cl=mono:d=1.5")
	ends := map[int]bool{}
	moov, moof := 0, false
	for at := 0; at < len(stream); {
		name := string(stream[at+4 : at+8])
		at += int(binary.BigEndian.Uint32(stream[at:]))
		if name == "moov" {
			moov = at
		}
		moof = name == "moof"
		ends[at] = !moof && moov != 0
	}
	for n := range len(stream) {
		r := fragment.NewReader(bytes.NewReader(stream[:n]))
		var err error
		for err == nil {
			_, err = r.Next()
		}
		want := io.ErrUnexpectedEOF
		if ends[n] {
			want = io.EOF
		}
		if err != want {
			t.Fatalf("cut at %d of %d: %v, want %v", n, len(stream), err, want)
		}
		if r.Complete() {
			t.Fatalf("cut at %d of %d: complete", n, len(stream))
		}
	}
}

func TestErrorsOfTheSourceComeThrough(t *testing.T) {
	t.Parallel()
	stream := fragmenttest.Video(t, "testsrc2=s=96x64:r=25:d=1")
	broken := errors.New("broken")
	for _, n := range []int{0, 4, 100, len(stream) / 2} {
		r := fragment.NewReader(io.MultiReader(bytes.NewReader(stream[:n]), iotest.ErrReader(broken)))
		var err error
		for err == nil {
			_, err = r.Next()
		}
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		if _, again := r.Next(); again != err {
			t.Errorf("the next error is another: %v", again)
		}
	}
}

func TestShift(t *testing.T) {
	f := fragment.Fragment{Samples: []fragment.Sample{{DTS: 0, PTS: 2, Duration: 1}, {DTS: 1, PTS: 1, Duration: 4}}}
	f.Shift(-2)
	if f.Samples[0].DTS != -2 || f.Samples[0].PTS != 0 || f.Samples[1].PTS != -1 || f.End() != 3 {
		t.Errorf("shifted: %+v", f)
	}
	if (&fragment.Fragment{}).End() != 0 {
		t.Error("an empty fragment ends elsewhere than at 0")
	}
}
