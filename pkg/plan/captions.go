package plan

import (
	"sealreel/pkg/caption"
	"sealreel/pkg/job"
	"sealreel/pkg/task"
)

// Captions are those of an output: the tracks that were found, one a language,
// and the formats that each is written in.
type Captions struct {
	Tracks  []CaptionTrack  `json:"tracks,omitempty"`
	Formats []CaptionFormat `json:"formats"`
}

// CaptionTrack is the captions of one language, in pieces that the takes of the
// output's programme have.
type CaptionTrack struct {
	Language string         `json:"language"`
	Label    string         `json:"label,omitempty"`
	Pieces   []CaptionPiece `json:"pieces"`
}

// CaptionPiece is the captions of the input of a take, as a file of the work
// bucket that caption.Unpack reads. Their times count from the input's time zero.
type CaptionPiece struct {
	Take int           `json:"take"` // its place in the programme
	File task.WorkFile `json:"file"`
	// Source is the version of the side-car file that they were read from; nil of
	// captions that were in the input.
	Source *Input `json:"source,omitempty"`
}

// CaptionFormat is one form in which an output gets its captions. Prefix is the
// job's.
type CaptionFormat struct {
	Format     caption.Format  `json:"format"`
	Prefix     string          `json:"prefix,omitempty"`
	Pattern    string          `json:"pattern,omitempty"`
	Encryption *job.Encryption `json:"encryption,omitempty"` // as that of an Output
}

// CaptionFiles are the caption files of an output in one format and language.
type CaptionFiles struct {
	caption.Names
	Format CaptionFormat
	Track  CaptionTrack
	owner  Output
}

// CaptionFiles are all files of captions beside the output's media.
func (o Output) CaptionFiles() []CaptionFiles {
	if o.Captions == nil {
		return nil
	}
	var all []CaptionFiles
	for _, f := range o.Captions.Formats {
		if f.Format.Embedded() {
			continue
		}
		for _, t := range o.Captions.Tracks {
			names := caption.NamesOf(f.Prefix, f.Pattern, t.Language, f.Format, o.Container, o.SegmentFrames > 0)
			all = append(all, CaptionFiles{Names: names, Format: f, Track: t, owner: o})
		}
	}
	return all
}

// Output is the output as far as storing the files goes: where they lie and how
// they are encrypted. The files of all languages are a set under one Encryption,
// as segments are.
func (c CaptionFiles) Output() Output {
	return Output{Job: c.owner.Job, ID: c.owner.ID, Container: c.owner.Container, Bucket: c.owner.Bucket, Key: c.Set(),
		Encryption: c.Format.Encryption, Storage: c.owner.Storage, set: true}
}

// Takes are those of the output's programme.
func (p *Plan) Takes(o Output) []Take { return p.Programmes[p.Groups[o.Group].Programme] }

// EmbeddedCaptions are the tracks that become part of the output's media file.
func (o Output) EmbeddedCaptions() []CaptionTrack {
	if o.Captions == nil {
		return nil
	}
	for _, f := range o.Captions.Formats {
		if f.Format == caption.MovText {
			return o.Captions.Tracks
		}
	}
	return nil
}
