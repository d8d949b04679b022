package caption

import (
	"fmt"
	"slices"

	"sealreel/pkg/job"
	"sealreel/pkg/language"
)

// MaxEmbedded is how many caption tracks an input may have (developer guide,
// captions).
const MaxEmbedded = 300

// Policy says what becomes of embedded captions beside side-car files.
type Policy string

// The policies, by the API's names (CaptionMergePolicy).
const (
	MergeOverride Policy = "MergeOverride" // both; the side-car wins a language
	MergeRetain   Policy = "MergeRetain"   // both; the embedded track wins a language
	Override      Policy = "Override"      // side-car files alone
)

// Merge returns the captions of an output: one track a language, the embedded
// ones first. Of embedded tracks of one language the first counts. More than
// MaxEmbedded is a Failure (4103).
func Merge[T any](policy Policy, embedded, sidecar []T, languageOf func(T) string) ([]T, error) {
	if policy == Override {
		return slices.Clone(sidecar), nil
	}
	if policy != MergeOverride && policy != MergeRetain {
		return nil, fmt.Errorf("MergePolicy %.40q is unknown; use MergeOverride, MergeRetain or Override", policy)
	}
	if len(embedded) > MaxEmbedded {
		return nil, job.Fail(job.CodeCaptionTracks, "the input has %d embedded caption tracks, at most %d", len(embedded), MaxEmbedded)
	}
	var merged []T
	find := func(track T) int {
		return slices.IndexFunc(merged, func(other T) bool { return language.Same(languageOf(other), languageOf(track)) })
	}
	for _, track := range embedded {
		if find(track) < 0 {
			merged = append(merged, track)
		}
	}
	for _, track := range sidecar {
		switch i := find(track); {
		case i < 0:
			merged = append(merged, track)
		case policy == MergeOverride:
			merged[i] = track
		}
	}
	return merged, nil
}
