package job

import (
	"fmt"
	"slices"

	"sealreel/pkg/document"
	"sealreel/pkg/rational"
)

// Shortest and longest SegmentDuration in seconds.
const (
	minSegment = 1
	maxSegment = 60
)

func segmentRange(value string) string {
	d, err := rational.Parse(value)
	if err != nil || d.Less(rational.Int(minSegment)) || rational.Int(maxSegment).Less(d) {
		return fmt.Sprintf("Member must be a number of seconds from %d to %d", minSegment, maxSegment)
	}
	return ""
}

// SegmentSeconds is the output's SegmentDuration in seconds, and false when it
// has none.
func (o Output) SegmentSeconds() (rational.Rational, bool) {
	d, err := rational.Parse(o.SegmentDuration)
	return d, err == nil && d.Sign() > 0
}

// checkOutputs refuses two outputs of one key. That the names made from
// different keys differ too depends on the presets' containers.
func checkOutputs(problems *document.Problems, prefix string, outputs []locatedOutput) {
	first := map[string]string{}
	for _, o := range outputs {
		if o.Key == "" {
			continue // reported already
		}
		if other, twice := first[o.Key]; twice {
			problems.Add(o.path+".key", o.Key, fmt.Sprintf("Member must differ from the key of '%s'", other))
		}
		first[o.Key] = o.path
		if len(prefix)+len(o.Key)+longestSuffix > MaxOutputName {
			problems.Add(o.path+".key", o.Key, fmt.Sprintf("Member with OutputKeyPrefix in front must have at most %d bytes in UTF-8",
				MaxOutputName-longestSuffix))
		}
		checkFileNames(problems, prefix, o)
	}
}

// checkFileNames: S3's limit holds for the names of thumbnails and captions too.
// What stands for {count}, {resolution} and {language} is no longer than they.
func checkFileNames(problems *document.Problems, prefix string, o locatedOutput) {
	const longestEnding = len("00000.webvtt")
	tooLong := func(path, pattern string) {
		if len(prefix)+len(pattern)+longestEnding > MaxOutputName {
			problems.Add(path, pattern, fmt.Sprintf("Member with OutputKeyPrefix in front must have at most %d bytes in UTF-8", MaxOutputName-longestEnding))
		}
	}
	tooLong(o.path+".thumbnailPattern", o.ThumbnailPattern)
	if o.Captions == nil {
		return
	}
	for i, f := range o.Captions.CaptionFormats {
		tooLong(fmt.Sprintf("%s.captions.captionFormats.%d.member.pattern", o.path, i+1), f.Pattern)
	}
}

// checkOlderForms: clips and caption sources belong to inputs, and to outputs
// the older way, which has no say where there are several inputs or the newer
// way is used.
func checkOlderForms(problems *document.Problems, inputs []Input, outputs []locatedOutput) {
	clips := slices.ContainsFunc(inputs, func(in Input) bool { return in.TimeSpan != nil })
	captions := slices.ContainsFunc(inputs, func(in Input) bool { return in.InputCaptions != nil })
	refuse := func(path, newer string, both bool) {
		switch {
		case both:
			problems.Addf(path, "'%s' can't be given beside %s of an input: leave out the former, which is the older way to say it", path, newer)
		case len(inputs) > 1:
			problems.Addf(path, "'%s' can't be given for several Inputs: give each its %s", path, newer)
		}
	}
	for _, o := range outputs {
		if len(o.Composition) > 0 {
			refuse(o.path+".composition", "TimeSpan", clips)
		}
		if o.Captions != nil && len(o.Captions.CaptionSources) > 0 {
			refuse(o.path+".captions.captionSources", "InputCaptions", captions)
		} else if o.Captions != nil && o.Captions.MergePolicy != "" && captions {
			refuse(o.path+".captions.mergePolicy", "InputCaptions", captions)
		}
	}
}
