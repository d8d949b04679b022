package hls_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sealreel/pkg/fragment"
	"sealreel/pkg/fragment/fragmenttest"
	"sealreel/pkg/hls"
	"sealreel/pkg/rational"
	"sealreel/pkg/ts"
)

// TestFfmpegPlaysAStream writes a stream of real segments with odd names and
// plays it from its master playlist: every picture is there, and nothing is
// warned about.
func TestFfmpegPlaysAStream(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	video, frames := fragmenttest.Samples(t, fragmenttest.Video(t, "testsrc2=s=160x96:r=25:d=6", "-g", "50", "-video_track_timescale", "25000"))
	audio, sounds := fragmenttest.Samples(t, fragmenttest.Audio(t, "sine=r=48000:d=6"))
	pictures, sound := fragment.Fragment{Samples: frames}, fragment.Fragment{Samples: sounds}
	pictures.Shift(-frames[0].PTS)
	sound.Shift(-1024)
	var segments []hls.Segment
	for i := range 3 {
		var out bytes.Buffer
		w, err := ts.NewWriter(&out, ts.Config{Video: video, Audio: audio})
		if err != nil {
			t.Fatal(err)
		}
		mux := ts.NewInterleaver(w)
		for len(sounds) > 0 && (i == 2 || sounds[0].PTS < int64(i+1)*96000) {
			mux.Audio(sounds[0].Data, ts.Ticks(sounds[0].PTS, 48000))
			sounds = sounds[1:]
		}
		for _, f := range frames[50*i : 50*i+50] {
			if err := mux.Video(f, ts.Ticks(f.PTS, 25000), ts.Ticks(f.DTS, 25000)); err != nil {
				t.Fatal(err)
			}
		}
		if err := mux.Close(); err != nil {
			t.Fatal(err)
		}
		s := hls.Segment{Key: fmt.Sprintf("sub dir/#1 50%%%05d.ts", i), Ticks: 2 * hls.Clock, Bytes: int64(out.Len())}
		segments = append(segments, s)
		store(t, dir, s.Key, out.Bytes())
	}
	media, err := hls.Media("sub dir/#1 50%.m3u8", segments)
	if err != nil {
		t.Fatal(err)
	}
	store(t, dir, "sub dir/#1 50%.m3u8", media)
	master, err := hls.Master("all.m3u8", []hls.Variant{{Key: "sub dir/#1 50%.m3u8", Segments: segments,
		Codecs: []string{video.Codec, audio.Codec}, Width: 160, Height: 96, FrameRate: rational.Int(25)}})
	if err != nil {
		t.Fatal(err)
	}
	store(t, dir, "all.m3u8", master)
	server := serve(t, dir)
	out, log := fragmenttest.Run(t, nil, "ffmpeg", "-v", "warning", "-i", server+"/all.m3u8", "-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-", "-map", "0:a", "-f", "null", "-")
	if n := strings.Count(string(out), "\n0,"); n != 150 || log != "" {
		t.Errorf("%d pictures of 150, and ffmpeg warns: %s", n, log)
	}
}

func store(t *testing.T, dir, key string, data []byte) {
	t.Helper()
	name := filepath.Join(dir, filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve is the URL of a web server over the folder.
func serve(t *testing.T, dir string) string {
	t.Helper()
	s := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(s.Close)
	return s.URL
}
