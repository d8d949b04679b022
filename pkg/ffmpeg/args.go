package ffmpeg

import (
	"strconv"
	"strings"

	"sealreel/pkg/still"
)

// demuxers are the container formats that may be read, by their names in
// libavformat: the containers that Elastic Transcoder took and the elementary
// streams that are found in files. None of them opens another resource by a
// name that it read in the media (hls, dash, concat, sdp, imf, image2 and so
// on do), and mov does so only with enable_drefs, which is off unless asked
// for.
var demuxers = []string{
	"mov", "matroska", "mpegts", "mpeg", "mpegvideo", "avi", "flv", "asf",
	"ogg", "mxf", "gxf", "nut", "dv", "rm", "ivf", "wtv",
	"wav", "w64", "aiff", "caf", "au", "mp3", "aac", "ac3", "eac3", "dts",
	"truehd", "flac", "amr", "loas", "h264", "hevc", "m4v", "vc1", "av1", "obu",
}

// InputOptions are the bounds on one input.
type InputOptions struct {
	// MaxPixels is the largest picture, width x height, that is decoded;
	// 0 leaves it to ffmpeg (2^31-1). ffmpeg reports what is larger as a
	// decoding error.
	MaxPixels int
	// Format forces the demuxer instead of finding it out by the content;
	// it must be on the allow-list all the same. Empty: find out.
	Format string
	// Bare is a format without a header, of bytes that we made and that are read
	// once: it is the only one that is allowed, and Before says what they are.
	Bare string
	// Before holds further options of the input, such as -ss.
	Before []string
}

// maxStreams bounds the streams that a demuxer may announce.
const maxStreams = 64

// InputArgs returns the arguments that open a loopback URL as an input of
// ffmpeg or ffprobe, up to and with -i: only the protocols http and tcp, only
// containers on the allow-list, no redirects and no second tries.
func InputArgs(url string, o InputOptions) []string {
	formats, seekable := demuxers, true
	if o.Bare != "" {
		formats, o.Format, seekable = []string{o.Bare}, o.Bare, false
	}
	args := contained(formats, seekable)
	if o.MaxPixels > 0 {
		args = append(args, "-max_pixels", strconv.Itoa(o.MaxPixels))
	}
	if o.Format != "" {
		args = append(args, "-f", o.Format)
	}
	args = append(args, o.Before...)
	return append(args, "-i", url)
}

// stillDemuxers are those of single pictures, by the names of package still.
// They read one file as one stream, and open nothing else.
var stillDemuxers = map[string]string{still.JPEG: "jpeg_pipe", still.PNG: "png_pipe"}

// StillArgs returns the arguments that open a loopback URL as a picture in a
// format of package still, up to and with -i, as InputArgs does for media.
func StillArgs(url, format string) []string {
	name := stillDemuxers[format]
	args := append(contained([]string{name}, true), "-max_pixels", strconv.Itoa(still.MaxWidth*still.MaxHeight), "-noautorotate")
	return append(args, "-f", name, "-i", url)
}

// contained are the bounds that every input has.
func contained(formats []string, seekable bool) []string {
	seek := map[bool]string{false: "0", true: "1"}
	return []string{
		"-protocol_whitelist", "http,tcp",
		"-format_whitelist", strings.Join(formats, ","),
		"-max_streams", strconv.Itoa(maxStreams),
		"-seekable", seek[seekable],
		"-reconnect", "0",
		"-max_redirects", "0",
		"-icy", "0",
	}
}

// OutputArgs returns the arguments that write an output to a loopback URL;
// the output's own options (codecs, -f) go before them.
func OutputArgs(url string) []string {
	return []string{"-method", "PUT", "-chunked_post", "1", url}
}

// GlobalArgs returns the arguments that a run of ffmpeg begins with: silent
// but for errors, never asking, no single allocation above 1 GiB.
func GlobalArgs() []string {
	return append([]string{"-nostdin"}, ProbeArgs()...)
}

// ProbeArgs is GlobalArgs for ffprobe, which has no -nostdin.
func ProbeArgs() []string {
	return []string{"-hide_banner", "-loglevel", "error", "-max_alloc", strconv.Itoa(1 << 30)}
}
