package job

import (
	"fmt"
	"slices"

	"sealreel/pkg/document"
	"sealreel/pkg/language"
)

// CaptionSource is a side-car caption file in the input bucket (API:
// CaptionSource). Language is an ISO 639 code of two or three letters.
type CaptionSource struct {
	Key        string      `json:"Key"`
	Language   string      `json:"Language"`
	TimeOffset string      `json:"TimeOffset,omitempty"`
	Label      string      `json:"Label,omitempty"`
	Encryption *Encryption `json:"Encryption,omitempty"`
}

// InputCaptions are the side-car captions of an input, and how they go together
// with those in the file (API: InputCaptions).
type InputCaptions struct {
	MergePolicy    string          `json:"MergePolicy,omitempty"`
	CaptionSources []CaptionSource `json:"CaptionSources,omitempty"`
}

// CaptionFormat is one form in which an output gets its captions (API:
// CaptionFormat). Pattern names the files of a side-car format.
type CaptionFormat struct {
	Format     string      `json:"Format"`
	Pattern    string      `json:"Pattern,omitempty"`
	Encryption *Encryption `json:"Encryption,omitempty"`
}

// Embedded says whether the captions are put into the media file.
func (f CaptionFormat) Embedded() bool { return f.Format == "mov-text" || f.Format == "cea-708" }

// Captions are those of an output (API: Captions). MergePolicy and
// CaptionSources are the older place of InputCaptions.
type Captions struct {
	MergePolicy    string          `json:"MergePolicy,omitempty"`
	CaptionSources []CaptionSource `json:"CaptionSources,omitempty"`
	CaptionFormats []CaptionFormat `json:"CaptionFormats,omitempty"`
}

// CaptionsFrom are the side-car captions of an input for the output, and how they
// go together with those in the file: the input's or, the older way, the
// output's own.
func (o Output) CaptionsFrom(in Input) InputCaptions {
	switch c := o.Captions; {
	case c != nil && (c.MergePolicy != "" || len(c.CaptionSources) > 0):
		return InputCaptions{MergePolicy: c.MergePolicy, CaptionSources: c.CaptionSources}
	case in.InputCaptions != nil:
		return *in.InputCaptions
	}
	return InputCaptions{}
}

const (
	maxCaptionSources = 20
	maxCaptionFormats = 4
)

var (
	mergePolicyRule   = document.OneOf("MergeOverride", "MergeRetain", "Override")
	captionFormatRule = document.OneOf("mov-text", "srt", "scc", "webvtt", "dfxp", "cea-708")
	captionNameRule   = document.Pattern(`(^$)|(^.*\{language\}.*$)`)
	timeOffsetRule    = document.Pattern(`(^[+-]?\d{1,5}(\.\d{0,3})?$)|(^[+-]?([0-1]?[0-9]:|2[0-3]:)?([0-5]?[0-9]:)?[0-5]?[0-9](\.\d{0,3})?$)`)
)

func languageRule(value string) string {
	if _, err := language.Alpha3(value); err != nil {
		return "Member must be an ISO 639 code of two or three letters"
	}
	return ""
}

// readInputCaptions is nil for captions that ask for nothing.
func readInputCaptions(o *document.Object) *InputCaptions {
	if o == nil {
		return nil
	}
	defer o.Close()
	policy, sources := readCaptionSources(o)
	if policy == "" && len(sources) == 0 {
		return nil
	}
	return &InputCaptions{MergePolicy: policy, CaptionSources: sources}
}

// readCaptionSources reads what inputs and, the older way, outputs have.
func readCaptionSources(o *document.Object) (policy string, sources []CaptionSource) {
	before := o.Problems().Len()
	policy = o.String("MergePolicy", document.BlankOr(mergePolicyRule))
	if policy == "" && o.Problems().Len() == before && !o.Empty("CaptionSources") {
		o.Missing("MergePolicy")
	}
	var paths []string
	for _, child := range o.Objects("CaptionSources", maxCaptionSources) {
		source := readCaptionSource(child)
		other := slices.IndexFunc(sources, func(s CaptionSource) bool { return language.Same(s.Language, source.Language) })
		if other >= 0 && source.Language != "" {
			o.Problems().Add(child.Path("Language"), source.Language, fmt.Sprintf("Member must differ from the language of '%s'", paths[other]))
		}
		sources, paths = append(sources, source), append(paths, child.Path(""))
	}
	return policy, sources
}

func readCaptionSource(o *document.Object) CaptionSource {
	defer o.Close()
	return CaptionSource{
		Key:        o.Required("Key", document.Length(1, 1024), inputKey),
		Language:   o.Required("Language", languageRule),
		TimeOffset: o.String("TimeOffset", document.BlankOr(timeOffsetRule)),
		Label:      o.String("Label", document.BlankOr(document.Length(1, 40))),
		Encryption: readEncryption(o.Object("Encryption"), reading),
	}
}

// readCaptions is nil for captions that ask for nothing.
func readCaptions(o *document.Object) *Captions {
	if o == nil {
		return nil
	}
	defer o.Close()
	c := &Captions{}
	c.MergePolicy, c.CaptionSources = readCaptionSources(o)
	for _, child := range o.Objects("CaptionFormats", maxCaptionFormats) {
		before := o.Problems().Len()
		f := readCaptionFormat(child)
		if o.Problems().Len() == before {
			checkFormat(child, f, c.CaptionFormats)
		}
		c.CaptionFormats = append(c.CaptionFormats, f)
	}
	asks := c.MergePolicy != "" || len(c.CaptionSources) > 0
	switch {
	case asks && o.Empty("CaptionFormats"):
		o.Problems().Addf(o.Path("CaptionFormats"), "'%s' must have one element or more: without a format no captions are written", o.Path("CaptionFormats"))
	case !asks && len(c.CaptionFormats) == 0:
		return nil
	}
	return c
}

func readCaptionFormat(o *document.Object) CaptionFormat {
	defer o.Close()
	return CaptionFormat{
		Format:     o.Required("Format", captionFormatRule),
		Pattern:    o.String("Pattern", captionNameRule, outputKey),
		Encryption: readEncryption(o.Object("Encryption"), writing),
	}
}

// checkFormat holds the rules between one format and those before it.
func checkFormat(o *document.Object, f CaptionFormat, before []CaptionFormat) {
	problems := o.Problems()
	switch {
	case !f.Embedded() && f.Pattern == "":
		problems.Addf(o.Path("Pattern"), "'%s' must be given: it names the files of the format %s, with {language} in it", o.Path("Pattern"), f.Format)
	case f.Embedded() && f.Encryption != nil:
		problems.Addf(o.Path("Encryption"), "'%s' must be left out: captions in the format %s are part of the media file and are encrypted with it", o.Path("Encryption"), f.Format)
	}
	for _, other := range before {
		switch {
		case other.Format == f.Format:
			problems.Add(o.Path("Format"), f.Format, "Member must differ from the other formats of the output")
		case other.Embedded() && f.Embedded():
			problems.Add(o.Path("Format"), f.Format, "Member must not be an embedded format, of which an output may have one, beside "+other.Format)
		}
	}
}

// sameCaptions says whether two outputs have the same caption settings, as
// those of one playlist must; their files' names and keys are their own.
func sameCaptions(a, b *Captions) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.MergePolicy == b.MergePolicy &&
		slices.EqualFunc(a.CaptionSources, b.CaptionSources, func(x, y CaptionSource) bool {
			return x.Key == y.Key && x.Language == y.Language && x.TimeOffset == y.TimeOffset && x.Label == y.Label
		}) &&
		slices.EqualFunc(a.CaptionFormats, b.CaptionFormats, func(x, y CaptionFormat) bool { return x.Format == y.Format })
}
