package probe

import (
	"strings"

	"sealreel/pkg/rational"
)

// clock makes the times of a stream run on where the file sets them anew, as
// transport streams joined end to end do. The thresholds are those of ffmpeg's
// own correction: back by more than 0.1 s, or ahead by more than 10 s in a
// format where that is no mere pause.
type clock struct {
	base        rational.Rational
	back, ahead int64 // thresholds in ticks
	most        int64 // longest length of a packet that is believed, 10 s
	last        int64 // the decoding time before, corrected
	length      int64 // of the packet before
	offset      int64 // added to all that comes
	jumps       int
}

func newClock(base rational.Rational, format string) clock {
	second := base.Inv()
	c := clock{base: base, last: noTime, most: second.Round(10), back: second.Round(1) / 10, ahead: second.Round(longest)}
	switch name, _, _ := strings.Cut(format, ","); name {
	case "mpegts", "mpeg", "asf", "ogg":
		c.ahead = c.most
	}
	return c
}

// correct sets a packet's times right. Times beyond all reason become noTime.
func (c *clock) correct(p *packet) {
	p.pts, p.dts = c.reasonable(p.pts), c.reasonable(p.dts)
	if p.dts != noTime && c.last != noTime {
		if gap := p.dts + c.offset - c.last; gap < -c.back || gap > c.ahead {
			c.offset = c.last + c.length - p.dts
			c.jumps++
		}
	}
	p.pts, p.dts = c.reasonable(shift(p.pts, c.offset)), c.reasonable(shift(p.dts, c.offset))
	if p.dts != noTime {
		c.last, c.length = p.dts, min(p.dur, c.most)
	}
}

func (c *clock) reasonable(t int64) int64 {
	if !sane(t, c.base) {
		return noTime
	}
	return t
}

func shift(t, offset int64) int64 {
	if t == noTime {
		return t
	}
	return t + offset
}
