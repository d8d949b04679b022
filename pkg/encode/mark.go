package encode

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sealreel/pkg/plan"
	"sealreel/pkg/preset"
	"sealreel/pkg/rational"
)

// Stills are the pictures that outputs at the places draw on their frames, by
// their place in the plan: the inputs behind those of media.
func Stills(p *plan.Plan, places []int) []int {
	var all []int
	for _, place := range places {
		for _, m := range p.Outputs[place].Picture.Marks {
			if !slices.Contains(all, m.Still) {
				all = append(all, m.Still)
			}
		}
	}
	return all
}

// canvas are ffmpeg's names of the pixel formats in which pictures are drawn for
// an encoder's: of the frame, of the picture, and for the overlay.
type canvas struct{ frame, picture, overlay string }

// canvases keep the resolution and depth of an encoder's format. The overlay has
// no 4:4:4 of ten bits; of those the depth is kept.
var canvases = map[string]canvas{
	"":            {"yuv420p", "yuva420p", "yuv420"},
	"yuv422p":     {"yuv422p", "yuva422p", "yuv422"},
	"yuv444p":     {"yuv444p", "yuva444p", "yuv444"},
	"yuv420p10le": {"yuv420p10le", "yuva420p10le", "yuv420p10"},
	"yuv444p10le": {"yuv422p10le", "yuva422p10le", "yuv422p10"},
}

// drawer draws the marks of outputs on their frames. Their inputs are the stills,
// behind those of media. What its methods give is empty, or goes on with what is
// before it.
type drawer struct {
	stills []int
	media  int
	rate   rational.Rational
}

// onTake draws those of a take that the other takes have elsewhere.
func (d drawer) onTake(p *plan.Picture, output, take int) string {
	if len(p.OtherMarks) == 0 {
		return ""
	}
	return d.marks(p, p.MarksOf(take), fmt.Sprintf("%d.%d", output, take))
}

// onAll draws those that all takes have at the same place.
func (d drawer) onAll(p *plan.Picture, output int) string {
	if len(p.OtherMarks) > 0 {
		return ""
	}
	return d.marks(p, p.Marks, strconv.Itoa(output))
}

// marks draws marks in order. The label tells the links from those of others.
func (d drawer) marks(p *plan.Picture, marks []plan.Mark, label string) string {
	if len(marks) == 0 {
		return ""
	}
	c := canvases[p.PixelFormat]
	if p.Coded() == plan.GIF {
		c = canvas{"gbrp", "gbrap", "gbrp"}
	}
	var graph strings.Builder
	graph.WriteString(",format=" + c.frame)
	for n, m := range marks {
		under, over := fmt.Sprintf("[under%s.%d]", label, n), fmt.Sprintf("[mark%s.%d]", label, n)
		fmt.Fprintf(&graph, "%s;[%d:v]%s%s;%s%soverlay=x=%d:y=%d:format=%s:eval=init:eof_action=repeat",
			under, d.media+slices.Index(d.stills, m.Still), mark(m.Overlay, c, p.Matrix, d.rate), over, under, over, m.Overlay.X, m.Overlay.Y, c.overlay)
	}
	return graph.String()
}

// mark scales a picture for its place and makes it as transparent as asked for.
//
// It is one frame at time zero, which the overlay repeats: the same in every
// chunk, and whatever follows in the file is not looked at. It is scaled with
// its colours weighted by their opacity, since those of what is transparent are
// anything and would else bleed into the edges.
func mark(o preset.Overlay, c canvas, matrix string, rate rational.Rational) string {
	return strings.Join([]string{
		"trim=end_frame=1", "setpts=0", "settb=" + rate.Inv().String(),
		"format=gbrap", "premultiply=inplace=1",
		fmt.Sprintf("scale=%d:%d:flags=bicubic+accurate_rnd+full_chroma_int", o.W, o.H),
		"unpremultiply=inplace=1", "setsar=1",
		"colorchannelmixer=aa=" + strconv.FormatFloat(o.Opacity, 'f', 6, 64),
		"scale=out_color_matrix=" + matrix + ":out_range=limited:flags=bicubic+accurate_rnd", "format=" + c.picture,
	}, ",")
}
