package caption

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// run runs ffmpeg or ffprobe and returns what it writes.
func run(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	name, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("NOT TESTED: %s is not installed, so nothing shows that it reads these captions", program)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, append([]string{"-v", "error"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// plain undoes what ffmpeg makes of line 21's columns and apostrophe.
func plain(cues []Cue) []Cue {
	for i := range cues {
		cues[i].Text = tidy(strings.NewReplacer("\\h", " ", "’", "'").Replace(cues[i].Text))
	}
	return cues
}

func TestFfmpegReadsFiles(t *testing.T) {
	for format, tolerance := range map[Format]time.Duration{SRT: ms, WebVTT: ms, SCC: 70 * ms} {
		t.Run(string(format), func(t *testing.T) {
			doc, err := Encode(format, sample)
			if err != nil {
				t.Fatal(err)
			}
			out := run(t, "ffmpeg", "-i", write(t, "captions."+strings.TrimPrefix(format.Extension(""), "."), doc), "-f", "srt", "-")
			got, err := Decode(SRT, out)
			if err != nil || !near(plain(got), sample.Cues, tolerance) {
				t.Errorf("%v\n%s\nis read as\n%swant\n%s", err, out, show(got), show(sample.Cues))
			}
		})
	}
}

// What ffmpeg writes, we read.
func TestReadsFfmpegsFiles(t *testing.T) {
	source := write(t, "captions.srt", encodeSRT(sample.Cues))
	for _, format := range []Format{SRT, WebVTT, DFXP} {
		t.Run(string(format), func(t *testing.T) {
			muxer := map[Format]string{SRT: "srt", WebVTT: "webvtt", DFXP: "ttml"}[format]
			out := run(t, "ffmpeg", "-i", source, "-f", muxer, "-")
			got, err := Decode(format, out)
			if err != nil || !near(plain(got), sample.Cues, ms) {
				t.Errorf("%v\n%s\nis read as\n%swant\n%s", err, out, show(got), show(sample.Cues))
			}
		})
	}
}

func TestReadsFfmpegsMovText(t *testing.T) {
	want := sample.Cues[:4] // ffmpeg's muxer gets a gap of an hour wrong
	mp4 := filepath.Join(t.TempDir(), "captions.mp4")
	run(t, "ffmpeg", "-i", write(t, "captions.srt", encodeSRT(want)), "-c:s", "mov_text", mp4)
	data := run(t, "ffmpeg", "-i", mp4, "-map", "0:s:0", "-c", "copy", "-f", "data", "-")
	packets := run(t, "ffprobe", "-select_streams", "s:0", "-show_entries", "packet=pts_time,duration_time,size", "-of", "csv=p=0", mp4)
	var samples []MovTextSample
	for line := range strings.FieldsSeq(string(packets)) {
		var values [3]float64
		for i, field := range strings.Split(strings.TrimRight(line, ","), ",") {
			values[i], _ = strconv.ParseFloat(field, 64)
		}
		start, size := time.Duration(values[0]*1e9).Round(ms), int(values[2])
		samples = append(samples, MovTextSample{start, start + time.Duration(values[1]*1e9).Round(ms), data[:size]})
		data = data[size:]
	}
	got, err := DecodeMovText(samples)
	if err != nil || !near(got, want, ms) {
		t.Errorf("%v\n%swant\n%s", err, show(got), show(want))
	}
}

func TestFfmpegReadsMovText(t *testing.T) {
	samples, err := MovTextSamples(sample.Cues, 2*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	mp4 := write(t, "captions.mp4", timedTextFile(samples))
	got, err := Decode(SRT, run(t, "ffmpeg", "-i", mp4, "-f", "srt", "-"))
	if err != nil || !near(plain(got), sample.Cues, ms) {
		t.Errorf("%v\n%swant\n%s", err, show(got), show(sample.Cues))
	}
	stream := run(t, "ffprobe", "-show_entries", "stream=codec_name:stream_tags=language", "-of", "csv=p=0", mp4)
	if got := strings.TrimSpace(string(stream)); got != "mov_text,eng" {
		t.Errorf("ffprobe says %q", got)
	}
}

// box is an ISO base media box of parts that are strings, box contents or
// 32-bit numbers.
func box(kind string, parts ...any) []byte {
	b := append(make([]byte, 4), kind...)
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = binary.BigEndian.AppendUint32(b, uint32(p))
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		}
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// timedTextFile is an mp4 with nothing but a track of timed text.
func timedTextFile(samples []MovTextSample) []byte {
	var data, times, sizes []byte
	for _, s := range samples {
		data = append(data, s.Data...)
		times = binary.BigEndian.AppendUint32(times, 1)
		times = binary.BigEndian.AppendUint32(times, uint32((s.End-s.Start)/ms))
		sizes = binary.BigEndian.AppendUint32(sizes, uint32(len(s.Data)))
	}
	const matrix = "\x00\x01\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x01\x00\x00" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x40\x00\x00\x00"
	n, length := len(samples), int(samples[len(samples)-1].End/ms)
	ftyp := box("ftyp", "isom", 0, "isom")
	stbl := box("stbl", box("stsd", 0, 1, MovTextEntry()), box("stts", 0, n, times), box("stsc", 0, 1, 1, n, 1),
		box("stsz", 0, 0, n, sizes), box("stco", 0, 1, len(ftyp)+8))
	mdia := box("mdia", box("mdhd", 0, 0, 0, MovTextScale, length, "\x15\xc7\x00\x00"), // eng
		box("hdlr", 0, 0, "sbtl", 0, 0, 0, "\x00"),
		box("minf", box("nmhd", 0), box("dinf", box("dref", 0, 1, box("url ", 1))), stbl))
	trak := box("trak", box("tkhd", 3, 0, 0, 1, 0, length, 0, 0, 0, 0, matrix, 0, 0), mdia)
	moov := box("moov", box("mvhd", 0, 0, 0, MovTextScale, length, 0x10000, "\x01\x00\x00\x00", 0, 0, matrix, 0, 0, 0, 0, 0, 0, 2), trak)
	return append(append(ftyp, box("mdat", data)...), moov...)
}
