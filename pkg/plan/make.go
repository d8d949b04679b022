package plan

import (
	"slices"
	"time"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// Source is what the probe found in an input. Picture or Sound is nil when the
// input has none.
type Source struct {
	Picture *SourcePicture
	Sound   *SourceSound
	Artwork []SourceArtwork
	Reset   bool // the clock is set anew somewhere in the file
}

// SourcePicture is the video stream that is used. Width and Height are those of
// the coded frames; Rotation is how far they are to be turned clockwise to be
// shown, in degrees. Rate is the stream's nominal frame rate.
type SourcePicture struct {
	Stream        int
	Timeline      Timeline
	Rate          rational.Rational
	Width, Height int
	SAR           rational.Rational
	Rotation      int
	Colour        Colour
	Fields        string // their order where pictures are of two fields: TopFirst, BottomFirst, or "" for whole frames
	Deinterlace   string // which of them to take for such: Flagged, All, or "" for none
}

// SourceSound is the audio stream that is used. Start is the input's time zero
// in seconds of the stream's own clock; the sound Begins and Ends that long
// after it. Tracks are further streams of one channel each, where all of the sound
// is in such: Channels counts them, too.
type SourceSound struct {
	Stream       int
	Tracks       []int
	SampleRate   int
	Channels     int
	Start        rational.Rational
	Begins, Ends time.Duration
}

// Wish is one output that is asked for. Key is with the job's Prefix; Thumbnails
// is the bucket of its thumbnails.
type Wish struct {
	Output     job.Output
	Preset     *preset.Preset
	Bucket     string
	Prefix     string
	Key        string
	Thumbnails string
	Storage
	ThumbnailStorage Storage
	// Watermarks are the pictures of those of Output, in order.
	Watermarks []Still
	// Artwork are those of its album.
	Artwork []Still
	Clip    Span // of the only input, in place of the scenes'; zero for none
}

// Options are an operator's. ChunkSeconds is how long chunks are about to be.
type Options struct {
	ChunkSeconds int
	Window       int // see Plan
}

// mxf is the container that no file of sound alone is written in.
const mxf = "mxf"

// Make cuts the work for wishes that play a whole input: see Stitch.
func Make(src Source, wishes []Wish, opts Options) *Plan {
	p, err := Stitch([]Scene{{Source: src}}, wishes, opts)
	if err != nil {
		panic(err) // neither a clip nor another input is asked for
	}
	return p
}

// Stitch cuts the work for wishes that play the scenes one after the other: it
// fills Programmes, Sounds, Groups and Outputs of a plan. Programme 0 has a take
// for each scene. An output has the streams that both its preset and the inputs
// have; one that can't be made is planned with its failure. Scenes that don't fit
// together, and one that begins after its input's end, are a *job.Failure.
func Stitch(scenes []Scene, wishes []Wish, opts Options) (*Plan, error) {
	d := &draft{Plan: &Plan{Window: opts.Window}, seconds: int64(opts.ChunkSeconds)}
	var used streams
	for _, w := range wishes {
		used.picture, used.sound = used.picture || w.Preset.HasVideo(), used.sound || w.Preset.HasAudio()
	}
	if err := alike(scenes, used); err != nil {
		return nil, err
	}
	base, err := lay(scenes, used)
	if err != nil {
		return nil, err
	}
	d.programmes = append(d.programmes, base)
	for _, w := range wishes {
		o, err := d.output(scenes, used, w)
		if d.Outputs = append(d.Outputs, o); err != nil {
			d.Fail(len(d.Outputs)-1, job.FailureOf(err))
		}
	}
	d.cut()
	return d.Plan, nil
}

// output plans an output, all but its chunks. What can't be made is a
// *job.Failure.
func (d *draft) output(scenes []Scene, used streams, w Wish) (o Output, err error) {
	o = Output{
		ID: w.Output.ID, Group: -1, Sound: -1, Container: w.Preset.Container,
		Bucket: w.Bucket, Key: w.Key, Storage: w.Storage, Encryption: w.Output.Encryption,
	}
	programme := 0
	if w.Clip != (Span{}) {
		if programme, err = d.clipped(scenes, w.Clip, used); err != nil {
			return o, err
		}
	}
	p := d.programmes[programme]
	if p.short {
		o.Warning = job.ClipCutShort
	}
	src := p.sources[0]
	if w.Preset.Container == mxf && (src.Picture == nil || !w.Preset.HasVideo()) {
		return o, job.Fail(job.CodePresetMismatch, "preset %s makes MXF, which is written with a picture only, and there is none: "+
			"choose a preset for sound alone, such as one of the container wav", w.Preset.ID)
	}
	if src.Sound != nil && w.Preset.HasAudio() {
		s := soundOf(w.Preset.Audio, src.Sound)
		s.Programme = programme
		o.Sound, o.SoundTracks = d.sound(s), soundTracks(w.Preset.Audio, s.Channels)
	}
	switch segment := segmentSeconds(w); {
	case src.Picture != nil && w.Preset.HasVideo():
		err = d.planPicture(programme, w, segment, &o)
	case o.Sound >= 0:
		d.planSound(programme, w, segment, &o)
		o.Artwork, err = d.artwork(w, src.Artwork)
	default:
		err = mismatch(w.Preset, scenes[0].Source)
	}
	return o, err
}

func mismatch(ps *preset.Preset, src Source) *job.Failure {
	has, wants := "neither video nor audio that could be used", "video"
	switch {
	case src.Picture != nil:
		has, wants = "video only", "audio"
	case src.Sound != nil:
		has = "audio only"
	}
	return job.Fail(job.CodePresetMismatch, "preset %s makes %s, but the input has %s: choose a preset that fits the input", ps.ID, wants, has)
}

// segmentSeconds is the output's SegmentDuration: of its segments, or of the
// fragments of its file; zero for a file that has neither.
func segmentSeconds(w Wish) rational.Rational {
	seconds, _ := w.Output.SegmentSeconds()
	return seconds
}

// divide says how many frames of the output make a segment, or where it is a
// single file a fragment.
func (o *Output) divide(w Wish, frames int64) {
	if job.OutputNames("", w.Output, o.Container).Segmented() {
		o.SegmentFrames = frames
	} else {
		o.FragmentFrames = frames
	}
}

// planPicture plans an output with a picture. Its rate is that of the first
// input; what another is like is made to fit.
func (d *draft) planPicture(programme int, w Wish, segment rational.Rational, o *Output) (err error) {
	v, sources := w.Preset.Video, d.programmes[programme].sources
	rate := preset.FrameRateFor(v, sources[0].Picture.Rate)
	gop := preset.GOPFrames(v, rate, segment)
	fields := fieldsOf(v, sources[0].Picture)
	size := sources[0].Picture.size(w, fields)
	o.Picture = pictureOf(v, size, gop)
	o.Picture.Fields = fields
	for take, src := range sources[1:] {
		o.Picture.fit(take+1, src.Picture.size(w, fields))
	}
	o.Picture.Conversion = conversionOf(v, o.Picture, sources[0].Picture, rate, segment.Sign() > 0)
	if v.CodecOptions["ColorSpaceConversionMode"] != "" {
		o.Conversion = o.Picture.Conversion
	}
	if err := o.Picture.sameSize(o.Key); err != nil {
		return err
	}
	if o.Picture.Marks = d.marks(w, size); len(o.Picture.Marks) > 0 {
		o.Picture.Matrix = matrix(sources[0].Picture.Colour.Matrix, size.Width(), size.Height())
		if _, to, converted := o.Picture.Converted(); converted {
			o.Picture.Matrix = to
		}
		for take, other := range o.Picture.Others {
			if marks := d.marks(w, other); !slices.Equal(marks, o.Picture.Marks) {
				o.Picture.otherMarks(take, marks)
			}
		}
	}
	if o.Thumbnails, err = thumbnailsOf(w, sources); err != nil {
		return err
	}
	pieces := int64(gop.SegmentFrames)
	o.divide(w, pieces)
	n := need{unit: max(pieces, 1), lead: leadFrames(gop.Frames, rate), whole: o.Picture.Whole(), fields: fields != ""}
	switch {
	case n.whole:
		n.unit, n.lead = 1, 0
	case gop.Fixed && pieces == 0:
		n.unit = int64(gop.Frames)
	}
	o.Group = d.join(programme, true, rate, n, len(d.Outputs))
	return nil
}

// size is how the picture becomes that of an output.
func (p *SourcePicture) size(w Wish, fields string) preset.Geometry {
	g := preset.SizeFor(w.Preset.Video, p.Width, p.Height, p.SAR, rotation(w.Output.Rotate, p.Rotation))
	if fields != "" {
		return inFields(g)
	}
	return g
}

// rotation is how far to turn: what the output says, or for auto what the input
// says.
func rotation(wanted string, detected int) int {
	switch wanted {
	case "90":
		return 90
	case "180":
		return 180
	case "270":
		return 270
	case "0":
		return 0
	}
	return detected
}
