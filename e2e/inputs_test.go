package e2e

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// inputCase is a file of a kind of its own. A rate of zero means that it has no
// picture.
type inputCase struct {
	name, file string
	args       []string
	rate       rational.Rational
	frames     int64   // that go in; 0: whatever the file has
	filters    string  // what an output does to the picture
	late       int     // places that the picture begins after the sound
	sound      float64 // seconds, 0: none
}

var small = pattern("128x96", "25", "6")

func join(lists ...[]string) []string { return slices.Concat(lists...) }

var inputCases = []inputCase{
	{name: "flash", file: "in.flv", args: join(small, tone("44100", "6"), []string{"-c:v", "flv1", "-c:a", "mp3", "-q:v", "2"}), rate: rational.Int(25), late: 1, sound: 6},
	{name: "avi without times", file: "in.avi", args: join(small, tone("48000", "6"), []string{"-c:v", "mpeg4", "-q:v", "2", "-bf", "2", "-c:a", "pcm_s16le"}), rate: rational.Int(25), late: 1, sound: 6},
	{name: "avi with h.264", file: "in.avi", args: join(small, []string{"-c:v", "libx264", "-bf", "2", "-g", "30"}), rate: rational.Int(25)},
	{name: "mpeg-2 in a programme stream", file: "in.mpg", args: join(small, tone("48000", "6"), []string{"-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-c:a", "mp2"}), rate: rational.Int(25), sound: 6},
	{name: "interlaced mpeg-2", file: "in.ts", args: join(pattern("720x576", "25", "5"), []string{"-c:v", "mpeg2video", "-q:v", "4", "-flags", "+ildct+ilme", "-top", "1"}), rate: rational.Int(25), filters: "bwdif=mode=send_frame:deint=interlaced,"},
	{name: "vp9", file: "in.webm", args: join(small, tone("48000", "6"), []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k", "-c:a", "libopus"}), rate: rational.Int(25), sound: 6},
	{name: "prores", file: "in.mov", args: join(small, tone("48000", "6"), []string{"-c:v", "prores_ks", "-c:a", "pcm_s24le"}), rate: rational.Int(25), sound: 6},
	{name: "hevc of ten bits", file: "in.mp4", args: join(small, []string{"-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none:keyint=40", "-tag:v", "hvc1"}), rate: rational.Int(25)},
	{name: "two pictures", file: "in.mkv", args: join(small, pattern("128x96", "30", "6"), []string{"-map", "0", "-map", "1", "-c:v", "libx264"}), rate: rational.Int(25)},
	{name: "a song with its cover", file: "in.m4a", args: join(tone("44100", "7"), []string{"-f", "lavfi", "-i", "color=red:s=320x320:d=0.04", "-map", "0", "-map", "1", "-c:a", "aac", "-c:v", "mjpeg", "-frames:v", "1", "-disposition:v", "attached_pic"}), sound: 7},
	{name: "times of day", file: "in.mov", args: join(small, []string{"-c:v", "libx264", "-timecode", "10:00:00:00"}), rate: rational.Int(25)},
	{name: "sound alone", file: "in.wav", args: tone("48000", "7"), sound: 7},
	{name: "one frame", file: "in.mp4", args: join(pattern("128x96", "25", "0.04"), []string{"-c:v", "libx264"}), rate: rational.Int(25), frames: 1},
	{name: "a third of a second", file: "in.mp4", args: join(pattern("128x96", "30", "0.3"), tone("48000", "0.3"), []string{"-c:v", "libx264", "-c:a", "aac"}), rate: rational.Int(30), frames: 9, sound: 0.3},
	{name: "shorter than a chunk", file: "in.mp4", args: join(pattern("128x96", "25", "3"), []string{"-c:v", "libx264"}), rate: rational.Int(25), frames: 75},
	{name: "two chunks and no more", file: "in.mp4", args: join(pattern("128x96", "25", "8"), tone("48000", "8"), []string{"-c:v", "libx264", "-c:a", "aac"}), rate: rational.Int(25), frames: 200, sound: 8},
}

// TestEveryKindOfInput makes a whole file and segments of each.
func TestEveryKindOfInput(t *testing.T) {
	audio := &preset.Audio{Codec: "AAC", BitRate: "96", SampleRate: "44100", Channels: "1"}
	single := customPreset(t, preset.Preset{Container: "mp4", Video: lossless("auto"), Audio: audio})
	segmented := customPreset(t, preset.Preset{Container: "ts", Video: lossless("auto"), Audio: audio})
	files, jobs := make([]string, len(inputCases)), make([]*running, len(inputCases))
	for i, c := range inputCases {
		files[i] = clip(t, c.file, c.args...)
		jobs[i] = drop(t, files[i], []job.Output{{Key: "one.mp4", PresetID: single}, {Key: "hls", PresetID: segmented, SegmentDuration: "2"}})
	}
	for i, c := range inputCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := jobs[i]
			r.wait(t)
			one := r.checkFile(t, 0)
			joined := r.checkSegments(t, 1, 2).joined(t)
			for _, file := range []string{one, joined} {
				c.checkSound(t, file)
			}
			if c.rate.Sign() == 0 {
				return
			}
			source := decode(t, files[i], c.filters+"format=yuv420p")
			want := append(slices.Repeat(source.hashes[:1], c.late), source.hashes...)
			if c.frames > 0 && int64(len(want)) != c.frames {
				t.Fatalf("the source has %d frames", len(want))
			}
			sameFrames(t, decode(t, one, "").hashes, want)
			film := decode(t, joined, "")
			sameFrames(t, film.hashes, want)
			film.onGrid(t, c.rate)
		})
	}
}

// checkSound checks whether there is sound, and for how long. A codec may make
// it a little longer.
func (c inputCase) checkSound(t *testing.T, file string) {
	t.Helper()
	d := describe(t, file)
	if got := d.stream("audio") != nil; got != (c.sound > 0) {
		t.Fatalf("%s: sound %v, want %v", filepath.Base(file), got, c.sound > 0)
	}
	if got := d.stream("video") != nil; got != (c.rate.Sign() > 0) {
		t.Fatalf("%s: picture %v, want %v", filepath.Base(file), got, c.rate.Sign() > 0)
	}
	if c.sound == 0 {
		return
	}
	const twoBytes = 2
	if lasts := float64(len(samples(t, file))) / twoBytes / 44100; lasts < c.sound-0.001 || lasts > c.sound+0.15 {
		t.Errorf("%s: %.3f s of sound, want %v", filepath.Base(file), lasts, c.sound)
	}
}

// TestSeek finds frames of a whole file by their times, as a player does.
func TestSeek(t *testing.T) {
	file := clip(t, "in.mp4", join(pattern("160x96", "25", "10"), tone("48000", "10"), []string{"-c:v", "libx264", "-c:a", "aac"})...)
	single := customPreset(t, preset.Preset{Container: "mp4", Video: lossless("auto"), Audio: &preset.Audio{Codec: "AAC", BitRate: "96"}})
	r := drop(t, file, []job.Output{{Key: "one.mp4", PresetID: single}})
	r.wait(t)
	one := r.checkFile(t, 0)
	all := hashes(t, one, "")
	for _, at := range []struct {
		time  string
		frame int
	}{{"0", 0}, {"0.04", 1}, {"3.96", 99}, {"4", 100}, {"4.04", 101}, {"7.5", 188}, {"9.96", 249}} {
		if got := hashes(t, one, "", "-ss", at.time); len(got) != len(all)-at.frame || got[0] != all[at.frame] {
			t.Errorf("at %s s there are %d frames, the first is %d; want %d", at.time, len(got), slices.Index(all, got[0]), at.frame)
		}
	}
	info, err := os.Stat(one)
	if err != nil {
		t.Fatal(err)
	}
	if said := r.rec.Job.Outputs[0].FileSize; said != info.Size() {
		t.Errorf("the job says that the file has %d bytes, it has %d", said, info.Size())
	}
	if d := describe(t, one); math.Abs(seconds(t, d.Format.Duration)-10) > 0.03 {
		t.Errorf("the file lasts %s s", d.Format.Duration)
	}
}
