package encode

import (
	"cmp"
	"slices"
	"strings"

	"sealreel/pkg/plan"
)

// tinted makes the pictures of a take go on as those of the take before: it is
// empty for one that comes alone, or goes on with what is behind it.
func tinted(v *plan.Video) string {
	j := v.Join
	if j == nil {
		return ""
	}
	var convert []string
	if j.Into != "" {
		convert = append(convert, "in_color_matrix="+j.Matrix, "out_color_matrix="+j.Into)
	}
	if j.Full {
		convert = append(convert, "in_range=full", "out_range=limited")
	}
	said := "setparams=range=" + named(j.Said.Range, ranges) + ":color_primaries=" + named(j.Said.Primaries, primaries) +
		":color_trc=" + named(j.Said.Transfer, transfers) + ":colorspace=" + named(j.Said.Matrix, matrices)
	if len(convert) == 0 {
		return "," + said
	}
	return ",scale=" + strings.Join(convert, ":") + ":flags=" + exactly + "," + said
}

// exactly is how colours are converted: without it they are off by a few steps.
const exactly = "bicubic+accurate_rnd+full_chroma_int"

// named is a name that the filter knows.
func named(name string, known []string) string {
	if !slices.Contains(known, name) {
		name = ""
	}
	return cmp.Or(name, "unknown")
}

// The names that ffprobe prints and setparams reads.
var (
	ranges    = []string{"tv", "pc"}
	primaries = []string{"bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "film", "bt2020", "smpte428", "smpte431", "smpte432"}
	transfers = []string{"bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "linear", "log100", "log316", "iec61966-2-4",
		"bt1361e", "iec61966-2-1", "bt2020-10", "bt2020-12", "smpte2084", "smpte428", "arib-std-b67"}
	matrices = []string{"bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "ycgco", "bt2020nc", "bt2020c", "smpte2085"}
)
