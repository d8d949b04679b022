package encode

import (
	"fmt"
	"strings"

	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
)

// Thumbnailed are those of the outputs at the places that have a thumbnail in the
// chunk.
func Thumbnailed(p *plan.Plan, group int, c plan.Chunk, places []int) []int {
	rate := p.Groups[group].Rate
	var all []int
	for _, place := range places {
		if t := p.Outputs[place].Thumbnails; t != nil && t.From(c.First, rate) < t.From(c.End, rate) {
			all = append(all, place)
		}
	}
	return all
}

// thumbnails are the frames of a chunk that are thumbnails, in their size: one of
// n users of its films. They are made of what the sources show, before anything is
// laid over it.
func thumbnails(t *plan.Thumbnails, g plan.Group, c plan.Chunk, user, n int) string {
	fit := func(take int) string { return fitted(t.Of(take), t.Names.Format) }
	if len(c.Reads) == 1 {
		return film(0, user, n) + "null" + wholeFrames(g) + "," + picked(t, g.Rate, c) + "," + fit(c.Reads[0].Take)
	}
	return joined(c, decoded(g, c), user, n, fit) + wholeFrames(g) + "," + picked(t, g.Rate, c)
}

// picked lets through what is a thumbnail.
//
// With a thumbnail every a/b places, in whole numbers, place n is one when a
// multiple of a/b lies in [n, n+1): when the next multiple of a at or after n*b
// is less than b away. All is in whole numbers, which ffmpeg's 53 bits hold.
func picked(t *plan.Thumbnails, rate rational.Rational, c plan.Chunk) string {
	every := rate.Mul(rational.Int(t.Seconds))
	return fmt.Sprintf("select='gte(pts,%d)*lt(mod(%d-mod(pts*%d,%d),%d),%d)'", c.First, every.Num, every.Den, every.Num, every.Num, every.Den)
}

// fitted brings a picture to the size of thumbnails, and to what files of the
// format hold. JPEG files are of the colours of BT.601 in their full range (JFIF
// 1.02).
func fitted(f plan.Fit, format string) string {
	colours, pixels := "", "format=rgb24"
	if format == "jpg" {
		colours, pixels = ":out_color_matrix=bt601:out_range=full", "format=yuvj420p"
	}
	return strings.Join([]string{"scale=in_color_matrix=" + f.Matrix + colours, pixels, geometry(f.Geometry), pixels}, ",")
}

// thumbnailStream are the settings of a stream of thumbnails: each is a sample with
// the time of its place on the grid, and a fragment of its own, so that one is in
// memory at a time.
func thumbnailStream(t *plan.Thumbnails, rate rational.Rational) []string {
	args := []string{"-fps_mode", "passthrough", "-threads", "1", "-flags", "+bitexact"}
	if t.Names.Format == "png" {
		args = append(args, "-c:v", "png", "-pred", "mixed")
	} else {
		const goodQuality = "2" // quantiser, of 1 to 31
		args = append(args, "-c:v", "mjpeg", "-q:v", goodQuality)
	}
	args = append(args, "-avoid_negative_ts", "disabled", "-map_metadata", "-1", "-map_chapters", "-1")
	return append(args, inFragments("frag_every_frame", rate)...)
}
