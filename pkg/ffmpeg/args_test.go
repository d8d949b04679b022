package ffmpeg

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sealreel/pkg/loopback"
)

// program finds ffmpeg or ffprobe, without which these tests mean nothing.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// clip makes a short clip with ffmpeg's own sources; args are its output
// options and name its file name.
func clip(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args = slices.Concat([]string{"-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=1",
		"-f", "lavfi", "-i", "sine=d=1:r=48000"}, args, []string{path})
	if out, err := exec.Command(program(t, "ffmpeg"), args...).CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v: %s", name, err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func serve(t *testing.T, name string, data []byte) (*loopback.Server, string) {
	t.Helper()
	s, err := loopback.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, s.Serve(name, loopback.Input{ReaderAt: bytes.NewReader(data), Size: int64(len(data))})
}

func TestDemuxersExist(t *testing.T) {
	out, err := exec.Command(program(t, "ffmpeg"), "-hide_banner", "-demuxers").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ D[ d]* +(\S+)`).FindAllStringSubmatch(string(out), -1) {
		for _, name := range strings.Split(m[1], ",") {
			known[name] = true
		}
	}
	for _, name := range demuxers {
		if !known[name] {
			t.Errorf("ffmpeg has no demuxer %q", name)
		}
	}
}

func TestAllowedContainersOpen(t *testing.T) {
	ffprobe := program(t, "ffprobe")
	h264 := []string{"-c:v", "libx264", "-c:a", "aac"}
	mpeg := []string{"-c:v", "mpeg2video", "-c:a", "mp2"}
	for name, args := range map[string][]string{
		"a.mp4": h264, "a.mov": h264, "a.mkv": h264, "a.ts": h264, "a.flv": h264, "a.nut": h264,
		"f.mp4": {"-c:v", "libx264", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"},
		"a.3gp": h264, "a.mpg": mpeg, "a.vob": mpeg, "a.avi": {"-c:v", "mpeg4", "-c:a", "mp2"},
		"a.asf": {"-c:v", "mpeg4", "-c:a", "mp2"}, "a.mxf": {"-c:v", "mpeg2video", "-c:a", "pcm_s16le"},
		"a.ogg": {"-vn", "-c:a", "flac"}, "a.wav": {"-vn"}, "a.mp3": {"-vn"},
		"a.m4a": {"-vn", "-c:a", "aac"}, "a.aac": {"-vn", "-c:a", "aac"}, "a.flac": {"-vn"},
		"a.ac3": {"-vn"}, "a.aiff": {"-vn"}, "a.h264": {"-an", "-c:v", "libx264"}, "a.m2v": {"-an"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, url := serve(t, "input", clip(t, name, args...))
			var out bytes.Buffer
			_, err := Run(s.Context(), Command{Path: ffprobe, Stdout: &out, Args: slices.Concat(ProbeArgs(),
				[]string{"-show_entries", "stream=codec_type", "-of", "csv=p=0"},
				InputArgs(url, InputOptions{MaxPixels: 64 * 64}))})
			if err := s.Finish(err); err != nil || !strings.Contains(out.String(), "o") {
				t.Errorf("%v, output %q", err, out.String())
			}
		})
	}
}

// canary counts the connections to a place where nothing may connect.
type canary struct {
	addr  string
	count atomic.Int32
}

func newCanary(t *testing.T) *canary {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &canary{addr: l.Addr().String()}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.count.Add(1)
			conn.Close()
		}
	}()
	return c
}

// posers are documents that make some demuxer open what they name; %s is an
// address.
var posers = map[string]string{
	"hls":         "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://%s/a.ts\n#EXT-X-ENDLIST\n",
	"hls key":     "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI=\"http://%s/k\"\n#EXTINF:1,\nfile:///etc/passwd\n",
	"hls master":  "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://%s/a.m3u8\n",
	"hls map":     "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI=\"http://%s/i\"\n#EXTINF:1,\nconcat:file:///etc/passwd|x\n",
	"hls in id3":  "ID3\x03\x00\x00\x00\x00\x00\x00#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://%s/a.ts\n",
	"hls bom":     "\ufeff#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://%s/a.ts\n",
	"ffconcat":    "ffconcat version 1.0\nfile 'http://%s/a.mp4'\n",
	"concat safe": "ffconcat version 1.0\nfile '/etc/passwd'\nfile 'http://%s/a.mp4'\noption safe 0\n",
	"dash": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S">` +
		`<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>http://%s/a.mp4</BaseURL>` +
		`<SegmentBase/></Representation></AdaptationSet></Period></MPD>`,
	"sdp":  "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\na=control:rtsp://%s/x\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
	"asx":  "[Reference]\nRef1=http://%s/a.asf\n",
	"imf":  `<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>urn:uuid:http://%s/</Id></CompositionPlaylist>`,
	"text": "hello http://%s/",
	"gab2": "", // made by gab2
}

// gab2 is an AVI file whose subtitle stream holds a whole other file, which
// libavformat opens with a demuxer of that file's choice.
func gab2(inner string) string {
	u32 := func(n int) string { return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}) }
	chunk := func(id, data string) string {
		pad := ""
		if len(data)%2 == 1 {
			pad = "\x00"
		}
		return id + u32(len(data)) + data + pad
	}
	header := func(kind, handler string) string {
		return chunk("strh", kind+handler+strings.Repeat("\x00", 12)+u32(1)+u32(25)+u32(0)+u32(1)+strings.Repeat("\x00", 20))
	}
	bitmap := u32(40) + u32(64) + u32(64) + "\x01\x00\x18\x00" + "MJPG" + strings.Repeat("\x00", 20)
	sub := "GAB2\x00" + "\x02\x00" + u32(2) + "x\x00" + "\x04\x00" + u32(len(inner)) + inner
	return "RIFF" + u32(1<<16) + "AVI " +
		chunk("LIST", "hdrl"+chunk("avih", u32(40000)+strings.Repeat("\x00", 20)+u32(2)+strings.Repeat("\x00", 28))+
			chunk("LIST", "strl"+header("vids", "MJPG")+chunk("strf", bitmap))+
			chunk("LIST", "strl"+header("txts", "\x00\x00\x00\x00")+chunk("strf", ""))) +
		chunk("LIST", "movi"+chunk("01tx", sub)+chunk("00dc", "\xff\xd8\xff\xd9")+chunk("01tx", sub))
}

func TestPlaylistPosingAsMediaIsRefused(t *testing.T) {
	ffmpeg, ffprobe := program(t, "ffmpeg"), program(t, "ffprobe")
	c := newCanary(t)
	for kind, text := range posers {
		if kind == "gab2" {
			text = gab2(posers["hls"])
		}
		data := []byte(strings.Replace(text, "%s", c.addr, 1))
		for _, name := range []string{"input", "input.mp4", "input.m3u8"} {
			t.Run(kind+" as "+name, func(t *testing.T) {
				for _, run := range []Command{
					{Path: ffprobe, Args: append(ProbeArgs(), "-show_packets", "-show_format", "-of", "json")},
					{Path: ffmpeg, Args: GlobalArgs()},
				} {
					s, url := serve(t, name, data)
					run.Args = append(run.Args, InputArgs(url, InputOptions{})...)
					if run.Path == ffmpeg {
						run.Args = append(run.Args, "-f", "null", "-")
					}
					run.Limits.Wall = 20 * time.Second
					_, err := Run(s.Context(), run)
					exit := (*ExitError)(nil)
					if kind != "gab2" && !errors.As(err, &exit) {
						t.Errorf("%s: %v", run.Path, err)
					}
				}
			})
		}
	}
	if n := c.count.Load(); n != 0 {
		t.Errorf("%d connections left for the canary", n)
	}
}

func TestForcedFormatMustBeAllowed(t *testing.T) {
	c := newCanary(t)
	data := []byte(strings.Replace(posers["hls"], "%s", c.addr, 1))
	for _, format := range []string{"hls", "concat", "dash", "image2", "lavfi", "sdp", "webm_dash_manifest", "tee"} {
		s, url := serve(t, "input", data)
		_, err := Run(s.Context(), Command{Path: program(t, "ffprobe"),
			Args: append(ProbeArgs(), InputArgs(url, InputOptions{Format: format})...)})
		if exit := (*ExitError)(nil); !errors.As(err, &exit) {
			t.Errorf("%s: %v", format, err)
		}
	}
	if n := c.count.Load(); n != 0 {
		t.Errorf("%d connections left for the canary", n)
	}
}

// The tests above would pass with a canary that cannot be reached. Within the
// sandbox it can't, where the kernel has Landlock for networks.
func TestCanarySings(t *testing.T) {
	c := newCanary(t)
	s, url := serve(t, "input.m3u8", []byte(strings.Replace(posers["hls"], "%s", c.addr, 1)))
	args := []string{"-v", "quiet", "-protocol_whitelist", "http,tcp", "-i", url}
	r, _ := Run(s.Context(), Command{Path: program(t, "ffprobe"), Args: args})
	if n := c.count.Load(); r.Sandbox.Landlock >= netVersion && n > 0 {
		t.Errorf("%d connections left the sandbox", n)
	}
	_ = exec.Command(program(t, "ffprobe"), args...).Run() // it can't read what it was lured to
	if c.count.Load() == 0 {
		t.Error("without the format list and the sandbox, nothing connected to the canary")
	}
}

func TestErrorNamesTheInputAndNoToken(t *testing.T) {
	s, url := serve(t, "input", bytes.Repeat([]byte("garbage "), 10000))
	r, err := Run(s.Context(), Command{Path: program(t, "ffmpeg"),
		Args: slices.Concat(GlobalArgs(), InputArgs(url, InputOptions{}), []string{"-f", "null", "-"})})
	exit := (*ExitError)(nil)
	if !errors.As(err, &exit) || exit.Code != 1 || exit.Reason != "input: Invalid data found when processing input" {
		t.Errorf("got %v", err)
	}
	if strings.Contains(r.Stderr, "127.0.0.1") {
		t.Errorf("error text: %q", r.Stderr)
	}
}

func TestTooManyPixels(t *testing.T) {
	data := clip(t, "a.mp4", "-an", "-c:v", "libx264")
	for pixels, ok := range map[int]bool{64*64 - 1: false, 64 * 64: true, 0: true} {
		s, url := serve(t, "input", data)
		_, err := Run(s.Context(), Command{Path: program(t, "ffmpeg"),
			Args: slices.Concat(GlobalArgs(), []string{"-xerror"}, InputArgs(url, InputOptions{MaxPixels: pixels}), []string{"-f", "null", "-"})})
		if (err == nil) != ok {
			t.Errorf("limit %d: %v", pixels, err)
		}
	}
}

// transcode decodes data and sends an encoding of it to a handler.
func transcode(t *testing.T, path string, before []string, data []byte, handler loopback.Handler) (Result, error) {
	t.Helper()
	s, in := serve(t, "input", data)
	out := s.Accept("video", handler)
	r, err := Run(s.Context(), Command{Path: path, Args: slices.Concat(before, GlobalArgs(),
		InputArgs(in, InputOptions{}),
		[]string{"-map", "0:v:0", "-c:v", "libx264", "-threads", "1", "-bitexact", "-f", "mp4",
			"-movflags", "empty_moov+default_base_moof+frag_keyframe"}, OutputArgs(out))})
	return r, s.Finish(err)
}

func TestEncodeThroughLoopback(t *testing.T) {
	data := clip(t, "a.mkv", "-c:v", "mpeg4", "-c:a", "aac")
	var got bytes.Buffer
	_, err := transcode(t, program(t, "ffmpeg"), nil, data, func(_ context.Context, r io.Reader) error {
		_, err := got.ReadFrom(r)
		return err
	})
	if err != nil || !bytes.Contains(got.Bytes(), []byte("moof")) || !bytes.HasSuffix(got.Bytes()[:8], []byte("ftyp")) {
		t.Errorf("%v, %d bytes", err, got.Len())
	}
}

func TestHandlerErrorFailsTheEncode(t *testing.T) {
	wrong := errors.New("frame 7 has the wrong time")
	_, err := transcode(t, program(t, "ffmpeg"), nil, clip(t, "a.mkv", "-c:v", "mpeg4", "-an"), func(context.Context, io.Reader) error {
		return wrong
	})
	if err != wrong {
		t.Errorf("got %v", err)
	}
}

// brokenReader is an input whose storage fails from an offset on.
type brokenReader struct {
	*bytes.Reader
	from int64
	err  error
}

func (b brokenReader) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.from {
		return 0, b.err
	}
	return b.Reader.ReadAt(p, off)
}

func TestStorageErrorFailsTheRun(t *testing.T) {
	data := clip(t, "a.ts", "-c:v", "mpeg2video", "-b:v", "2M", "-c:a", "mp2")
	network := errors.New("storage is down")
	for _, from := range []int64{0, int64(len(data)) / 2, int64(len(data)) - 1} {
		s, err := loopback.New(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		in := s.Serve("input", loopback.Input{ReaderAt: brokenReader{bytes.NewReader(data), from, network}, Size: int64(len(data))})
		_, err = Run(s.Context(), Command{Path: program(t, "ffmpeg"),
			Args: slices.Concat(GlobalArgs(), InputArgs(in, InputOptions{}), []string{"-f", "null", "-"})})
		if err := s.Finish(err); !errors.Is(err, network) {
			t.Errorf("from %d: %v", from, err)
		}
	}
}

// The test binary runs itself under strace with this variable.
const tracedVariable = "SEALREEL_TEST_TRACED"

// What the kernel saw: connections to one port of loopback, and no file
// opened for writing.
func TestSystemCalls(t *testing.T) {
	if os.Getenv(tracedVariable) != "" {
		data := clip(t, "a.mkv", "-c:v", "mpeg4", "-an")
		if _, err := transcode(t, program(t, "ffmpeg"), nil, data, func(_ context.Context, r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	log := filepath.Join(t.TempDir(), "log")
	traced := exec.Command(strace, "-f", "-Y", "-o", log, "-e", "trace=connect,bind,open,openat,creat,sendto", os.Args[0], "-test.run=^TestSystemCalls$")
	traced.Env = append(os.Environ(), tracedVariable+"=1")
	if out, err := traced.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]bool{}
	port := regexp.MustCompile(`sin_port=htons\((\d+)\), sin_addr=inet_addr\("127\.0\.0\.1"\)`)
	_, after, _ := strings.Cut(string(lines), "connect(") // the clip is made before, without any
	for line := range strings.Lines("<ffmpeg> connect(" + after) {
		switch {
		case !strings.Contains(line, "<ffmpeg> "):
		case strings.Contains(line, "connect(") && port.MatchString(line):
			ports[port.FindStringSubmatch(line)[1]] = true
		case strings.Contains(line, "connect("), strings.Contains(line, "bind("):
			t.Errorf("a connection elsewhere: %s", line)
		case strings.Contains(line, "O_WRONLY"), strings.Contains(line, "O_RDWR"), strings.Contains(line, "O_CREAT"):
			t.Errorf("a file opened for writing: %s", line)
		}
	}
	if len(ports) != 1 {
		t.Errorf("connected to ports %v", ports)
	}
}
