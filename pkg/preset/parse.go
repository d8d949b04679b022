package preset

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"sealreel/pkg/document"
	"sealreel/pkg/rational"
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
	p := &Preset{
		ID:          root.Required("Id", idRule),
		Arn:         root.String("Arn"),
		Name:        root.Required("Name", document.Length(1, 40)),
		Description: root.String("Description", document.Length(0, 255)),
		Container: root.Required("Container", document.Later("the container",
			"webm", "mp3", "flac", "oga", "ogg", "fmp4", "mpg", "flv", "gif", "mxf", "wav", "mp2"), document.OneOf("mp4", "ts")),
		Type: root.String("Type", document.OneOf(TypeSystem, TypeCustom)),
	}
	if p.Type == "" {
		p.Type = TypeCustom
	}
	hasVideo, hasAudio := root.Has("Video"), root.Has("Audio")
	p.Video = readVideo(root.Object("Video"))
	p.Audio = readAudio(root.Object("Audio"))
	p.Thumbnails = readThumbnails(root.Object("Thumbnails"))
	if !hasVideo && (!hasAudio || p.Audio != nil && !p.HasAudio()) {
		root.Problems().Addf("video", "A preset must have Video, Audio or both.")
	}
	root.Close()
	if err := root.Problems().Err(); err != nil {
		return nil, err
	}
	return p, nil
}

func readAudio(o *document.Object) *Audio {
	if o == nil {
		return nil
	}
	defer o.Close()
	a := &Audio{
		Codec:      o.Required("Codec", document.Later("audio in the codec", "vorbis", "mp3", "mp2", "pcm", "flac"), document.OneOf("AAC")),
		SampleRate: o.String("SampleRate", document.OneOf("auto", "22050", "32000", "44100", "48000", "96000")),
		BitRate:    o.Required("BitRate", between(16, 320)),
		Channels:   o.String("Channels", document.OneOf("auto", "0", "1", "2")),
		AudioPackingMode: o.String("AudioPackingMode", document.Later("the AudioPackingMode",
			"OneChannelPerTrack", "OneChannelPerTrackWithMosTo8Tracks"), document.OneOf("SingleTrack")),
	}
	if options := o.Object("CodecOptions"); options != nil {
		options.NotYet("BitDepth", "BitOrder", "Signed")
		a.CodecOptions = &AudioOptions{
			Profile: options.String("Profile", document.Later("the AAC profile", "HE-AAC", "HE-AACv2"), document.OneOf("auto", "AAC-LC")),
		}
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
		Codec:              o.Required("Codec", document.Later("video in the codec", "vp8", "vp9", "mpeg2", "gif"), document.OneOf("H.264")),
		CodecOptions:       readCodecOptions(o),
		KeyframesMaxDist:   o.String("KeyframesMaxDist", between(1, 100000)),
		FixedGOP:           o.String("FixedGOP", document.OneOf("true", "false")),
		BitRate:            o.String("BitRate", bitRate),
		FrameRate:          o.String("FrameRate", document.OneOf(append([]string{"auto"}, frameRates...)...)),
		MaxFrameRate:       o.String("MaxFrameRate", document.OneOf(frameRates...)),
		Resolution:         o.String("Resolution", resolution(sizeLimits)),
		AspectRatio:        o.String("AspectRatio", aspectRatio),
		MaxWidth:           o.String("MaxWidth", autoOrEven(sizeLimits.leastWidth, sizeLimits.mostWidth)),
		MaxHeight:          o.String("MaxHeight", autoOrEven(sizeLimits.leastHeight, sizeLimits.mostHeight)),
		DisplayAspectRatio: o.String("DisplayAspectRatio", aspectRatio),
		SizingPolicy:       o.String("SizingPolicy", sizingPolicy),
		PaddingPolicy:      o.String("PaddingPolicy", paddingPolicy),
		Watermarks:         readWatermarks(o),
	}
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
	if v.Lossless() && v.Profile() != "" {
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

// codecOptions are the rules of Video.CodecOptions for H.264.
var codecOptions = map[string][]document.Rule{
	"Profile": {document.OneOf("baseline", "main", "high")},
	"Level": {document.OneOf("1", "1b", "1.1", "1.2", "1.3", "2", "2.1", "2.2",
		"3", "3.1", "3.2", "4", "4.1")},
	"MaxReferenceFrames":       {between(0, 16)},
	"MaxBitRate":               {between(16, 62500)},
	"BufferSize":               {between(1, 1000000)},
	"InterlacedMode":           {document.Later("the InterlacedMode", "TopFirst", "BottomFirst", "Auto"), document.OneOf("Progressive")},
	"ColorSpaceConversionMode": {document.Later("the ColorSpaceConversionMode", "Bt709ToBt601", "Bt601ToBt709", "Auto"), document.OneOf("None")},
	"ChromaSubsampling":        {document.OneOf("yuv420p")},
}

func readCodecOptions(video *document.Object) map[string]string {
	o := video.Object("CodecOptions")
	if o == nil {
		return nil
	}
	defer o.Close()
	o.NotYet("LoopCount")
	options := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(codecOptions)) {
		if value := o.String(name, codecOptions[name]...); value != "" {
			options[name] = value
		}
	}
	if len(options) == 0 {
		return nil
	}
	return options
}

// maxWatermarks bounds a list that the API leaves open.
const maxWatermarks = 30

func readWatermarks(video *document.Object) []Watermark {
	var watermarks []Watermark
	for _, o := range video.Objects("Watermarks", maxWatermarks) {
		watermarks = append(watermarks, Watermark{
			ID:               o.Required("Id", document.Length(1, 40)),
			MaxWidth:         o.String("MaxWidth", pixelsOrPercent),
			MaxHeight:        o.String("MaxHeight", pixelsOrPercent),
			SizingPolicy:     o.String("SizingPolicy", document.OneOf("Fit", "Stretch", "ShrinkToFit")),
			HorizontalAlign:  o.String("HorizontalAlign", document.OneOf("Left", "Right", "Center")),
			HorizontalOffset: o.String("HorizontalOffset", pixelsOrPercent),
			VerticalAlign:    o.String("VerticalAlign", document.OneOf("Top", "Bottom", "Center")),
			VerticalOffset:   o.String("VerticalOffset", pixelsOrPercent),
			Opacity:          o.String("Opacity", opacity),
			Target:           o.String("Target", document.OneOf("Content", "Frame")),
		})
		o.Close()
	}
	return watermarks
}

func readThumbnails(o *document.Object) *Thumbnails {
	if o == nil {
		return nil
	}
	defer o.Close()
	t := &Thumbnails{
		Format:        o.String("Format", document.OneOf("jpg", "png")),
		Interval:      o.String("Interval", interval),
		Resolution:    o.String("Resolution", resolution(thumbnailLimits)),
		AspectRatio:   o.String("AspectRatio", aspectRatio),
		MaxWidth:      o.String("MaxWidth", autoOrEven(thumbnailLimits.leastWidth, thumbnailLimits.mostWidth)),
		MaxHeight:     o.String("MaxHeight", autoOrEven(thumbnailLimits.leastHeight, thumbnailLimits.mostHeight)),
		SizingPolicy:  o.String("SizingPolicy", sizingPolicy),
		PaddingPolicy: o.String("PaddingPolicy", paddingPolicy),
	}
	checkSizePairs(o)
	return t
}

// Rules of scalars, as the API's model and its texts have them.
var (
	frameRates    = []string{"10", "15", "23.97", "24", "25", "29.97", "30", "50", "60"}
	aspectRatio   = document.OneOf("auto", "1:1", "4:3", "3:2", "16:9")
	sizingPolicy  = document.OneOf("Fit", "Fill", "Stretch", "Keep", "ShrinkToFit", "ShrinkToFill")
	paddingPolicy = document.OneOf("Pad", "NoPad")

	idRule          = document.Pattern(`^\d{13}-\w{6}$`)
	bitRate         = document.Pattern(`(^\d{2,5}$)|(^auto$)`)
	interval        = document.Pattern(`^\d{1,5}$`)
	pixelsOrPercent = document.Pattern(`(^\d{1,3}(\.\d{0,5})?%$)|(^\d{1,4}?px$)`)
	opacity         = document.Pattern(`^\d{1,3}(\.\d{0,20})?$`)
)

// limits are the sizes in pixels that a member may have.
type limits struct{ leastWidth, mostWidth, leastHeight, mostHeight int }

var (
	sizeLimits      = limits{128, 4096, 96, 3072}
	thumbnailLimits = limits{32, 4096, 32, 3072}
)

func between(least, most int) document.Rule {
	return func(value string) string {
		if n, err := strconv.Atoi(value); err != nil || n < least || n > most || value[0] < '0' {
			return fmt.Sprintf("Member must be a whole number from %d to %d", least, most)
		}
		return ""
	}
}

func autoOrEven(least, most int) document.Rule {
	return func(value string) string {
		if value == "auto" {
			return ""
		}
		if between(least, most)(value) != "" || number(value)%2 != 0 {
			return fmt.Sprintf("Member must be auto or an even number of pixels from %d to %d", least, most)
		}
		return ""
	}
}

func resolution(l limits) document.Rule {
	return func(value string) string {
		if value == "auto" {
			return ""
		}
		w, h, ok := splitResolution(value)
		if !ok || autoOrEven(l.leastWidth, l.mostWidth)(strconv.Itoa(w)) != "" || autoOrEven(l.leastHeight, l.mostHeight)(strconv.Itoa(h)) != "" {
			return fmt.Sprintf("Member must be auto or WIDTHxHEIGHT, even numbers of pixels from %dx%d to %dx%d",
				l.leastWidth, l.leastHeight, l.mostWidth, l.mostHeight)
		}
		return ""
	}
}

// highestRateFactor is x264's for 8 bits a sample.
const highestRateFactor = 51

var rateFactorForm = document.Pattern(`^\d{1,2}(\.\d{1,2})?$`)

func rateFactor(value string) string {
	f, err := rational.Parse(value)
	if err != nil || rateFactorForm(value) != "" || rational.Int(highestRateFactor).Less(f) {
		return fmt.Sprintf("Member must be a number from 0 (lossless) to %d", highestRateFactor)
	}
	return ""
}
