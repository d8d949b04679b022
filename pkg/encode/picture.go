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
// chunk of a group for the outputs at the places: input is what goes before and
// with the input (allow-lists and URL included), stills are the same for what
// Stills names, and outputs[i] is how the stream of the output at places[i] is
// written, its URL last. The streams are those that StreamOf says.
func Pictures(p *plan.Plan, group, chunk int, c plan.Chunk, places []int, input []string, stills, outputs [][]string, s Settings) []string {
	g := p.Groups[group]
	args := clock(p.Video.Reset)
	if !c.FromStart {
		args = append(args, "-noaccurate_seek", "-seek_timestamp", "1", "-ss", seconds(c.Seek, p.Video.TimeBase))
	}
	args = append(args, "-noautorotate")
	args = append(args, input...)
	for _, still := range stills {
		args = append(args, still...)
	}
	args = append(args, "-filter_complex", graph(p, group, c, places, chunk == len(g.Chunks)-1))
	for i, place := range places {
		args = append(args, "-map", fmt.Sprintf("[out%d]", i))
		args = append(args, codec(p.Outputs[place], c, s)...)
		args = append(args, between(StreamOf(p.Outputs[place].Picture), g.Rate, p.Outputs[place].Picture)...)
		args = append(args, outputs[i]...)
	}
	return args
}

// graph is one decode that feeds all outputs of a group.
func graph(p *plan.Plan, group int, c plan.Chunk, places []int, last bool) string {
	g := p.Groups[group]
	rate := g.Rate.String()
	place := "fps=" + rate
	if c.Lead == 0 {
		// A picture that begins after the sound is held from time zero.
		place += ":start_time=0"
	}
	chain := []string{
		fmt.Sprintf("[0:%d]setpts=%s", p.Video.Stream, fromZero(p.Video)),
		"settb=" + g.Rate.Inv().String(),
		place,
	}
	if last {
		// The last frame is held for as long as the plan says that it is shown.
		chain = append(chain, "tpad=stop=-1:stop_mode=clone")
	}
	chain = append(chain, fmt.Sprintf("trim=start_pts=%d:end_pts=%d", c.Lead, c.End))
	graph := strings.Join(chain, ",") + fmt.Sprintf(",split=%d", len(places))
	for i := range places {
		graph += fmt.Sprintf("[in%d]", i)
	}
	stills := Stills(p, places)
	for i, place := range places {
		picture := p.Outputs[place].Picture
		graph += fmt.Sprintf(";[in%d]%s,%s%s[out%d]", i, geometry(picture.Geometry), marks(picture, i, stills, g.Rate), pixels(picture, i), i)
	}
	return graph
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
