// Package encode turns a plan into ffmpeg's arguments: which frames of the
// input become which frames of an output, and with which settings. It knows
// ffmpeg's options and nothing of keys, storage or networks.
//
// It guarantees that frame n of a grid is the same picture whichever chunk it
// is encoded in: every chunk first moves the input's times to the grid and only
// then duplicates, drops or trims by whole places.
package encode

import (
	"fmt"
	"strings"

	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// Settings are an operator's.
type Settings struct {
	X264Preset string // x264's speed preset, such as "medium"; other encoders get their like of it
}

// Pictures are the arguments behind ffmpeg's global options that encode one
// chunk of a group for the outputs at the places: inputs[i] is what goes before
// and with the input of c.Reads[i] (allow-lists and URL included), stills are the
// same for what Stills names, and outputs[i] is how the stream of the output at
// places[i] is written, its URL last. The streams are those that StreamOf says.
// Behind them come the streams of thumbnails, of the outputs that Thumbnailed says,
// which are fragmented MP4 with a fragment for each.
func Pictures(p *plan.Plan, group int, c plan.Chunk, places []int, inputs, stills, outputs [][]string, s Settings) []string {
	g := p.Groups[group]
	takes := p.Programmes[g.Programme]
	var args []string
	for i, r := range c.Reads {
		args = append(args, looked(takes[r.Take].Video, r, len(c.Reads))...)
		args = append(args, inputs[i]...)
	}
	for _, still := range stills {
		args = append(args, still...)
	}
	thumbnailed := Thumbnailed(p, group, c, places)
	args = append(args, "-filter_complex", graph(p, group, c, places, thumbnailed))
	for i, place := range places {
		args = append(args, "-map", fmt.Sprintf("[out%d]", i))
		args = append(args, codec(p.Outputs[place], c, s)...)
		args = append(args, between(StreamOf(p.Outputs[place].Picture), g.Rate, p.Outputs[place].Picture)...)
		args = append(args, outputs[i]...)
	}
	for i, place := range thumbnailed {
		args = append(args, "-map", fmt.Sprintf("[thumbnails%d]", i))
		args = append(args, thumbnailStream(p.Outputs[place].Thumbnails, g.Rate)...)
		args = append(args, outputs[len(places)+i]...)
	}
	return args
}

// manyReads is how many inputs are decoded with all threads: a thread holds a
// picture or two, and only one of the inputs is decoded at a time.
const manyReads = 3

// looked says where in an input its frames are looked for. The turn that the
// input asks for is ours alone (geometry).
func looked(v *plan.Video, r plan.Read, reads int) []string {
	args := clock(v.Reset)
	if !r.FromStart {
		args = append(args, "-noaccurate_seek", "-seek_timestamp", "1", "-ss", seconds(r.Seek, v.TimeBase))
	}
	if reads > manyReads {
		args = append(args, "-threads", "1")
	}
	return append(args, "-noautorotate")
}

// graph is one decode that feeds all outputs of a group, and their thumbnails.
func graph(p *plan.Plan, group int, c plan.Chunk, places, thumbnailed []int) string {
	g, users := p.Groups[group], len(places)+len(thumbnailed)
	takes := p.Programmes[g.Programme]
	at := decoded(g, c)
	var chains []string
	for i, r := range c.Reads {
		chains = append(chains, shown(takes[r.Take].Video, i, r, at, users))
	}
	draw := drawer{stills: Stills(p, places), media: len(c.Reads), rate: at.rate}
	for i, place := range places {
		picture := p.Outputs[place].Picture
		film := joined(c, at, i, users, func(take int) string {
			return geometry(picture.Of(take)) + tinted(takes[take].Video) + converted(picture) + draw.onTake(picture, i, take)
		})
		chains = append(chains, fmt.Sprintf("%s%s,%s%s[out%d]", film, draw.onAll(picture, i), pixels(picture, i), interlaced(picture, g), i))
	}
	for i, place := range thumbnailed {
		chains = append(chains, fmt.Sprintf("%s[thumbnails%d]", thumbnails(p.Outputs[place].Thumbnails, g, c, len(places)+i, users), i))
	}
	return strings.Join(chains, ";")
}

// shown is the chain that shows a read's frames, each at its place, for n users.
// What comes alone is at its places of the grid at once.
func shown(v *plan.Video, input int, r plan.Read, at grid, n int) string {
	place := "fps=" + at.rate.String()
	if r.FromStart {
		// A picture that begins after the sound is held from time zero.
		place += ":start_time=0"
	}
	chain := []string{fmt.Sprintf("[%d:%d]setpts=%s", input, v.Stream, fromZero(v))}
	if v.Deinterlace != "" {
		chain = append(chain, at.deinterlaced(v.Deinterlace))
	}
	chain = append(chain, "settb="+at.rate.Inv().String(), place)
	if r.Hold {
		// The last frame is held for as long as the plan says that it is shown.
		chain = append(chain, "tpad=stop=-1:stop_mode=clone")
	}
	chain = append(chain, fmt.Sprintf("trim=start_pts=%d:end_pts=%d", r.From, r.To))
	if r.From != at.lead {
		chain = append(chain, fmt.Sprintf("setpts=PTS+(%d)", at.lead-r.From))
	}
	users := ""
	for user := range n {
		users += film(input, user, n)
	}
	return strings.Join(append(chain, fmt.Sprintf("split=%d", n)), ",") + users
}

// film names the frames of a read for one of its n users.
func film(input, user, n int) string { return fmt.Sprintf("[in%d]", input*n+user) }

// joined are the frames of a chunk for one of n users: those of all its reads,
// each made as large as fit says for its take, one after the other.
func joined(c plan.Chunk, at grid, user, n int, fit func(take int) string) string {
	if len(c.Reads) == 1 {
		return film(0, user, n) + fit(c.Reads[0].Take)
	}
	chains, labels := "", ""
	for i, r := range c.Reads {
		label := fmt.Sprintf("[fit%d]", i*n+user)
		chains += film(i, user, n) + "setpts=PTS-STARTPTS," + fit(r.Take) + label + ";"
		labels += label
	}
	// The filter that joins counts in microseconds. All places being filled, the
	// number of a frame says which it has.
	return fmt.Sprintf("%s%sconcat=n=%d,settb=%s,setpts=N+(%d)", chains, labels, len(c.Reads), at.rate.Inv(), at.lead)
}

// clock keeps the input's own times, unless they have to be made continuous.
func clock(reset bool) []string {
	if reset {
		return nil
	}
	return []string{"-copyts"}
}

// fromZero moves the picture to the input's time zero.
func fromZero(v *plan.Video) string {
	if v.Reset {
		return fmt.Sprintf("PTS-STARTPTS+(%d)", v.First-v.Start)
	}
	return fmt.Sprintf("PTS-(%d)", v.Start)
}

// geometry turns, scales, crops and pads. The turn is ours alone: ffmpeg is told
// not to follow what the input says of it.
func geometry(g preset.Geometry) string {
	steps := []string{fmt.Sprintf("scale=%d:%d", g.ScaleW, g.ScaleH)}
	switch g.Rotate {
	case 90:
		steps = append([]string{"transpose=clock"}, steps...)
	case 180:
		steps = append([]string{"hflip", "vflip"}, steps...)
	case 270:
		steps = append([]string{"transpose=cclock"}, steps...)
	}
	if g.CropW != g.ScaleW || g.CropH != g.ScaleH {
		steps = append(steps, fmt.Sprintf("crop=%d:%d:%d:%d", g.CropW, g.CropH, g.CropX, g.CropY))
	}
	if g.PadW != g.CropW || g.PadH != g.CropH {
		steps = append(steps, fmt.Sprintf("pad=%d:%d:%d:%d", g.PadW, g.PadH, g.PadX, g.PadY))
	}
	steps = append(steps, fmt.Sprintf("setsar=%d/%d", max(g.SAR.Num, 1), max(g.SAR.Den, 1)))
	return strings.Join(steps, ",")
}

// pixels brings the picture to what the codec takes: a pixel format, or for GIF
// the palette that suits each frame best. A palette for all frames would have to
// wait for the last of them, in memory.
func pixels(p *plan.Picture, output int) string {
	switch {
	case p.Coded() == plan.GIF:
		return fmt.Sprintf("split[plain%[1]d][seen%[1]d];[seen%[1]d]palettegen=stats_mode=single[palette%[1]d];[plain%[1]d][palette%[1]d]paletteuse=new=1", output)
	case p.PixelFormat != "":
		return "format=" + p.PixelFormat
	}
	return "format=yuv420p"
}

// keyframes is an expression of the frame's number n in this encode that is
// true where a keyframe must be: at the chunk's first kept frame and at each
// segment and fixed GOP from there.
func keyframes(o plan.Output, c plan.Chunk) string {
	lead := c.First - c.Lead
	every := o.SegmentFrames
	if o.Picture.FixedGOP {
		every = int64(o.Picture.GOP)
	}
	if every == 0 {
		return fmt.Sprintf("eq(n,%d)", lead)
	}
	return fmt.Sprintf("gte(n,%d)*not(mod(n-%d,%d))", lead, lead, every)
}

// Timescale is the ticks a second of the fragments of a rate; a frame lasts
// Timescale/rate of them.
func Timescale(rate rational.Rational) int64 {
	scale := rate.Num
	for scale < 1000 { // muxers want some precision for the B-frames' delay
		scale *= 10
	}
	return scale
}

// seconds writes units of a time base as ffmpeg reads a time, rounded down to
// the microsecond that it counts in.
func seconds(units int64, timeBase rational.Rational) string {
	micros := timeBase.Mul(rational.Int(1_000_000)).Floor(units)
	sign := ""
	if micros < 0 {
		sign, micros = "-", -micros
	}
	return fmt.Sprintf("%s%d.%06d", sign, micros/1_000_000, micros%1_000_000)
}
