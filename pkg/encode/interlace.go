package encode

import (
	"fmt"

	"sealreel/pkg/plan"
	"sealreel/pkg/rational"
)

// grid is the places at which a chunk's frames are decoded, from lead on. In a
// group of interlaced pictures each field has one: what is of whole frames is
// shown twice, and what is of fields is made into a frame for each.
type grid struct {
	rate   rational.Rational
	lead   int64
	fields bool
}

func decoded(g plan.Group, c plan.Chunk) grid {
	if g.Fields {
		return grid{g.Rate.Mul(rational.Int(2)), 2 * c.Lead, true}
	}
	return grid{g.Rate, c.Lead, false}
}

// deinterlaced makes whole frames of those that are of two fields: one of each, or
// where fields have places of their own one of each field. A line of the field
// that is shown stays as it is.
func (at grid) deinterlaced(which string) string {
	mode := "send_frame"
	if at.fields {
		mode = "send_field"
	}
	return "bwdif=mode=" + mode + ":parity=auto:deint=" + which
}

// interlaced weaves pictures of two fields of the frames: it is empty, or goes on
// with what is before it. Each has the place of its first field, so that a seek
// that landed too late shows. The encoder takes the order of the fields from the
// frames.
func interlaced(p *plan.Picture, g plan.Group) string {
	mode := map[string]string{plan.TopFirst: "interleave_top", plan.BottomFirst: "interleave_bottom"}[p.Fields]
	if mode == "" {
		return ""
	}
	return fmt.Sprintf(",tinterlace=mode=%s,settb=%s,setfield=%s", mode, g.Rate.Inv(), p.Fields)
}

// wholeFrames are those of a group's places, where fields have theirs: it is
// empty, or goes on with what is before it.
func wholeFrames(g plan.Group) string {
	if !g.Fields {
		return ""
	}
	return ",select='not(mod(n,2))',settb=" + g.Rate.Inv().String()
}

// converted converts the colours of a take as the output's preset asks for: it is
// empty, or goes on with what is before it.
func converted(p *plan.Picture) string {
	from, to, ok := p.Converted()
	if !ok {
		return ""
	}
	said := map[string]string{"bt709": "bt709", "bt601": "smpte170m"}[to]
	return fmt.Sprintf(",scale=in_color_matrix=%s:out_color_matrix=%s:flags=%s,setparams=colorspace=%s", from, to, exactly, said)
}
