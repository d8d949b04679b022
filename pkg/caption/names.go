package caption

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const languageMark = "{language}"

// Extension is what stands behind the name of a caption file in an output of
// the container: .ismt for the Smooth Streaming form of dfxp in fmp4. Embedded
// formats have none.
func (f Format) Extension(container string) string {
	switch {
	case f == DFXP && container == "fmp4":
		return ".ismt"
	case f == WebVTT:
		return ".vtt"
	case f.Embedded():
		return ""
	}
	return "." + string(f)
}

// Names are the keys of the caption files of one format and language: one file,
// or a series of them, one a segment of the output.
type Names struct {
	stem, extension string
	series          bool
}

// NamesOf makes the names of a CaptionFormat's files: {prefix}{pattern} with
// {language} replaced. A pattern without it has it behind, so the empty one is
// the language alone.
func NamesOf(prefix, pattern, language string, format Format, container string, segmented bool) Names {
	if !strings.Contains(pattern, languageMark) {
		pattern += languageMark
	}
	return Names{prefix + strings.ReplaceAll(pattern, languageMark, language), format.Extension(container), segmented}
}

// Series says whether there is a file for each segment.
func (n Names) Series() bool { return n.series }

// Set is a name that stands for all of the files: the key of a single one, and of
// a series what its keys are with {count} for the number.
func (n Names) Set() string {
	if n.series {
		return n.stem + countMark + n.extension
	}
	return n.stem + n.extension
}

// Key is the key of the file that belongs to a segment of the output, counted
// from 0. A single file has the key of Set.
func (n Names) Key(segment int) string {
	if n.series {
		return fmt.Sprintf("%s%0*d%s", n.stem, countDigits, segment, n.extension)
	}
	return n.Set()
}

// Is says whether key is one of the files.
func (n Names) Is(key string) bool { return slices.Contains(Sets(key), n.Set()) }

const (
	countMark   = "{count}"
	countDigits = 5
)

// counted is the end of the key of a file in a series.
var counted = regexp.MustCompile(`[0-9]{5}(\.(?:srt|vtt|dfxp|ismt|scc))$`)

// Sets are the names, as Set gives them, of what a file with the key may belong
// to.
func Sets(key string) []string {
	sets := []string{key}
	if at := counted.FindStringSubmatchIndex(key); at != nil {
		sets = append(sets, key[:at[0]]+countMark+key[at[2]:])
	}
	return sets
}

// FileKey says whether the key of an object ends as caption files' keys do.
func FileKey(key string) bool { return fileEnding.MatchString(key) }

var fileEnding = regexp.MustCompile(`(?i)\.(?:srt|vtt|webvtt|scc|dfxp|ttml|ismt|smpt|smpte|ebutt|ebu-tt|xml)$`)
