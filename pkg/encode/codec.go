package encode

import (
	"strconv"

	"sealreel/pkg/plan"
)

// options are arguments of ffmpeg.
type options []string

func (o *options) add(name, value string, set bool) {
	if set {
		*o = append(*o, name, value)
	}
}

func (o *options) rate(name string, value int64, set bool) {
	o.add(name, strconv.FormatInt(value, 10), value > 0 && set)
}

// codec are the settings of one output's encoder.
func codec(o plan.Output, c plan.Chunk, s Settings) []string {
	p := o.Picture
	args := []string{"-fps_mode", "passthrough"}
	switch p.Coded() {
	case plan.GIF:
		return append(args, "-c:v", "gif") // every frame can stand alone
	case plan.MPEG2:
		args = append(args, mpeg2(p, c)...)
	case plan.VP8:
		args = append(args, vp8(p, s)...)
	case plan.VP9:
		args = append(args, vp9(p, s)...)
	default:
		args = append(args, x264(p, s)...)
	}
	if p.Fields != "" {
		args = append(args, "-flags", "+ilme+ildct")
	}
	if p.Fields == plan.BottomFirst && p.Coded() == plan.H264 { // x264 must know before the first frame
		args = append(args, "-x264-params", "bff=1")
	}
	return append(args, "-force_key_frames", "expr:"+keyframes(o, c))
}

// x264 are the settings of H.264.
func x264(p *plan.Picture, s Settings) options {
	args := options{"-c:v", "libx264", "-preset", s.X264Preset}
	args.add("-profile:v", p.Profile, p.Profile != "")
	args.add("-level:v", p.Level, p.Level != "")
	args.add("-refs", strconv.Itoa(p.References), p.References > 0)
	args.add("-crf", p.RateFactor, p.RateFactor != "")
	args.rate("-b:v", p.BitRate, p.RateFactor == "")
	args.rate("-maxrate", p.MaxBitRate, true)
	args.rate("-bufsize", p.BufferSize, true)
	args.add("-g", strconv.Itoa(p.GOP), true)
	args.add("-keyint_min", strconv.Itoa(p.GOP), p.FixedGOP)
	args.add("-sc_threshold", "0", p.FixedGOP)
	return args
}

// mpeg2 are the settings of MPEG-2 video. Groups are closed, so that a chunk's
// first frames need none before it, and exactly as long as asked for
// (strict_gop); the encoder has no scene cuts in closed groups and wants to hear
// that none are expected. The time codes of all chunks are those of one encode.
func mpeg2(p *plan.Picture, c plan.Chunk) options {
	const (
		longestGOP  = 600 // of this encoder
		goodQuality = "3" // quantiser, of 1 to 31
		leastRate   = 10  // frames a second
	)
	args := options{"-c:v", "mpeg2video", "-flags", "+cgop", "-sc_threshold", "1000000000", "-mpv_flags", "+strict_gop",
		"-strict", "unofficial", "-timecode_frame_start", strconv.FormatInt(c.Lead, 10)}
	args.add("-g", strconv.Itoa(min(p.GOP, longestGOP)), true)
	args.add("-bf", strconv.Itoa(min(2, p.GOP-1)), true)
	switch {
	case p.BitRate > 0 && p.MaxBitRate > 0: // the encoder refuses a higher one than the highest
		args.rate("-b:v", min(p.BitRate, p.MaxBitRate), true)
	case p.BitRate > 0:
		args.rate("-b:v", p.BitRate, true)
	case p.MaxBitRate > 0: // as good as fits
		args.rate("-b:v", p.MaxBitRate, true)
		args.add("-qmin", goodQuality, true)
	default:
		args.add("-q:v", goodQuality, true)
	}
	args.rate("-maxrate", p.MaxBitRate, true)
	args.rate("-bufsize", max(p.BufferSize, p.MaxBitRate/leastRate), p.MaxBitRate > 0) // nor a buffer without room for a frame
	return args
}

// vp8 are the settings of VP8. Frames that are decoded and not shown would have
// no place of their own, so there are none.
func vp8(p *plan.Picture, s Settings) options {
	const (
		goodQuality = "10"       // quantiser, of 0 to 63
		enough      = 50_000_000 // bits a second
	)
	args := libvpx("libvpx", p, s)
	args.add("-auto-alt-ref", "0", true)
	if p.BitRate > 0 {
		return args
	}
	args.add("-crf", goodQuality, true)
	most := p.MaxBitRate
	if most == 0 {
		most = enough
	}
	args.rate("-b:v", most, true)
	return args
}

// vp9 are the settings of VP9. A packet holds what is shown together with the
// frames hidden before it.
func vp9(p *plan.Picture, s Settings) options {
	const goodQuality = "31" // quantiser, of 0 to 63
	args := libvpx("libvpx-vp9", p, s)
	args.add("-row-mt", "1", true)
	args.add("-tile-columns", "2", true)
	switch {
	case p.Lossless:
		args.add("-lossless", "1", true)
	case p.BitRate > 0:
	default:
		quality := goodQuality
		if p.RateFactor != "" {
			quality = p.RateFactor
		}
		args.add("-crf", quality, true)
		args.add("-b:v", strconv.FormatInt(p.MaxBitRate, 10), true) // 0 for no bound
	}
	return args
}

// libvpx are the settings that both have.
func libvpx(encoder string, p *plan.Picture, s Settings) options {
	args := options{"-c:v", encoder, "-deadline", "good", "-cpu-used", speed(s.X264Preset)}
	args.add("-profile:v", p.Profile, p.Profile != "")
	args.rate("-b:v", p.BitRate, true)
	args.rate("-maxrate", p.MaxBitRate, p.BitRate > 0)
	args.rate("-bufsize", p.BufferSize, p.BitRate > 0)
	args.add("-g", strconv.Itoa(p.GOP), true)
	args.add("-keyint_min", strconv.Itoa(p.GOP), p.FixedGOP)
	return args
}

// speed is libvpx's like of a speed preset of x264, from 0 for the best picture
// to 5.
func speed(x264Preset string) string {
	switch x264Preset {
	case "ultrafast", "superfast", "veryfast":
		return "5"
	case "faster", "fast":
		return "4"
	case "slow":
		return "1"
	case "slower", "veryslow", "placebo":
		return "0"
	}
	return "2"
}
