package job

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxThumbnails is how many thumbnails an output may have: their numbers have
// five digits.
const MaxThumbnails = 99999

const (
	countMark      = "{count}"
	resolutionMark = "{resolution}"
	countDigits    = 5
)

// ThumbnailNames are the keys of an output's thumbnails:
// {Prefix}{ThumbnailPattern}.{Format}, in which {count} stands for the number,
// from 00001 (developer guide, job settings, thumbnail pattern). It is part of
// the job's plan.
type ThumbnailNames struct {
	Prefix  string `json:"prefix,omitempty"`
	Pattern string `json:"pattern"` // with {count}, and with what stood for {resolution}
	Format  string `json:"format"`  // jpg or png
}

// OutputThumbnails are the names of an output's thumbnails of a size in pixels.
func OutputThumbnails(prefix string, o Output, format string, width, height int) ThumbnailNames {
	size := fmt.Sprintf("%dx%d", width, height)
	return ThumbnailNames{Prefix: prefix, Pattern: strings.ReplaceAll(o.ThumbnailPattern, resolutionMark, size), Format: format}
}

// ThumbnailBeginning is what the keys of an output's thumbnails all begin with,
// of whatever size and format they are.
func ThumbnailBeginning(prefix string, o Output) string {
	before, _, _ := strings.Cut(o.ThumbnailPattern, countMark)
	before, _, _ = strings.Cut(before, resolutionMark)
	return prefix + before
}

// Key is the key of the thumbnail with the number, from 1 to MaxThumbnails.
func (n ThumbnailNames) Key(number int64) string {
	return n.Prefix + strings.ReplaceAll(n.Pattern, countMark, fmt.Sprintf("%0*d", countDigits, number)) + "." + n.Format
}

// All is the name that stands for all of them: their keys with {count}. It is
// one of what ThumbnailSets makes of each.
func (n ThumbnailNames) All() string { return n.Prefix + n.Pattern + "." + n.Format }

// Is says whether key is one of the thumbnails.
func (n ThumbnailNames) Is(key string) bool {
	at := len(n.Prefix) + strings.Index(n.Pattern, countMark)
	if at < len(n.Prefix) || len(key) < at+countDigits {
		return false
	}
	number, ok := thumbnailNumber(key[at : at+countDigits])
	return ok && n.Key(number) == key
}

// thumbnailNumber reads what stands for {count}.
func thumbnailNumber(digits string) (int64, bool) {
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n >= 1
}

// maxSets bounds what ThumbnailSets tries with one key.
const maxSets = 64

// ThumbnailSets are the names, as All gives them, of all sets of thumbnails that
// an object with the key could belong to. Which digits of it are the number can't
// be seen, so there may be several; beyond 64 they are left out.
func ThumbnailSets(key string) []string {
	if !strings.HasSuffix(key, ".jpg") && !strings.HasSuffix(key, ".png") {
		return nil
	}
	var sets []string
	keep := func(set string) bool {
		sets = append(sets, set)
		return len(sets) < maxSets
	}
	tried := map[string]bool{}
	for i := 0; i+countDigits <= len(key) && len(sets) < maxSets; i++ {
		digits := key[i : i+countDigits]
		if _, ok := thumbnailNumber(digits); ok && !tried[digits] {
			tried[digits] = true
			mark("", key, digits, 0, keep)
		}
	}
	return sets
}

// mark gives yield the text behind before with {count} in place of the digits,
// wherever they are and in every combination, but for those without any; marks
// are in before already. It ends when yield says so, with false.
func mark(before, text, digits string, marks int, yield func(string) bool) bool {
	at := strings.Index(text, digits)
	if at < 0 {
		return marks == 0 || yield(before+text)
	}
	return mark(before+text[:at]+countMark, text[at+countDigits:], digits, marks+1, yield) &&
		mark(before+text[:at+1], text[at+1:], digits, marks, yield)
}
