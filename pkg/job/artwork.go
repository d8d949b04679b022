package job

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"sealreel/pkg/document"
)

// Watermark is a picture in the input bucket that is laid over an output, at
// the place that its preset has under PresetWatermarkID (API: JobWatermark).
type Watermark struct {
	PresetWatermarkID string      `json:"PresetWatermarkId"`
	InputKey          string      `json:"InputKey"`
	Encryption        *Encryption `json:"Encryption,omitempty"`
}

// AlbumArt are the pictures of an output of sound alone, and how they go
// together with those of the input (API: JobAlbumArt).
type AlbumArt struct {
	MergePolicy string    `json:"MergePolicy"`
	Artwork     []Artwork `json:"Artwork,omitempty"`
}

// Artwork is one picture in the input bucket, and its size in the output in
// pixels (API: Artwork).
type Artwork struct {
	InputKey       string      `json:"InputKey"`
	MaxWidth       string      `json:"MaxWidth,omitempty"`
	MaxHeight      string      `json:"MaxHeight,omitempty"`
	SizingPolicy   string      `json:"SizingPolicy,omitempty"`
	PaddingPolicy  string      `json:"PaddingPolicy,omitempty"`
	AlbumArtFormat string      `json:"AlbumArtFormat,omitempty"`
	Encryption     *Encryption `json:"Encryption,omitempty"`
}

const (
	maxWatermarks = 4
	maxArtwork    = 20

	leastArtwork = 32
	artworkWide  = 4096
	artworkHigh  = 3072
)

// picturePattern is the API's. It is held by pictureKey, since its counts are
// more than a regular expression of Go may have.
const picturePattern = `(^.{1,1020}.jpg$)|(^.{1,1019}.jpeg$)|(^.{1,1020}.png$)`

// pictureKey is the rule for the key of a watermark or an artwork. As in the
// pattern, the character before the extension may be any.
func pictureKey(value string) string {
	const most = 1024 // characters
	if utf8.RuneCountInString(value) <= most && !strings.Contains(value, "\n") {
		for _, extension := range []string{"jpg", "jpeg", "png"} {
			if stem, ok := strings.CutSuffix(value, extension); ok && utf8.RuneCountInString(stem) >= 2 {
				return ""
			}
		}
	}
	return "Member must satisfy regular expression pattern: " + picturePattern
}

// PictureKey says whether an object's key is one that watermarks and artworks
// have.
func PictureKey(key string) bool { return pictureKey(key) == "" }

func readWatermarks(output *document.Object) []Watermark {
	var watermarks []Watermark
	for _, o := range output.Objects("Watermarks", maxWatermarks) {
		watermarks = append(watermarks, Watermark{
			PresetWatermarkID: o.Required("PresetWatermarkId", document.Length(1, 40)),
			InputKey:          o.Required("InputKey", pictureKey, inputKey),
			Encryption:        readEncryption(o.Object("Encryption"), reading),
		})
		o.Close()
	}
	return watermarks
}

// readAlbumArt is nil for album art that asks for nothing.
func readAlbumArt(o *document.Object) *AlbumArt {
	if o == nil {
		return nil
	}
	defer o.Close()
	before := o.Problems().Len()
	art := &AlbumArt{MergePolicy: o.String("MergePolicy", document.BlankOr(document.OneOf("Replace", "Prepend", "Append", "Fallback")))}
	if art.MergePolicy == "" && o.Problems().Len() == before && !o.Empty("Artwork") {
		o.Missing("MergePolicy")
	}
	for _, child := range o.Objects("Artwork", maxArtwork) {
		art.Artwork = append(art.Artwork, readArtwork(child))
	}
	if art.MergePolicy == "" && len(art.Artwork) == 0 {
		return nil
	}
	return art
}

func readArtwork(o *document.Object) Artwork {
	defer o.Close()
	return Artwork{
		InputKey:       o.Required("InputKey", pictureKey, inputKey),
		MaxWidth:       o.String("MaxWidth", document.BlankOr(artworkSize(artworkWide))),
		MaxHeight:      o.String("MaxHeight", document.BlankOr(artworkSize(artworkHigh))),
		SizingPolicy:   o.String("SizingPolicy", document.BlankOr(document.OneOf("Fit", "Fill", "Stretch", "Keep", "ShrinkToFit", "ShrinkToFill"))),
		PaddingPolicy:  o.String("PaddingPolicy", document.BlankOr(document.OneOf("Pad", "NoPad"))),
		AlbumArtFormat: o.String("AlbumArtFormat", document.BlankOr(document.OneOf("jpg", "png"))),
		Encryption:     readEncryption(o.Object("Encryption"), reading),
	}
}

var artworkForm = document.Pattern(`(^auto$)|(^\d{2,4}$)`)

func artworkSize(most int) document.Rule {
	return func(value string) string {
		if message := artworkForm(value); message != "" || value == "auto" {
			return message
		}
		if n, err := strconv.Atoi(value); err != nil || n < leastArtwork || n > most || n%2 != 0 {
			return fmt.Sprintf("Member must be auto or an even number of pixels from %d to %d", leastArtwork, most)
		}
		return ""
	}
}
