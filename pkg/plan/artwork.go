package plan

import (
	"cmp"

	"sealreel/pkg/job"
	"sealreel/pkg/preset"
	"sealreel/pkg/still"
)

// Artwork is one picture of an output's album: one that is embedded in the input
// and copied as it is, or a Still that is scaled.
type Artwork struct {
	Embedded   bool            `json:"embedded,omitempty"`
	Stream     int             `json:"stream,omitempty"` // of the input, where it is embedded
	Still      int             `json:"still,omitempty"`  // place in Stills, where it is not
	Geometry   preset.Geometry `json:"geometry,omitzero"`
	still.Info                 // of what the output gets
}

// SourceArtwork is a picture of an album that is embedded in an input. Codec is
// ffprobe's name.
type SourceArtwork struct {
	Stream        int
	Codec         string
	Width, Height int
}

// MaxArtwork is how many pictures the album of an output may have.
const MaxArtwork = 20

// artwork are the pictures of the wish's album, in order (API: JobAlbumArt).
func (d *draft) artwork(w Wish, embedded []SourceArtwork) ([]Artwork, error) {
	album := w.Output.AlbumArt
	if album == nil {
		return nil, nil
	}
	kept := func(all []Artwork) ([]Artwork, error) {
		for _, e := range embedded {
			a, failure := copied(e)
			if failure != nil {
				return nil, failure
			}
			all = append(all, a)
		}
		return all, nil
	}
	count := len(w.Artwork) + len(embedded)
	switch {
	case album.MergePolicy == "Replace", album.MergePolicy == "Fallback" && len(embedded) == 0:
		return d.given(w), nil
	case album.MergePolicy == "Fallback":
		count = len(embedded)
		w.Artwork = nil
	}
	if count > MaxArtwork {
		return nil, job.TooMuchArtwork(count, MaxArtwork)
	}
	if album.MergePolicy == "Prepend" {
		return kept(d.given(w))
	}
	all, failure := kept(nil)
	if failure != nil {
		return nil, failure
	}
	return append(all, d.given(w)...), nil
}

// given are those that the job gives.
func (d *draft) given(w Wish) []Artwork {
	var all []Artwork
	for i, picture := range w.Artwork {
		wanted := w.Output.AlbumArt.Artwork[i]
		g := preset.ArtworkSizeFor(wanted, picture.Width, picture.Height)
		info := still.Info{Format: cmp.Or(wanted.AlbumArtFormat, picture.Format), Width: g.Width(), Height: g.Height()}
		all = append(all, Artwork{Still: d.still(picture), Geometry: g, Info: info})
	}
	return all
}

// copied is an embedded picture as the output has it.
func copied(e SourceArtwork) (Artwork, *job.Failure) {
	format := map[string]string{"mjpeg": still.JPEG, "png": still.PNG}[e.Codec]
	switch {
	case format == "" || e.Width <= 0 || e.Height <= 0:
		return Artwork{}, job.EmbeddedArtworkUnreadable(nil)
	case !still.Fits(e.Width, e.Height):
		return Artwork{}, job.EmbeddedArtworkTooLarge(still.MaxWidth, still.MaxHeight)
	}
	return Artwork{Embedded: true, Stream: e.Stream, Info: still.Info{Format: format, Width: e.Width, Height: e.Height}}, nil
}
