package e2e

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// audioSource is a file with nothing but noise: a sample more, less or moved
// makes everything after it differ.
type audioSource struct {
	name, file, layout string
	rate, samples      int
	args               []string
	rows               []audioRow
}

// audioRow is one output: its preset, and what is to come out. encode is how
// ffmpeg alone makes it.
type audioRow struct {
	container string
	audio     preset.Audio
	codec     string // as ffprobe names it
	rate      int
	channels  int
	layout    string // that ffmpeg is asked for
	encode    string
	ext       string // of the file that ffmpeg alone writes
}

func pcm(bits, rate, channels string) preset.Audio {
	signed := "Signed"
	if bits == "8" {
		signed = "Unsigned"
	}
	return preset.Audio{Codec: "pcm", SampleRate: rate, Channels: channels, CodecOptions: &preset.AudioOptions{BitDepth: bits, BitOrder: "LittleEndian", Signed: signed}}
}

func flac(bits, rate, channels string) preset.Audio {
	return preset.Audio{Codec: "flac", SampleRate: rate, Channels: channels, CodecOptions: &preset.AudioOptions{BitDepth: bits}}
}

func lossy(codec, kbps, rate, channels string) preset.Audio {
	return preset.Audio{Codec: codec, BitRate: kbps, SampleRate: rate, Channels: channels}
}

var audioSources = []audioSource{
	{"over two chunks", "in.flac", "stereo", 22050, 121*22050 + 77, []string{"-c:a", "flac", "-sample_fmt", "s16"}, []audioRow{
		{"mp3", lossy("mp3", "128", "auto", "2"), "mp3", 22050, 2, "stereo", "-c:a libmp3lame -b:a 128k", "mp3"},
		{"mp2", lossy("mp2", "64", "auto", "1"), "mp2", 22050, 1, "mono", "-c:a mp2 -b:a 64k", "mp2"},
		{"oga", lossy("vorbis", "320", "auto", "2"), "vorbis", 22050, 2, "stereo", "-c:a libvorbis -b:a 172k", "ogg"},
		{"ogg", flac("16", "auto", "2"), "flac", 22050, 2, "stereo", "-c:a flac -sample_fmt s16", "flac"},
		{"flac", flac("16", "auto", "auto"), "flac", 22050, 2, "stereo", "-c:a flac -sample_fmt s16", "flac"},
		{"wav", pcm("16", "auto", "auto"), "pcm_s16le", 22050, 2, "stereo", "-c:a pcm_s16le", "wav"},
		{"wav", pcm("8", "auto", "1"), "pcm_u8", 22050, 1, "mono", "-c:a pcm_u8", "wav"},
	}},
	{"stereo", "in.mp4", "stereo", 44100, 6*44100 + 77, []string{"-c:a", "alac", "-sample_fmt", "s16p"}, []audioRow{
		{"mp3", lossy("mp3", "128", "auto", "2"), "mp3", 44100, 2, "stereo", "-c:a libmp3lame -b:a 128k", "mp3"},
		{"mp3", lossy("mp3", "75", "22050", "1"), "mp3", 22050, 1, "mono", "-c:a libmp3lame -b:a 80k", "mp3"},
		{"mp4", lossy("mp3", "192", "44100", "2"), "mp3", 44100, 2, "stereo", "-c:a libmp3lame -b:a 192k", "mp3"},
		{"mp2", lossy("mp2", "200", "48000", "2"), "mp2", 48000, 2, "stereo", "-c:a mp2 -b:a 192k", "mp2"},
		{"mp4", lossy("AAC", "128", "44100", "2"), "aac", 44100, 2, "stereo", "-c:a aac -b:a 128k", "m4a"},
		{"oga", lossy("vorbis", "128", "44100", "2"), "vorbis", 44100, 2, "stereo", "-c:a libvorbis -b:a 128k", "ogg"},
		{"ogg", lossy("vorbis", "320", "32000", "1"), "vorbis", 32000, 1, "mono", "-c:a libvorbis -b:a 190k", "ogg"},
		{"flac", flac("16", "44100", "auto"), "flac", 44100, 2, "stereo", "-c:a flac -sample_fmt s16", "flac"},
		{"wav", pcm("16", "44100", "2"), "pcm_s16le", 44100, 2, "stereo", "-c:a pcm_s16le", "wav"},
	}},
	{"six channels", "in.mkv", "5.1", 48000, 5*48000 + 1, []string{"-c:a", "flac", "-sample_fmt", "s32"}, []audioRow{
		{"wav", pcm("24", "auto", "auto"), "pcm_s24le", 48000, 6, "5.1", "-c:a pcm_s24le", "wav"},
		{"wav", pcm("32", "192000", "2"), "pcm_s32le", 192000, 2, "stereo", "-c:a pcm_s32le", "wav"},
		{"flac", flac("24", "auto", "auto"), "flac", 48000, 6, "5.1", "-c:a flac -bits_per_raw_sample 24 -sample_fmt s32", "flac"},
		{"oga", flac("24", "96000", "auto"), "flac", 96000, 6, "5.1", "-c:a flac -bits_per_raw_sample 24 -sample_fmt s32", "flac"},
		{"ogg", lossy("vorbis", "320", "auto", "auto"), "vorbis", 48000, 6, "5.1", "-c:a libvorbis -b:a 320k", "ogg"},
		{"mp4", lossy("AAC", "320", "96000", "auto"), "aac", 96000, 6, "5.1", "-c:a aac -b:a 320k", "m4a"},
		{"mp3", lossy("mp3", "320", "48000", "auto"), "mp3", 48000, 2, "stereo", "-c:a libmp3lame -b:a 320k", "mp3"},
		{"mp3", lossy("mp3", "64", "32000", "1"), "mp3", 32000, 1, "mono", "-c:a libmp3lame -b:a 64k", "mp3"},
	}},
	{"a telephone's", "in.wav", "mono", 8000, 4*8000 + 3, []string{"-c:a", "pcm_s16le"}, []audioRow{
		{"mp3", lossy("mp3", "64", "auto", "auto"), "mp3", 16000, 1, "mono", "-c:a libmp3lame -b:a 64k", "mp3"},
		{"ogg", lossy("vorbis", "320", "auto", "auto"), "vorbis", 16000, 1, "mono", "-c:a libvorbis -b:a 96k", "ogg"},
		{"mp2", lossy("mp2", "320", "auto", "1"), "mp2", 16000, 1, "mono", "-c:a mp2 -b:a 160k", "mp2"},
		{"wav", pcm("16", "auto", "2"), "pcm_s16le", 8000, 2, "stereo", "-c:a pcm_s16le", "wav"},
		{"flac", flac("16", "auto", "auto"), "flac", 8000, 1, "mono", "-c:a flac -sample_fmt s16", "flac"},
	}},
}

// TestAudioMatrix makes sounds in every codec and container, and compares what
// is decoded of each file with what is decoded of ffmpeg's own file of one
// encode, sample for sample.
func TestAudioMatrix(t *testing.T) {
	jobs, files := make([]*running, len(audioSources)), make([]string, len(audioSources))
	for i, s := range audioSources {
		noise := fmt.Sprintf("anoisesrc=r=%d:d=200:a=0.3:seed=%d,aformat=channel_layouts=%s,atrim=end_sample=%d", s.rate, i+1, s.layout, s.samples)
		files[i] = clip(t, s.file, append([]string{"-f", "lavfi", "-i", noise}, s.args...)...)
		var outputs []job.Output
		for k, row := range s.rows {
			id := customPreset(t, preset.Preset{Container: row.container, Audio: &row.audio})
			outputs = append(outputs, job.Output{Key: fmt.Sprintf("%d.%s", k, row.container), PresetID: id})
		}
		jobs[i] = drop(t, files[i], outputs)
	}
	for i, s := range audioSources {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			jobs[i].wait(t)
			for k, row := range s.rows {
				t.Run(fmt.Sprintf("%s in %s at %d Hz", row.codec, row.container, row.rate), func(t *testing.T) {
					row.check(t, s, files[i], jobs[i].file(t, k), jobs[i].rec.Job.Outputs[k])
				})
			}
		})
	}
}

func (row audioRow) check(t *testing.T, s audioSource, source, file string, o job.Output) {
	t.Helper()
	var probed struct {
		Streams []struct {
			Codec    string `json:"codec_name"`
			Rate     string `json:"sample_rate"`
			Channels int    `json:"channels"`
			Duration string `json:"duration"`
		}
	}
	if err := json.Unmarshal([]byte(ffprobe(t, "-show_entries", "stream=codec_name,sample_rate,channels,duration", "-of", "json", file)), &probed); err != nil {
		t.Fatal(err)
	}
	if len(probed.Streams) != 1 {
		t.Fatalf("%d streams", len(probed.Streams))
	}
	is, want := probed.Streams[0], (s.samples*row.rate+s.rate-1)/s.rate
	if is.Codec != row.codec || is.Rate != strconv.Itoa(row.rate) || is.Channels != row.channels {
		t.Errorf("ffprobe says %+v, want %s, %d Hz, %d channels", is, row.codec, row.rate, row.channels)
	}
	filters := fmt.Sprintf("aresample=%d:async=1:first_pts=0,aformat=channel_layouts=%s", row.rate, row.layout)
	if row.codec == "mp2" {
		filters += ",apad=pad_len=481"
	}
	alone := clip(t, "alone."+row.ext, slices.Concat([]string{"-i", source, "-af", filters}, strings.Fields(row.encode))...)
	got, one := heardIn(t, file), heardIn(t, alone)
	frame := 4 * row.channels
	if row.container == "mp4" { // its edit list has the end, which ffmpeg does not heed
		row.editList(t, file, want)
		got, one = got[:min(len(got), want*frame)], one[:min(len(one), want*frame)]
	}
	if !bytes.Equal(got, one) {
		t.Errorf("%d samples, one encode has %d; the first that differs is %d", len(got)/frame, len(one)/frame, differs(got, one)/frame)
	}
	if heard := len(got) / frame; heard != want && row.codec != "mp2" || heard < want {
		t.Errorf("%d samples are heard, want %d", heard, want)
	}
	if seconds := float64(want) / float64(row.rate); row.codec != "mp2" && (float64(o.DurationMillis) < seconds*1000-1 || float64(o.DurationMillis) > seconds*1000+1) {
		t.Errorf("the job says %d ms, want %.3f s", o.DurationMillis, seconds)
	}
	lossless := row.codec == "flac" || strings.HasPrefix(row.codec, "pcm_s")
	if lossless && row.rate == s.rate && row.layout == s.layout && !bytes.Equal(got, heardIn(t, source)) {
		t.Error("the sound is not the source's")
	}
}

// editList complains unless so many samples of the file are to be heard.
func (row audioRow) editList(t *testing.T, file string, want int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte("elst"))
	if at < 0 {
		t.Fatal("there is no edit list")
	}
	entry := b[at+12:]
	delay := map[string]uint32{"aac": 1024, "mp3": 1105}[row.codec]
	if heard, skipped := binary.BigEndian.Uint32(entry), binary.BigEndian.Uint32(entry[4:]); heard != uint32(want) || skipped != delay {
		t.Errorf("the edit list shows %d samples behind %d, want %d behind %d", heard, skipped, want, delay)
	}
}

// heardIn is the sound of a file in samples of 32 bits.
func heardIn(t *testing.T, file string) []byte {
	t.Helper()
	return []byte(ffmpeg(t, "-xerror", "-i", file, "-f", "s32le", "-"))
}

// differs is the first byte that differs.
func differs(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// TestMP3BesidePictures compares MP3 in segments and beside a picture in MP4 with
// that of one encode, and holds its times against its samples.
func TestMP3BesidePictures(t *testing.T) {
	audio := &preset.Audio{Codec: "mp3", BitRate: "128", SampleRate: "auto", Channels: "2"}
	single := customPreset(t, preset.Preset{Container: "mp4", Video: lossless("auto"), Audio: audio})
	segmented := customPreset(t, preset.Preset{Container: "ts", Video: lossless("auto"), Audio: audio})
	alone := customPreset(t, preset.Preset{Container: "ts", Audio: audio})
	file := clip(t, "in.mkv", slices.Concat(pattern("128x96", "25", "9"), []string{"-itsoffset", "0.7"}, tone("44100", "8.1"), []string{"-c:v", "libx264", "-c:a", "flac"})...)
	r := drop(t, file, []job.Output{
		{Key: "one.mp4", PresetID: single}, {Key: "hls", PresetID: segmented, SegmentDuration: "2"}, {Key: "sound", PresetID: alone, SegmentDuration: "2"},
	}, job.Playlist{Format: job.HLSv3, Name: "master", OutputKeys: []string{"hls", "sound"}})
	c := soundCase{rate: 44100, from: 0.7, to: 8.8}
	want := samples(t, clip(t, "whole.mp3", "-i", file, "-vn", "-af", "aresample=44100:async=1:first_pts=0,aformat=channel_layouts=stereo,apad=whole_len=396900",
		"-c:a", "libmp3lame", "-b:a", "128k", "-write_xing", "0", "-id3v2_version", "0"))
	r.wait(t)
	one := samples(t, r.checkFile(t, 0))
	sameSound(t, "file", one, want[1105*4:])
	c.sounds(t, one)
	joined := r.checkSegments(t, 1, 2).joined(t)
	sameSound(t, "segments", samples(t, joined), want)
	zero := integer(t, first(ffprobe(t, "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp", "-of", "csv=p=0", joined)))
	for n, line := range strings.Fields(ffprobe(t, "-select_streams", "a:0", "-show_entries", "packet=pts", "-of", "csv=p=0", joined)) {
		at := zero + rational.New(90000, 44100).Round(int64(n)*1152-1105)
		if pts := integer(t, strings.TrimRight(line, ",")); pts < at-1 || pts > at+1 {
			t.Fatalf("frame %d of the sound is at %d, want %d", n, pts, at)
		}
	}
	sameSound(t, "segments of sound alone", samples(t, r.checkSegments(t, 2, 2).joined(t)), want)
	if master := string(fetch(t, r.rec, 1, r.prefix+"master.m3u8")); strings.Count(master, "mp4a.40.34") != 2 {
		t.Errorf("the master playlist does not name MP3: %s", master)
	}
}

// TestJoinedSoundIsTheSources: inputs joined without loss are one after the other,
// to the sample, whole and as a clip.
func TestJoinedSoundIsTheSources(t *testing.T) {
	name := unique(t)
	a := clip(t, "a.wav", "-f", "lavfi", "-i", "anoisesrc=r=48000:d=5:a=0.4:seed=3,aformat=channel_layouts=stereo,atrim=end_sample=123457", "-c:a", "pcm_s32le")
	b := clip(t, "b.flac", "-f", "lavfi", "-i", "anoisesrc=r=48000:d=5:a=0.4:seed=4,aformat=channel_layouts=stereo,atrim=end_sample=98765", "-c:a", "flac", "-sample_fmt", "s16")
	in := []job.Input{{Key: name + "-a"}, {Key: name + "-b"}, {Key: name + "-a", TimeSpan: &job.TimeSpan{StartTime: "1", Duration: "0.5"}}}
	upload(t, in[0].Key, a, nil)
	upload(t, in[1].Key, b, nil)
	var outputs []job.Output
	for i, p := range []preset.Preset{{Container: "wav", Audio: ptr(pcm("32", "auto", "auto"))}, {Container: "wav", Audio: ptr(pcm("16", "auto", "auto"))}, {Container: "flac", Audio: ptr(flac("24", "auto", "2"))}} {
		outputs = append(outputs, job.Output{Key: fmt.Sprintf("%d.%s", i, p.Container), PresetID: customPreset(t, p)})
	}
	r := &running{prefix: name + "/", id: submit(t, job.Request{Inputs: in, OutputKeyPrefix: name + "/", Outputs: outputs})}
	r.wait(t)
	const frame = 8
	first, second := heardIn(t, a), heardIn(t, b)
	want := slices.Concat(first, second, first[48000*frame:72000*frame])
	for i, bits := range []int{32, 16, 24} {
		got := heardIn(t, r.file(t, i))
		if len(got) != len(want) {
			t.Errorf("%d bits: %d samples, want %d", bits, len(got)/frame, len(want)/frame)
			continue
		}
		for n := 0; n < len(want); n += 4 {
			is, was := int64(int32(binary.LittleEndian.Uint32(got[n:]))), int64(int32(binary.LittleEndian.Uint32(want[n:])))
			if max(is-was, was-is) >= 1<<(32-bits) {
				t.Errorf("%d bits: sample %d is %d, want %d", bits, n/frame, is, was)
				break
			}
		}
	}
}

func ptr[T any](v T) *T { return &v }

// TestTracksOfOneChannelEach are put together, as Elastic Transcoder's tables of
// packing modes have it; in another language they are another programme.
func TestTracksOfOneChannelEach(t *testing.T) {
	const samples, frame = 3*48000 + 5, 4
	noise := func(seed int) []string {
		return []string{"-f", "lavfi", "-i", fmt.Sprintf("anoisesrc=r=48000:d=4:a=0.4:seed=%d,aformat=channel_layouts=mono,atrim=end_sample=%d", seed, samples)}
	}
	file := func(name string, tracks int, more ...string) string {
		var in, maps []string
		for i := range tracks {
			in, maps = append(in, noise(i+1)...), append(maps, "-map", strconv.Itoa(i))
		}
		return clip(t, name, slices.Concat(in, maps, []string{"-c:a", "pcm_s16le"}, more)...)
	}
	audio := func(channels string) string {
		return customPreset(t, preset.Preset{Container: "wav", Audio: ptr(pcm("16", "auto", channels))})
	}
	ids := []string{audio("auto"), audio("2"), audio("1")}
	cases := []struct {
		name, file string
		channels   []int
	}{
		{"two", file("two.mov", 2), []int{2, 2, 1}},
		{"four", file("four.mov", 4), []int{4, 2, 1}},
		{"two languages", file("languages.mkv", 2, "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger"), []int{1, 2, 1}},
	}
	jobs := make([]*running, len(cases))
	for i, c := range cases {
		var outputs []job.Output
		for k, id := range ids {
			outputs = append(outputs, job.Output{Key: fmt.Sprintf("%d.wav", k), PresetID: id})
		}
		jobs[i] = drop(t, c.file, outputs)
	}
	channel := func(pcm []byte, n, channels int) []byte {
		var one []byte
		for i := n * frame; i < len(pcm); i += channels * frame {
			one = append(one, pcm[i:i+frame]...)
		}
		return one
	}
	for i, c := range cases {
		jobs[i].wait(t)
		for k, channels := range c.channels {
			got := heardIn(t, jobs[i].file(t, k))
			if len(got) != samples*frame*channels {
				t.Errorf("%s, output %d: %d bytes of sound, want %d channels of %d samples", c.name, k, len(got), channels, samples)
				continue
			}
			for n := range channels {
				want := channel(got, 0, channels) // twice the same, where there is but one
				switch {
				case c.name != "two languages" && channels > 1:
					want = []byte(ffmpeg(t, "-i", c.file, "-map", "0:"+strconv.Itoa(n), "-f", "s32le", "-"))
				case c.name == "two languages" && channels == 1:
					want = []byte(ffmpeg(t, "-i", c.file, "-map", "0:0", "-f", "s32le", "-"))
				}
				if !bytes.Equal(channel(got, n, channels), want) {
					t.Errorf("%s, output %d: channel %d is another", c.name, k, n)
				}
			}
		}
	}
}

// TestPackingModes: the tables of Elastic Transcoder, track by track. What is in a
// track is the channel, to the sample; the others of eight are silent.
func TestPackingModes(t *testing.T) {
	const samples = 4 * 48000
	noise := func(layout string) string {
		return clip(t, "in.mov", "-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=4", "-f", "lavfi", "-i",
			fmt.Sprintf("anoisesrc=r=48000:d=5:a=0.4,aformat=channel_layouts=%s,atrim=end_sample=%d", layout, samples),
			"-c:v", "libx264", "-c:a", "pcm_s24le")
	}
	type packing struct {
		mode, channels string
		tracks, heard  int // of one channel each
	}
	const one, eight = preset.OneChannelPerTrack, preset.OneChannelPerTrackOf8
	for _, c := range []struct {
		layout string
		packed []packing
	}{
		{"mono", []packing{{one, "auto", 1, 1}, {one, "2", 2, 2}, {eight, "1", 8, 1}, {eight, "2", 8, 2}}},
		{"5.1", []packing{{one, "auto", 6, 6}, {one, "2", 2, 2}, {eight, "auto", 8, 6}, {preset.SingleTrack, "auto", 0, 6}}},
	} {
		t.Run(c.layout, func(t *testing.T) {
			t.Parallel()
			file := noise(c.layout)
			video := &preset.Video{Codec: "mpeg2", BitRate: "1000", FrameRate: "25", KeyframesMaxDist: "15", FixedGOP: "true", MaxWidth: "auto", MaxHeight: "auto"}
			var outputs []job.Output
			for i, p := range c.packed {
				audio := pcm("24", "48000", p.channels)
				audio.AudioPackingMode = p.mode
				outputs = append(outputs, job.Output{Key: fmt.Sprintf("%d.mxf", i), PresetID: customPreset(t, preset.Preset{Container: "mxf", Video: video, Audio: &audio})})
			}
			r := drop(t, file, outputs)
			r.wait(t)
			for i, p := range c.packed {
				got := r.file(t, i)
				channels := strings.Fields(ffprobe(t, "-select_streams", "a", "-show_entries", "stream=channels", "-of", "csv=p=0", got))
				if p.tracks == 0 {
					if !slices.Equal(channels, []string{"6"}) {
						t.Errorf("%+v: tracks of %v channels", p, channels)
					}
					continue
				}
				if !slices.Equal(channels, slices.Repeat([]string{"1"}, p.tracks)) {
					t.Errorf("%+v: tracks of %v channels", p, channels)
					continue
				}
				layout := map[int]string{1: "mono", 2: "stereo", 6: "5.1"}[p.heard]
				for n := range p.tracks {
					track := []byte(ffmpeg(t, "-i", got, "-map", "0:a:"+strconv.Itoa(n), "-f", "s32le", "-"))
					want := make([]byte, samples*4)
					if n < p.heard {
						want = []byte(ffmpeg(t, "-i", file, "-map", "0:a", "-af", fmt.Sprintf("aformat=sample_fmts=s32:channel_layouts=%s,pan=mono|c0=c%d", layout, n), "-c:a", "pcm_s24le", "-f", "s24le", "-"))
						want = []byte(ffmpeg(t, "-f", "s24le", "-ar", "48000", "-ac", "1", "-i", save(t, "track", want), "-f", "s32le", "-"))
					}
					if !bytes.Equal(track, want) {
						t.Errorf("%+v: track %d has %d samples, want %d; the first that differs is %d", p, n, len(track)/4, len(want)/4, differs(track, want)/4)
					}
				}
			}
		})
	}
}
