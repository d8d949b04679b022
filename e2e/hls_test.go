package e2e

import (
	"bytes"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Eyevinn/hls-m3u8/m3u8"
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
	for _, segment := range s.list.GetAllSegments() {
		sum += segment.Duration
		if segment.Duration > longest+0.000001 || math.Round(segment.Duration) > float64(s.list.TargetDuration) {
			t.Errorf("segment %s lasts %v s; the target is %d, asked for were %v", segment.URI, segment.Duration, s.list.TargetDuration, longest)
		}
		if segment.Discontinuity || segment.URI != path.Base(segment.URI) {
			t.Errorf("segment %+v", segment)
		}
		file := filepath.Join(dir, segment.URI)
		body := fetch(t, r.rec, output, path.Dir(r.prefix+o.Key)+"/"+segment.URI)
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
		s.segments = append(s.segments, file)
		silently(t, file)
	}
	if err := os.WriteFile(filepath.Join(dir, o.Key+".m3u8"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if math.Abs(sum*1000-float64(o.DurationMillis)) > 1 {
		t.Errorf("the segments last %v s in all, the job says %d ms", sum, o.DurationMillis)
	}
	r.checkPictures(t, output, s, sum)
	return s
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
