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
	"strconv"
	"strings"

	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// Settings are an operator's.
type Settings struct {
	X264Preset string // x264's speed preset, such as "medium"
}

// Pictures are the arguments behind ffmpeg's global options that encode one
// chunk of a group for the outputs at the places: input is what goes before and
// with the input (allow-lists and URL included), outputs[i] is how the
// fragmented MP4 of the output at places[i] is written, its URL last.
func Pictures(p *plan.Plan, group, chunk int, c plan.Chunk, places []int, input []string, outputs [][]string, s Settings) []string {
	g := p.Groups[group]
	args := clock(p.Video.Reset)
	if !c.FromStart {
		args = append(args, "-noaccurate_seek", "-seek_timestamp", "1", "-ss", seconds(c.Seek, p.Video.TimeBase))
	}
	args = append(args, "-noautorotate")
	args = append(args, input...)
	args = append(args, "-filter_complex", graph(p, group, c, places, chunk == len(g.Chunks)-1))
	for i, place := range places {
		args = append(args, "-map", fmt.Sprintf("[out%d]", i))
		args = append(args, x264(p.Outputs[place], c, s)...)
		args = append(args, fragmented(g.Rate)...)
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
	for i, place := range places {
		graph += fmt.Sprintf(";[in%d]%s[out%d]", i, geometry(p.Outputs[place].Picture.Geometry), i)
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
	steps = append(steps, fmt.Sprintf("setsar=%d/%d", max(g.SAR.Num, 1), max(g.SAR.Den, 1)), "format=yuv420p")
	return strings.Join(steps, ",")
}

// x264 are the settings of one H.264 output.
func x264(o plan.Output, c plan.Chunk, s Settings) []string {
	p := o.Picture
	args := []string{"-c:v", "libx264", "-preset", s.X264Preset, "-fps_mode", "passthrough"}
	add := func(name, value string, set bool) {
		if set {
			args = append(args, name, value)
		}
	}
	add("-profile:v", p.Profile, p.Profile != "")
	add("-level:v", p.Level, p.Level != "")
	add("-refs", strconv.Itoa(p.References), p.References > 0)
	add("-crf", p.RateFactor, p.RateFactor != "")
	add("-b:v", strconv.FormatInt(p.BitRate, 10), p.BitRate > 0 && p.RateFactor == "")
	add("-maxrate", strconv.FormatInt(p.MaxBitRate, 10), p.MaxBitRate > 0)
	add("-bufsize", strconv.FormatInt(p.BufferSize, 10), p.BufferSize > 0)
	args = append(args, "-g", strconv.Itoa(p.GOP))
	if p.FixedGOP {
		args = append(args, "-keyint_min", strconv.Itoa(p.GOP), "-sc_threshold", "0")
	}
	return append(args, "-force_key_frames", "expr:"+keyframes(o, c))
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

// fragmented is the container between ffmpeg and us: a fragment a keyframe, in
// ticks of which a frame has a whole number. Fragments keep the times of the
// grid (frag_discont), so that the reader sees which place the first frame has:
// ffmpeg writes it as the first frame's decode time.
func fragmented(rate rational.Rational) []string {
	return []string{
		"-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof+frag_discont",
		"-avoid_negative_ts", "disabled",
		"-video_track_timescale", strconv.FormatInt(Timescale(rate), 10),
		"-map_metadata", "-1", "-map_chapters", "-1",
	}
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
