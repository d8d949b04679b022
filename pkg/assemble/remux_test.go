package assemble

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/job"
	"sealreel/pkg/part"
	"sealreel/pkg/part/parttest"
	"sealreel/pkg/plan"
	"sealreel/pkg/task"
)

// tape is eight seconds of MPEG-2, in two parts, with sound by an encoder of
// ffmpeg's.
func tape(t *testing.T, sound string, args ...string) (*world, *parts) {
	t.Helper()
	program, err := exec.LookPath("ffmpeg")
	check(t, err)
	w := &world{stored: map[string]string{}, owner: map[string]string{}, works: map[string][]byte{}}
	p := &parts{making: &making{vault: w, ffmpeg: program, output: plan.Output{Container: "mxf"}},
		stored: map[fragment.Kind][]task.Part{}, indexes: map[fragment.Kind][]*part.Index{}}
	args = append([]string{"-bf", "2", "-flags", "+cgop", "-sc_threshold", "1000000000", "-g", "12", "-b:v", "2M", "-maxrate", "3M", "-bufsize", "6M", "-video_track_timescale", "25000"}, args...)
	track, pictures := fragmenttest.Samples(t, fragmenttest.Picture(t, "testsrc2=s=320x192:d=8:r=25", "mpeg2video", args...))
	r := &parttest.Reel{}
	r.Add(t, track, parttest.Shift(pictures), 96)
	if sound != "" {
		track, samples := fragmenttest.Samples(t, fragmenttest.Sound(t, sound, "sine=r=48000:d=8", "-ac", "2"))
		r.Add(t, track, samples, 50)
	}
	for kind, indexes := range map[fragment.Kind][]*part.Index{fragment.Video: r.Video, fragment.Audio: r.Audio} {
		for i, x := range indexes {
			key := fmt.Sprintf("%v-%d", kind, i)
			body, err := r.Open(kind, i)
			check(t, err)
			w.works[key], err = io.ReadAll(body)
			check(t, err)
			p.stored[kind] = append(p.stored[kind], task.Part{Data: task.WorkFile{Key: key, Size: int64(len(w.works[key]))}})
			p.indexes[kind] = append(p.indexes[kind], x)
		}
	}
	return w, p
}

// TestRemuxedFiles: what ffmpeg writes is the same each time, has every frame at
// its time, and decodes without a word.
func TestRemuxedFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, container, sound string
		args                   []string
		want                   string
	}{
		{"mpg", "mpg", "mp2", nil, "mpeg2video,320,192,yuv420p,25/1\nmp2,48000,2,0/0\nmpeg\n"},
		{"mpg of pictures alone", "mpg", "", nil, "mpeg2video,320,192,yuv420p,25/1\nmpeg\n"},
		// ffprobe tells of the streams of a programme twice.
		{"ts", "ts", "mp2", nil, "mpeg2video,320,192,yuv420p,25/1\nmp2,48000,2,0/0\n\nmpeg2video,320,192,yuv420p,25/1\nmp2,48000,2,0/0\nmpegts\n"},
		{"mxf", "mxf", "pcm_s16le", nil, "mpeg2video,320,192,yuv420p,25/1\npcm_s16le,48000,2,0/0\nmxf\n"},
		{"mxf of 24 bits and 4:2:2", "mxf", "pcm_s24le", []string{"-pix_fmt", "yuv422p"}, "mpeg2video,320,192,yuv422p,25/1\npcm_s24le,48000,2,0/0\nmxf\n"},
		{"mxf at 29.97 a second", "mxf", "", []string{"-r", "30000/1001", "-video_track_timescale", "30000"}, "mpeg2video,320,192,yuv420p,30000/1001\nmxf\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, p := tape(t, c.sound, c.args...)
			write, err := containers[c.container].plan(p)
			check(t, err)
			var first []byte
			for range 2 {
				var out bytes.Buffer
				check(t, write(t.Context(), &out))
				if first != nil && sha256.Sum256(first) != sha256.Sum256(out.Bytes()) {
					t.Error("it comes out differently the second time")
				}
				first = out.Bytes()
			}
			file := filepath.Join(t.TempDir(), "out."+c.container)
			check(t, os.WriteFile(file, first, 0o600))
			got := parttest.Probe(t, file, "-show_entries", "stream=codec_name,width,height,pix_fmt,r_frame_rate,sample_rate,channels:format=format_name")
			if got = strings.ReplaceAll(got, ",\n\n", "\n"); got != c.want { // there is side data, of the buffer
				t.Errorf("ffprobe says %q, want %q", got, c.want)
			}
			_, hashes := parttest.Hashes(t, file, "v:0")
			sequence, err := part.Join(fragment.Video, p.indexes[fragment.Video])
			check(t, err)
			if len(hashes) != sequence.Samples || parttest.Decode(t, file, 0) != sequence.Samples {
				t.Errorf("%d frames of %d", len(hashes), sequence.Samples)
			}
			lasts := parttest.Probe(t, file, "-show_entries", "format=duration")
			var seconds float64
			if _, err := fmt.Sscan(lasts, &seconds); err != nil || seconds < 7.9 || seconds > 8.1 {
				t.Errorf("it lasts %s s", lasts)
			}
			if n, want := parttest.Decode(t, file, 6), sequence.Samples/4; n < want-15 || n > want+15 {
				t.Errorf("%d frames decode from 6 s on", n)
			}
		})
	}
}

func TestRemuxThatFails(t *testing.T) {
	t.Parallel()
	w, p := tape(t, "mp2")
	write, err := containers["mpg"].plan(p)
	check(t, err)
	broken := errors.New("broken")
	if err := write(t.Context(), failing{broken}); !errors.Is(err, broken) {
		t.Errorf("the store's error: %v", err)
	}
	w.works["video-1"] = w.works["video-1"][:1000]
	if err := write(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "video-1") {
		t.Errorf("a part that is not there: %v", err)
	}
	_, p = tape(t, "mp2")
	write, err = remuxed(func(plan.Output, []*part.Sequence) []string { return []string{"-map", "0", "-c", "copy", "-f", "gif"} }, nil)(p)
	check(t, err)
	var failure *job.Failure
	if err := write(t.Context(), io.Discard); !errors.As(err, &failure) || failure.Code != job.CodeSegmentsMismatch {
		t.Errorf("what the container has no place for: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := write(ended, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("a function that ends: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
