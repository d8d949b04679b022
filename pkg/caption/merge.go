package caption

import (
	"fmt"
	"slices"

	"sealreel/pkg/job"
)

// The limits of captions (developer guide, captions).
const (
	MaxSources  = 20  // side-car files of an input
	MaxEmbedded = 300 // tracks within an input
	MaxFormats  = 4   // formats of an output
	MaxLabel    = 40  // characters
)

// Policy says what becomes of embedded captions beside side-car files.
type Policy string

// The policies, by the API's names (CaptionMergePolicy).
const (
	MergeOverride Policy = "MergeOverride" // both; the side-car wins a language
	MergeRetain   Policy = "MergeRetain"   // both; the embedded track wins a language
	Override      Policy = "Override"      // side-car files alone
)

// PolicyPattern is the API's rule of MergePolicy.
const PolicyPattern = `(^MergeOverride$)|(^MergeRetain$)|(^Override$)`

// Merge returns the captions of an output: one track a language, the embedded
// ones first. Of embedded tracks of one language the first counts. More than
// MaxEmbedded is a Failure (4103).
func Merge(policy Policy, embedded, sidecar []Track) ([]Track, error) {
	if policy == Override {
		return slices.Clone(sidecar), nil
	}
	if policy != MergeOverride && policy != MergeRetain {
		return nil, fmt.Errorf("MergePolicy %.40q is unknown; use MergeOverride, MergeRetain or Override", policy)
	}
	if len(embedded) > MaxEmbedded {
		return nil, job.Fail(job.CodeCaptionTracks, "the input has %d embedded caption tracks, at most %d", len(embedded), MaxEmbedded)
	}
	var merged []Track
	for _, track := range embedded {
		if indexOf(merged, track.Language) < 0 {
			merged = append(merged, track)
		}
	}
	for _, track := range sidecar {
		switch i := indexOf(merged, track.Language); {
		case i < 0:
			merged = append(merged, track)
		case policy == MergeOverride:
			merged[i] = track
		}
	}
	return merged, nil
}

// Repeated returns the index of the first language that stands earlier in the
// list too, however it is spelled, or -1: the sources of an input may have one
// file a language.
func Repeated(languages []string) int {
	for i, language := range languages {
		if slices.ContainsFunc(languages[:i], func(l string) bool { return SameLanguage(l, language) }) {
			return i
		}
	}
	return -1
}

// indexOf finds the track of a language, however it is spelled; -1 for none.
func indexOf(tracks []Track, language string) int {
	return slices.IndexFunc(tracks, func(t Track) bool { return SameLanguage(t.Language, language) })
}
