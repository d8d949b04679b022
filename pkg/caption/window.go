package caption

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"sealreel/pkg/job"
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

// A Part is the captions of one input of a stitched output.
type Part struct {
	Tracks []Track
	Length time.Duration // of the input's clip
}

// Stitch joins the captions of inputs that are played one after the other.
// When several have captions, a language is kept that each of those has
// (developer guide, CaptionSource.Language); code and label are the first's.
// More than MaxCues of a language is a Failure (4101).
func Stitch(parts []Part) ([]Track, error) {
	var joined []Track
	at, first := time.Duration(0), true
	for _, part := range parts {
		switch {
		case len(part.Tracks) == 0:
		case first:
			joined, first = slices.Clone(part.Tracks), false
			for i, track := range joined {
				joined[i].Cues = Shift(Clip(track.Cues, 0, part.Length), at)
			}
		default:
			joined = extend(joined, part, at)
		}
		at += part.Length
		for _, track := range joined {
			if len(track.Cues) > MaxCues {
				return nil, job.Fail(job.CodeCaptionFile, "the inputs have more than %d captions together in language %s", MaxCues, track.Language)
			}
		}
	}
	return joined, nil
}

// extend keeps the tracks that the part has too, with its cues behind.
func extend(tracks []Track, part Part, at time.Duration) []Track {
	var kept []Track
	for _, track := range tracks {
		i := indexOf(part.Tracks, track.Language)
		if i < 0 {
			continue
		}
		track.Cues = append(track.Cues, Shift(Clip(part.Tracks[i].Cues, 0, part.Length), at)...)
		kept = append(kept, track)
	}
	return kept
}
