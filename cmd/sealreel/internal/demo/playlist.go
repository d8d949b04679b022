package demo

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// playlist is an HLS playlist as a player reads it (RFC 8216): a master playlist
// has streams, a media playlist has segments.
type playlist struct {
	streams  []string // keys of media playlists
	segments []string // keys
	seconds  float64  // of all segments
}

// readPlaylist reads the playlist with the key.
func readPlaylist(key, text string) (p playlist, err error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if lines[0] != "#EXTM3U" {
		return p, fmt.Errorf("playlist %s does not begin with #EXTM3U", key)
	}
	var target, length float64
	var next *[]string // what the next URI is
	ended := false
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		switch {
		case name == "#EXT-X-STREAM-INF":
			next = &p.streams
		case name == "#EXTINF":
			length, err = strconv.ParseFloat(strings.TrimSuffix(value, ","), 64)
			next = &p.segments
		case name == "#EXT-X-TARGETDURATION":
			target, err = strconv.ParseFloat(value, 64)
		case name == "#EXT-X-ENDLIST":
			ended = true
		case line != "" && !strings.HasPrefix(line, "#"):
			err = p.add(key, line, next)
			if next == &p.segments && math.Round(length) > target {
				err = errors.Join(err, fmt.Errorf("a segment lasts %g s, more than the target duration of %g s", length, target))
			}
			p.seconds += length
			next, length = nil, 0
		}
		if err != nil {
			return p, fmt.Errorf("playlist %s, line %q: %w", key, line, err)
		}
	}
	if len(p.streams) == 0 && (len(p.segments) == 0 || !ended) {
		return p, fmt.Errorf("playlist %s has neither streams nor segments and an end", key)
	}
	return p, nil
}

func (p *playlist) add(key, uri string, to *[]string) error {
	u, err := url.Parse(uri)
	if err != nil {
		return err
	}
	if to == nil || u.IsAbs() || path.IsAbs(u.Path) {
		return errors.New("it is no relative URI behind a tag that announces it")
	}
	*to = append(*to, path.Join(path.Dir(key), u.Path))
	return nil
}
