package caption

import (
	"fmt"
	"slices"
	"strings"
)

// The API's rules of CaptionFormat's members.
const (
	FormatPattern = `(^mov-text$)|(^srt$)|(^scc$)|(^webvtt$)|(^dfxp$)|(^cea-708$)`
	NamePattern   = `(^$)|(^.*\{language\}.*$)`
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

// Names are the keys of the caption files of one format and language.
type Names struct {
	stem, extension string
}

// NamesOf makes the names of a CaptionFormat's files: {prefix}{pattern} with
// {language} replaced. A pattern without it has it behind, so the empty one is
// the language alone.
func NamesOf(prefix, pattern, language string, format Format, container string) Names {
	if !strings.Contains(pattern, languageMark) {
		pattern += languageMark
	}
	return Names{prefix + strings.ReplaceAll(pattern, languageMark, language), format.Extension(container)}
}

// Single is the key of the file when there is one.
func (n Names) Single() string { return n.stem + n.extension }

// Segment is the key of the file that belongs to a segment of the output,
// counted from 0.
func (n Names) Segment(index int) string { return fmt.Sprintf("%s%05d%s", n.stem, index, n.extension) }

// CheckFormat says why an output of the container can't have captions of the
// format, or nothing (developer guide, captions; API, CaptionFormat.Format).
// Picture says that the output has one.
func CheckFormat(format Format, container string, picture bool) string {
	switch {
	case !picture:
		return "captions need an output with a picture; remove Captions from outputs with sound alone"
	case format == CEA708:
		return "captions in format cea-708 are not made; use mov-text in mp4, or a side-car format"
	case format == MovText && container != "mp4":
		return fmt.Sprintf("captions in format mov-text need the container mp4, not %s", container)
	case container == "fmp4" && format != DFXP && format != WebVTT:
		return fmt.Sprintf("captions of the container fmp4 are dfxp (Smooth) or webvtt (MPEG-DASH), not %s", format)
	case !slices.Contains([]Format{SRT, WebVTT, DFXP, SCC, MovText}, format):
		return fmt.Sprintf("the caption format %.40q is unknown; use mov-text, srt, webvtt, dfxp or scc", format)
	}
	return ""
}
