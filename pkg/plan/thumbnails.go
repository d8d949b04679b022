package plan

import (
	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// Thumbnails are the still pictures of an output. Number n, from 1, is what is
// shown n-1 times Seconds after time zero: exactly one chunk has that frame,
// whichever way the job is cut. There is one for every such time before the end,
// and so always the first.
type Thumbnails struct {
	Bucket  string             `json:"bucket"`
	Names   job.ThumbnailNames `json:"names"`
	Seconds int64              `json:"seconds"`
	Fit     Fit                `json:"fit"`
	// Others are the fits of takes that need another one, by their place in the
	// programme.
	Others     map[int]Fit     `json:"others,omitempty"`
	Encryption *job.Encryption `json:"encryption,omitempty"` // as that of an Output
	Storage
}

// Fit is how thumbnails are made of an input's picture: Matrix is that of its
// colours, as ffmpeg names it.
type Fit struct {
	Geometry preset.Geometry `json:"geometry"`
	Matrix   string          `json:"matrix"`
}

// Of is the fit of a take.
func (t *Thumbnails) Of(take int) Fit {
	if f, other := t.Others[take]; other {
		return f
	}
	return t.Fit
}

// thumbnailsOf derives the thumbnails that an output asks for; nil for none.
// Sources of which they would come out in different sizes are a *job.Failure.
func thumbnailsOf(w Wish, sources []Source) (*Thumbnails, error) {
	ps := w.Preset.Thumbnails
	if w.Output.ThumbnailPattern == "" || ps == nil {
		return nil, nil
	}
	t := &Thumbnails{Bucket: w.Thumbnails, Seconds: int64(ps.Seconds()), Others: map[int]Fit{}, Encryption: w.Output.ThumbnailEncryption, Storage: w.ThumbnailStorage}
	for take, src := range sources {
		p := src.Picture
		f := Fit{
			Geometry: preset.ThumbnailSizeFor(ps, p.Width, p.Height, p.SAR, rotation(w.Output.Rotate, p.Rotation)),
			Matrix:   p.matrix(),
		}
		if take == 0 {
			t.Fit = f
		}
		if first := t.Fit.Geometry; f.Geometry.Width() != first.Width() || f.Geometry.Height() != first.Height() || f.Geometry.SAR.Cmp(first.SAR) != 0 {
			return nil, job.Fail(job.CodeInputsThumbnails, "thumbnails of output %s would be %s with input #1 and %s with input #%d: choose a preset whose Thumbnails have the PaddingPolicy Pad, or inputs of one shape",
				w.Output.Key, size(first.Width(), first.Height()), size(f.Geometry.Width(), f.Geometry.Height()), take+1)
		}
		if f != t.Fit {
			t.Others[take] = f
		}
	}
	g := t.Fit.Geometry
	t.Names = job.OutputThumbnails(w.Prefix, w.Output, ps.Format, g.Width(), g.Height())
	return t, nil
}

// frames is how many places of a grid lie between two thumbnails.
func (t *Thumbnails) frames(rate rational.Rational) rational.Rational {
	return rate.Mul(rational.Int(t.Seconds))
}

// Place is the place on a grid of the frame that is thumbnail number n.
func (t *Thumbnails) Place(n int64, rate rational.Rational) int64 {
	return t.frames(rate).Floor(n - 1)
}

// From is the number of the first thumbnail whose frame is not before place: of a
// run of frames from First to End, the thumbnails are those from From(First) up
// to and without From(End). At less than a frame for each of them one frame is
// several.
func (t *Thumbnails) From(place int64, rate rational.Rational) int64 {
	return t.frames(rate).Inv().Ceil(place) + 1
}

// ThumbnailSet is the output as far as storing its thumbnails goes: where they lie, how they
// are stored and how they are encrypted. They are a set of files, as segments are.
func (o Output) ThumbnailSet() Output {
	t := o.Thumbnails
	return Output{Job: o.Job, ID: o.ID, Bucket: t.Bucket, Key: t.Names.All(), Encryption: t.Encryption, Storage: t.Storage, set: true}
}

// Set says whether the output is several files under one Encryption, so that each
// needs an IV of its own.
func (o Output) Set() bool { return o.set || o.SegmentFrames > 0 }
