package caption

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"sealreel/pkg/language"
)

// OffsetPattern is the API's rule of CaptionSource.TimeOffset.
const OffsetPattern = `(^[+-]?\d{1,5}(\.\d{0,3})?$)|(^[+-]?([0-1]?[0-9]:|2[0-3]:)?([0-5]?[0-9]:)?[0-5]?[0-9](\.\d{0,3})?$)`

var offsetRule = regexp.MustCompile(OffsetPattern)

// ParseOffset reads a TimeOffset: [+-]SS.sss or [+-]HH:mm:SS.sss, of which the
// leading parts may be missing; two parts are minutes and seconds. The empty
// string is 0.
func ParseOffset(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if !offsetRule.MatchString(s) {
		return 0, fmt.Errorf("TimeOffset %.40q is no time; want [+-]SS.sss or [+-]HH:mm:SS.sss", s)
	}
	whole, decimals, _ := strings.Cut(strings.TrimLeft(s, "+-"), ".")
	total := 0
	for field := range strings.SplitSeq(whole, ":") {
		n, _ := number(field, 5)
		total = total*60 + n
	}
	fraction, _ := parseDecimals(decimals)
	d := time.Duration(total)*time.Second + fraction
	if s[0] == '-' {
		d = -d
	}
	return d, nil
}

// Shift moves cues by an offset: how much of the video runs before captions
// begin. Clip cuts off what a negative one moves before the start.
func Shift(cues []Cue, by time.Duration) []Cue {
	moved := slices.Clone(cues)
	for i := range moved {
		moved[i].Start += by
		moved[i].End += by
	}
	return moved
}

// Clip returns the part of cues that a clip of the video shows, counted from
// the clip's start. A negative length means to the end.
func Clip(cues []Cue, start, length time.Duration) []Cue {
	end := open
	if length >= 0 {
		end = start + length
	}
	var clipped []Cue
	for _, cue := range cues {
		cue.Start, cue.End = max(cue.Start, start)-start, min(cue.End, end)-start
		if cue.Start < cue.End {
			clipped = append(clipped, cue)
		}
	}
	return clipped
}

// During returns the cues that are shown between start and end, with their
// whole times. With a segment's borders it gives the segment's file: a cue that
// crosses a border is in both, as players of HLS want it.
func During(cues []Cue, start, end time.Duration) []Cue {
	var during []Cue
	for _, cue := range cues {
		if cue.Start < end && cue.End > start {
			during = append(during, cue)
		}
	}
	return during
}

// Piece is the captions that a part of an output has in one language.
type Piece[T any] struct {
	Part  int
	Track T
}

// Stitch says which captions an output has whose parts are played one after the
// other, each with tracks of its own: for each language the pieces that make it
// up. When several parts have captions, a language is kept that each of those has
// (developer guide, CaptionSource.Language), in the order of the first.
func Stitch[T any](parts [][]T, languageOf func(T) string) [][]Piece[T] {
	var joined [][]Piece[T]
	first := true
	for n, tracks := range parts {
		switch {
		case len(tracks) == 0:
		case first:
			first = false
			for _, t := range tracks {
				joined = append(joined, []Piece[T]{{n, t}})
			}
		default:
			joined = extend(joined, n, tracks, languageOf)
		}
	}
	return joined
}

// extend keeps the languages that the part has too, with its tracks behind.
func extend[T any](joined [][]Piece[T], part int, tracks []T, languageOf func(T) string) [][]Piece[T] {
	var kept [][]Piece[T]
	for _, pieces := range joined {
		code := languageOf(pieces[0].Track)
		i := slices.IndexFunc(tracks, func(t T) bool { return language.Same(languageOf(t), code) })
		if i >= 0 {
			kept = append(kept, append(pieces, Piece[T]{part, tracks[i]}))
		}
	}
	return kept
}
