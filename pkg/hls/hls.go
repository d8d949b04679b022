// Package hls writes HLS playlists of version 3 (RFC 8216): media playlists of
// finished streams and master playlists over them. Both are pure functions of
// object keys and sizes; the same input gives the same bytes.
//
// Every playlist refers to objects by relative URIs, so that it works wherever
// the bucket is served from.
package hls

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sealreel/pkg/rational"
)

// Clock is the ticks a second of durations.
const Clock = 90000

// ErrPlaylist is wrapped when no valid playlist can be written.
var ErrPlaylist = errors.New("cannot write playlist")

// Segment is one media segment.
type Segment struct {
	Key   string // of its object
	Ticks int64  // duration in 1/90000 s, more than 0
	Bytes int64  // of plaintext
	Break bool   // it has other tracks than the segment before (4.3.2.3)
}

// Media is the media playlist, to be stored as key, of all segments of a
// stream.
func Media(key string, segments []Segment) ([]byte, error) {
	if len(segments) == 0 {
		return nil, fmt.Errorf("%w %q: it has no segment", ErrPlaylist, key)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n", target(segments))
	var elapsed int64
	for _, s := range segments {
		if s.Ticks <= 0 {
			return nil, fmt.Errorf("%w %q: segment %q lasts %d ticks", ErrPlaylist, key, s.Key, s.Ticks)
		}
		uri, err := relative(key, s.Key)
		if err != nil {
			return nil, err
		}
		if s.Break {
			b.WriteString("#EXT-X-DISCONTINUITY\n")
		}
		fmt.Fprintf(&b, "#EXTINF:%s,\n%s\n", duration(elapsed, elapsed+s.Ticks), uri)
		elapsed += s.Ticks
	}
	b.WriteString("#EXT-X-ENDLIST\n")
	return []byte(b.String()), nil
}

// target is the longest duration rounded up to seconds. The RFC (4.3.3.1) only
// asks that no duration, rounded to the nearest, exceeds it; older clients take
// it for a bound.
func target(segments []Segment) int64 {
	longest := int64(0)
	for _, s := range segments {
		longest = max(longest, s.Ticks)
	}
	return (longest + Clock - 1) / Clock
}

// duration is the time between two ticks in seconds with six decimals. Ends are
// rounded, not lengths, so that the sum of all durations does not drift.
func duration(from, to int64) string {
	micros := rational.New(1_000_000, Clock)
	d := micros.Round(to) - micros.Round(from)
	return fmt.Sprintf("%d.%06d", d/1_000_000, d%1_000_000)
}

// Variant is one stream of a master playlist.
type Variant struct {
	Key           string            // of its media playlist
	Segments      []Segment         // for its bit rates
	Codecs        []string          // as RFC 6381 names them, such as avc1.64001F
	Width, Height int               // of the picture, 0 without
	FrameRate     rational.Rational // of the picture, zero when unknown
}

// Master is the master playlist, to be stored as key, over variants in the
// order in which clients should try them.
func Master(key string, variants []Variant) ([]byte, error) {
	if len(variants) == 0 {
		return nil, fmt.Errorf("%w %q: it has no variant", ErrPlaylist, key)
	}
	var b strings.Builder
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:3\n")
	for _, v := range variants {
		uri, err := relative(key, v.Key)
		if err != nil {
			return nil, err
		}
		attributes, err := v.attributes()
		if err != nil {
			return nil, fmt.Errorf("%w %q: %w", ErrPlaylist, key, err)
		}
		fmt.Fprintf(&b, "#EXT-X-STREAM-INF:%s\n%s\n", attributes, uri)
	}
	return []byte(b.String()), nil
}

// attributes are those of EXT-X-STREAM-INF (4.3.4.2). AVERAGE-BANDWIDTH needs
// no higher version (section 7); clients ignore what they don't know.
func (v Variant) attributes() (string, error) {
	peak, average, err := bandwidth(v.Segments)
	if err != nil {
		return "", fmt.Errorf("variant %q: %w", v.Key, err)
	}
	list := []string{"BANDWIDTH=" + strconv.FormatInt(peak, 10), "AVERAGE-BANDWIDTH=" + strconv.FormatInt(average, 10)}
	if len(v.Codecs) > 0 {
		codecs := strings.Join(v.Codecs, ",")
		if strings.ContainsFunc(codecs, func(r rune) bool { return r < ' ' || r == '"' }) {
			return "", fmt.Errorf("variant %q: codecs %q", v.Key, codecs)
		}
		list = append(list, `CODECS="`+codecs+`"`)
	}
	if v.Width > 0 && v.Height > 0 {
		list = append(list, fmt.Sprintf("RESOLUTION=%dx%d", v.Width, v.Height))
	}
	if v.FrameRate.Sign() > 0 {
		millis := v.FrameRate.Round(1000)
		list = append(list, fmt.Sprintf("FRAME-RATE=%d.%03d", millis/1000, millis%1000))
	}
	return strings.Join(list, ","), nil
}

// bandwidth returns the peak and the average bit rate, rounded up. The peak is
// the greatest of any run of segments that lasts between 0.5 and 1.5 target
// durations (4.1); where no run does, of any segment.
func bandwidth(segments []Segment) (peak, average int64, err error) {
	if len(segments) == 0 {
		return 0, 0, errors.New("no segment to take its bit rate from")
	}
	half := target(segments) * Clock / 2
	var ticks, bytes, single int64
	for i, s := range segments {
		if s.Ticks <= 0 || s.Bytes < 0 {
			return 0, 0, fmt.Errorf("segment %q has %d bytes in %d ticks", s.Key, s.Bytes, s.Ticks)
		}
		ticks, bytes = ticks+s.Ticks, bytes+s.Bytes
		single = max(single, rate(s.Bytes, s.Ticks))
		peak = max(peak, greatest(segments[i:], half))
	}
	if peak == 0 {
		peak = single
	}
	return peak, rate(bytes, ticks), nil
}

// greatest is the greatest bit rate of runs that begin with the first segment.
func greatest(segments []Segment, half int64) (peak int64) {
	var ticks, bytes int64
	for _, s := range segments {
		ticks, bytes = ticks+s.Ticks, bytes+s.Bytes
		if ticks > 3*half {
			break
		}
		if ticks >= half {
			peak = max(peak, rate(bytes, ticks))
		}
	}
	return peak
}

// rate is bits a second, rounded up.
func rate(bytes, ticks int64) int64 { return rational.New(8*Clock, ticks).Ceil(bytes) }
