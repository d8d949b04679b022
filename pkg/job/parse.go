package job

import (
	"maps"
	"slices"
	"strings"

	"sealreel/pkg/document"
)

// Limits of a request (API: the shapes of CreateJobRequest; UserMetadata: the
// developer guide's page on job settings).
const (
	MaxDocument  = 256 << 10 // bytes of a job document
	maxInputs    = 200
	maxOutputs   = 30
	maxPlaylists = 30
	maxMetadata  = 10
)

// Rules of scalars, as the API's model has them.
var (
	idRule        = document.Pattern(`^\d{13}-\w{6}$`)
	frameRateRule = document.OneOf("auto", "10", "15", "23.97", "24", "25", "29.97", "30", "50", "60")
	aspectRule    = document.OneOf("auto", "1:1", "4:3", "3:2", "16:9")
	containerRule = document.OneOf("auto", "3gp", "asf", "avi", "divx", "flv", "mkv", "mov", "mp4", "mpeg", "mpeg-ps",
		"mpeg-ts", "mxf", "ogg", "ts", "vob", "wav", "webm", "mp3", "m4a", "aac")
	floatRule         = document.Pattern(`^\d{1,5}(\.\d{0,5})?$`)
	thumbnailRule     = document.Pattern(`(^$)|(^.*\{count\}.*$)`)
	metadataKeyRule   = document.Pattern(`^[0-9A-Za-z _.:/=+\-%@]{1,128}$`)
	metadataValueRule = document.Pattern(`^[0-9A-Za-z _.:/=+\-%@]{0,256}$`)
)

// ParseRequest reads a CreateJob request: strictly, with every problem at
// once, and with the singular forms Input and Output turned into lists.
//
// A document that is not JSON gives a *SyntaxError, a long one a *SizeError,
// and no request. Broken rules give a *ValidationError together with the
// request as far as it could be read, without the values that broke a rule,
// so that a job in Error can be shown for it.
//
// Rules that need the presets are those of preset.Check. What is valid and yet
// beyond this version is refused by Unsupported.
func ParseRequest(doc []byte) (*Request, error) {
	root, err := document.Parse(doc, MaxDocument)
	if err != nil {
		return nil, err
	}
	req := &Request{
		PipelineID:      root.Required("PipelineId", idRule),
		Inputs:          readInputs(root),
		OutputKeyPrefix: root.String("OutputKeyPrefix", document.Length(1, 255), outputKey),
		UserMetadata:    readMetadata(root),
	}
	outputs := readOutputs(root)
	for _, o := range outputs {
		req.Outputs = append(req.Outputs, o.Output)
	}
	playlists := readPlaylists(root)
	for _, p := range playlists {
		req.Playlists = append(req.Playlists, p.Playlist)
	}
	checkOlderForms(root.Problems(), req.Inputs, outputs)
	checkOutputs(root.Problems(), req.OutputKeyPrefix, outputs)
	checkPlaylists(root.Problems(), playlists, outputs)
	root.Close()
	return req, root.Problems().Err()
}

// located keeps the path of what was read for the rules between values.
type (
	locatedOutput struct {
		Output
		path string
	}
	locatedPlaylist struct {
		Playlist
		path string
	}
)

// eitherForm reads a member that has a singular and a plural form, of which
// exactly one must be given.
func eitherForm(o *document.Object, singular, plural string, limit int) []*document.Object {
	one, many := o.Object(singular), o.Objects(plural, limit)
	switch {
	case o.Has(singular) && !o.Empty(plural):
		o.Problems().Addf(o.Path(plural), "'%s' and '%s' can't both be given: leave one out", o.Path(singular), o.Path(plural))
	case o.Has(singular):
		if one != nil {
			return []*document.Object{one}
		}
		return nil
	case o.Empty(plural):
		o.Problems().Addf(o.Path(plural), "'%s' must have one element or more", o.Path(plural))
	}
	return many
}

func readInputs(root *document.Object) []Input {
	var inputs []Input
	for _, o := range eitherForm(root, "Input", "Inputs", maxInputs) {
		inputs = append(inputs, readInput(o))
	}
	return inputs
}

func readInput(o *document.Object) Input {
	defer o.Close()
	in := Input{
		Key:         o.Required("Key", document.Length(1, 1024), inputKey),
		FrameRate:   o.String("FrameRate", frameRateRule),
		Resolution:  o.String("Resolution", document.OneOf("auto")),
		AspectRatio: o.String("AspectRatio", aspectRule),
		Interlaced:  o.String("Interlaced", document.OneOf("auto", "true", "false")),
		Container:   o.String("Container", containerRule),
		Encryption:  readEncryption(o.Object("Encryption"), reading),

		TimeSpan:      readTimeSpan(o.Object("TimeSpan")),
		InputCaptions: readInputCaptions(o.Object("InputCaptions")),
	}
	// What a client believes to know of the file is read for its form only:
	// the probe finds it out anew.
	if d := o.Object("DetectedProperties"); d != nil {
		in.DetectedProperties = readDetected(d)
	}
	return in
}

func readDetected(o *document.Object) *DetectedProperties {
	defer o.Close()
	return &DetectedProperties{
		Width:          int(o.Int("Width")),
		Height:         int(o.Int("Height")),
		FrameRate:      o.String("FrameRate", floatRule),
		FileSize:       o.Int("FileSize"),
		DurationMillis: o.Int("DurationMillis"),
	}
}

func readOutputs(root *document.Object) []locatedOutput {
	var outputs []locatedOutput
	for _, o := range eitherForm(root, "Output", "Outputs", maxOutputs) {
		outputs = append(outputs, locatedOutput{readOutput(o), o.Path("")})
	}
	return outputs
}

func readOutput(o *document.Object) Output {
	defer o.Close()
	return Output{
		Key:                 o.Required("Key", document.Length(1, 255), outputKey),
		ThumbnailPattern:    o.String("ThumbnailPattern", thumbnailRule, outputKey),
		ThumbnailEncryption: readEncryption(o.Object("ThumbnailEncryption"), writing),
		PresetID:            o.Required("PresetId", idRule),
		Rotate:              o.String("Rotate", document.OneOf("auto", "0", "90", "180", "270")),
		SegmentDuration:     o.String("SegmentDuration", floatRule, segmentRange),
		Watermarks:          readWatermarks(o),
		AlbumArt:            readAlbumArt(o.Object("AlbumArt")),
		Composition:         readComposition(o),
		Captions:            readCaptions(o.Object("Captions")),
		Encryption:          readEncryption(o.Object("Encryption"), writing),
	}
}

func readPlaylists(root *document.Object) []locatedPlaylist {
	var playlists []locatedPlaylist
	for _, o := range root.Objects("Playlists", maxPlaylists) {
		playlists = append(playlists, locatedPlaylist{readPlaylist(o), o.Path("")})
	}
	return playlists
}

func readPlaylist(o *document.Object) Playlist {
	defer o.Close()
	p := Playlist{
		Name:                 o.Required("Name", document.Length(1, 255), outputKey),
		Format:               o.Required("Format", document.OneOf(HLSv3, HLSv4, Smooth, DASH)),
		OutputKeys:           o.Strings("OutputKeys", maxOutputs, document.Length(1, 255)),
		HlsContentProtection: readContentProtection(o.Object("HlsContentProtection")),
		PlayReadyDrm:         readPlayReady(o.Object("PlayReadyDrm")),
	}
	if o.Empty("OutputKeys") {
		o.Problems().Addf(o.Path("OutputKeys"), "'%s' must name one output key or more", o.Path("OutputKeys"))
	}
	return p
}

func readMetadata(root *document.Object) map[string]string {
	metadata := root.Map("UserMetadata", metadataValueRule)
	path := root.Path("UserMetadata")
	if len(metadata) > maxMetadata {
		root.Problems().Addf(path, "'%s' must have at most %d pairs", path, maxMetadata)
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if message := metadataKeyRule(key); message != "" {
			root.Problems().Add(path, key, message)
			delete(metadata, key)
		}
	}
	if len(metadata) == 0 {
		return nil
	}
	return metadata
}

// inputKey and outputKey hold what S3 and the names made from keys can't bear.
func inputKey(value string) string {
	if strings.ContainsRune(value, 0) {
		return "Member must not contain the NUL character"
	}
	if len(value) > maxS3Key {
		return "Member must have at most 1024 bytes in UTF-8, S3's limit"
	}
	return ""
}

func outputKey(value string) string {
	if strings.HasPrefix(value, "/") {
		return "Member must not begin with '/'"
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "Member must not contain control characters"
	}
	for folder := range strings.SplitSeq(value, "/") {
		if folder == "." || folder == ".." {
			return "Member must not have a folder '.' or '..': no URI of a playlist can name it"
		}
	}
	return ""
}
