package plan

import "slices"

// Colour is what a picture says of how its numbers become light. Names are
// ffmpeg's; what is empty is not said.
type Colour struct {
	Range     string `json:"range,omitempty"` // "tv" or "pc"
	Primaries string `json:"primaries,omitempty"`
	Transfer  string `json:"transfer,omitempty"`
	Matrix    string `json:"matrix,omitempty"`
}

// Join is what makes the pictures of one take go on as those of the first: an
// encoder writes what the first of them says of its colours for all, and players
// take one decoder for all of a file. Said is what all of them say. Matrix is the
// take's own, where it is another than Into, that of the first; Full says that the
// take's numbers fill their range, where those of the others keep a margin.
type Join struct {
	Said   Colour `json:"said"`
	Matrix string `json:"matrix,omitempty"`
	Into   string `json:"into,omitempty"`
	Full   bool   `json:"full,omitempty"`
}

// rgb is what pictures without a matrix say.
const rgb = "gbr"

// tint plans the colours of the takes, where there are several.
func (p *programme) tint() {
	if len(p.takes) == 1 {
		return
	}
	full := func(s Source) bool { return s.Picture.Colour.Range == "pc" }
	first := p.sources[0].Picture
	said, into := first.Colour, first.matrix()
	if said.Matrix == rgb {
		said.Matrix = ""
	}
	if slices.ContainsFunc(p.sources, full) {
		said.Range = "tv"
	}
	for i, src := range p.sources {
		j := &Join{Said: said, Full: full(src)}
		if own := src.Picture.matrix(); own != into || src.Picture.Colour.Matrix == rgb {
			j.Matrix, j.Into = own, into
		}
		p.takes[i].Video.Join = j
	}
}

// matrix is the one by which players take the source's colours.
func (p *SourcePicture) matrix() string { return matrix(p.Colour.Matrix, p.Width, p.Height) }
