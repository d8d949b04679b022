package demo

import (
	"fmt"
	"strings"
	"testing"
)

const media = `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXTINF:4.400000,
a%20b00000.ts
#EXTINF:1.500000,
sub/00001.ts
#EXT-X-ENDLIST
`

func TestReadPlaylist(t *testing.T) {
	p, err := readPlaylist("x y/list.m3u8", media)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(p.segments, p.streams, p.seconds); got != "[x y/a b00000.ts x y/sub/00001.ts] [] 5.9" {
		t.Error(got)
	}
	p, err = readPlaylist("index.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhls.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS=\"a:b\"\n../b.m3u8\n")
	if got := fmt.Sprint(p.streams, p.segments); err != nil || got != "[hls.m3u8 ../b.m3u8] []" {
		t.Error(got, err)
	}
}

func TestPlaylistsThatAreNone(t *testing.T) {
	for what, text := range map[string]string{
		"empty": "", "no head": strings.TrimPrefix(media, "#EXTM3U\n"), "head only": "#EXTM3U", "cut": strings.Replace(media, "#EXT-X-ENDLIST\n", "", 1),
		"segment too long": strings.Replace(media, "4.4", "4.6", 1), "no length": strings.Replace(media, "#EXTINF:1.500000,\n", "", 1),
		"bad length": strings.Replace(media, "1.5", "x", 1), "bad target": strings.Replace(media, "DURATION:4", "DURATION:", 1),
		"absolute": strings.Replace(media, "sub/", "https://a/", 1), "rooted": strings.Replace(media, "sub/", "/", 1), "bad URI": strings.Replace(media, "sub/", "%zz", 1),
	} {
		if p, err := readPlaylist("x.m3u8", text); err == nil {
			t.Errorf("%s: %+v", what, p)
		}
	}
}

func FuzzReadPlaylist(f *testing.F) {
	f.Add("a/b.m3u8", media)
	f.Fuzz(func(t *testing.T, key, text string) {
		if p, err := readPlaylist(key, text); err == nil && len(p.segments)+len(p.streams) == 0 {
			t.Errorf("%q is a playlist of nothing", text)
		}
	})
}

func TestAProgramThatComplainsHasFailed(t *testing.T) {
	if out, err := program(t.Context(), "sh", "-c", "echo out"); err != nil || out != "out\n" {
		t.Error(out, err)
	}
	if _, err := program(t.Context(), "sh", "-c", "echo damaged >&2"); err == nil || err.Error() != "damaged" {
		t.Error(err)
	}
	if _, err := program(t.Context(), "sh", "-c", "exit 3"); err == nil {
		t.Error("exit 3 is a failure")
	}
}
