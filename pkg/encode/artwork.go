package encode

import (
	"fmt"
	"strconv"
	"strings"

	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/still"
)

// Artwork are the arguments behind ffmpeg's global options that make one picture
// of an album: of the input that it is embedded in, or of the still.
func Artwork(a plan.Artwork, input, still, output []string) []string {
	if a.Embedded {
		args := append(input, "-map", "0:"+strconv.Itoa(a.Stream), "-c", "copy", "-frames:v", "1", "-f", "image2pipe")
		return append(args, output...)
	}
	args := append(still, "-filter_complex", artwork(a.Geometry, a.Format), "-map", "[out]", "-frames:v", "1", "-flags:v", "+bitexact", "-fflags", "+bitexact")
	return append(append(append(args, coded(a.Format)...), "-f", "image2pipe"), output...)
}

func coded(format string) []string {
	if format == still.PNG {
		return []string{"-c:v", "png"}
	}
	return []string{"-c:v", "mjpeg", "-q:v", "2"}
}

// artwork scales, crops and pads a picture. Bars are white (API: Artwork), and
// so is what is transparent where the format has no transparency. For how it is
// scaled see mark.
func artwork(g preset.Geometry, format string) string {
	steps := []string{
		"[0:v]trim=end_frame=1,format=gbrap,premultiply=inplace=1",
		fmt.Sprintf("scale=%d:%d:flags=bicubic+accurate_rnd+full_chroma_int", g.ScaleW, g.ScaleH),
		"unpremultiply=inplace=1",
		fmt.Sprintf("crop=%d:%d:%d:%d:exact=1", g.CropW, g.CropH, g.CropX, g.CropY),
		fmt.Sprintf("pad=%d:%d:%d:%d:color=white", g.PadW, g.PadH, g.PadX, g.PadY),
		"setsar=1",
	}
	if format == still.PNG {
		return strings.Join(append(steps, "format=rgba[out]"), ",")
	}
	return strings.Join(steps, ",") + "[over];[over]split[picture][form];[form]lutrgb=r=maxval:g=maxval:b=maxval:a=maxval,format=gbrp[white];" +
		"[white][picture]overlay=format=gbrp,scale=out_color_matrix=bt601:out_range=full:flags=bicubic+accurate_rnd,format=yuvj420p[out]"
}
