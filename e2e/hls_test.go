package e2e

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Eyevinn/hls-m3u8/m3u8"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
)

// hlsStream is a segmented output, decrypted.
type hlsStream struct {
	list     *m3u8.MediaPlaylist
	segments []string // files, in order
}

// joined is all segments one after the other.
func (s hlsStream) joined(t *testing.T) string {
	t.Helper()
	var all [][]byte
	for _, file := range s.segments {
		all = append(all, read(t, file))
	}
	return save(t, "joined.ts", all...)
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// playlistOf reads a playlist with a foreign parser.
func (r *running) playlistOf(t *testing.T, output int, key string) (list m3u8.Playlist, text []byte) {
	t.Helper()
	text = fetch(t, r.rec, output, r.prefix+key)
	list, _, err := m3u8.DecodeFrom(bytes.NewReader(text), true)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return list, text
}

// checkSegments decrypts a segmented output and checks what holds of every one:
// the playlist is right, segments are no longer than was asked for, each begins
// with a keyframe where a picture is planned, and decodes alone without a word.
func (r *running) checkSegments(t *testing.T, output int, longest float64) hlsStream {
	t.Helper()
	dir := t.TempDir()
	o := r.rec.Job.Outputs[output]
	list, text := r.playlistOf(t, output, o.Key+".m3u8")
	s := hlsStream{list: list.(*m3u8.MediaPlaylist)}
	if s.list.Version() != 3 || !s.list.Closed || s.list.SeqNo != 0 || !bytes.Contains(text, []byte("#EXT-X-MEDIA-SEQUENCE:0\n")) {
		t.Errorf("the playlist is not a finished one of version 3\n%s", text)
	}
	sum := 0.0
	ends := r.pictureEnds(t, output)
	for i, segment := range s.list.GetAllSegments() {
		sum += segment.Duration
		if segment.Duration > longest+0.000001 || math.Round(segment.Duration) > float64(s.list.TargetDuration) {
			t.Errorf("segment %s lasts %v s; the target is %d, asked for were %v", segment.URI, segment.Duration, s.list.TargetDuration, longest)
		}
		if segment.Discontinuity != (i == ends) || segment.URI != path.Base(segment.URI) {
			t.Errorf("segment %d of %d with a picture: %+v", i, ends, segment)
		}
		file := filepath.Join(dir, segment.URI)
		body := fetch(t, r.rec, output, path.Dir(r.prefix+o.Key)+"/"+segment.URI)
		store(t, dir, segment.URI, body)
		s.segments = append(s.segments, file)
		silently(t, file)
	}
	if math.Abs(sum*1000-float64(o.DurationMillis)) > 1 {
		t.Errorf("the segments last %v s in all, the job says %d ms", sum, o.DurationMillis)
	}
	r.checkPictures(t, output, s, sum)
	return s
}

// pictureEnds is how many segments of an output have a picture; the one after
// them has other tracks and says so. -1 for an output of sound alone.
func (r *running) pictureEnds(t *testing.T, output int) int {
	t.Helper()
	p := planOf(t, r.id)
	o := p.Outputs[output]
	if o.Picture == nil {
		return -1
	}
	return int((p.Groups[o.Group].Frames + o.SegmentFrames - 1) / o.SegmentFrames)
}

// TestLadder makes three variants and a master playlist, reads them as a player
// does, and plays all of it.
func TestLadder(t *testing.T) {
	file := clip(t, "in.mp4", slices.Concat(moving("480x270", "25", "16"), tone("48000", "16"), []string{"-c:v", "libx264", "-crf", "16", "-c:a", "aac"})...)
	audio := customPreset(t, preset.Preset{Container: "ts", Audio: &preset.Audio{Codec: "AAC", BitRate: "64", SampleRate: "44100", Channels: "2"}})
	wanted := []string{"hls1500", "hls400", "sound"}
	r := drop(t, file, []job.Output{
		{Key: "hls400", PresetID: systemPreset + "200050", SegmentDuration: "5"},
		{Key: "sound", PresetID: audio, SegmentDuration: "5"},
		{Key: "hls1500", PresetID: systemPreset + "200020", SegmentDuration: "5"},
	}, job.Playlist{Name: "all", Format: "HLSv3", OutputKeys: wanted})
	r.wait(t)
	list, text := r.playlistOf(t, 0, "all.m3u8")
	master := list.(*m3u8.MasterPlaylist)
	if len(master.Variants) != len(wanted) {
		t.Fatalf("%d variants\n%s", len(master.Variants), text)
	}
	dir := t.TempDir()
	store(t, dir, "all.m3u8", text)
	for i, key := range wanted {
		output := slices.IndexFunc(r.rec.Job.Outputs, func(o job.Output) bool { return o.Key == key })
		if uri := master.Variants[i].URI; uri != key+".m3u8" {
			t.Errorf("variant %d is %s, want %s", i, uri, key)
		}
		s := r.checkSegments(t, output, seconds(t, r.rec.Job.Outputs[output].SegmentDuration))
		s.rates(t, master.Variants[i].VariantParams)
		s.announced(t, master.Variants[i].VariantParams)
		_, media := r.playlistOf(t, output, key+".m3u8")
		store(t, dir, key+".m3u8", media)
		for _, segment := range s.segments {
			store(t, dir, filepath.Base(segment), read(t, segment))
		}
	}
	played := warnings(t, "-i", filepath.Join(dir, "all.m3u8"), "-map", "0:v:0", "-map", "0:a:0", "-fps_mode", "passthrough", "-f", "null", "-")
	if played != "" {
		t.Errorf("playing all.m3u8: %.2000s", played)
	}
	if n := len(hashes(t, filepath.Join(dir, "all.m3u8"), "")); n != 400 {
		t.Errorf("%d frames are played, want 400", n)
	}
}

// rates checks BANDWIDTH, the greatest bit rate of any run of segments that
// lasts between half and one and a half target durations (RFC 8216, 4.1), and
// AVERAGE-BANDWIDTH.
func (s hlsStream) rates(t *testing.T, v m3u8.VariantParams) {
	t.Helper()
	list := s.list.GetAllSegments()
	peak, all, lasts := 0.0, 0.0, 0.0
	for i := range list {
		bits, length := 0.0, 0.0
		for j := i; j < len(list); j++ {
			bits, length = bits+float64(8*size(t, s.segments[j])), length+list[j].Duration
			if run := length / float64(s.list.TargetDuration); run >= 0.5 && run <= 1.5 {
				peak = max(peak, bits/length)
			}
		}
		all, lasts = all+float64(8*size(t, s.segments[i])), lasts+list[i].Duration
	}
	if math.Abs(float64(v.Bandwidth)-peak) > 2 || math.Abs(float64(v.AverageBandwidth)-all/lasts) > 2 {
		t.Errorf("%s: BANDWIDTH is %v and the average %v, want %.0f and %.0f", s.segments[0], v.Bandwidth, v.AverageBandwidth, peak, all/lasts)
	}
}

// announced checks CODECS, RESOLUTION and FRAME-RATE against what ffmpeg makes
// of the segments.
func (s hlsStream) announced(t *testing.T, v m3u8.VariantParams) {
	t.Helper()
	joined := s.joined(t)
	d := describe(t, joined)
	var codecs []string
	size, rate := "", 0.0
	if picture := d.stream("video"); picture != nil {
		packed := read(t, clip(t, "packed.mp4", "-i", joined, "-map", "0:v", "-c", "copy"))
		avcc := packed[bytes.Index(packed, []byte("avcC"))+4:]
		codecs = append(codecs, fmt.Sprintf("avc1.%02X%02X%02X", avcc[1], avcc[2], avcc[3]))
		size = fmt.Sprintf("%dx%d", picture.Width, picture.Height)
		rate = parse(t, picture.AverageRate).Float64()
	}
	if d.stream("audio") != nil {
		codecs = append(codecs, "mp4a.40.2")
	}
	if !strings.EqualFold(v.Codecs, strings.Join(codecs, ",")) || v.Resolution != size || math.Abs(v.FrameRate-rate) > 0.001 {
		t.Errorf("the variant is announced as %s, %s, %v; it is %v, %s, %v", v.Codecs, v.Resolution, v.FrameRate, codecs, size, rate)
	}
}

func store(t *testing.T, dir, name string, body []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkPictures checks how the frames are spread over the segments.
func (r *running) checkPictures(t *testing.T, output int, s hlsStream, sum float64) {
	t.Helper()
	p := planOf(t, r.id)
	o := p.Outputs[output]
	if o.Picture == nil {
		return
	}
	g := p.Groups[o.Group]
	lasts := float64(g.Frames) / g.Rate.Float64()
	if o.Sound < 0 && math.Abs(sum-lasts) > 0.0001 || sum < lasts-0.0001 {
		t.Errorf("the segments last %v s in all, the picture %v s", sum, lasts)
	}
	for i, file := range s.segments {
		first := int64(i) * o.SegmentFrames
		want := max(0, min(o.SegmentFrames, g.Frames-first))
		flags := strings.Fields(ffprobe(t, "-select_streams", "v:0", "-show_entries", "packet=flags", "-of", "csv=p=0", file))
		if int64(len(flags)) != want || want > 0 && flags[0][0] != 'K' {
			t.Errorf("segment %d has %d frames, want %d; flags %v", i, len(flags), want, flags[:min(len(flags), 3)])
		}
	}
}
