// Package layer_test runs the layer's ffmpeg, where it has been built, and
// checks that it does its work over loopback HTTP and can reach nothing else.
package layer_test

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	engine "sealreel/pkg/ffmpeg"
)

// program is a built program of the layer. The system's ffmpeg serves every
// other test, so a machine without the layer skips these.
func program(t *testing.T, name string) string {
	t.Helper()
	arch := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	path, err := filepath.Abs(filepath.Join("..", "..", "build", "ffmpeg", arch, "bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("the layer's " + name + " isn't built here; make layer builds it")
	}
	return path
}

// clip is two seconds of picture and sound, made by the system's ffmpeg.
func clip(t *testing.T) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clip.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2",
		"-f", "lavfi", "-i", "sine=d=2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", file).CombinedOutput()
	if err != nil {
		t.Fatalf("make a clip: %v: %s", err, out)
	}
	media, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return media
}

// endpoint serves the clip and hands over what is put. ffmpeg doesn't wait for
// the answer to its PUT, so it may be gone before the body is all read.
type endpoint struct {
	*httptest.Server
	stored chan []byte
}

func newEndpoint(t *testing.T) *endpoint {
	e := &endpoint{stored: make(chan []byte, 1)}
	media := clip(t)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut:
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			e.stored <- body
		case r.URL.Path == "/picture":
			if err := png.Encode(w, image.NewNRGBA(image.Rect(0, 0, 20, 10))); err != nil {
				t.Error(err)
			}
		case r.URL.Path == "/clip":
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(media))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(e.Close)
	return e
}

// run starts a program with no environment, as the worker does.
func run(t *testing.T, path string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(path, append([]string{"-hide_banner"}, args...)...)
	cmd.Env = []string{}
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if left, readErr := os.ReadDir(cmd.Dir); readErr != nil || len(left) > 0 {
		t.Errorf("%v left %v behind (%v)", args, left, readErr)
	}
	return string(out), err
}

func TestWorksOverLoopback(t *testing.T) {
	ffmpeg, e := program(t, "ffmpeg"), newEndpoint(t)
	for _, c := range []struct {
		name, magic string
		args        []string
	}{
		{"h264", "ftyp", []string{"-filter_complex", "[0:0]setpts=PTS-(0),settb=1/25,fps=25,tpad=stop=-1:stop_mode=clone," +
			"trim=start_pts=0:end_pts=60,split=1[in];[in]transpose=clock,scale=90:160,crop=80:150:5:5,pad=90:160:5:5,setsar=1/1,format=yuv420p[out]",
			"-map", "[out]", "-c:v", "libx264", "-preset", "medium", "-fps_mode", "passthrough", "-force_key_frames", "expr:not(mod(n,25))",
			"-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof"}},
		{"joined pictures", "ftyp", []string{"-filter_complex", "[0:0]split[a][b];[a]setpts=PTS-STARTPTS,scale=160:90,setsar=1/1," +
			"setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709[c];[b]setpts=PTS-STARTPTS,scale=160:90,setsar=1/1," +
			"scale=in_color_matrix=bt601:out_color_matrix=bt709:in_range=full:out_range=limited:flags=bicubic+accurate_rnd+full_chroma_int," +
			"setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709[d];[c][d]concat=n=2,settb=1/25,setpts=N+(50),format=yuv420p[out]",
			"-map", "[out]", "-c:v", "libx264", "-fps_mode", "passthrough", "-f", "mp4", "-movflags", "empty_moov"}},
		{"fields", "ftyp", []string{"-filter_complex", "[0:0]bwdif=mode=send_field:parity=auto:deint=interlaced,settb=1/50,fps=50,format=yuv420p," +
			"tinterlace=mode=interleave_top,settb=1/25,setpts=N,setfield=tff[out]",
			"-map", "[out]", "-c:v", "libx264", "-flags", "+ilme+ildct", "-fps_mode", "passthrough", "-f", "mp4", "-movflags", "empty_moov"}},
		{"bare sound", "", []string{"-vn", "-filter_complex", "[0:1]aresample=44100:async=1:first_pts=0,aformat=channel_layouts=stereo,apad=whole_len=99999,atrim=end_sample=99999[out]",
			"-map", "[out]", "-c:a", "pcm_f32le", "-f", "f32le"}},
		{"watermark", "ftyp", []string{"-f", "png_pipe", "-i", e.URL + "/picture", "-filter_complex", "[1:v]trim=end_frame=1,setpts=0,settb=1/25,format=gbrap," +
			"premultiply=inplace=1,scale=9:9,unpremultiply=inplace=1,setsar=1,colorchannelmixer=aa=0.5,scale=out_color_matrix=bt601:out_range=limited,format=yuva420p[mark];" +
			"[0:0][mark]overlay=x=5:y=5:format=yuv420:eval=init:eof_action=repeat,format=yuv420p[out]", "-map", "[out]", "-c:v", "libx264", "-f", "mp4", "-movflags", "empty_moov"}},
		{"artwork", "\xff\xd8", []string{"-f", "png_pipe", "-i", e.URL + "/picture", "-filter_complex", "[1:v]trim=end_frame=1,format=gbrap,premultiply=inplace=1,scale=9:9," +
			"unpremultiply=inplace=1,crop=8:8:0:0:exact=1,pad=9:9:0:0:color=white,setsar=1[over];[over]split[picture][form];" +
			"[form]lutrgb=r=maxval:g=maxval:b=maxval:a=maxval,format=gbrp[white];[white][picture]overlay=format=gbrp," +
			"scale=out_color_matrix=bt601:out_range=full,format=yuvj420p[out]", "-map", "[out]", "-frames:v", "1", "-c:v", "mjpeg", "-f", "image2pipe"}},
		{"aac", "ftyp", []string{"-vn", "-c:a", "aac", "-af", "aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo",
			"-f", "mp4", "-movflags", "empty_moov+default_base_moof"}},
		{"mp3 in fragments", "ftyp", []string{"-vn", "-c:a", "libmp3lame", "-f", "mp4", "-movflags", "empty_moov+default_base_moof"}},
		{"vorbis in fragments", "ftyp", []string{"-vn", "-c:a", "libvorbis", "-b:a", "96k", "-f", "mp4", "-movflags", "empty_moov+default_base_moof"}},
		{"flac in fragments", "ftyp", []string{"-vn", "-af", "aformat=sample_fmts=s32", "-c:a", "flac", "-bits_per_raw_sample", "24", "-strict", "experimental", "-f", "mp4", "-movflags", "empty_moov+default_base_moof"}},
		{"mp2 in fragments", "ftyp", []string{"-vn", "-af", "apad=pad_len=481", "-c:a", "mp2", "-f", "mp4", "-movflags", "empty_moov+default_base_moof"}},
		{"pcm in fragments", "ftyp", []string{"-vn", "-c:a", "pcm_s24le", "-f", "mov", "-movflags", "empty_moov+default_base_moof"}},
		{"mp3", "ID3", []string{"-vn", "-c:a", "libmp3lame", "-f", "mp3"}},
		{"webm", "\x1a\x45\xdf\xa3", []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libvorbis", "-f", "webm"}},
		{"mpeg2", "G", []string{"-c:v", "mpeg2video", "-c:a", "mp2", "-f", "mpegts"}},
		{"vp8", "DKIF", []string{"-an", "-c:v", "libvpx", "-auto-alt-ref", "0", "-deadline", "realtime", "-f", "ivf"}},
		{"vp9", "ftyp", []string{"-an", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof"}},
		{"mpg", "\x00\x00\x01\xba", []string{"-c:v", "mpeg2video", "-c:a", "mp2", "-f", "vob"}},
		{"mxf", "\x06\x0e\x2b\x34", []string{"-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000", "-f", "mxf"}},
		{"gif", "GIF89a", []string{"-an", "-filter_complex", "fps=5,split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1", "-f", "gif"}},
		{"flac", "fLaC", []string{"-vn", "-f", "flac"}},
		{"png", "\x89PNG", []string{"-an", "-frames:v", "1", "-c:v", "png", "-f", "image2pipe"}},
		{"thumbnails", "ftyp", []string{"-filter_complex", "[0:0]settb=1/25,select='gte(pts,10)*lt(mod(25-mod(pts*1,25),25),1)',scale=96:54,setsar=1/1," +
			"scale=out_color_matrix=bt601:out_range=full,format=yuvj420p[out]", "-map", "[out]", "-fps_mode", "passthrough", "-c:v", "mjpeg", "-q:v", "2",
			"-f", "mp4", "-movflags", "frag_every_frame+empty_moov+default_base_moof+frag_discont"}},
		{"framemd5", "#format: frame checksums", []string{"-f", "framemd5"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"-v", "error", "-nostdin", "-i", e.URL + "/clip"}, c.args...)
			out, err := run(t, ffmpeg, append(args, "-method", "PUT", e.URL+"/"+c.name)...)
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got := <-e.stored
			if !bytes.Contains(got[:min(64, len(got))], []byte(c.magic)) {
				t.Errorf("stored %d bytes that start with %q, want %q in it", len(got), got[:min(32, len(got))], c.magic)
			}
		})
	}
}

func TestProbes(t *testing.T) {
	ffprobe, e := program(t, "ffprobe"), newEndpoint(t)
	out, err := run(t, ffprobe, "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", e.URL+"/clip")
	if err != nil || out != "h264\naac\n" {
		t.Errorf("%v: %q", err, out)
	}
}

// Whatever is asked for, nothing but HTTP is reachable.
func TestReachesNothingElse(t *testing.T) {
	ffmpeg, e := program(t, "ffmpeg"), newEndpoint(t)
	file := filepath.Join(t.TempDir(), "secret.mp4")
	if err := os.WriteFile(file, clip(t), 0o600); err != nil {
		t.Fatal(err)
	}
	input := func(args ...string) []string { return append(args, "-f", "null", "-") }
	output := func(args ...string) []string {
		return append([]string{"-nostdin", "-i", e.URL + "/clip", "-frames:v", "1"}, args...)
	}
	for _, c := range []struct {
		name, reason string
		args         []string
	}{
		{"a file", "Protocol not found", input("-i", file)},
		{"a file URL", "Protocol not found", input("-i", "file:"+file)},
		{"https", "Protocol not found", input("-i", "https://127.0.0.1:1/clip")},
		{"a pipe", "Protocol not found", input("-i", "pipe:0")},
		{"concat", "Protocol not found", input("-i", "concat:"+file)},
		{"crypto", "Protocol not found", input("-i", "crypto:"+file)},
		{"subfile", "Protocol not found", input("-i", "subfile,,start,0,end,9,,:"+file)},
		{"data", "Protocol not found", input("-i", "data:text/plain,x")},
		{"a playlist", "Unknown input format: 'hls'", input("-f", "hls", "-i", e.URL+"/clip")},
		{"a script", "Unknown input format: 'concat'", input("-f", "concat", "-i", e.URL+"/clip")},
		{"a filter as input", "Unknown input format: 'lavfi'", input("-f", "lavfi", "-i", "sine")},
		{"an image sequence", "Unknown input format: 'image2'", input("-f", "image2", "-i", "/%d.png")},
		{"writing a file", "Protocol not found", output("-f", "mp4", file+".out")},
		{"writing to a pipe", "Protocol not found", output("-f", "mpegts", "pipe:1")},
		{"a movie filter", "No such filter: 'movie'", output("-filter_complex", "movie="+file, "-f", "null", "-")},
		{"a tee", "Requested output format 'tee' is not a suitable output format", output("-map", "0", "-f", "tee", file)},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := run(t, ffmpeg, c.args...)
			if err == nil {
				t.Fatalf("%v worked: %s", c.args, out)
			}
			if !strings.Contains(out, c.reason) {
				t.Errorf("failed, but not with %q: %s", c.reason, out)
			}
		})
	}
}

// Every container on the worker's allow-list is in the layer.
func TestKnowsTheAllowedContainers(t *testing.T) {
	ffmpeg := program(t, "ffmpeg")
	args := engine.InputArgs("http://127.0.0.1:1/", engine.InputOptions{})
	at := slices.Index(args, "-format_whitelist")
	if at < 0 {
		t.Fatalf("no allow-list in %q", args)
	}
	for demuxer := range strings.SplitSeq(args[at+1], ",") {
		if out, err := run(t, ffmpeg, "-h", "demuxer="+demuxer); err != nil || !strings.HasPrefix(out, "Demuxer ") {
			t.Errorf("%s: %v: %s; add it to components", demuxer, err, out)
		}
	}
}
