package preset

import (
	"cmp"

	"sealreel/pkg/document"
)

// MaxDocument is the longest preset read, in bytes.
const MaxDocument = 64 << 10

// Types of a preset (API: PresetType).
const (
	TypeSystem = "System"
	TypeCustom = "Custom"
)

// Parse reads a preset as ReadPreset showed it: strictly and with every
// problem at once, as a *document.ValidationError. Text that is no JSON gives a
// *document.SyntaxError.
//
// Defaults of the API are left unset; the methods and rules of this package
// apply them.
func Parse(doc []byte) (*Preset, error) {
	root, err := document.Parse(doc, MaxDocument)
	if err != nil {
		return nil, err
	}
	if !root.Has("Id") {
		root.Missing("Id")
	}
	p := read(root, "")
	if err := root.Problems().Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// ParseNew reads a preset that is to be made: a CreatePreset request, which gets
// the id; or a custom preset as ReadPreset answered it, alone or in the member
// Preset of the answer, which keeps its own, so that jobs written for it find it.
// Errors are those of Parse.
func ParseNew(doc []byte, id string) (*Preset, error) {
	root, err := document.Parse(doc, MaxDocument)
	if err != nil {
		return nil, err
	}
	o := root
	if root.Has("Preset") {
		root.Has("Warning") // of an answer, and no part of the preset
		root.Close()
		o = root.Object("Preset")
	}
	var p *Preset
	if o != nil {
		if p = read(o, id); p.Type == TypeSystem {
			root.Problems().Add(o.Path("Type"), p.Type, "Member must be Custom or left out: system presets are part of Sealreel")
		}
	}
	if err := root.Problems().Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// read reads a preset and closes it. One without an Id gets the one given.
func read(root *document.Object, id string) *Preset {
	p := &Preset{
		ID:          cmp.Or(root.String("Id", idRule), id),
		Arn:         root.String("Arn"),
		Description: root.String("Description", document.Length(0, 255)),
		Container: root.Required("Container",
			document.OneOf("mp4", "ts", "webm", "mp3", "flac", "oga", "ogg", "fmp4", "mpg", "flv", "gif", "mxf", "wav", "mp2")),
		Type: root.String("Type", document.OneOf(TypeSystem, TypeCustom)),
	}
	if p.Type == "" {
		p.Type = TypeCustom
	}
	p.Name = root.Required("Name", document.Length(1, longestName(p.Type)))
	hasVideo, hasAudio := root.Has("Video"), root.Has("Audio")
	p.Video = readVideo(root.Object("Video"))
	p.Audio = readAudio(root.Object("Audio"))
	p.Thumbnails = readThumbnails(root.Object("Thumbnails"))
	if !hasVideo && (!hasAudio || p.Audio != nil && !p.HasAudio()) {
		root.Problems().Addf("video", "A preset must have Video, Audio or both.")
	}
	checkContainer(root.Problems(), p)
	checkStills(root.Problems(), p)
	root.Close()
	return p
}

// longestName is the API's limit for the name of a preset that is made; some of
// the service's own go beyond it.
func longestName(presetType string) int {
	if presetType == TypeSystem {
		return 255
	}
	return 40
}

func readAudio(o *document.Object) *Audio {
	if o == nil {
		return nil
	}
	defer o.Close()
	a := &Audio{
		Codec:            o.Required("Codec", document.OneOf("AAC", "vorbis", "mp3", "mp2", "pcm", "flac")),
		Channels:         o.String("Channels", document.OneOf("auto", "0", "1", "2")),
		AudioPackingMode: o.String("AudioPackingMode", document.BlankOr(document.OneOf(SingleTrack, OneChannelPerTrack, OneChannelPerTrackOf8))),
	}
	a.SampleRate = o.String("SampleRate", document.OneOf(append([]string{"auto"}, sampleRates...)...), sampleRateOf(a.Codec))
	switch a.Codec {
	case "pcm", "flac":
		a.BitRate = o.String("BitRate", document.BlankOr(audioBitRate))
	default:
		a.BitRate = o.Required("BitRate", audioBitRate, between(16, 320))
	}
	if options := o.Object("CodecOptions"); options != nil {
		read := readOptions(options, audioOptions, a.Codec)
		a.CodecOptions = &AudioOptions{Profile: read["Profile"], BitDepth: read["BitDepth"], BitOrder: read["BitOrder"], Signed: read["Signed"]}
		options.Close()
	}
	return a
}

func readVideo(o *document.Object) *Video {
	if o == nil {
		return nil
	}
	defer o.Close()
	v := &Video{
		Codec:              o.Required("Codec", document.OneOf(H264, "vp8", "vp9", "mpeg2", "gif")),
		KeyframesMaxDist:   o.String("KeyframesMaxDist", between(1, 100000)),
		FixedGOP:           o.String("FixedGOP", document.OneOf("true", "false")),
		BitRate:            o.String("BitRate", bitRate),
		FrameRate:          o.String("FrameRate", document.OneOf(append([]string{"auto"}, frameRates...)...)),
		MaxFrameRate:       o.String("MaxFrameRate", document.OneOf(frameRates...)),
		Resolution:         o.String("Resolution", resolutionForm, resolution(sizeLimits)),
		AspectRatio:        o.String("AspectRatio", aspectRatio),
		MaxWidth:           o.String("MaxWidth", autoOrEven(sizeLimits.leastWidth, sizeLimits.mostWidth)),
		MaxHeight:          o.String("MaxHeight", autoOrEven(sizeLimits.leastHeight, sizeLimits.mostHeight)),
		DisplayAspectRatio: o.String("DisplayAspectRatio", aspectRatio),
		SizingPolicy:       o.String("SizingPolicy", sizingPolicy),
		PaddingPolicy:      o.String("PaddingPolicy", paddingPolicy),
	}
	if options := o.Object("CodecOptions"); options != nil {
		v.CodecOptions = readOptions(options, videoOptions, v.Codec)
		settle(v.CodecOptions)
		options.Close()
	}
	v.Watermarks = readWatermarks(o, v.box())
	if additions := o.Object("Sealreel"); additions != nil {
		v.Sealreel = &Additions{RateFactor: additions.Required("RateFactor", rateFactor)}
		additions.Close()
	}
	checkVideo(o, v)
	return v
}

// checkVideo holds the rules between the members of Video.
func checkVideo(o *document.Object, v *Video) {
	problems := o.Problems()
	_, constantQuality := v.RateFactor()
	switch {
	case constantQuality && v.BitRate != "":
		problems.Addf(o.Path("BitRate"), "'%s' must be left out, since Sealreel.RateFactor asks for constant quality.", o.Path("BitRate"))
	case !o.Has("BitRate") && !o.Has("Sealreel"):
		problems.Addf(o.Path("BitRate"), "'%s' must be given: kbit/s, or auto; or ask for constant quality by Sealreel.RateFactor.", o.Path("BitRate"))
	}
	if constantQuality && v.Codec != "" && v.Codec != H264 && v.Codec != "vp9" {
		problems.Addf(o.Path("Sealreel"), "'%s.rateFactor' must be left out: constant quality is made in the codecs H.264 and vp9 only.", o.Path("Sealreel"))
	}
	if v.Lossless() && v.Codec != "vp9" && v.Profile() != "" {
		problems.Addf(o.Path("CodecOptions"), "'%s.profile' must be left out, since no profile of the API can be lossless (RateFactor 0).", o.Path("CodecOptions"))
	}
	checkSizePairs(o)
}

// checkSizePairs: Resolution is the older way to say a size and excludes the
// newer one. AspectRatio alone beside the newer one is let through, since a
// system preset has it so.
func checkSizePairs(o *document.Object) {
	if !o.Has("Resolution") {
		return
	}
	for _, name := range []string{"MaxWidth", "MaxHeight", "SizingPolicy", "PaddingPolicy", "DisplayAspectRatio"} {
		if o.Has(name) {
			o.Problems().Addf(o.Path("Resolution"), "'%s' and '%s' can't both be given: leave out Resolution and AspectRatio.", o.Path("Resolution"), o.Path(name))
			return
		}
	}
}

func readThumbnails(o *document.Object) *Thumbnails {
	if o == nil {
		return nil
	}
	defer o.Close()
	t := &Thumbnails{
		Format:        o.String("Format", document.OneOf("jpg", "png")),
		Interval:      o.String("Interval", interval, between(1, 99999)),
		Resolution:    o.String("Resolution", sizeForm, resolution(thumbnailLimits)),
		AspectRatio:   o.String("AspectRatio", aspectRatio),
		MaxWidth:      o.String("MaxWidth", autoOrEven(thumbnailLimits.leastWidth, thumbnailLimits.mostWidth)),
		MaxHeight:     o.String("MaxHeight", autoOrEven(thumbnailLimits.leastHeight, thumbnailLimits.mostHeight)),
		SizingPolicy:  o.String("SizingPolicy", sizingPolicy),
		PaddingPolicy: o.String("PaddingPolicy", paddingPolicy),
	}
	checkSizePairs(o)
	return t
}

// checkStills: an older thumbnail is no larger than an older video.
func checkStills(problems *document.Problems, p *Preset) {
	if p.Video == nil || p.Thumbnails == nil {
		return
	}
	videoW, videoH, sized := splitResolution(p.Video.Resolution)
	w, h, given := splitResolution(p.Thumbnails.Resolution)
	if sized && given && (w > videoW || h > videoH) {
		problems.Add("thumbnails.resolution", p.Thumbnails.Resolution, "Member must not exceed the Resolution of the video, "+p.Video.Resolution)
	}
}
